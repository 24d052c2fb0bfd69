"""The monitoring console in a page, signed on, with the stand-in world that it sees."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Page, expect

from broker.protocol import client, posts
from tests.browser.conftest import Sitting
from tests.web.support.fake_console import World

DESK = {"width": 1920, "height": 1080}


class Wall:
    """A console in its page, and the world that it sees."""

    def __init__(self, page: Page, world: World) -> None:
        self.page = page
        self.world = world

    def tile(self, number: int) -> Any:
        """The tile or cell of a call."""
        return self.page.locator(f"[data-call='v{number:04}']")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    def of(self, kind: type) -> list[Any]:
        """What the page said of that kind."""
        return [message for message in self.world.said if isinstance(message, kind)]

    async def says(self, kind: type, count: int = 1) -> Any:
        """Return the `count`-th message of that kind as soon as the page has said it."""
        while len(self.of(kind)) < count:
            await asyncio.sleep(0.02)
        return self.of(kind)[count - 1]

    async def proves(self, wanted: Any) -> client.WallProof:
        """Return the first proof, from now on, of which `wanted` holds."""
        seen = len(self.of(client.WallProof))
        while True:
            for proof in self.of(client.WallProof)[seen:]:
                if wanted(proof):
                    return proof
            seen = len(self.of(client.WallProof))
            await asyncio.sleep(0.02)


async def on_post(sitting: Sitting, origin: str, world: World, viewport: dict[str, int]) -> Wall:
    """Open the console and sign on to the monitoring post."""
    page = await sitting.open(f"{origin}/monitor", viewport=viewport)
    return await signed_on(page, world)


async def signed_on(page: Page, world: World) -> Wall:
    """Sign on with what the page proposes."""
    await page.locator("input[name=guidance]").check()
    await page.locator("button[type=submit]").click()
    await expect(page.locator("[data-call]")).to_have_count(len(world.calls))  # keys mean calls
    return Wall(page, world)


def relief(**changes: object) -> posts.Relief:
    """Return what a monitor is told: one colleague who could relieve them, one who could not."""
    now = datetime.now(UTC)
    colleague = {"grade": "osg", "since": now, "live": 3}
    values: dict[str, object] = {
        "now": now,
        "colleagues": [
            {"number": "S200", "name": "R. Shah", "proven": 3, **colleague},
            {"number": "S300", "name": "M. Lowe", "proven": 1, "code": "not_on_screen", **colleague},
        ],
        "break_at": now,
        "rest_s": 900,
        **changes,
    }
    return posts.Relief.model_validate(values)
