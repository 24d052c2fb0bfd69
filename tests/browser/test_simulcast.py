"""Simulcast between real browsers and the real relay: every layer comes, each watcher gets the one it may have."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from broker.domain.plan import Quality
from tests.browser.conftest import Sitting
from tests.browser.relay_room import (
    RelayRoom,
    hears,
    join,
    picture,
    pitch,
    received,
    relay_room,
    sees,
    sent,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

CAMERA = {"width": 1280, "height": 720, "frameRate": 15}
WIDTHS = {"l": 320, "m": 640, "h": 1280}
SWITCHES = 4
MANY_CORES = 4


@pytest_asyncio.fixture(loop_scope="session")
async def room() -> AsyncIterator[RelayRoom]:
    """A room whose relay reads offers as the pages write them."""
    async with relay_room() as opened:
        yield opened


async def guests(sitting: Sitting, room: RelayRoom, **publisher: Any) -> tuple[Any, Any]:
    """Return the page of a publisher with a large camera, and that of somebody with two lines to watch."""
    pages = [await sitting.open(room.url) for _ in range(2)]
    await join(pages[0], "publisher", camera=CAMERA, cores=MANY_CORES, **publisher)
    await join(pages[1], "watcher", audioLines=1, videoLines=2)
    return pages[0], pages[1]


async def shows_width(page: Any, line: int, width: int) -> None:
    """Wait until a line shows a picture of this width."""
    await until(lambda: picture(page, line), lambda shown: shown["width"] == width)


@pytest.mark.feature("F45")
@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_each_watcher_gets_its_layer_and_switching_tears_nothing(
    sitting: Sitting, room: RelayRoom, codec: str
) -> None:
    publisher, watcher = await guests(sitting, room, videoCodec=codec)
    await room.allow(sees("publisher", "watcher", 0), sees("publisher", "watcher", 1, Quality.LOW))

    layers = await until(
        lambda: sent(publisher), lambda by_rid: {r: layer["width"] for r, layer in by_rid.items()} == WIDTHS
    )
    assert {layer["codec"] for layer in layers.values()} == {f"video/{codec}"}
    await shows_width(watcher, 0, WIDTHS["h"])
    await shows_width(watcher, 1, WIDTHS["l"])

    before = [await received(watcher, line) for line in (0, 1)]
    for turn in range(SWITCHES):
        down = turn % 2 == 0
        best = Quality.LOW if down else Quality.BEST
        await room.allow(sees("publisher", "watcher", 0, best), sees("publisher", "watcher", 1, Quality.LOW))
        await shows_width(watcher, 0, WIDTHS["l" if down else "h"])
    after = [await received(watcher, line) for line in (0, 1)]

    switched, still = (
        {name: after[line][name] - before[line][name] for name in ("freezeCount", "pliCount", "framesDecoded")}
        for line in (0, 1)
    )
    assert switched["framesDecoded"] > 0
    # A machine that stumbles freezes the line that stands still as well; one that tears at each switch freezes more.
    assert switched["freezeCount"] <= still["freezeCount"] + 1
    assert switched["pliCount"] <= still["pliCount"] + 1


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_client_that_ignores_signalling_shows_black_in_a_pause_and_a_picture_after_it(
    sitting: Sitting, room: RelayRoom, codec: str
) -> None:
    _, watcher = await guests(sitting, room, videoCodec=codec)
    flowing = (sees("publisher", "watcher", 0), hears("publisher", "watcher"))
    await room.allow(*flowing)
    await until(lambda: picture(watcher), lambda shown: max(shown["colour"]) > 40)
    await room.allow()
    await until(lambda: picture(watcher), lambda shown: max(shown["colour"]) <= 4)
    await room.allow(*flowing)
    await until(lambda: picture(watcher), lambda shown: max(shown["colour"]) > 40)


async def test_where_simulcast_is_refused_one_encoding_of_full_size_is_sent(sitting: Sitting) -> None:
    def without_simulcast(offer: str) -> str:
        return re.sub(r"a=(rid|simulcast):.*\r\n", "", offer)

    async with relay_room(without_simulcast) as room:
        publisher, watcher = await guests(sitting, room)
        await room.allow(sees("publisher", "watcher", 0), hears("publisher", "watcher"))
        await until(lambda: picture(watcher), lambda shown: shown["width"] > WIDTHS["l"])  # as its bits allow
        assert [rid for rid, layer in (await sent(publisher)).items() if layer["width"]] == ["l"]
        await until(lambda: pitch(watcher), lambda hertz: hertz > 0)
        await sitting.close()
