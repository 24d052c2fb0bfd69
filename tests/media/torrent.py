"""Datagrams faster than Python could make them: a batch that is ready beforehand, sent by sendmmsg(2)."""

from __future__ import annotations

import ctypes
import socket
import threading
import time
from collections.abc import Sequence

BATCH = 512  # of one call; the kernel takes at most 1024 (UIO_MAXIOV)


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Message(ctypes.Structure):
    _fields_ = [("header", _Header), ("sent", ctypes.c_uint)]


_libc = ctypes.CDLL(None, use_errno=True)


class Torrent:
    """A ready batch of datagrams for a connected socket."""

    def __init__(self, udp: socket.socket, datagrams: Sequence[bytes]) -> None:
        self._udp = udp
        self._kept = [ctypes.create_string_buffer(datagram, len(datagram)) for datagram in datagrams]
        self._vectors = (_Vector * len(datagrams))(
            *(_Vector(ctypes.cast(kept, ctypes.c_void_p), len(kept)) for kept in self._kept)
        )
        self._messages = (_Message * len(datagrams))()
        for message, vector in zip(self._messages, self._vectors, strict=True):
            message.header.vectors = ctypes.pointer(vector)
            message.header.count = 1

    def __len__(self) -> int:
        return len(self._messages)

    def send(self, first: int, count: int) -> int:
        """Send `count` datagrams from `first` on, round and round; return how many the kernel took."""
        sent, size = 0, len(self._messages)
        while sent < count:
            at = (first + sent) % size
            wanted = min(BATCH, count - sent, size - at)
            done = _libc.sendmmsg(self._udp.fileno(), ctypes.byref(self._messages[at]), wanted, 0)
            if done <= 0:
                break
            sent += done
        return sent

    def run(self, rate: float, stop: threading.Event) -> int:
        """Send `rate` datagrams a second, every millisecond what is due, until `stop`; return how many."""
        sent, began = 0, time.monotonic()
        while not stop.wait(0.001):
            due = int((time.monotonic() - began) * rate) - sent
            if due > 0:
                sent += self.send(sent, due)
        return sent
