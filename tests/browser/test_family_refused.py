"""A family that may not take part reads why and what to do: refused at the identity check, or suspended."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.fake_broker import FakeBroker, visit
from tests.browser.looks import axe_findings, overflow

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PHONE = {"width": 320, "height": 640}


async def ended(fake: FakeBroker, sitting: Sitting, title: str, **more: Any) -> Page:
    """Open the page of a visit that is over for it, and wait for its heading."""
    fake.on_open = [visit("ended", **more)]
    page = await sitting.open(f"{fake.origin}/visit#token", viewport=PHONE)
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return page


async def reads(page: Page, *sentences: str) -> None:
    for sentence in sentences:
        await expect(page.get_by_text(sentence)).to_be_visible()
    assert await axe_findings(page) == []
    assert await overflow(page) <= 0


@pytest.mark.feature("F13")
async def test_a_family_that_was_refused_reads_why_and_what_to_do(fake, sitting):
    title = t("family.ended.title_not_started", name="Daniel")
    page = await ended(fake, sitting, title, end="identity", identity="not_visible")

    keys = ("family.end.identity", "family.identity.not_visible", "family.identity.not_visible.next")
    await reads(page, *(t(key) for key in keys))


@pytest.mark.feature("F85")
async def test_a_suspended_person_reads_why_until_when_and_how_to_appeal(fake, sitting):
    about = {"name": "Grace", "until": "2027-01-05", "reason": "recording", "appeal": "Write to us.\nSay why."}
    page = await ended(fake, sitting, t("family.suspended.title"), end="suspended", suspension=about)

    told = t("family.suspended.yours", name="Grace", until="5 January 2027")
    await reads(page, told, t("family.suspended.recording"), "Say why.")


@pytest.mark.feature("F85")
async def test_of_somebody_elses_suspension_a_page_says_a_name_and_a_day(fake, sitting):
    about = {"name": "Tim", "until": "2027-01-05", "reason": None, "appeal": None}
    page = await ended(fake, sitting, t("family.suspended.title"), end="suspended", suspension=about)

    await reads(page, t("family.suspended.other", name="Tim", until="5 January 2027"))
    await expect(page.get_by_text(t("family.suspended.appeal"))).to_have_count(0)
