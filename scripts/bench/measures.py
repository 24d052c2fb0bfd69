"""What is measured of the servers, and the rows that come of it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.compiled import Counts, Load
from bench.servers import Server, resident_mb

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


@dataclass(frozen=True)
class Growth:
    """What connecting so many peers took of a server: CPU in ms each, and its resident memory after media in MB."""

    calls: int
    setup_ms_per_peer: float
    resident_mb: float


async def grow(server: Server, calls: int) -> float:
    """Connect calls until there are so many; return the CPU ms that a peer took in the server."""
    before, known = server.cpu_s() if server.pid else 0.0, len(server.calls)
    await server.grow(calls)
    peers = sum(len({*call.publishers, *call.receivers}) for call in server.calls[known:])
    return (server.cpu_s() - before) / max(peers, 1) * 1e3


def resident(server: Server) -> float:
    """Return the resident memory of a server in MB."""
    return resident_mb(server.pid)
