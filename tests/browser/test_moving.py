"""A family whose network changes in the middle of a call keeps its seat, in Chromium, through a UDP proxy.

How long each took is printed, not asserted: run with `-s`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, RED, WITHIN_MS, Chairs, all_seated, sees, verify_both
from tests.browser.conftest import Sitting
from tests.flows.support import broker_in
from tests.flows.support import free_port as free_tcp_port
from tests.network.impairment import CLEAR, Conditions, Loss
from tests.network.impairment import Path as Way
from tests.network.pipe import TcpPipe
from tests.network.proxy import UdpProxy
from tests.turn import free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

LEAD = (Path(__file__).parent / "lead.js").read_text().strip().removesuffix(";")
LOST = Way.steady(Conditions(loss=Loss.bursts(1.0)))
BLACKOUT_S = 6
IN_FLIGHT_MS = 1000  # what the page's buffer may still show of the old path

# The longest time between two pictures since `from`, and when it ended, in ms after `from`.
_GAP = """(from) => {
  const shown = farPictures.slice(Math.max(0, farPictures.findLastIndex((at) => at < from)));
  const gaps = shown.slice(1).map((at, one) => [Math.round(at - shown[one]), Math.round(at - from)]);
  return gaps.reduce((best, gap) => (gap[0] > best[0] ? gap : best), [0, 0]);
}"""


@dataclass(frozen=True, slots=True)
class Call:
    """A live call whose family's media come through `here`, and another way to the relay; `pages` carries the rest."""

    chairs: Chairs
    here: UdpProxy
    there: UdpProxy
    pages: TcpPipe


@pytest_asyncio.fixture(loop_scope="session")
async def call(sitting: Sitting, tmp_path: Path) -> AsyncIterator[Call]:
    port = free_port("127.0.0.1")
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(UdpProxy(("127.0.0.1", port)))
        there = await stack.enter_async_context(UdpProxy(("127.0.0.1", port)))
        http = free_tcp_port()
        pages = await stack.enter_async_context(TcpPipe("127.0.0.1", http))
        settings = {"media_port": port, "port": http, "base_url": f"http://localhost:{pages.port}"}
        broker = await stack.enter_async_context(broker_in(tmp_path, **settings))
        site = await stack.enter_async_context(Site(broker.url))
        sitting.scripts.append(f"({LEAD})({json.dumps(here.address)})")
        chairs = await all_seated(sitting, site, await ask_for_calls(site, broker.credential, 1))
        await verify_both(chairs)
        await live(chairs)
        yield Call(chairs, here, there, pages)
        await sitting.close()


async def live(chairs: Chairs) -> None:
    """Wait until all three see what they should."""
    await sees(chairs.family, ".far video", BLUE)
    await sees(chairs.laptop, ".far video", RED)
    await sees(chairs.monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)


async def clock(page: Page) -> float:
    """Return the page's own clock, in ms."""
    now: float = await page.evaluate("performance.now()")
    return now


async def goes_on(call: Call, way: UdpProxy, since: float, what: str) -> None:
    """Wait until media come to the family over `way`, and everybody sees everybody again, in the same call."""
    family = call.chairs.family
    before, later = way.down.taken, await clock(family) + IN_FLIGHT_MS
    async with asyncio.timeout(WITHIN_MS / 1000):
        while way.down.taken < before + 100 or await family.evaluate("farPictures.at(-1)") < later:
            await asyncio.sleep(0.05)
    await live(call.chairs)
    await expect(family.locator(".far video")).to_be_visible()
    assert await call.chairs.monitor.locator(f"[data-call='{call.chairs.call.call_id}']").count() > 0
    gap, ended = await family.evaluate(_GAP, since)
    print(f"\n{what}: {gap} ms without a picture, until {ended} ms after; connections: {await connections(family)}")


async def connections(page: Page) -> int:
    """Return how many peer connections the page has made."""
    made: int = await page.evaluate("connections.length")
    return made


async def test_another_address_for_the_same_sockets(call: Call) -> None:
    """As a NAT does that forgets: what the relay sends to the old address is lost."""
    since = await clock(call.chairs.family)
    call.here.move()
    await goes_on(call, call.here, since, "another address")


@pytest.mark.feature("F20")
async def test_a_way_that_dies_is_left_for_another(call: Call) -> None:
    """As a phone does that leaves the Wi-Fi while its socket to the broker lives on."""
    family = call.chairs.family
    since = await clock(family)
    await family.evaluate("(via) => (window.via = via)", list(call.there.address))
    call.here.impair(LOST, LOST)
    await goes_on(call, call.there, since, "a dead way")
    assert await connections(family) == 2


@pytest.mark.feature("F20")
async def test_another_network_altogether(call: Call) -> None:
    """As a phone does that leaves the Wi-Fi: media and socket are dead, nobody says so but the system's own word."""
    family = call.chairs.family
    since = await clock(family)
    await family.evaluate("(via) => (window.via = via)", list(call.there.address))
    call.here.impair(LOST, LOST)
    call.pages.leave("family")
    await family.evaluate("dispatchEvent(new Event('online'))")
    await goes_on(call, call.there, since, "another network")


async def test_a_blackout_and_then_another_address(call: Call) -> None:
    call.here.impair(LOST, LOST)
    await asyncio.sleep(BLACKOUT_S)
    call.here.impair(CLEAR, CLEAR)
    call.here.move()
    await goes_on(call, call.here, await clock(call.chairs.family), f"after {BLACKOUT_S} s of nothing")
