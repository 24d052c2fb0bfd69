"""What is measured of the servers, and the rows that come of it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.compiled import OPEN_EVERY, Counts, Load
from bench.offers import THREE_LAYERS, Offer
from bench.servers import Call, Python, Server, both_ways, dial, hand_over, monitored, resident_mb
from broker.domain.plan import Media, Quality

SETTLE_S = 1.5  # after a change of who sends, before a window
BUSY = 0.9  # of the load's core: beyond it the load is the bottleneck
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """One server's figures over some seconds."""

    us_per_packet: float
    cpu_fraction: float
    latency_p50_ms: float
    latency_p99_ms: float
    packets_per_s: float
    received_fraction: float
    load_fraction: float
    load_late_ms: float


@dataclass(frozen=True)
class Shape:
    """How many windows of how many seconds make a figure, and how many copies of a packet sent are due."""

    windows: int
    window_s: float


async def window(load: Load, server: Server, copies: float, seconds: float) -> Window:
    """Measure one window; the server's group is sending."""
    load.take_delays()
    before, cpu, own, began = load.counts(server.group), server.cpu_s(), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    after, cpu, own = load.counts(server.group), server.cpu_s() - cpu, time.process_time() - own
    passed_s = time.monotonic() - began
    delays, late_ms = load.take_delays()
    sent, received = grown(before, after)
    return Window(
        cpu / max(sent + received, 1) * 1e6,
        cpu / passed_s,
        share(delays, 0.50),
        share(delays, 0.99),
        (sent + received) / passed_s,
        received / max(sent * copies, 1),
        own / passed_s,
        late_ms,
    )


def grown(before: Counts, after: Counts) -> tuple[int, int]:
    """Return (sent, received) between two counts."""
    return after.sent - before.sent, after.received - before.received


def share(ordered: Sequence[float], part: float) -> float:
    """Return a percentile of ascending values; NaN where there is none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


def row(name: str, calls: int, windows: Sequence[Window]) -> dict[str, Any]:
    """Return the medians of some windows."""
    fields = Window.__dataclass_fields__
    medians = {field: round(statistics.median(getattr(w, field) for w in windows), 4) for field in fields}
    spread = [round(w.us_per_packet, 2) for w in windows]
    busy = any(w.load_fraction > BUSY for w in windows)
    return {"server": name, "calls": calls, **medians, "windows": spread, "load_was_bottleneck": busy}


async def alternate(
    load: Load, servers: Sequence[Server], calls: int, shape: Shape, progress: Progress
) -> list[dict[str, Any]]:
    """Measure every server under the same load, in turns; return a row of each."""
    found: dict[str, list[Window]] = {server.name: [] for server in servers}
    for turn in range(shape.windows):
        for server in servers:
            load.activate([server.group])
            await asyncio.sleep(SETTLE_S if turn else SETTLE_S + 1)
            taken = await window(load, server, 2, shape.window_s)
            found[server.name].append(taken)
            progress(f"{calls} calls, window {turn + 1} of {shape.windows}, {server.name}: {said(taken)}")
    load.activate([])
    return [row(server.name, calls, found[server.name]) for server in servers]


def said(taken: Window) -> str:
    """Return a window in words."""
    return (
        f"{taken.us_per_packet:.1f} µs a packet, {taken.cpu_fraction:.0%} of a core, delay "
        f"{taken.latency_p50_ms:.2f}/{taken.latency_p99_ms:.1f} ms, {taken.received_fraction:.2%} received, "
        f"load {taken.load_fraction:.0%}"
    )


async def grow(server: Server, calls: int) -> float:
    """Connect calls until there are so many; return the CPU ms that a peer took in the server."""
    before, known = server.cpu_s() if server.pid else 0.0, len(server.calls)
    await server.grow(calls)
    peers = sum(len({*call.publishers, *call.receivers}) for call in server.calls[known:])
    return (server.cpu_s() - before) / max(peers, 1) * 1e3


def resident(server: Server) -> float:
    """Return the resident memory of a server in MB."""
    return resident_mb(server.pid)


# --- pauses ------------------------------------------------------------------

PAUSE_EVERY_S, PAUSED_FOR_S, BACK_WITHIN_S = 0.15, 0.4, 3.0


async def pauses(load: Load, server: Python, count: int, progress: Progress) -> dict[str, Any]:
    """Pause calls one after the other under full load; return how long content still reached anybody, in ms."""
    load.activate([server.group])
    load.open_every(1)
    await asyncio.sleep(SETTLE_S + 1)
    turns = []
    for number in range(count):
        turns.append(asyncio.create_task(pause(load, server, server.calls[number % len(server.calls)])))
        await asyncio.sleep(PAUSE_EVERY_S)
        if number % 20 == 19:
            progress(f"{len(server.calls)} calls, {number + 1} of {count} pauses")
    took_ms = sorted([await turn for turn in turns])
    load.open_every(OPEN_EVERY)
    load.activate([])
    return {
        "calls": len(server.calls),
        "pauses": count,
        "p50_ms": round(share(took_ms, 0.5), 2),
        "p95_ms": round(share(took_ms, 0.95), 2),
        "max_ms": round(took_ms[-1], 2),
    }


async def pause(load: Load, server: Python, call: Call) -> float:
    """Pause one call that is alive and open it again; return when its last content came, in ms after the command."""

    def last_content() -> float:
        return max(load.last_content(peer.number) for peer in call.receivers)

    async with asyncio.timeout(BACK_WITHIN_S):
        while time.time() - last_content() > PAUSE_EVERY_S:  # noqa: ASYNC110 - the load is another thread
            await asyncio.sleep(0.01)
    commanded_at = time.time()
    server.ask_now(call=call.name, routes=[])
    await asyncio.sleep(PAUSED_FOR_S)
    last_at = last_content()
    server.ask_now(call=call.name, routes=monitored(call.name))
    return max(0.0, last_at - commanded_at) * 1e3


# --- a wall ------------------------------------------------------------------


async def wall(load: Load, host: str, core: int | None, calls: int, shape: Shape, progress: Progress) -> dict[str, Any]:
    """Let one monitor watch `calls` simulcast calls, and take its routes away, in turns."""
    relay = Python(load, host, core)
    try:
        for number in range(calls):
            relay.calls.append(await dial(relay, str(number), THREE_LAYERS, monitor=False))
        hand_over(load, relay.group, relay.calls, calls)
        before_mb = await _unwatched_mb(load, relay)
        monitor = await relay.enter("wall", Offer([], [Media.AUDIO, Media.AUDIO, *[Media.VIDEO] * (2 * calls)]))
        monitor.hand_over(load, relay.group, 0.0)
        relay.calls[0].receivers.append(monitor)
        found: dict[bool, list[Window]] = {True: [], False: []}
        for turn in range(shape.windows):
            for watched in (True, False):
                await set_wall(relay, watched)
                await asyncio.sleep(SETTLE_S + 1)
                taken = await window(load, relay, 1, shape.window_s)
                found[watched].append(taken)
                words = "watched" if watched else "unwatched"
                progress(f"{calls} calls on one wall, window {turn + 1} of {shape.windows}, {words}: {said(taken)}")
        after_mb = resident(relay)
    finally:
        load.activate([])
        await relay.close()
    return compared(calls, found[True], found[False]) | {
        "resident_mb": round(after_mb, 1),
        "resident_mb_of_monitor": round(after_mb - before_mb, 1),
        "layers": [layer.rid for layer in THREE_LAYERS],
    }


async def _unwatched_mb(load: Load, relay: Python) -> float:
    """Let the calls run without a monitor until their rings are full; return the relay's memory."""
    await set_wall(relay, False)
    load.activate([relay.group])
    await asyncio.sleep(3 * SETTLE_S)
    return resident(relay)


async def set_wall(relay: Python, watched: bool) -> None:
    """Give every call its own routes and, where `watched`, the monitor's: all pictures low, the first call's sound."""
    for number, call in enumerate(relay.calls):
        routes = both_ways(call.name)
        for leg in (1, 2) if watched else ():
            routes.append((f"{call.name}.{leg}", Media.VIDEO, "wall", 2 * number + leg - 1, Quality.LOW))
            if number == 0:
                routes.append((f"{call.name}.{leg}", Media.AUDIO, "wall", leg - 1, Quality.BEST))
        await relay.ask(call=call.name, routes=routes)


def compared(calls: int, watched: Sequence[Window], unwatched: Sequence[Window]) -> dict[str, Any]:
    """Return the medians with and without the monitor's routes, and what the routes add."""

    def medians(windows: Sequence[Window]) -> dict[str, float]:
        names = ("cpu_fraction", "latency_p50_ms", "latency_p99_ms", "packets_per_s", "us_per_packet")
        return {name: round(statistics.median(getattr(w, name) for w in windows), 4) for name in names}

    pairs = [a.cpu_fraction / b.cpu_fraction - 1 for a, b in zip(watched, unwatched, strict=True)]
    return {
        "calls": calls,
        "watched": medians(watched),
        "unwatched": medians(unwatched),
        "adds_cpu_fraction": round(statistics.median(pairs), 4),
        "adds_cpu_each": [round(pair, 3) for pair in pairs],
    }


# --- sums ----------------------------------------------------------------------

CAPACITY_AT = 0.70  # of a core
WHOLE = 0.99  # received, at the least


def summed(rows: Sequence[dict[str, Any]], growth: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return ratios to Janus, capacity, set-up and memory from what was measured."""
    by = {(row["server"], row["calls"]): row for row in rows}
    ratios = {
        str(calls): round(row["us_per_packet"] / by["janus", calls]["us_per_packet"], 3)
        for (name, calls), row in by.items()
        if name == "python" and ("janus", calls) in by
    }
    return {
        "python_to_janus": ratios,
        "capacity": {name: capacity([row for row in rows if row["server"] == name]) for name in ("python", "janus")},
        "setup": {name: setup(name, growth) for name in ("python", "janus")},
        "memory": {name: memory(name, growth) for name in ("python", "janus")},
    }


def capacity(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the most calls measured at 70 % of a core or less, and where the line through the rows meets 70 %."""
    good = [row for row in rows if row["cpu_fraction"] <= CAPACITY_AT and row["received_fraction"] >= WHOLE]
    if not good:
        return None
    largest = max(good, key=lambda row: row["calls"])
    above = [row for row in rows if row["calls"] > largest["calls"] and row["cpu_fraction"] > CAPACITY_AT]
    meets = None
    if above:
        next_one = min(above, key=lambda row: row["calls"])
        slope = (next_one["cpu_fraction"] - largest["cpu_fraction"]) / (next_one["calls"] - largest["calls"])
        meets = int(largest["calls"] + (CAPACITY_AT - largest["cpu_fraction"]) / slope)
    return {"measured_calls": largest["calls"], "cpu_fraction": largest["cpu_fraction"], "calls_at_70_percent": meets}


def setup(name: str, growth: Sequence[dict[str, Any]]) -> float | None:
    """Return the CPU ms that a peer's connection took in the server: the median over the steps of growth."""
    found = [step["setup_ms_per_peer"] for step in growth if step["server"] == name]
    return round(statistics.median(found), 2) if found else None


def memory(name: str, growth: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the growth of resident memory for each call, rings filled, from the fewest to 60 calls or the most."""
    found = [step for step in growth if step["server"] == name and step["resident_mb"] is not None]
    if len(found) < 2:
        return None
    first, last = found[0], next((step for step in found if step["calls"] == 60), found[-1])
    return {
        "from_calls": first["calls"],
        "to_calls": last["calls"],
        "mb_per_call": round((last["resident_mb"] - first["resident_mb"]) / (last["calls"] - first["calls"]), 3),
        "resident_mb": round(last["resident_mb"], 1),
    }
