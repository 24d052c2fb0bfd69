"""Datagrams of one UDP socket, read into slots: up to BATCH by one call where the kernel's recvmmsg can be called."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from broker.media import mmsg
from broker.media.dtls import BUFFER_BYTES, PacketBuffer

BATCH = 32

Handler = Callable[[PacketBuffer, int, tuple[str, int]], None]
"""Called with the slot that a datagram stands in, its size (0: it was too long), and whence it came. Never raises."""


class Inbox(Protocol):
    """Reads a socket."""

    def read(self, handler: Handler) -> int:
        """Hand the datagrams that one reading finds, BATCH at most, to `handler`; return how many."""


def inbox(udp: socket.socket) -> Inbox:
    """Return what reads `udp` with the fewest calls here."""
    return ManyInbox(udp) if mmsg.library() is not None else SocketInbox(udp)


class SocketInbox:
    """One call a datagram, by the socket's own method."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self._slot = PacketBuffer()

    def read(self, handler: Handler) -> int:
        slot, receive = self._slot, self._udp.recvfrom_into
        for count in range(BATCH):
            try:
                size, address = receive(slot.view)
            except OSError:  # BlockingIOError: nothing more; others: an ICMP answer to something we sent
                return count
            slot.size[0] = size
            handler(slot, size if size < BUFFER_BYTES else 0, address)
        return BATCH


class ManyInbox:
    """One call for up to BATCH datagrams; what it asks of the kernel is written once."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self._receive = mmsg.library().recvmmsg
        self._addresses = mmsg.Addresses(udp.family)
        self._name_bytes = mmsg.name_bytes(udp.family)
        self._senders = mmsg.Memory(BATCH * mmsg.NAME_BYTES)
        self._parts = mmsg.Memory(BATCH * mmsg.PART.size)
        self._vector = mmsg.Memory(BATCH * mmsg.HEADER.size)
        self._packets = mmsg.Memory(BATCH * BUFFER_BYTES)
        self._places = [self._place(number) for number in range(BATCH)]

    def _place(self, number: int) -> tuple[PacketBuffer, Any]:
        """Return slot `number`, whose size is where the kernel writes it, and the name of who sent it."""
        name_at, part_at = number * mmsg.NAME_BYTES, number * mmsg.PART.size
        vector_at, packet_at = number * mmsg.HEADER.size, number * BUFFER_BYTES
        mmsg.PART.pack_into(self._parts.view, part_at, self._packets.at + packet_at, BUFFER_BYTES)
        header = (self._senders.at + name_at, self._name_bytes, self._parts.at + part_at, 1, 0, 0, 0, 0)
        mmsg.HEADER.pack_into(self._vector.view, vector_at, *header)
        size = mmsg.ffi.cast("int *", self._vector.raw + vector_at + mmsg.LENGTH_AT)
        name = mmsg.ffi.buffer(self._senders.raw + name_at, self._name_bytes)
        return PacketBuffer(self._packets.raw + packet_at, size), name

    def read(self, handler: Handler) -> int:
        count: int = self._receive(self._udp.fileno(), self._vector.raw, BATCH, 0, mmsg.ffi.NULL)
        if count <= 0:  # nothing more; or an ICMP answer to something we sent
            return 0
        addresses = self._addresses
        for slot, name in self._places[:count]:
            size = slot.size[0]
            handler(slot, size if size < BUFFER_BYTES else 0, addresses[name[:]])
        return count
