"""Signing on to a post in Chromium, against a stand-in broker: three steps, and a refusal that says every condition."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from broker.domain.codes import Code
from broker.domain.policy import DEFAULT
from broker.protocol import client, posts
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, has_focus, overflow
from tests.web.support.fake_console import PRISON, World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("POSTS_PICTURES")
SIZES = [(1366, 768), (1920, 1080), (683, 384)]  # the last: 1366x768 at 200 %


async def keep(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.feature("F34", "F100")
@pytest.mark.parametrize("size", SIZES)
async def test_signing_on_asks_for_the_guidance_in_force_by_keyboard_at_any_zoom(sitting: Sitting, size):
    world = World(2)
    async with served(world) as origin:
        page = await sitting.open(f"{origin}/monitor", viewport={"width": size[0], "height": size[1]})
        await has_focus(page, t("console.sign_on.title.monitor"))
        await expect(page.get_by_text(t("console.sign_on.load", live=1, lobby=1))).to_be_visible()
        await keep(page, f"sign-on-{size[0]}")
        assert await overflow(page) <= 0
        assert await axe_findings(page) == []

        await page.locator("button[type=submit]").focus()
        await page.keyboard.press("Enter")
        assert not [said for said in world.said if isinstance(said, client.PostSignOn)]
        await page.locator("input[name=guidance]").focus()
        await page.keyboard.press("Space")
        await page.locator("button[type=submit]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-call]").first).to_be_visible()
        (asked,) = [said for said in world.said if isinstance(said, client.PostSignOn)]
        assert (asked.scope, asked.guidance) == ([PRISON], DEFAULT.version)


@pytest.mark.feature("F35", "F36")
@pytest.mark.parametrize("code", [Code.OTHER_POST_HELD, Code.GRADE_TOO_LOW, Code.PROFILE_HOLDS_OTHER_POST])
async def test_a_refused_sign_on_says_which_rule_said_no_and_what_may_be_done(sitting: Sitting, code):
    world = World(1)
    world.refuse_sign_on = code
    world.refused_checks = [
        posts.CheckPart(name="scope", met=True, needed=PRISON, held=PRISON),
        posts.CheckPart(name="grade", met=code is not Code.GRADE_TOO_LOW, needed="prison_officer", held="osg"),
        posts.CheckPart(name="other_post", met=code is not Code.OTHER_POST_HELD, held=None),
        posts.CheckPart(name="browser", met=code is not Code.PROFILE_HOLDS_OTHER_POST),
    ]
    async with served(world) as origin:
        page = await sitting.open(f"{origin}/monitor", viewport={"width": 1366, "height": 768})
        await page.locator("input[name=guidance]").check()
        await page.locator("button[type=submit]").click()
        await expect(page.locator(".refused-box")).to_contain_text(t(f"refused.{code.value}"))
        await has_focus(page, t("console.sign_on.refused.monitor"))
        await expect(page.locator("[data-met=false]")).to_have_count(1)
        await expect(page.get_by_text(t(f"console.sign_on.way.{code.value}"))).to_be_visible()
        await keep(page, f"refused-{code.value}")
        assert await axe_findings(page) == []
