"""The servers that are compared: each takes calls of two legs and a monitor, and is a process on a core of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench.compiled import Load
from bench.offers import ONE_LAYER, Layer, Offer
from bench.peer import Peer
from broker.domain.plan import Media, Quality

SERVED = Path(__file__).resolve().parent / "served.py"
FRAME_S = 0.040
ENDED_WITHIN_S = 10.0
Routes = list[tuple[str, str, str, int, str]]


class Absent(Exception):
    """A peer of the comparison cannot run here; the text says why."""


def own_address() -> str:
    """Return an address of this machine that is not loopback, where it has one: Janus gathers no other."""
    stats = psutil.net_if_stats()
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family.name == "AF_INET" and not address.address.startswith("127.") and stats[name].isup:
                return address.address
    return "127.0.0.1"


def spawn(command: Sequence[str | Path], core: int | None, **how: Any) -> subprocess.Popen[str]:
    """Start a process that stays on `core`, with all its threads."""
    own = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen([str(word) for word in command], text=True, **how)
    finally:
        os.sched_setaffinity(0, own)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, user and system, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10**6 bytes)."""
    return float(psutil.Process(pid).memory_info().rss / 1e6)


@dataclass
class Call:
    """One call's endpoints; `receivers` are those that media go to."""

    name: str
    publishers: list[Peer] = field(default_factory=list)
    receivers: list[Peer] = field(default_factory=list)


class Server(Protocol):
    """One server of the comparison. `group` is that of its endpoints in the load."""

    name: str
    group: int
    pid: int
    calls: list[Call]

    async def grow(self, calls: int) -> None:
        """Connect calls until there are so many."""

    def cpu_s(self) -> float:
        """Return the CPU seconds that are counted."""

    async def close(self) -> None:
        """End it."""


class Piped:
    """A process of served.py, asked by JSON lines."""

    def __init__(self, host: str, core: int | None, *options: str) -> None:
        self.host = host
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = spawn([sys.executable, SERVED, host, *options], core, **pipes)
        self.pid = self._process.pid
        self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the measured process ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask_now(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer, the event loop standing still."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        return await asyncio.to_thread(lambda: self.ask_now(**command))

    async def enter(self, name: str, offer: Offer) -> Peer:
        """Connect an endpoint."""
        peer = Peer(self.host, offer)
        text = await peer.bind()
        made = await self.ask(endpoint=name, publishes=sorted(offer.sends), offer=text)
        await peer.connect(made["sdp"])
        await self.ask(up=name)
        return peer

    def end(self) -> None:
        """Close its standard input and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it where it reads no more."""
        self._process.terminate()
        self._process.wait(ENDED_WITHIN_S)


def both_ways(call: str) -> Routes:
    """Return the routes of two legs who see and hear each other."""
    ways = ((f"{call}.1", f"{call}.2"), (f"{call}.2", f"{call}.1"))
    return [(a, kind, b, 0, Quality.BEST) for a, b in ways for kind in Media]


def monitored(call: str) -> Routes:
    """Return the routes of a call whose own monitor receives both legs whole."""
    watched = [(f"{call}.{leg}", kind, f"{call}.m", leg - 1, Quality.BEST) for leg in (1, 2) for kind in Media]
    return both_ways(call) + watched


class Python(Piped):
    """Our relay, in a process of its own."""

    name = "python"

    def __init__(self, load: Load, host: str, core: int | None) -> None:
        super().__init__(host, core)
        self.load, self.group = load, load.new_group()
        self.calls: list[Call] = []

    async def grow(self, calls: int) -> None:
        """Connect calls until there are so many, and open them."""
        first = len(self.calls)
        for number in range(first, calls):
            self.calls.append(await dial(self, str(number)))
            await self.ask(call=str(number), routes=monitored(str(number)))
        hand_over(self.load, self.group, self.calls[first:], calls)

    def cpu_s(self) -> float:
        """Return the CPU time of the whole process."""
        return cpu_s(self.pid)

    async def close(self) -> None:
        """End the process."""
        hang_up(self.load, self.group, self.calls)
        self.end()


async def dial(piped: Piped, name: str, layers: Sequence[Layer] = ONE_LAYER, monitor: bool = True) -> Call:
    """Connect two legs and, where `monitor`, a monitor of their own with two lines of each kind."""
    call = Call(name)
    for leg in (1, 2):
        call.publishers.append(await piped.enter(f"{name}.{leg}", Offer(list(Media), list(Media), layers)))
    call.receivers = list(call.publishers)
    if monitor:
        call.receivers.append(await piped.enter(f"{name}.m", Offer([], [*Media, *Media])))
    return call


def hand_over(load: Load, group: int, calls: Sequence[Call], all_calls: int) -> None:
    """Give the endpoints of `calls` to the load, their frames spread over the time of one."""
    for call in calls:
        for leg, peer in enumerate(call.publishers):
            phase_s = (2 * int(call.name) + leg) * FRAME_S / (2 * all_calls) % FRAME_S
            peer.hand_over(load, group, phase_s)
        for peer in call.receivers:
            if peer.number < 0:
                peer.hand_over(load, group, 0.0)


def hang_up(load: Load, group: int, calls: Sequence[Call]) -> None:
    """Take the endpoints of `calls` from the load and close their sockets."""
    load.drop(group)
    for call in calls:
        for peer in {*call.publishers, *call.receivers}:
            peer.close()


class Floored:
    """The machine's floor: a fresh process for every number of calls, since it takes no more once it goes."""

    def __init__(self, load: Load, host: str, core: int | None, with_gso: bool) -> None:
        self.name = "floor_gso" if with_gso else "floor"
        self.load, self.group, self.calls = load, load.new_group(), list[Call]()
        self._host, self._core, self._with_gso = host, core, with_gso
        self._piped: Piped | None = None
        self.pid = 0

    async def grow(self, calls: int) -> None:
        """Start anew with so many calls."""
        await self.close()
        piped = self._piped = Piped(self._host, self._core, "--floor")
        self.group, self.calls = self.load.new_group(), []
        for number in range(calls):
            self.calls.append(await dial(piped, str(number)))
            await piped.ask(call=str(number), routes=monitored(str(number)))
        hand_over(self.load, self.group, self.calls, calls)
        self.pid = piped.pid
        await piped.ask(go=True, gso=self._with_gso)

    def cpu_s(self) -> float:
        """Return the CPU time of the process, in which nothing but the compiled loop runs by now."""
        return cpu_s(self.pid)

    async def close(self) -> None:
        """End the process."""
        if self._piped is not None:
            hang_up(self.load, self.group, self.calls)
            self._piped.kill()
            self._piped = None
