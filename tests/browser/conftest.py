"""One Chromium for the browser tests of a run, with a camera and a microphone that are made up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser.fake_broker import FakeBroker, served

QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
LOOPBACK = "--allow-loopback-in-peer-connection"  # else no candidate of 127.0.0.1 is gathered
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launch(chromium_path: str) -> AsyncIterator[Any]:
    """Return a function that launches Chromium with these flags, once for each set of them."""
    launched: dict[tuple[str, ...], Browser] = {}
    async with async_playwright() as playwright:

        async def start(*flags: str, loopback: bool = True) -> Browser:
            args = (*QUIET, *flags, *([LOOPBACK] if loopback else []))
            if args not in launched:
                launched[args] = await playwright.chromium.launch(executable_path=chromium_path, args=list(args))
            return launched[args]

        yield start
        for browser in launched.values():
            await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(launch: Any) -> Browser:
    """A Chromium that has devices, gives them to everyone, and plays sound without being touched."""
    launched: Browser = await launch(*DEVICES, AUTOPLAY)
    return launched


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[FakeBroker]:
    """A broker that says what the test tells it to."""
    async with served(FakeBroker()) as broker:
        yield broker


class Sitting:
    """Opens pages of a fake broker and closes them after the test; what a page complains of fails the test."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.scripts: list[str] = []  # run in every page before its own

    async def open(self, url: str, **context: Any) -> Page:
        """Open `url` in a browser profile of its own."""
        context.setdefault("viewport", {"width": 390, "height": 844})
        context.setdefault("permissions", ["camera", "microphone"])
        opened = await self.browser.new_context(**context)
        self.contexts.append(opened)
        for script in self.scripts:
            await opened.add_init_script(script)
        page = await opened.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda entry: self._complained(entry.text) if entry.type == "error" else None)
        await page.goto(url)
        return page

    def _complained(self, text: str) -> None:
        if "Failed to load resource" not in text and "WebSocket connection" not in text:  # a test's own refusals
            self.complaints.append(text)

    async def close(self) -> None:
        """Close every page; fail on what any of them complained of (a broken policy, an error in a script)."""
        for context in self.contexts:
            await context.close()
        assert self.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def sitting(browser: Browser) -> AsyncIterator[Sitting]:
    """Pages with devices."""
    pages = Sitting(browser)
    yield pages
    await pages.close()
