"""The relay's one UDP socket, read by the event loop without a task or a queue per packet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from broker.media.inbox import BATCH, Handler, inbox

PER_WAKE = 6 * BATCH  # datagrams read before the loop may do something else
RECEIVE_BUFFER_BYTES = 4 << 20
DRAIN_LIMIT = 20_000  # more than the socket's buffer holds: what was waiting is then gone


class UdpPort:
    """A bound, non-blocking UDP socket."""

    def __init__(self, bind: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in bind[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self.socket.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER_BYTES)
            self.socket.bind(bind)
        except OSError:
            self.socket.close()
            raise
        self._inbox = inbox(self.socket)
        self.number: int = self.socket.getsockname()[1]
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, handler: Handler, after: Callable[[], None]) -> None:
        """Call `handler` whenever the running loop finds datagrams, and `after` behind those of each reading."""
        self._handler = handler
        self._after = after
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket, self._read, PER_WAKE)

    def _read(self, limit: int) -> int:
        total = 0
        while total < limit and (count := self._inbox.read(self._handler)):
            self._after()
            total += count
        return total

    def drain(self) -> int:
        """Handle everything that waits in the socket now; return how many datagrams that were."""
        return self._read(DRAIN_LIMIT)

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        """Send; what the network cannot take now is lost, as on any network."""
        try:
            self.socket.sendto(datagram, address)
        except OSError:
            pass

    def close(self) -> None:
        """Stop reading and free the port."""
        if self._loop is not None:
            self._loop.remove_reader(self.socket)
            self._loop = None
        self.socket.close()
