"""A relay worker killed under a call in Chromium: each page connects anew by itself, and the call goes on."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, FAMILY_HZ, RED, WITHIN_MS, all_seated, hears, sees, verify_both
from tests.browser.conftest import Sitting
from tests.flows.support import broker_in, workers_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

COUNT = """
window.connections = 0;
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections += 1; }
};
"""


async def connects_anew(page: Page, before: int) -> None:
    """Wait until a page has made more connections than `before`."""
    async with asyncio.timeout(WITHIN_MS / 1000):
        while await page.evaluate("connections") <= before:
            await asyncio.sleep(0.05)


@pytest.mark.feature("F103")
async def test_when_the_relay_under_a_call_is_killed_every_page_connects_anew_and_the_call_goes_on(
    sitting: Sitting, tmp_path: Path
) -> None:
    sitting.scripts.append(COUNT)
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        chairs = await all_seated(sitting, site, await ask_for_calls(site, broker.credential, 1))
        await verify_both(chairs)
        await sees(chairs.family, ".far video", BLUE)
        await sees(chairs.monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)

        before = {page: await page.evaluate("connections") for page in (chairs.family, chairs.laptop, chairs.monitor)}
        workers_of(os.getpid())[0].kill()  # the first call lives at the first home
        for page, count in before.items():
            await connects_anew(page, count)
        await sees(chairs.family, ".far video", BLUE)
        await sees(chairs.laptop, ".far video", RED)
        await hears(chairs.laptop, FAMILY_HZ)
        await sees(chairs.monitor, f"video[data-leg='{chairs.call.prisoner_leg}']", BLUE)
        await sees(chairs.monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)
        await sitting.close()
