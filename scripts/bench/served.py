#!/usr/bin/env python3
"""The measured process: our relay's plane, or the machine's floor behind the same handshakes.

It obeys one JSON command a line on its standard input, and ends with it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent.parent)]

from bench.compiled import Floor  # noqa: E402
from broker.domain.plan import Media, MediaPlan, Quality, Route  # noqa: E402
from broker.media import plane as relay  # noqa: E402
from broker.media.dtls import Keys  # noqa: E402
from broker.media.forward.api import Address, PeerId, PeerSpec, SinkId, SourceId  # noqa: E402
from broker.media.forward.python import PythonForwarder  # noqa: E402

VALID_S = 5.0  # as the engine's plans


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class FloorForwarder(PythonForwarder):
    """Takes peers, addresses and routes from the plane as any forwarder; `go` hands them to floor.c."""

    latest: FloorForwarder

    def __init__(self, udp: socket.socket, *arguments: Any) -> None:
        super().__init__(udp, *arguments)
        self._udp = udp
        self.peers: dict[PeerId, tuple[PeerSpec, Keys]] = {}
        self.places: dict[PeerId, Address] = {}
        self.routes: dict[SinkId, SourceId] = {}
        FloorForwarder.latest = self

    def open_peer(self, peer: PeerId, spec: PeerSpec, keys: Keys) -> None:
        """Keep the keys."""
        super().open_peer(peer, spec, keys)
        self.peers[peer] = spec, keys

    def place(self, peer: PeerId, address: Address) -> None:
        """Keep the address."""
        super().place(peer, address)
        self.places[peer] = address

    def connect(self, sink: SinkId, source: SourceId, *arguments: Any) -> None:
        """Keep the route."""
        super().connect(sink, source, *arguments)
        self.routes[sink] = source

    def go(self, with_gso: bool) -> None:
        """Carry packets by the compiled loop until the process is ended: nothing else runs in it any more."""
        self._udp.setblocking(True)
        floor = Floor(self._udp.fileno(), with_gso)
        numbers = {peer: floor.peer(self.places[peer][:2], keys.rx, keys.tx) for peer, (_, keys) in self.peers.items()}
        for (peer, kind, index), (publisher, source_kind) in self.routes.items():
            sink = next(s for s in self.peers[peer][0].sinks if (s.kind, s.index) == (kind, index))
            source = next(s for s in self.peers[publisher][0].sources if s.kind == source_kind)
            if (ssrc := source.layers[0].ssrc) is not None:
                floor.route(ssrc, numbers[peer], sink.ssrc)
        say({})
        floor.run()


class Served:
    """The plane and what was asked of it."""

    def __init__(self, plane: relay.RelayPlane) -> None:
        self.plane = plane
        self.calls: dict[str, frozenset[Route]] = {}
        self._ups: dict[str, asyncio.Event] = {}
        plane.watch(self._heard)

    def _heard(self, endpoint: str, up: bool, home: int = 0) -> None:
        if up:
            self._up(endpoint).set()
        else:
            self._up(endpoint).clear()

    def _up(self, endpoint: str) -> asyncio.Event:
        return self._ups.setdefault(endpoint, asyncio.Event())

    async def until_up(self, endpoint: str) -> None:
        """Wait for the plane to have an endpoint's keys."""
        await self._up(endpoint).wait()

    async def renew(self) -> None:
        """Renew every call's plan each second, as the engine does."""
        while True:
            await asyncio.sleep(1)
            for call, routes in list(self.calls.items()):
                await self.plane.apply(MediaPlan(call, 1, VALID_S, routes))

    async def obey(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Do one command and return its answer."""
        if "offer" in command:
            publishes = frozenset(Media(kind) for kind in command["publishes"])
            made = await self.plane.connect(command["endpoint"], publishes, command["offer"])
            return {"sdp": made.sdp}
        if "up" in command:  # the last flight of DTLS may still be on its way
            await self.until_up(command["up"])
            return {}
        if "call" in command:
            routes = frozenset(Route(a, Media(k), b, n, Quality(q)) for a, k, b, n, q in command["routes"])
            self.calls[command["call"]] = routes
            await self.plane.apply(MediaPlan(command["call"], 1, VALID_S, routes))
            return {}
        if "go" in command:
            FloorForwarder.latest.go(command["gso"])
        return {"counters": dict(self.plane.counters())}


async def serve(host: str, is_floor: bool) -> None:
    """Serve until the standard input ends."""
    if is_floor:
        vars(relay)[PythonForwarder.__name__] = FloorForwarder
    plane = relay.RelayPlane((host, 0), [host], SystemClock())
    await plane.start()
    served = Served(plane)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    renewing = loop.create_task(served.renew())
    say({})
    while line := await reader.readline():
        say(await served.obey(json.loads(line)))
    renewing.cancel()


def say(what: Mapping[str, Any]) -> None:
    """Write one JSON line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], "--floor" in sys.argv))
