"""Many datagrams by one call of the kernel: recvmmsg(2) and sendmmsg(2), by cffi in ABI mode.

The kernel reads and writes `struct mmsghdr` in memory of ours, laid out as on 64-bit Linux; `library` finds out whether
that holds here. Where it does not, `inbox` and `batch` use the socket's own methods, one call a datagram.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
from functools import cache
from typing import Any

from cffi import FFI

HEADER = struct.Struct("=QI4xQQQQi4xI4x")
"""struct mmsghdr: name, its length, parts, their count, control, its length, flags, length of the datagram."""

PART = struct.Struct("=QQ")  # struct iovec: where, and how many bytes
LENGTH_AT = 56  # in HEADER, of the datagram's length: four bytes
SIZE_AT = 8  # in PART, of how many bytes: the lower four
NAME_BYTES = 32  # room for a sockaddr_in (16) or a sockaddr_in6 (28)
KEPT = 4096  # addresses that are remembered
_IN, _IN6 = struct.Struct("=H2s4s8x"), struct.Struct("=H2sI16sI")

ffi = FFI()
ffi.cdef("""
int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout);
int sendmmsg(int fd, void *messages, unsigned int count, int flags);
""")


class Memory:
    """Zeroed memory that the kernel sees: `at` is its address, `view` the same for Python. It is never moved."""

    def __init__(self, size: int) -> None:
        self._pages = mmap.mmap(-1, size)  # pages that nobody touches take no room
        self.raw: Any = ffi.from_buffer("unsigned char[]", self._pages)
        self.at = int(ffi.cast("uintptr_t", self.raw))
        self.view = memoryview(self._pages)


@cache
def library() -> Any:
    """Return the C library where both calls do here what we think they do, else None."""
    if not sys.platform.startswith("linux") or sys.byteorder != "little" or ffi.sizeof("void *") != 8:
        return None
    try:
        found: Any = ffi.dlopen(None)
        return found if _carries(found) else None
    except (OSError, AttributeError):
        return None


def _carries(found: Any) -> bool:
    """Send two datagrams through a pair of sockets by one call each way, the first in two parts."""
    parts, vector = Memory(64), Memory(2 * HEADER.size)
    text = Memory(32)
    text.view[:7] = b"onetwo3"
    places = [(0, 3), (3, 3), (6, 1)]
    for number, (at, size) in enumerate(places):
        PART.pack_into(parts.view, number * PART.size, text.at + at, size)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        HEADER.pack_into(vector.view, 0, 0, 0, parts.at, 2, 0, 0, 0, 0)
        HEADER.pack_into(vector.view, HEADER.size, 0, 0, parts.at + 2 * PART.size, 1, 0, 0, 0, 0)
        if found.sendmmsg(ours.fileno(), vector.raw, 2, 0) != 2:
            return False
        for number in range(2):
            PART.pack_into(parts.view, number * PART.size, text.at + 8 + 8 * number, 8)
            HEADER.pack_into(vector.view, number * HEADER.size, 0, 0, parts.at + number * PART.size, 1, 0, 0, 0, 0)
        if found.recvmmsg(theirs.fileno(), vector.raw, 2, 0, ffi.NULL) != 2:
            return False
    lengths = [HEADER.unpack_from(vector.view, number * HEADER.size)[-1] for number in range(2)]
    return lengths == [6, 1] and bytes(text.view[8:17]) == b"onetwo\0\0" + b"3"


def name_bytes(family: int) -> int:
    """Return the size of a family's sockaddr."""
    return _IN.size if family == socket.AF_INET else _IN6.size


def name(address: tuple[Any, ...], family: int) -> bytes:
    """Return the sockaddr of an address as `socket.recvfrom` gives it.

    Raises:
        OSError: It is none of that family.
    """
    host, port = socket.inet_pton(family, address[0]), struct.pack("!H", address[1])
    if family == socket.AF_INET:
        return _IN.pack(family, port, host)
    flow, scope = (*address[2:4], 0, 0)[:2]
    return _IN6.pack(family, port, socket.htonl(flow), host, scope)


class Addresses(dict[bytes, tuple[Any, ...]]):
    """The address of a sockaddr of one family, as `socket.recvfrom` gives it; KEPT are remembered."""

    def __init__(self, family: int) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, name: bytes) -> tuple[Any, ...]:
        if len(self) == KEPT:  # strangers push out whoever is asked for again at once
            self.clear()
        rest: tuple[int, ...] = ()
        if self._family == socket.AF_INET:
            _, port, host = _IN.unpack(name)
        else:
            _, port, flow, host, scope = _IN6.unpack(name)
            rest = (socket.ntohl(flow), scope)
        found = self[name] = (socket.inet_ntop(self._family, host), int.from_bytes(port, "big"), *rest)
        return found
