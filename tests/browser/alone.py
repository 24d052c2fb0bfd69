"""A call in Chromium where there is no network but loopback; run by tests/flows/test_loopback_only.py.

A page without permission for a camera, such as the wall, sends from the machine's default address alone (Chromium's
default_public_interface_only); there is none here, so every page has the permission.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, FAMILY_HZ, PRISONER_HZ, RED, all_seated, hears, sees, verify_both
from tests.browser.conftest import AUTOPLAY, DEVICES, LOOPBACK, QUIET, Sitting
from tests.flows.support import broker_in


class Permitted(Sitting):
    """Pages that may all use camera and microphone."""

    async def open(self, url: str, **context: Any) -> Page:
        return await super().open(url, **{**context, "permissions": ["camera", "microphone"]})


async def main(chromium: str) -> None:
    """Bring a call up and look at every page."""
    async with async_playwright() as playwright:
        flags = [*QUIET, *DEVICES, AUTOPLAY, LOOPBACK]
        pages = Permitted(await playwright.chromium.launch(executable_path=chromium, args=flags))
        with tempfile.TemporaryDirectory() as folder:
            async with broker_in(Path(folder)) as broker, Site(broker.url) as site:
                chairs = await all_seated(pages, site, await ask_for_calls(site, broker.credential, 1))
                await verify_both(chairs)
                await sees(chairs.family, ".far video", BLUE)
                await sees(chairs.laptop, ".far video", RED)
                await sees(chairs.monitor, f"video[data-leg='{chairs.call.prisoner_leg}']", BLUE)
                await hears(chairs.family, PRISONER_HZ)
                await hears(chairs.laptop, FAMILY_HZ)
                await pages.close()
        await pages.browser.close()
    print("the call came up")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
