"""A hundred people join, talk and leave: nothing of them stays, in the relay of this process and in a worker's."""

from __future__ import annotations

import asyncio
import gc
import re
from collections import deque
from typing import Any

import psutil
import pytest

from broker.clock import SystemClock
from broker.domain.plan import Media, MediaPlan
from broker.media.child import RelaySettings
from broker.media.plane import RelayPlane
from broker.media.pool import RelayPool
from broker.ports import Answer
from tests.media.support import Endpoint, Stage, both_ways, plan

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

CYCLES, AT_ONCE = 100, 5
WARM_UP = 150  # the allocator's own pools grow for about as many
KIB_A_CYCLE = 20
STRETCHES = 6  # at most: what leaks grows in each; what a worker's collector comes for late does not
KEPT = {"_drops", "_boottime", "_clock", "_due", "_advertise", "_bind", "_listeners", "_past"}


class Guest(Endpoint):
    """An endpoint that asks whoever stands for the relay whether it is up."""

    def is_up(self) -> bool:
        return self.name in self.plane.up  # type: ignore[attr-defined]


class House:
    """A relay, and who is up there."""

    def __init__(self, relay: RelayPlane | RelayPool) -> None:
        self.relay = relay
        self.port = 0
        self.up: set[str] = set()
        relay.watch(self._told)

    def _told(self, endpoint: str, up: bool, home: int = 0) -> None:
        (self.up.add if up else self.up.discard)(endpoint)

    async def connect(self, endpoint: str, publishes: frozenset[Media], text: str) -> Answer:
        answer = await self.relay.connect(endpoint, publishes, text)
        found = re.search(r"a=candidate:1 1 udp \d+ \S+ (\d+)", answer.sdp)
        assert found is not None
        self.port = int(found[1])
        return answer

    async def apply(self, plan: MediaPlan) -> None:
        self.relay.home(plan.call_id)
        await self.relay.apply(plan)

    async def cycle(self, number: int) -> None:
        """Two join, see and hear each other, and leave: the first by itself, the second by the relay's word."""
        names, call = (f"family{number}", f"prisoner{number}"), f"call{number % AT_ONCE}"
        family, prisoner = [await Guest(self, name).connect() for name in names]  # type: ignore[arg-type]
        await self.apply(plan(both_ways(*names), call, number, 60))
        for _ in range(5):
            family.say(b"sound" * 20)
            prisoner.show(b"picture" * 100, key=True)
        for endpoint in (family, prisoner, family):
            await endpoint.fence()
        assert len(prisoner.on(Media.AUDIO)) == len(family.on(Media.VIDEO)) == 5
        await self.apply(plan(set(), call, number, 5))
        await family.handshake.close()
        for endpoint in (family, prisoner):
            await self.relay.disconnect(endpoint.name)
            await endpoint.close()
        self.relay.release(call)

    async def turn(self, first: int, count: int) -> None:
        """Go through `count` cycles, some side by side."""
        for at in range(first, first + count, AT_ONCE):
            await asyncio.gather(*(self.cycle(number) for number in range(at, at + AT_ONCE)))
        await asyncio.sleep(0.3)  # the relay's own ticks
        gc.collect()


def held(thing: Any) -> dict[str, int]:
    """Return how many things lie in each container of an object."""
    named = {name: getattr(thing, name) for name in getattr(thing, "__slots__", ()) or vars(thing)}
    return {name: len(v) for name, v in named.items() if isinstance(v, dict | set | list | deque) and name not in KEPT}


async def grows(house: House, process: psutil.Process, *parts: Any) -> None:
    """Go through the cycles: what lies in `parts` and the process's handles stay, and its memory nearly so."""

    def footprint() -> dict[str, Any]:
        counts = {"descriptors": process.num_fds(), "threads": process.num_threads(), "tasks": len(asyncio.all_tasks())}
        return counts | {type(part).__name__: held(part) for part in parts}

    await house.turn(0, WARM_UP)
    before, slopes = footprint(), list[float]()
    while len(slopes) < STRETCHES and min(slopes, default=KIB_A_CYCLE + 1) > KIB_A_CYCLE:
        rss = process.memory_info().rss
        await house.turn(WARM_UP + len(slopes) * CYCLES, CYCLES)
        slopes.append((process.memory_info().rss - rss) / 1024 / CYCLES)
        assert footprint() == before
        assert house.up == set()
    assert min(slopes) <= KIB_A_CYCLE, slopes


async def test_a_hundred_join_and_leave_without_growth(relay: Stage) -> None:
    plane = relay.plane
    await grows(House(plane), psutil.Process(), plane, plane._forwarder, plane._feedback, plane._plans)


async def test_a_hundred_join_and_leave_a_worker_without_growth() -> None:
    pool = RelayPool(RelaySettings("127.0.0.1", 0, ("127.0.0.1",)), 1, SystemClock())
    await pool.start()
    try:
        await grows(House(pool), psutil.Process(pool.pids[0]), pool, pool._homes[0])
    finally:
        await pool.close()
