"""Signing on to a post and handing it over in Chromium, against a stand-in broker."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from broker.domain.codes import Code
from broker.domain.policy import DEFAULT
from broker.protocol import client, posts
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, has_focus, overflow
from tests.browser.wall import relief
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


def offer(role: str) -> dict[str, object]:
    """Return an offer in progress."""
    now = datetime.now(UTC)
    names = {"from_name": "K. Adeyemi", "to_name": "R. Shah"}
    amounts = {"live": 3, "held": 1, "lobby": 1, "proven": 3, "to_watch": 3}
    return {"id": "r1", "role": role, "at": now, "until": now + timedelta(minutes=2), **names, **amounts}


async def at_the_wall(sitting: Sitting, origin: str, size: tuple[int, int] = (1366, 768)) -> Page:
    page = await sitting.open(f"{origin}/monitor", viewport={"width": size[0], "height": size[1]})
    await page.locator("input[name=guidance]").check()
    await page.locator("button[type=submit]").click()
    await expect(page.locator("[data-call]").first).to_be_visible()
    return page


async def says(world: World, kind: type) -> Any:
    """Return the first message of that kind as soon as the page has said it."""
    async with asyncio.timeout(10):
        while not (found := [said for said in world.said if isinstance(said, kind)]):
            await asyncio.sleep(0.02)
    return found[0]


@pytest.mark.feature("F42")
@pytest.mark.parametrize("size", SIZES[:2])
async def test_the_post_is_offered_to_a_colleague_who_shows_every_call(sitting: Sitting, size):
    world = World(4)
    async with served(world) as origin:
        page = await at_the_wall(sitting, origin, size)
        await world.tell(relief(break_due=True))
        await expect(page.get_by_text(t("monitor.break.due"))).to_be_visible()
        await keep(page, f"break-{size[0]}")
        await page.get_by_role("button", name=t("monitor.handover.open")).first.press("Enter")
        await expect(page.get_by_text(t("refused.not_on_screen"))).to_be_visible()
        await keep(page, f"handover-choose-{size[0]}")
        assert await axe_findings(page) == []
        await page.get_by_role("button", name=t("monitor.handover.offer", name="R. Shah")).press("Enter")
        assert (await says(world, client.HandoverOffer)).number == "S200"

        await world.tell(relief(handover=offer("outgoing")))
        await expect(page.get_by_text(t("monitor.handover.responsible.outgoing", to="R. Shah"))).to_be_visible()
        await keep(page, f"handover-outgoing-{size[0]}")
        await page.get_by_role("button", name=t("monitor.handover.withdraw")).press("Enter")
        assert (await says(world, client.HandoverWithdraw)).handover_id == "r1"


@pytest.mark.feature("F42")
async def test_whoever_is_offered_the_post_accepts_it_and_whoever_was_relieved_is_off(sitting: Sitting):
    world = World(4)
    over = {"now": datetime.now(UTC), "handover_id": "r1", "outcome": "accepted"}
    names = {"from_name": "K. Adeyemi", "to_name": "R. Shah"}
    async with served(world) as origin:
        page = await at_the_wall(sitting, origin)
        await world.tell(relief(handover=offer("incoming")))
        await keep(page, "handover-incoming")
        assert await axe_findings(page) == []
        await page.get_by_role("button", name=t("monitor.handover.accept")).press("Enter")
        assert (await says(world, client.HandoverAccept)).handover_id == "r1"

        world.held = None
        await world.tell(posts.HandoverOver.model_validate({**over, **names, "role": "outgoing"}))
        await world.tell(posts.PostLeftMessage(now=datetime.now(UTC), why="handed_over"))
        await world.tell(world.snapshot())
        await has_focus(page, t("console.sign_on.title.monitor"))
        await expect(page.get_by_role("status").filter(has_text="R. Shah")).to_be_visible()
        asked = len([said for said in world.said if isinstance(said, client.PostSignOn)])
        for socket in [*world.sockets]:
            await socket.close()
        async with asyncio.timeout(10):
            while not world.sockets:
                await asyncio.sleep(0.02)
        await page.locator("input[name=guidance]").check()
        await page.locator("button[type=submit]").click()
        await expect(page.locator("[data-call]").first).to_be_visible()
        assert len([said for said in world.said if isinstance(said, client.PostSignOn)]) == asked + 1


@pytest.mark.feature("F60")
async def test_a_takeover_is_proposed_and_agreed_to_from_the_rail(sitting: Sitting):
    world = World(2)
    watch = {"establishment": PRISON, "name": "HMP Harrowdene", "side": "establishment"}
    asked = {
        "to": "pool",
        "reason": "short_of_staff",
        "by_name": "N. Moss",
        "until": datetime.now(UTC),
        "agreed": False,
    }
    async with served(world) as origin:
        page = await at_the_wall(sitting, origin)
        await world.tell(relief(watch=[watch]))
        await page.get_by_role("button", name=t("monitor.handover.open")).first.press("Enter")
        await page.get_by_label(t("monitor.transfer.reason")).select_option("fault")
        await keep(page, "transfer-propose")
        assert await axe_findings(page) == []
        await page.get_by_role("button", name=t("monitor.transfer.give")).press("Enter")
        proposed = await says(world, client.MonitoringPropose)
        assert (proposed.establishment, proposed.to, proposed.reason) == (PRISON, "pool", "fault")

        await world.tell(relief(watch=[{**watch, "transfer": {**asked, "yours": False}}]))
        await keep(page, "transfer-asked")
        await page.get_by_role("button", name=t("monitor.transfer.accept")).press("Enter")
        assert (await says(world, client.MonitoringAccept)).establishment == PRISON

        world.held = None
        await world.tell(posts.PostLeftMessage(now=datetime.now(UTC), why="transferred"))
        await world.tell(world.snapshot())
        await has_focus(page, t("console.sign_on.title.monitor"))
