"""A room with nothing but the relay in it: a page for each guest, and plans that the test applies by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from broker.clock import SystemClock
from broker.domain.plan import Media, MediaPlan, Quality, Route
from broker.media.local import own_addresses
from broker.media.plane import RelayPlane

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_suffix(".html")
HOST = "127.0.0.1"
WITHIN_S = 40.0
VALID_FOR_S = 120.0  # no one beats here: a plan stands for the whole test


class Guest(Protocol):
    """A browser's page that stands in the room."""

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with `argument` in the page and return what it resolves to."""


class RelayRoom:
    """The relay, and what its guests may see of each other now."""

    def __init__(self, plane: RelayPlane, url: str) -> None:
        self.plane = plane
        self.url = url
        self._epoch = 0

    async def allow(self, *routes: Route) -> None:
        """Let exactly these routes flow."""
        self._epoch += 1
        await self.plane.apply(MediaPlan("call", self._epoch, VALID_FOR_S, frozenset(routes)))


@asynccontextmanager
async def relay_room(alter: Callable[[str], str] = lambda offer: offer) -> AsyncIterator[RelayRoom]:
    """Open a room. `alter` changes each offer on its way to the relay."""
    plane = RelayPlane(("0.0.0.0", 0), own_addresses(), SystemClock(), frozenset(own_addresses()))
    await plane.start()

    async def take_offer(request: web.Request) -> web.Response:
        offer = alter(await request.text())
        answer = await plane.connect(request.match_info["name"], frozenset(Media), offer)
        return web.json_response(
            {"sdp": answer.sdp, "ice_servers": [], "lines": [asdict(line) for line in answer.lines]}
        )

    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_static("/web", ROOT / "web")
    app.router.add_post("/offer/{name}", take_offer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield RelayRoom(plane, f"http://localhost:{port}/")
    finally:
        await runner.cleanup()
        await plane.close()


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html")


def sees(source: str, sink: str, line: int = 0, quality: Quality = Quality.BEST) -> Route:
    """Return the route of a picture."""
    return Route(source, Media.VIDEO, sink, line, quality)


def hears(source: str, sink: str, line: int = 0) -> Route:
    """Return the route of a sound."""
    return Route(source, Media.AUDIO, sink, line)


async def join(guest: Guest, name: str, **options: Any) -> None:
    """Connect a guest to the relay; for the options see relay_room.html."""
    await guest.evaluate("(options) => window.room.join(options)", {"name": name, **options})


async def picture(guest: Guest, line: int = 0) -> dict[str, Any]:
    """Return width, height, mean colour and the number of frames of what a line shows."""
    shown: dict[str, Any] = await guest.evaluate("(line) => window.room.picture(line)", line)
    return shown


async def received(guest: Guest, line: int = 0) -> dict[str, Any]:
    """Return the statistics of the picture on a line (W3C webrtc-stats, inbound-rtp)."""
    found: dict[str, Any] = await guest.evaluate("(line) => window.room.received('video', line)", line)
    return found


async def sent(guest: Guest) -> dict[str, dict[str, Any]]:
    """Return width, packets and codec of each encoding that is sent, by rid."""
    found: dict[str, dict[str, Any]] = await guest.evaluate("() => window.room.sent()")
    return found


async def pitch(guest: Guest, line: int = 0) -> int:
    """Return the loudest pitch of a line in hertz, 0 in silence."""
    loudest: int = await guest.evaluate("(line) => window.room.pitch(line)", line)
    return loudest


async def until(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    """Look until it holds, and return what was seen; fails with the last sight after `WITHIN_S`."""
    seen = await look()
    try:
        async with asyncio.timeout(WITHIN_S):
            while not holds(seen):
                await asyncio.sleep(0.1)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"never came about; the last was {seen}") from None
    return seen
