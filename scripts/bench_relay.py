#!/usr/bin/env python3
"""Compare relays under one load with real DTLS-SRTP: ours, Janus and the machine's floor, in turns, in one run.

A call is two legs that publish (50 packets of 100 B sound and 110 of 1100 B video a second, in bursts of a frame) and
see each other, and a monitor who receives both: each packet in goes out twice. The server stays on one core and the
load on another. Writes build/bench/relay.json; with --write-docs also the relay's part of docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from bench import measures, report  # noqa: E402
from bench.compiled import Load, NoCompiler  # noqa: E402
from bench.janus import Janus  # noqa: E402
from bench.measures import Progress, Shape  # noqa: E402
from bench.servers import Absent, Floored, Python, Server, own_address  # noqa: E402

JSON = ROOT / "build" / "bench" / "relay.json"
PAUSED_CALLS, PAUSES = 40, 100
WALL_CALLS = 16
NOT_BUILT = {
    "native": "the compiled forwarder is not written yet",
    "pion": "a Go program of our own would have to be built; neither Go nor such a program is in the project",
    "mediarelay": "aiortc's MediaRelay decodes and encodes; the broker must not, so nothing here runs it",
}
Maker = Callable[[Load, str, int | None], Server]
MAKERS: dict[str, Maker] = {
    "python": Python,
    "janus": Janus,
    "floor": lambda load, host, core: Floored(load, host, core, with_gso=False),
    "floor_gso": lambda load, host, core: Floored(load, host, core, with_gso=True),
}


class Comparison:
    """One run: the servers that could be started, and what was measured so far."""

    def __init__(self, load: Load, host: str, core: int | None, shape: Shape, progress: Progress) -> None:
        self._load, self._host, self._core, self._shape, self._progress = load, host, core, shape, progress
        self._servers: dict[str, Server] = {}
        self.absent = dict(NOT_BUILT)
        self.rows: list[dict[str, Any]] = []
        self.growth: list[dict[str, Any]] = []
        self.pauses: dict[str, Any] | None = None
        self.wall: dict[str, Any] | None = None

    def start(self, names: Sequence[str]) -> None:
        """Start the servers that can run here."""
        for name in MAKERS:
            if name not in names:
                self.absent[name] = "left out by --only"
                continue
            try:
                self._servers[name] = MAKERS[name](self._load, self._host, self._core)
            except Absent as why:
                self._leave_out(name, str(why))

    def _leave_out(self, name: str, why: str) -> None:
        self.absent[name] = why
        self._progress(f"{name} is left out: {why}")

    async def compare(self, calls: int, names: Sequence[str]) -> None:
        """Measure some servers in turns with so many calls."""
        servers = []
        for name, server in list(self._servers.items()):
            if name in names and await self._grow(name, server, calls):
                servers.append(server)
        self.rows += await measures.alternate(self._load, servers, calls, self._shape, self._progress)
        for server in servers:
            step = next(step for step in reversed(self.growth) if step["server"] == server.name)
            step["resident_mb"] = measures.resident(server)

    async def _grow(self, name: str, server: Server, calls: int) -> bool:
        try:
            setup_ms = await measures.grow(server, calls)
        except (Absent, RuntimeError, TimeoutError, OSError) as fault:
            self._leave_out(name, str(fault) or type(fault).__name__)
            await self._servers.pop(name).close()
            return False
        self._progress(f"{calls} calls connected to {name}")
        self.growth.append({"server": name, "calls": calls, "setup_ms_per_peer": setup_ms, "resident_mb": None})
        return True

    async def pause(self, calls: int, pauses: int) -> None:
        """Pause calls of our relay one after the other."""
        server = self._servers.get("python")
        if isinstance(server, Python) and await self._grow("python", server, calls):
            self.pauses = await measures.pauses(self._load, server, pauses, self._progress)

    async def watch(self, calls: int) -> None:
        """Let one monitor watch every call of a fresh relay."""
        if "python" in self._servers:
            self.wall = await measures.wall(self._load, self._host, self._core, calls, self._shape, self._progress)

    async def close(self) -> None:
        """End every server."""
        for server in self._servers.values():
            with suppress(OSError, subprocess.TimeoutExpired):  # one that does not end keeps no other alive
                await server.close()


async def run(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Measure everything and return the report."""
    if options.realtime:  # what is started from here on inherits it
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    cores = sorted(os.sched_getaffinity(0))
    apart = len(cores) > 1
    if apart:
        os.sched_setaffinity(0, {cores[1]})
    began, load_before = datetime.now(UTC), os.getloadavg()[0]
    load, host = Load(), own_address()
    shape = Shape(options.windows, options.seconds)
    comparison = Comparison(load, host, cores[0] if apart else None, shape, progress)
    try:
        comparison.start(options.only.split(","))
        for step in steps(comparison, options):
            await step()
    finally:
        await comparison.close()
        load.stop()
    return {
        "bench": "relay",
        "began": began.isoformat(timespec="seconds"),
        "machine": report.machine(),
        "load_average": [load_before, os.getloadavg()[0]],
        "shares_a_core": not apart,
        "realtime": options.realtime,
        "address": "loopback" if host.startswith("127.") else "own",
        "rows": comparison.rows,
        "absent": {name: why for name, why in comparison.absent.items() if why != "left out by --only"},
        **measures.summed(comparison.rows, comparison.growth),
        "pause": comparison.pauses,
        "wall": comparison.wall,
    }


def steps(comparison: Comparison, options: argparse.Namespace) -> list[Callable[[], Awaitable[None]]]:
    """Return what is measured, fewest calls first: one relay grows through all of it."""
    found: dict[int, list[Callable[[], Awaitable[None]]]] = {}
    for calls in options.calls:
        found.setdefault(calls, []).append(partial(comparison.compare, calls, list(MAKERS)))
    for calls in options.own_calls:
        found.setdefault(calls, []).append(partial(comparison.compare, calls, ["python"]))
    if not options.quick:
        found.setdefault(PAUSED_CALLS, []).append(partial(comparison.pause, PAUSED_CALLS, PAUSES))
    ordered = [step for calls in sorted(found) for step in found[calls]]
    return ordered if options.quick else [*ordered, partial(comparison.watch, WALL_CALLS)]


def main() -> int:
    """Measure, print, write; 1 where it cannot run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="*", default=[10, 30], help="numbers of calls for every server")
    parser.add_argument("--own-calls", type=int, nargs="*", default=[60, 80], help="and further ones for ours alone")
    parser.add_argument("--only", default=",".join(MAKERS), help="servers, with commas between them")
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window")
    parser.add_argument("--quick", action="store_true", help="leave out the pauses and the wall")
    parser.add_argument("--realtime", action="store_true", help="before other jobs of a busy machine; needs root")
    parser.add_argument("--write-docs", action="store_true", help="write table and plot into docs/performance.md")
    parser.add_argument("--last", action="store_true", help="measure nothing: take build/bench/relay.json as it is")
    parser.add_argument("--out", type=Path, default=JSON, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        found = json.loads(options.out.read_text()) if options.last else asyncio.run(run(options, progress()))
    except NoCompiler as why:
        print(f"the relay is not measured: {why}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    print("\n" + report.table(found))
    if options.write_docs:
        report.write_docs(found, ROOT / "docs")
    return 0


def progress() -> Progress:
    """Return what prints a line with the time passed."""
    began = datetime.now(UTC)

    def say(text: str) -> None:
        print(f"{(datetime.now(UTC) - began).total_seconds():5.0f} s  {text}", flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
