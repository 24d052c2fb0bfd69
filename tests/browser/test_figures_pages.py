"""The pages of figures and of the record in Chromium: readable at any width, at 200 %, and in print."""

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
from tests.browser.days import fill
from tests.browser.looks import axe_findings, overflow
from tests.edge.support import served
from tests.office import PASSWORD, Desk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the pages look like
WIDE: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "permissions": []}
DESK: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}, "permissions": []}
ZOOMED: dict[str, Any] = {"viewport": {"width": 683, "height": 384}, "permissions": []}  # 1366 × 768 at 200 %
DAY = "?from=2026-11-24&to=2026-11-24"


@pytest_asyncio.fixture(loop_scope="session")
async def base() -> AsyncIterator[str]:
    desk = Desk()
    await desk.person("amy", "M1", Role.MONITOR)
    await desk.person("tom", "T1", Role.SUPERVISOR)
    await desk.person("grace", "7001", Role.DUTY_GOVERNOR)
    await fill(desk)
    async with served(desk) as address:
        yield address


async def signed_in(sitting: Sitting, base: str, look: dict[str, Any], username: str = "grace") -> Page:
    page = await sitting.open(f"{base}/sign-in", **look)
    await page.get_by_label(t("staff.sign_in.username")).fill(username)
    await page.get_by_label(t("staff.sign_in.password")).fill(PASSWORD)
    await page.get_by_role("button", name=t("staff.sign_in.button")).click()
    await page.wait_for_url(f"{base}/visits")
    return page


async def looked_at(page: Page, name: str) -> None:
    """Check what every page promises: nothing axe finds, nothing wider than the window."""
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    assert await axe_findings(page) == []
    assert await overflow(page) <= 0


@pytest.mark.feature("F82", "F98")
@pytest.mark.parametrize("look", [WIDE, DESK, ZOOMED], ids=["wide", "desk", "zoomed"])
async def test_the_figures_are_read_at_any_width(sitting, base, look):
    page = await signed_in(sitting, base, look)
    await page.get_by_role("link", name=t("staff.nav.figures")).click()
    await page.goto(f"{base}/figures{DAY}&by=tier")
    await expect(page.locator(".figure-value").first).to_have_text("12")
    await expect(page.get_by_role("img", name=t("figures.plot.lost"))).to_be_visible()

    await looked_at(page, f"figures-{look['viewport']['width']}")


async def test_the_figures_are_chosen_by_keyboard_and_the_file_carries_its_marking(sitting, base):
    page = await signed_in(sitting, base, DESK)
    await page.goto(f"{base}/figures{DAY}")
    await page.get_by_label(t("figures.by")).select_option("kind")
    await page.get_by_label(t("figures.by")).focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#by-caption")).to_have_text(t("figures.parts", cut=t("figures.cut.kind")))
    async with page.expect_download() as loading:
        await page.get_by_role("link", name=t("figures.csv")).click()

    assert (await loading.value).suggested_filename.startswith("OFFICIAL-")


async def test_the_figures_print_with_their_marking_and_without_the_form(sitting, base):
    page = await signed_in(sitting, base, DESK)
    await page.goto(f"{base}/figures{DAY}")
    await page.emulate_media(media="print")

    await expect(page.locator(".marking").first).to_be_visible()
    await expect(page.locator(".figures-form")).to_be_hidden()
    if PICTURES:
        await page.pdf(path=str(Path(PICTURES) / "figures.pdf"), format="A4", print_background=True)


@pytest.mark.feature("F90", "F98")
@pytest.mark.parametrize("look", [WIDE, ZOOMED], ids=["wide", "zoomed"])
async def test_a_calls_record_is_found_and_read_at_any_width(sitting, base, look):
    page = await signed_in(sitting, base, look)
    await page.goto(f"{base}/audit?date=2026-11-24")
    await looked_at(page, f"record-{look['viewport']['width']}")
    await page.get_by_role("link", name=t("record.open")).first.click()
    await expect(page.get_by_role("heading", name=t("record.whole"))).to_be_visible()

    await looked_at(page, f"record-call-{look['viewport']['width']}")
