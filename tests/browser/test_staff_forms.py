"""The staff pages that the server makes, in Chromium: signing in by keyboard, booking, giving a link, errors."""

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
from tests.office import PASSWORD, Desk, request

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the pages look like
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "permissions": []}
PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "permissions": []}


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> Desk:
    desk = Desk()
    await desk.person("ruth", "3001", Role.BOOKING)
    await desk.person("sue", "9001", Role.STAFF_ADMIN)
    await desk.person("grace", "7001", Role.DUTY_GOVERNOR)
    return desk


@pytest_asyncio.fixture(loop_scope="session")
async def base(desk: Desk) -> AsyncIterator[str]:
    async with served(desk) as address:
        yield address


async def signed_in(sitting: Sitting, base: str, look: dict[str, Any], username: str = "ruth") -> Page:
    """Sign in by keyboard alone."""
    page = await sitting.open(f"{base}/sign-in", **look)
    await page.get_by_label(t("staff.sign_in.username")).focus()
    await page.keyboard.type(username)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{base}/visits")
    return page


async def looked_at(page: Page, name: str) -> None:
    """Check what every page promises: nothing axe finds, nothing wider than the window."""
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"staff-{name}.png"), full_page=True)
    assert await axe_findings(page) == []
    assert await overflow(page) <= 0


@pytest.mark.parametrize("look", [DESK, PHONE], ids=["desk", "phone"])
async def test_every_staff_page_is_free_of_axe_s_findings_at_any_width(sitting, base, desk, look):
    width = look["viewport"]["width"]
    visit, _ = await desk.visit_with_link()
    await desk.office.visits.book(
        await desk.directory.all_establishments(),
        request(prisoner_number="A5678DE", contact_ids=("c3-HRD",), seat_id="t2-HRD"),
        "staff:1",
    )
    page = await sitting.open(f"{base}/sign-in", **look)
    await looked_at(page, f"sign-in-{width}")
    await page.get_by_role("button", name=t("staff.sign_in.button")).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await looked_at(page, f"sign-in-errors-{width}")
    page = await signed_in(sitting, base, look)
    for name, path in {
        "visits": "/visits?date=2026-11-24",
        "visit": f"/visits/{visit.id}",
        "new": "/visits/new?date=2026-11-24",
        "print": "/visits/print?date=2026-11-24",
    }.items():
        await page.goto(base + path)
        await looked_at(page, f"{name}-{width}")


@pytest.mark.feature("F85")
@pytest.mark.parametrize("look", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_duty_governor_suspends_a_visitor_and_lifts_it_again(sitting, base, desk, look):
    width = look["viewport"]["width"]
    visit, _ = await desk.visit_with_link()
    page = await signed_in(sitting, base, look, "grace")
    await page.goto(f"{base}/visits/{visit.id}")
    await page.get_by_role("link", name=t("staff.suspension.link")).click()
    await page.get_by_role("button", name=t("staff.suspension.button")).click()
    await expect(page.get_by_role("alert")).to_contain_text(t("staff.suspension.contact_missing"))
    await looked_at(page, f"suspension-errors-{width}")
    await page.get_by_label("MaryHRD").check()
    await page.get_by_label(t("suspension.recording")).check()
    await page.get_by_role("button", name=t("staff.suspension.button")).click()
    await expect(page.get_by_role("heading", level=2)).to_contain_text("22 December 2026")
    await looked_at(page, f"suspension-{width}")
    await page.get_by_label(t("staff.suspension.lift_why")).fill("It was the neighbour.")
    await page.get_by_role("button", name=t("staff.suspension.lift")).click()
    await expect(page.get_by_role("heading", level=2)).to_have_count(0)


async def test_a_clerk_books_a_visit_and_gives_its_link(sitting, base):
    page = await signed_in(sitting, base, DESK)
    await page.goto(f"{base}/visits?date=2026-11-25")
    await page.get_by_role("button", name=t("staff.visits.new")).click()
    await page.get_by_label(t("staff.new.prisoner")).fill("A1234BC")
    await page.get_by_role("button", name=t("staff.new.find")).click()
    await page.get_by_label(t("staff.new.seat"), exact=True).select_option(index=1)
    await page.get_by_label(t("staff.new.start")).fill("14:00")
    await page.get_by_role("group", name=t("staff.new.main")).get_by_role("radio").first.check()
    await page.get_by_role("group", name=t("staff.new.others")).get_by_role("checkbox").nth(1).check()
    await looked_at(page, "new-people")
    await page.get_by_role("button", name=t("staff.new.book")).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("25 November 2026 at 14:00")
    await page.get_by_role("button", name=t("staff.link.issue")).click()

    address = await page.get_by_label(t("staff.link.address"), exact=True).input_value()

    assert address.startswith(base.replace("://", "://family.") + "/visit#")
    await expect(page.get_by_alt_text(t("staff.link.qr"))).to_be_visible()
    await looked_at(page, "link")


async def test_the_first_error_is_read_out_and_leads_to_its_field(sitting, base):
    page = await signed_in(sitting, base, DESK)
    await page.goto(f"{base}/visits/new")
    await page.get_by_label(t("staff.new.prisoner")).fill("A1234BC")
    await page.get_by_role("button", name=t("staff.new.find")).click()
    await page.get_by_role("button", name=t("staff.new.book")).click()
    await looked_at(page, "new-errors")

    summary = page.locator(".govuk-error-summary")
    await expect(summary).to_be_focused()
    await summary.get_by_role("link", name=t("staff.new.seat_missing")).click()
    await expect(page.get_by_label(t("staff.new.seat"), exact=True)).to_be_focused()


async def test_who_may_not_is_told_so_on_a_page(sitting, base):
    page = await signed_in(sitting, base, DESK, "sue")
    await page.goto(f"{base}/visits")
    await expect(page.get_by_role("heading", level=1)).to_have_text(t("staff.denied.title"))
    await looked_at(page, "denied")
