"""A UDP proxy with a bad network in it, in front of the relay: bots and unmodified browsers send to it instead.

One proxy is one access line: all its clients share one `Link` each way, as the laptops of a hall share its ADSL. Every
client has an upstream socket of its own, so the relay sees as many addresses as there are clients; `move` gives them
new ones in the middle of everything, as a NAT does that forgets. A client is sent through the proxy by `rewrite`, which
puts a port of the proxy where an answer names the relay's: one port in front of each of the relay's.
"""

from __future__ import annotations

import asyncio
import heapq
import re
import socket
import time
from collections.abc import Callable
from itertools import count
from random import Random
from types import TracebackType
from typing import Self

from tests.network.impairment import CLEAR, Link, Path

Address = tuple[str, int]

HOST = "127.0.0.1"
DATAGRAM_BYTES = 2048
PER_WAKE = 100
BUFFER_BYTES = 1 << 21
EARLY_S = 0.0005  # the loop's timers are a millisecond coarse
_CANDIDATE = re.compile(r"^(a=candidate:\S+ 1 udp \d+) (\S+) (\d+) (typ host.*)$", re.MULTILINE | re.IGNORECASE)


class UdpProxy:
    """An async context: bound when entered, gone when left. `up` is the clients' direction, `down` the relay's."""

    def __init__(
        self,
        relay: Address | None = None,
        up: Path = CLEAR,
        down: Path = CLEAR,
        *,
        seed: int = 1,
        host: str = HOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a proxy that listens on `host`; its links begin their life now.

        Args:
            relay: Where the relay is, for clients that are told `address`; `rewrite` learns it from the answer.
        """
        self._relay = relay
        self._host = host
        self._clock = clock
        self._seeds = Random(seed)
        self._fronts: dict[Address, socket.socket] = {}
        self._clients: dict[tuple[Address, Address], socket.socket] = {}  # by relay and client
        self._waiting: list[tuple[float, int, socket.socket, bytes, Address | None]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self.impair(up, down)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._relay is not None:
            self.front_of(self._relay)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for made in (*self._fronts.values(), *self._clients.values()):
            self._drop(made)
        self._fronts.clear()
        self._clients.clear()
        self._waiting.clear()

    @property
    def address(self) -> Address:
        """Where clients of the relay that was named at first send to."""
        assert self._relay is not None
        return self.front_of(self._relay)

    def front_of(self, relay: Address) -> Address:
        """Return where clients of the relay at `relay` send to."""
        if relay not in self._fronts:
            front = self._fronts[relay] = _udp((self._host, 0))
            self._loop.add_reader(front, self._from_clients, front, relay)
        host, port = self._fronts[relay].getsockname()
        return host, port

    @property
    def upstreams(self) -> list[Address]:
        """The addresses under which the relay knows the clients now, in the order of their first packets."""
        return [upstream.getsockname() for upstream in self._clients.values()]

    def rewrite(self, answer: str) -> str:
        """Return the relay's answer (SDP) with the proxy's address as the only candidate of each line."""
        named = [(found[2], int(found[3])) for found in _CANDIDATE.finditer(answer)]
        if not named:
            return answer
        host, port = self.front_of(next((one for one in named if one[0] == self._host), named[0]))
        lines: list[str] = []
        for line in answer.splitlines(keepends=True):
            moved = _CANDIDATE.sub(rf"\g<1> {host} {port} \g<4>", line)
            if moved == line or not lines[-1].startswith("a=candidate:"):
                lines.append(moved)
        return "".join(lines)

    def impair(self, up: Path, down: Path) -> None:
        """Treat packets so from now on: a new life of both links. What is on its way arrives as it would have."""
        now = self._clock()
        self.up = Link(up, Random(self._seeds.random()), now)
        self.down = Link(down, Random(self._seeds.random()), now)

    def move(self) -> None:
        """Give every client a new address towards the relay; what the relay still sends to the old one is lost."""
        for (relay, client), upstream in self._clients.items():
            self._drop(upstream)
            self._clients[relay, client] = self._upstream(relay, client)
        gone = {upstream for upstream in (entry[2] for entry in self._waiting) if upstream.fileno() < 0}
        self._waiting = [entry for entry in self._waiting if entry[2] not in gone]
        heapq.heapify(self._waiting)

    # --- datagrams --------------------------------------------------------

    def _from_clients(self, front: socket.socket, relay: Address) -> None:
        for _ in range(PER_WAKE):
            try:
                datagram, client = front.recvfrom(DATAGRAM_BYTES)
            except OSError:  # nothing more, or an ICMP answer to something that we sent
                return
            upstream = self._clients.get((relay, client))
            if upstream is None:
                upstream = self._clients[relay, client] = self._upstream(relay, client)
            self._pass(self.up, upstream, datagram, None)

    def _from_relay(self, upstream: socket.socket, front: socket.socket, client: Address) -> None:
        for _ in range(PER_WAKE):
            try:
                datagram = upstream.recv(DATAGRAM_BYTES)
            except OSError:
                return
            self._pass(self.down, front, datagram, client)

    def _pass(self, link: Link, out: socket.socket, datagram: bytes, to: Address | None) -> None:
        now = self._clock()
        for at in link.schedule(len(datagram), now):
            if at - now < EARLY_S and not self._waiting:
                _send(out, datagram, to)
            else:
                heapq.heappush(self._waiting, (at, next(self._numbers), out, datagram, to))
        self._arm()

    def _arm(self) -> None:
        if not self._waiting:
            return
        at = self._waiting[0][0]
        if self._timer is not None:
            if self._armed_for <= at:
                return
            self._timer.cancel()
        self._armed_for = at
        self._timer = self._loop.call_later(max(0.0, at - self._clock()), self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        due = self._clock() + EARLY_S
        while self._waiting and self._waiting[0][0] <= due:
            _, _, out, datagram, to = heapq.heappop(self._waiting)
            _send(out, datagram, to)
        self._arm()

    def _upstream(self, relay: Address, client: Address) -> socket.socket:
        upstream = _udp((self._host, 0))
        upstream.connect(relay)
        self._loop.add_reader(upstream, self._from_relay, upstream, self._fronts[relay], client)
        return upstream

    def _drop(self, made: socket.socket) -> None:
        self._loop.remove_reader(made)
        made.close()


def _udp(bind: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    made.bind(bind)
    return made


def _send(out: socket.socket, datagram: bytes, to: Address | None) -> None:
    try:
        if to is None:
            out.send(datagram)
        else:
            out.sendto(datagram, to)
    except OSError:  # as lost as any datagram
        pass
