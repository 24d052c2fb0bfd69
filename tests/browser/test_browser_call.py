"""The browser call: Chromium plays family, laptop, console and hall at once, through the real broker and its relay.

The spine of the project, with tests/flows/test_supervised_call.py: never skipped, weakened or renamed.
Who is seen is told by colour (the family is red, the prisoner blue), who is heard by pitch; everything
between the made-up camera and the screen is real: encoder, DTLS, SRTP, relay, decoder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from broker.media.local import own_addresses
from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import (
    BLUE,
    FAMILY_HZ,
    PRISONER_HZ,
    RED,
    WITHIN_MS,
    Chairs,
    all_seated,
    end_in_the_hall,
    hears,
    keep_pictures,
    sees,
    t,
    verify_both,
)
from tests.browser.conftest import AUTOPLAY, DEVICES, Sitting
from tests.browser.looks import axe_findings
from tests.flows.support import broker_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(loop_scope="session")
async def chairs(sitting: Sitting, tmp_path: Path) -> AsyncIterator[Chairs]:
    """Four chairs in one browser, both posts taken, both callers in the lobby; nobody is verified yet."""
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        cast = await ask_for_calls(site, broker.credential, 1)
        yield await all_seated(sitting, site, cast)
        await sitting.close()  # pages first: they would complain of a broker that goes


@pytest.mark.feature("F1", "F13", "F17", "F34", "F44", "F46", "F52", "F53")
async def test_the_browser_call(chairs: Chairs) -> None:
    family, laptop, monitor, call = chairs.family, chairs.laptop, chairs.monitor, chairs.call
    await verify_both(chairs)

    await sees(family, ".far video", BLUE)
    await sees(laptop, ".far video", RED)
    await sees(monitor, f"video[data-leg='{call.prisoner_leg}']", BLUE)
    await sees(monitor, f"video[data-leg='{call.family_leg}']", RED)
    await hears(family, PRISONER_HZ)
    await hears(laptop, FAMILY_HZ)
    await hears(monitor)
    await keep_pictures(chairs, "4-live")
    await monitor.keyboard.press("1")
    await hears(monitor, FAMILY_HZ, PRISONER_HZ)
    await keep_pictures(chairs, "5-focus")

    await monitor.keyboard.press("p")
    for page in (family, laptop):
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            t("common.pause.staff.title"), timeout=WITHIN_MS
        )
        assert await page.locator("video, audio").count() == 0
    await hears(monitor)
    await keep_pictures(chairs, "6-paused")
    await monitor.keyboard.press("u")
    await sees(family, ".far video", BLUE)
    await hears(laptop, FAMILY_HZ)

    await end_in_the_hall(chairs.hall)
    for page in (family, laptop):
        await expect(page.locator("video, audio")).to_have_count(0, timeout=WITHIN_MS)
    await expect(family.get_by_role("heading", level=1)).to_contain_text("call", timeout=WITHIN_MS)
    await keep_pictures(chairs, "8-ended")


@pytest.mark.feature("F112")
async def test_the_four_chairs_have_nothing_that_axe_finds(chairs: Chairs) -> None:
    await verify_both(chairs)
    await sees(chairs.family, ".far video", BLUE)
    for page in (chairs.family, chairs.laptop, chairs.monitor, chairs.hall):
        assert await axe_findings(page) == []


@pytest.mark.feature("F1")
async def test_a_page_with_a_camera_connects_in_a_browser_as_people_have_it(launch: Any, tmp_path: Path) -> None:
    """Without the test's flag for loopback, a page with permission sends from the machine's own address alone."""
    assert len(own_addresses()) > 1, "a machine without a network shows nothing here"
    pages = Sitting(await launch(*DEVICES, AUTOPLAY, loopback=False))
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        chairs = await all_seated(pages, site, await ask_for_calls(site, broker.credential, 1))
        await verify_both(chairs)
        await sees(chairs.family, ".far video", BLUE)
        await sees(chairs.laptop, ".far video", RED)
        await pages.close()
