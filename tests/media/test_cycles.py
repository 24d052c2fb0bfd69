"""A hundred people join, talk and leave: nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import deque
from collections.abc import Sized
from typing import Any

import psutil
import pytest

from broker.domain.plan import Media
from tests.media.support import Endpoint, Stage, both_ways, plan

pytestmark = pytest.mark.flow

WARM_UP, CYCLES, AT_ONCE = 200, 100, 5  # the allocator's own pools grow for about 150
KIB_A_CYCLE = 20
KEPT = {"_drops", "_boottime", "_clock", "_due", "_advertise", "_bind", "_listeners"}


async def cycle(relay: Stage, number: int) -> None:
    """Two join, see and hear each other, and leave: the first by itself, the second by the plane's word."""
    names, call = (f"family{number}", f"prisoner{number}"), f"call{number % AT_ONCE}"
    family, prisoner = [await Endpoint(relay.plane, name).connect() for name in names]
    await relay.plane.apply(plan(both_ways(*names), call, number, 60))
    for _ in range(5):
        family.say(b"sound" * 20)
        prisoner.show(b"picture" * 100, key=True)
    await relay.fences(family, prisoner, family)
    assert len(prisoner.on(Media.AUDIO)) == len(family.on(Media.VIDEO)) == 5
    await relay.plane.apply(plan(set(), call, number, 5))
    await family.handshake.close()
    for name in names:
        await relay.plane.disconnect(name)
    for endpoint in (family, prisoner):
        await endpoint.close()


def held(thing: Any) -> dict[str, int]:
    """Return how many things lie in each container of an object."""
    sized = (dict, set, list, deque)
    return {
        name: len(value)
        for name, value in vars(thing).items()
        if isinstance(value, sized) and isinstance(value, Sized) and name not in KEPT
    }


def footprint(relay: Stage) -> dict[str, Any]:
    """Return what must be the same after any number of cycles."""
    plane = relay.plane
    parts = (plane, plane._forwarder, plane._feedback)
    return {
        **{type(part).__name__: held(part) for part in parts},
        "calls": len(plane._plans._calls),
        "claims": len(plane._plans._claims),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


async def turn(relay: Stage, first: int, count: int) -> None:
    for at in range(first, first + count, AT_ONCE):
        await asyncio.gather(*(cycle(relay, number) for number in range(at, at + AT_ONCE)))
        relay.clock.at += 1
    await asyncio.sleep(0.05)  # the relay's own tick
    gc.collect()


async def test_a_hundred_join_and_leave_without_growth(relay: Stage) -> None:
    process = psutil.Process()
    await turn(relay, 0, WARM_UP)
    before, rss = footprint(relay), process.memory_info().rss
    await turn(relay, WARM_UP, CYCLES)
    assert footprint(relay) == before
    assert (process.memory_info().rss - rss) / 1024 / CYCLES <= KIB_A_CYCLE
