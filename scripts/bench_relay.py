#!/usr/bin/env python3
"""Measure the relay: µs of its process's CPU time per forwarded packet, with real DTLS-SRTP over loopback.

Each call has two legs that publish (50 packets of 100 B sound and 110 of 1100 B video a second, 25 frames) and a
monitor who receives both; so every publisher has two receivers. Server and load run in processes of their own, each
on a core of its own. A figure is the median of some windows; a row also says what was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broker.domain.plan import Media, MediaPlan, Route  # noqa: E402
from broker.media.plane import RelayPlane  # noqa: E402
from broker.ports import Answer, Line  # noqa: E402
from tests.media.support import LEVEL_ID, TRANSPORT_CC_ID, Endpoint, vp8  # noqa: E402

SOUND_EVERY_S, FRAME_EVERY_S = 0.020, 0.040
SOUND_BYTES, VIDEO_BYTES = 100, 1100
PACKETS_OF_FRAMES = (4, 5, 4, 5, 4)  # 22 in five frames: 110 a second
KEY_EVERY_FRAMES = 50
SLOT_S = 0.002
CHECK_EVERY_S = 2.5


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


# --- the server's process ----------------------------------------------------


async def serve() -> None:
    """Obey one JSON command a line: offers, routes, and `figures`."""
    plane = RelayPlane(("127.0.0.1", 0), ["127.0.0.1"], SystemClock())
    await plane.start()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    calls: dict[str, frozenset[Route]] = {}
    renewing = loop.create_task(renew(plane, calls))
    answer({"port": plane.port})
    while line := await reader.readline():
        command = json.loads(line)
        if "offer" in command:
            publishes = frozenset(Media(kind) for kind in command["publishes"])
            made = await plane.connect(command["endpoint"], publishes, command["offer"])
            answer({"sdp": made.sdp, "lines": [[line.mid, line.kind, line.index] for line in made.lines]})
        elif "routes" in command:
            calls[command["call"]] = frozenset(Route(a, Media(k), b, n) for a, k, b, n in command["routes"])
            await plane.apply(MediaPlan(command["call"], 1, 5.0, calls[command["call"]]))
            answer({})
        else:
            answer({"cpu_s": time.process_time(), "at": time.monotonic(), "counters": dict(plane.counters())})
    renewing.cancel()
    await plane.close()


async def renew(plane: RelayPlane, calls: dict[str, frozenset[Route]]) -> None:
    """Renew every call's plan each second, as the engine does."""
    while True:
        await asyncio.sleep(1)
        for call, routes in calls.items():
            await plane.apply(MediaPlan(call, 1, 5.0, routes))


def answer(what: dict[str, Any]) -> None:
    """Write one JSON line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


# --- the load's process ------------------------------------------------------


class Server:
    """The other process, as a plane that offers can be made to."""

    def __init__(self, core: int | None) -> None:
        command = [sys.executable, __file__, "--serve"]
        if core is not None:
            command += ["--core", str(core)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port: int = self._read()["port"]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and return its answer; the load stands still meanwhile, for less than a millisecond or so."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str) -> Answer:
        """Return the answer to an offer."""
        found = self.ask(endpoint=endpoint, publishes=sorted(publishes), offer=offer)
        lines = tuple(Line(mid, Media(kind), index) for mid, kind, index in found["lines"])
        return Answer(found["sdp"], lines, publishes)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Counter(Endpoint):
    """An endpoint that, once connected, counts media instead of opening it.

    It is read by turns and not woken for each packet: over loopback the waking would be charged to the sender,
    which over a network it is not.
    """

    received = 0
    _udp: socket.socket | None = None

    def sit_back(self) -> None:
        """Take the socket from the event loop."""
        self._udp = socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))
        self.transport.close()
        self._udp.setblocking(False)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._space = bytearray(2048)

    def turn(self) -> None:
        """Count what has come."""
        space, udp = self._space, self._udp
        assert udp is not None
        while True:
            try:
                udp.recv_into(space)
            except BlockingIOError:
                return
            self.received += 128 <= space[0] < 192 and not 192 <= space[1] <= 223

    def is_up(self) -> bool:
        """The server's process is not asked."""
        return True

    def send_raw(self, datagram: bytes) -> None:
        """Send by whichever handle of the socket is in use."""
        if self._udp is None:
            super().send_raw(datagram)
        else:
            self._udp.sendto(datagram, ("127.0.0.1", self.plane.port))

    async def close(self) -> None:
        """Close the socket."""
        if self._udp is not None:
            self._udp.close()
        await super().close()


class Publisher:
    """What one leg sends, and when."""

    def __init__(self, endpoint: Counter, phase_s: float) -> None:
        self._endpoint = endpoint
        self._next_sound = self._next_frame = time.monotonic() + phase_s
        self._frames = 0
        self._number = 0
        self.sent = 0

    def turn(self, now: float) -> None:
        """Send what is due."""
        if now >= self._next_sound:
            self._next_sound += SOUND_EVERY_S
            self._endpoint.senders[Media.AUDIO].timestamp += 960
            self._send(Media.AUDIO, bytes(SOUND_BYTES), 1)
        if now >= self._next_frame:
            self._next_frame += FRAME_EVERY_S
            self._frame()

    def _frame(self) -> None:
        sender = self._endpoint.senders[Media.VIDEO]
        sender.timestamp += 3600
        sender.picture += 1
        is_key = self._frames % KEY_EVERY_FRAMES == 0
        count = PACKETS_OF_FRAMES[self._frames % len(PACKETS_OF_FRAMES)]
        self._frames += 1
        for place in range(count):
            payload = vp8(bytes(VIDEO_BYTES - 20), sender.picture, self._frames, is_key and place == 0, place == 0)
            self._send(Media.VIDEO, payload, int(place == count - 1))

    def _send(self, kind: Media, payload: bytes, marker: int) -> None:
        self._number = self._number + 1 & 0xFFFF
        extension = bytes([TRANSPORT_CC_ID << 4 | 1]) + self._number.to_bytes(2, "big")
        if kind is Media.AUDIO:
            extension += bytes([LEVEL_ID << 4, 0x80 | 40])
        packet = self._endpoint.rtp(kind, payload, marker, extension)
        self._endpoint.send_raw(self._endpoint.protect(packet))
        self.sent += 1


async def build(server: Server, calls: int) -> tuple[list[Counter], list[Publisher]]:
    """Connect everybody and open every call."""
    endpoints: list[Counter] = []
    publishers: list[Publisher] = []
    for call in range(calls):
        names = [f"{call}.1", f"{call}.2", f"{call}.m"]
        legs = [Counter(server, name) for name in names]  # type: ignore[arg-type]
        for leg in legs[:2]:
            await leg.connect()
            publishers.append(Publisher(leg, len(publishers) * FRAME_EVERY_S / (2 * calls)))
        await legs[2].connect(sends=[], receives=[*Media, *Media], publishes=frozenset())
        for leg in legs:
            leg.sit_back()
        endpoints += legs
        routes = [(names[0], names[1], 0), (names[1], names[0], 0), (names[0], names[2], 0), (names[1], names[2], 1)]
        server.ask(call=str(call), routes=[[a, kind, b, n] for a, b, n in routes for kind in Media])
    return endpoints, publishers


async def pace(endpoints: list[Counter], publishers: list[Publisher]) -> None:
    """Send for ever."""
    checked = time.monotonic()
    while True:
        now = time.monotonic()
        for publisher in publishers:
            publisher.turn(now)
        for endpoint in endpoints:
            endpoint.turn()
        if now - checked > CHECK_EVERY_S:
            checked = now
            for endpoint in endpoints:
                endpoint.send_raw(endpoint.check()[1])
        await asyncio.sleep(SLOT_S)


async def measure(calls: int, windows: int, window_s: float, core: int | None) -> dict[str, Any]:
    """Return one row."""
    server = Server(core)
    endpoints, publishers = await build(server, calls)
    pacing = asyncio.get_running_loop().create_task(pace(endpoints, publishers))
    await asyncio.sleep(1.5)
    found = []
    for _ in range(windows):
        before, own = server.ask(figures=1), time.process_time()
        heard = sum(endpoint.received for endpoint in endpoints)
        await asyncio.sleep(window_s)
        after = server.ask(figures=1)
        heard = sum(endpoint.received for endpoint in endpoints) - heard
        found.append(window(before, after, heard, (time.process_time() - own) / window_s))
    pacing.cancel()
    for endpoint in endpoints:
        await endpoint.close()
    server.close()
    row: dict[str, Any] = {"server": "python", "calls": calls, "publishers": 2 * calls, "receivers_each": 2}
    row |= {name: round(statistics.median(f[name] for f in found), 4) for name in found[0]}
    return row | {"windows": [round(f["us_per_packet"], 2) for f in found]}


def window(before: dict[str, Any], after: dict[str, Any], heard: int, load: float) -> dict[str, float]:
    """Return the figures of one window."""

    def grown(name: str) -> int:
        return int(after["counters"].get(name, 0) - before["counters"].get(name, 0))

    cpu_s, passed_s = after["cpu_s"] - before["cpu_s"], after["at"] - before["at"]
    forwarded, came = grown("forwarded"), grown("packets_in")
    return {
        "us_per_packet": cpu_s / forwarded * 1e6,
        "us_per_packet_in_and_out": cpu_s / (forwarded + came) * 1e6,
        "cpu_fraction": cpu_s / passed_s,
        "forwarded_per_s": forwarded / passed_s,
        "received_fraction": heard / forwarded,
        "load_cpu_fraction": load,
    }


def pin(core: int | None) -> None:
    """Stay on one core, where there are several."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def main() -> None:
    """Measure, print and write build/bench/relay.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        pin(options.core)
        asyncio.run(serve())
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        pin(cores[1])
    rows = [
        asyncio.run(measure(calls, options.windows, options.seconds, cores[0] if len(cores) > 1 else None))
        for calls in options.calls
    ]
    target = ROOT / "build" / "bench" / "relay.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"bench": "relay", "target_us_per_packet": 20, "rows": rows}, indent=2) + "\n")
    for row in rows:
        print(
            f"{row['calls']} calls, {row['publishers']} publishers with 2 receivers each: "
            f"{row['us_per_packet']:.1f} µs per forwarded packet, {row['cpu_fraction']:.0%} of a core, "
            f"{row['forwarded_per_s']:.0f} packets/s, {row['received_fraction']:.2%} received"
        )


if __name__ == "__main__":
    main()
