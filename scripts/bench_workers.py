"""Kill relay workers under live calls: how soon it is noticed, and how soon picture and sound are back at every end.

A broker in its own process, bots with real DTLS-SRTP here, both posts staffed by bots that prove once a second. Each
kill (SIGKILL) takes the worker that carries the calls. Writes build/bench/workers.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench_calls import running_broker  # noqa: E402
from broker.synthetic.caller import both  # noqa: E402
from broker.synthetic.figures import Spread  # noqa: E402
from broker.synthetic.site import Site  # noqa: E402
from broker.synthetic.stage import PAIRS, Ends, Stage, ask_for_calls, both_posts, ends_of, staffed  # noqa: E402
from broker.synthetic.talk import TookTooLong, until  # noqa: E402

GIVE_UP_S = 30.0
CALM_S = 4.0  # between a recovery and the next kill: the wall has its connections again, and proofs are steady
TARGETS_MS = {"noticed_ms": {"max": 1000}, "media_back_ms": {"p95": 3000}, "wall_back_ms": {"p95": 3000}}


@dataclass
class Found:
    """What the kills showed. Seconds since the kill."""

    noticed: list[float] = field(default_factory=list)  # the first end that was asked to connect anew
    media_back: list[float] = field(default_factory=list)  # of each call that moved: decodable at both ends
    wall_back: list[float] = field(default_factory=list)  # of each call that moved: decodable on the wall
    not_back: int = 0
    ended: int = 0


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the relay workers of a broker, oldest first."""
    found = [child for child in psutil.Process(pid).children() if "broker.media.worker" in child.cmdline()]
    return sorted(found, key=lambda worker: worker.create_time())


def wall_at(stage: Stage, ends: Ends) -> float | None:
    """Return when the wall had both pictures of a call on the lines that carry it now."""
    lines = [stage.monitor.line_of("video", leg) for leg in (ends.booked.family_leg, ends.booked.prisoner_leg)]
    times = [line.decodable_at if line is not None else None for line in lines]
    return None if None in times else max(at for at in times if at is not None)


def mark(stage: Stage, calls: list[Ends]) -> None:
    """From now on only what arrives anew counts."""
    for ends in calls:
        ends.mark()
        for line in stage.monitor.lines_of(ends.booked.call_id):
            line.mark()
        for end in ends.all_of():
            end.reoffered_at = None


def home_of(stage: Stage, ends: Ends) -> int | None:
    """Return the home whose line shows a call."""
    return next((part.home for part in stage.monitor.carried if part.call_id == ends.booked.call_id), None)


def worker_at(stage: Stage, broker: int, home: int) -> psutil.Process:
    """Return the worker of a home: the one whose port the wall is connected to."""
    port = stage.monitor.peers[home].relay_port
    return next(w for w in workers_of(broker) if port in [one.laddr.port for one in w.net_connections("udp")])


async def kill_one(stage: Stage, calls: list[Ends], broker: int, found: Found) -> None:
    """Kill the worker that carries the most calls, and wait until each of them is back."""
    homes = [home_of(stage, ends) for ends in calls]
    home = max(stage.monitor.peers, key=homes.count)
    moved = [ends for ends, at_home in zip(calls, homes, strict=True) if at_home == home]
    worker = worker_at(stage, broker, home)
    mark(stage, calls)
    at = time.monotonic()
    worker.kill()
    for ends in moved:
        ends.mark()  # what was on its way
    told: list[float] = []
    for ends in moved:
        try:
            told += await times_told(ends, at)
            found.media_back.append(await ends.media("media", GIVE_UP_S) - at)
            await until(lambda ends=ends: wall_at(stage, ends) is not None, GIVE_UP_S, "the wall")  # type: ignore[misc]
            found.wall_back.append((wall_at(stage, ends) or 0.0) - at)
        except TookTooLong:
            found.not_back += 1
    if told:
        found.noticed.append(min(told))
    found.ended += sum(stage.monitor.phase(ends.booked.call_id) != "live" for ends in calls)
    print(f"home {home}: {len(moved)} calls, the first end told after {min(told, default=0) * 1000:.0f} ms")


async def times_told(ends: Ends, since: float) -> list[float]:
    """Wait until both ends are asked to connect anew; return how long that took. Raises TookTooLong."""
    await until(lambda: all(end.reoffered_at is not None for end in ends.all_of()), GIVE_UP_S, "the order")
    return [(end.reoffered_at or 0.0) - since for end in ends.all_of()]


async def measure(calls: int, kills: int) -> tuple[Found, float]:
    """Bring the calls to life and kill workers under them; return what was found and the load meanwhile."""
    found = Found()
    with running_broker() as broker:
        async with Site(broker.url) as site, AsyncExitStack() as open_ends:
            cast = await ask_for_calls(site, broker.credential, calls)
            stage = await open_ends.enter_async_context(staffed(site, cast))
            await both_posts(stage)
            live = []
            for number, booked in enumerate(cast.calls):
                ends = await open_ends.enter_async_context(ends_of(stage, booked, number % PAIRS))
                await both(ends.laptop, ends.family)
                await ends.media("media", GIVE_UP_S)
                live.append(ends)
            for _ in range(kills):
                await asyncio.sleep(CALM_S)
                await kill_one(stage, live, broker.pid, found)
            load = os.getloadavg()[0]
    return found, load


def spread_ms(seconds: list[float]) -> dict[str, float]:
    """Return the spread of some seconds, in milliseconds."""
    spread = Spread.of(seconds)
    return {} if spread is None else {"p50": spread.p50, "p95": spread.p95, "max": spread.max, "n": spread.n}


def main() -> int:
    """Measure, print and write; 1 where a call ended or did not come back (a target that was missed is only said)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    found, load = asyncio.run(measure(options.calls, options.kills))
    figures: dict[str, Any] = {
        "noticed_ms": spread_ms(found.noticed),
        "media_back_ms": spread_ms(found.media_back),
        "wall_back_ms": spread_ms(found.wall_back),
    }
    met = {
        f"{name} {share} <= {limit}": figures[name].get(share, limit + 1) <= limit
        for name, limits in TARGETS_MS.items()
        for share, limit in limits.items()
    }
    rows = {"bench": "workers", "load_average": load, "calls": options.calls, "kills": options.kills, **figures}
    rows.update({"not_back": found.not_back, "calls_ended": found.ended, "met": met})
    target = ROOT / "build" / "bench" / "workers.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=2) + "\n")
    print(json.dumps(rows, indent=2))
    return 1 if found.not_back or found.ended else 0


if __name__ == "__main__":
    sys.exit(main())
