"""The page of an exercise in Chromium, and what the consoles and the callers' pages say while one runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from broker.domain.records import Role
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.edge.support import served
from tests.exercised import put_on_record
from tests.office import PASSWORD, Desk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the pages look like
WIDE: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "permissions": []}
DESK: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}, "permissions": []}
ZOOMED: dict[str, Any] = {"viewport": {"width": 683, "height": 384}, "permissions": []}  # 1366 × 768 at 200 %


@pytest_asyncio.fixture(loop_scope="session")
async def base() -> AsyncIterator[str]:
    desk = Desk()
    await desk.person("amy", "M1", Role.MONITOR)
    await desk.person("grace", "7001", Role.DUTY_GOVERNOR)
    await put_on_record(desk)
    async with served(desk, training=True) as address:
        yield address


async def signed_in(sitting: Sitting, base: str, look: dict[str, Any], username: str = "grace") -> Page:
    page = await sitting.open(f"{base}/sign-in", **look)
    await page.get_by_label(t("staff.sign_in.username")).fill(username)
    await page.get_by_label(t("staff.sign_in.password")).fill(PASSWORD)
    await page.get_by_role("button", name=t("staff.sign_in.button")).click()
    await page.wait_for_url(f"{base}/visits")
    return page


async def looked_at(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    assert await axe_findings(page) == []
    assert await overflow(page) <= 0


@pytest.mark.feature("F114")
@pytest.mark.parametrize("look", [WIDE, DESK, ZOOMED], ids=["wide", "desk", "zoomed"])
async def test_an_exercise_is_read_at_any_width(sitting, base, look):
    page = await signed_in(sitting, base, look)
    await page.get_by_role("link", name=t("staff.nav.training")).click()
    await expect(page.get_by_role("heading", name=t("training.of", exercise="first-shift"))).to_be_visible()
    await expect(page.get_by_role("img", name=t("training.plot"))).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text=t("training.misdeed.covered"))).to_contain_text(
        t("training.verdict.met")
    )
    await expect(page.locator(".training-marking").first).to_have_text(t("page.training"))

    await looked_at(page, f"training-{look['viewport']['width']}")


@pytest.mark.feature("F114", "F98")
async def test_an_exercise_prints_with_its_markings_and_its_file_carries_them(sitting, base):
    page = await signed_in(sitting, base, DESK)
    await page.goto(f"{base}/training")
    async with page.expect_download() as loading:
        await page.get_by_role("link", name=t("figures.csv")).click()
    assert (await loading.value).suggested_filename.startswith("OFFICIAL-TRAINING-first-shift-")
    await page.emulate_media(media="print")

    await expect(page.locator(".marking").first).to_be_visible()
    await expect(page.locator(".training-marking").first).to_be_visible()
    await expect(page.get_by_role("link", name=t("figures.csv"))).to_be_hidden()
    if PICTURES:
        await page.pdf(path=str(Path(PICTURES) / "training.pdf"), format="A4", print_background=True)
