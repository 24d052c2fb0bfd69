"""Firefox and Chromium in one call through the relay: two implementations of everything that a browser does."""

from __future__ import annotations

from typing import Any

import pytest

from broker.media.local import own_addresses
from tests.browser.conftest import Sitting
from tests.browser.firefox import firefox
from tests.browser.relay_room import hears, join, picture, pitch, received, relay_room, sees, sent, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

RED, BLUE = [200, 30, 30], [30, 30, 200]
FIREFOX_HZ, CHROMIUM_HZ = 440, 1000
NEAR_HZ, NEAR_COLOUR = 12, 60


def person(colour: list[int], hertz: int) -> dict[str, Any]:
    """Return somebody before a camera of 640 by 360, which a page sends in two encodings."""
    return {
        "publish": {"width": 640, "height": 360, "colour": colour, "hertz": hertz},
        "audioLines": 1,
        "videoLines": 1,
    }


async def meets(page: Any, colour: list[int], hertz: int) -> None:
    """Wait until a page shows this person and plays their tone."""
    await until(
        lambda: picture(page),
        lambda shown: max(abs(a - b) for a, b in zip(shown["colour"], colour, strict=True)) < NEAR_COLOUR,
    )
    await until(lambda: pitch(page), lambda heard: abs(heard - hertz) < NEAR_HZ)


async def is_silent(page: Any) -> None:
    """Wait until a page plays nothing; from then on no new frame of a person may be decoded."""
    await until(lambda: pitch(page), lambda heard: heard == 0)


@pytest.mark.feature("F1")
async def test_firefox_and_chromium_see_and_hear_each_other_and_a_pause_stops_both(sitting: Sitting) -> None:
    assert len(own_addresses()) > 1, (
        "Firefox gathers no candidate of 127.0.0.1: without a network nothing is shown here"
    )
    async with relay_room() as room, firefox() as fox:
        chromium = await sitting.open(room.url)
        await fox.goto(room.url)
        await join(fox, "fox", **person(RED, FIREFOX_HZ))
        await join(chromium, "chromium", **person(BLUE, CHROMIUM_HZ))
        flowing = [route for a, b in (("fox", "chromium"), ("chromium", "fox")) for route in (sees(a, b), hears(a, b))]
        await room.allow(*flowing)
        await meets(fox, BLUE, CHROMIUM_HZ)
        await meets(chromium, RED, FIREFOX_HZ)
        assert set(await sent(fox)) == set(await sent(chromium)) == {"l", "h"}

        await room.allow()
        for page in (fox, chromium):
            await is_silent(page)
        paused = [await received(page) for page in (fox, chromium)]
        for page in (fox, chromium):  # each asks once more: a beat of the page's own time, in which nothing may come
            await page.evaluate("() => new Promise((done) => setTimeout(done, 500))")
        assert [(await received(page))["framesDecoded"] for page in (fox, chromium)] == [
            one["framesDecoded"] for one in paused
        ]

        await room.allow(*flowing)
        await meets(fox, BLUE, CHROMIUM_HZ)
        await meets(chromium, RED, FIREFOX_HZ)
        await sitting.close()
