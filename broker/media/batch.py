"""Datagrams of one reading, sent by destination: packets of one size go to the kernel as one train.

UDP segmentation offload (`UDP_SEGMENT`, Linux 4.18): the kernel walks its stack once for a train and cuts it into the
datagrams that it was made of. A frame's packets to one receiver are such a train. Where sendmmsg can be called, all
trains of a reading go by one call.

Measured on two shared cores (load 11; frames of five packets of 1.1 kB, and sound, to two receivers; the least of 12
rounds, three times, alternated): 6.5 to 7.3 µs of CPU time per packet in and out where each is sent by itself, 5.4 to
5.8 µs as trains.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

from broker.media import mmsg
from broker.media.dtls import BUFFER_BYTES, PacketBuffer

Address = tuple[str, int]

LANES = 32  # destinations of a reading; one that needs more is sent in parts
LANE_PACKETS = 16  # to one destination before it needs another lane: below the most segments (64), and 64 kB
SOL_UDP, UDP_SEGMENT = 17, 103  # linux/udp.h
CONTROL = struct.Struct("=QiiH6x")  # struct cmsghdr (cmsg(3)) and the segment size, padded
CONTROL_LENGTH = 18
SEGMENT = CONTROL.size
LANE_PARTS = LANE_PACKETS * mmsg.PART.size  # bytes

Message = tuple["Lane", int, int]
"""Packets of a lane, from and to before, that go to the kernel as one."""


class Destination:
    """Where packets go: `lane` is where its next one is written, None where it must `begin` one."""

    __slots__ = ("address", "is_single", "lane", "name", "name_at")

    def __init__(self, address: Address, name: Any = None) -> None:
        self.address = address
        self.name = name  # the same as the kernel reads it, and where
        self.name_at = 0 if name is None else int(mmsg.ffi.cast("uintptr_t", name))
        self.is_single = False  # its network takes no trains
        self.lane: Lane | None = None


class Lane:
    """Packets that wait for one destination: the `free` slots, the next one last, and the `sizes` of those written."""

    __slots__ = ("free", "number", "sizes", "slots", "to")

    def __init__(self, number: int, slots: list[PacketBuffer]) -> None:
        self.number = number
        self.slots = slots
        self.free = slots[::-1]
        self.sizes: list[int] = []
        self.to = NOWHERE


NOWHERE = Destination(("", 0))


class Outbox:
    """Packets that wait to be sent on one UDP socket; `flush` must follow before the loop does anything else.

    To send one, write it into `free[-1]` of its destination's lane, then `put` it. What the network does not take is
    lost, as on any network; `on_loss` is told how many.
    """

    def __init__(self, udp: socket.socket, on_loss: Callable[[int], None]) -> None:
        self._udp = udp
        self._on_loss = on_loss
        self._lanes = [Lane(number, self._slots(number)) for number in range(LANES)]
        self._used = 0

    def destination(self, address: Address) -> Destination:
        """Return an address as one that packets can be sent to."""
        return Destination(address)

    def _slots(self, lane: int) -> list[PacketBuffer]:
        return [PacketBuffer() for _ in range(LANE_PACKETS)]

    def begin(self, to: Destination) -> Lane:
        """Return an empty lane for a destination."""
        if self._used == LANES:
            self.flush()
        lane = to.lane = self._lanes[self._used]
        self._used += 1
        lane.to = to
        return lane

    def put(self, lane: Lane) -> int:
        """Take the packet that stands in the lane's next slot, and return its size."""
        free = lane.free
        size: int = free.pop().size[0]
        lane.sizes.append(size)
        if not free:
            lane.to.lane = None
        return size

    def flush(self) -> None:
        """Send everything, to each destination in the order of `put`."""
        if not self._used:
            return
        lanes, self._used = self._lanes[: self._used], 0
        self._send(lanes)
        for lane in lanes:
            lane.to.lane = None
            lane.free[:] = lane.slots[::-1]
            lane.sizes.clear()

    def _send(self, lanes: Sequence[Lane]) -> None:
        for lane, first, end in self._messages(lanes):
            if end - first == 1 or not self._send_train(lane, first, end):
                self._send_each(lane, first, end)

    def _messages(self, lanes: Sequence[Lane]) -> list[Message]:
        found: list[Message] = []
        for lane in lanes:
            stretches = singles(lane.sizes) if lane.to.is_single else trains(lane.sizes)
            found += [(lane, first, end) for first, end in stretches]
        return found

    def _send_train(self, lane: Lane, first: int, end: int) -> bool:
        """Send some packets of a lane as one; False where its network takes none such."""
        packets = [slot.view[:size] for slot, size in zip(lane.slots[first:end], lane.sizes[first:end], strict=True)]
        segment = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", lane.sizes[first]))]
        try:
            self._udp.sendmsg(packets, segment, 0, lane.to.address)
        except BlockingIOError:
            self._on_loss(end - first)
        except OSError:  # no segmentation here, or a path of smaller packets: each by itself, now and later
            lane.to.is_single = True
            return False
        return True

    def _send_each(self, lane: Lane, first: int, end: int) -> None:
        for slot, size in zip(lane.slots[first:end], lane.sizes[first:end], strict=True):
            try:
                self._udp.sendto(slot.view[:size], lane.to.address)
            except OSError:
                self._on_loss(1)


class ManyOutbox(Outbox):
    """All that waits by one call of sendmmsg: a packet's size is written where the kernel reads it."""

    def __init__(self, udp: socket.socket, on_loss: Callable[[int], None]) -> None:
        self._packets = mmsg.Memory(LANES * LANE_PACKETS * BUFFER_BYTES)
        self._parts = mmsg.Memory(LANES * LANE_PACKETS * mmsg.PART.size)
        self._vector = mmsg.Memory(LANES * LANE_PACKETS * mmsg.HEADER.size)
        self._family, self._name_bytes = udp.family, mmsg.name_bytes(udp.family)
        self._segments = mmsg.Memory(BUFFER_BYTES * SEGMENT)
        for size in range(BUFFER_BYTES):
            CONTROL.pack_into(self._segments.view, size * SEGMENT, CONTROL_LENGTH, SOL_UDP, UDP_SEGMENT, size)
        self._call = mmsg.library().sendmmsg
        super().__init__(udp, on_loss)

    def destination(self, address: Address) -> Destination:
        try:
            return Destination(address, mmsg.ffi.new("unsigned char[]", mmsg.name(address, self._family)))
        except OSError:  # not of this family: what is sent there is refused
            return Destination(address)

    def _slots(self, lane: int) -> list[PacketBuffer]:
        return [self._slot(lane * LANE_PACKETS + number) for number in range(LANE_PACKETS)]

    def _slot(self, number: int) -> PacketBuffer:
        at, part = number * BUFFER_BYTES, number * mmsg.PART.size
        mmsg.PART.pack_into(self._parts.view, part, self._packets.at + at, 0)
        return PacketBuffer(self._packets.raw + at, mmsg.ffi.cast("int *", self._parts.raw + part + mmsg.SIZE_AT))

    def _send(self, lanes: Sequence[Lane]) -> None:
        view, write, header, at = self._vector.view, mmsg.HEADER.pack_into, mmsg.HEADER.size, 0
        names, parts_at, segments_at = self._name_bytes, self._parts.at, self._segments.at
        for lane in lanes:
            to, sizes, total = lane.to, lane.sizes, len(lane.sizes)
            parts = parts_at + lane.number * LANE_PARTS
            if total == 1:
                write(view, at, to.name_at, names, parts, 1, 0, 0, 0, 0)
                at += header
            elif total and sizes.count(sizes[0]) == total and not to.is_single:
                write(view, at, to.name_at, names, parts, total, segments_at + sizes[0] * SEGMENT, SEGMENT, 0, 0)
                at += header
            else:
                at = self._write(lane, at)
        self._call_all(at // header, lanes)

    def _write(self, lane: Lane, at: int) -> int:
        """Write a lane's messages, whatever their sizes; return where the next one goes."""
        for _, first, end in self._messages([lane]):
            parts = self._parts.at + lane.number * LANE_PARTS + first * mmsg.PART.size
            control = (0, 0) if end - first == 1 else (self._segments.at + lane.sizes[first] * SEGMENT, SEGMENT)
            header = (lane.to.name_at, self._name_bytes, parts, end - first, *control, 0, 0)
            mmsg.HEADER.pack_into(self._vector.view, at, *header)
            at += mmsg.HEADER.size
        return at

    def _call_all(self, total: int, lanes: Sequence[Lane]) -> None:
        """Send what stands in the vector; a message that is refused keeps no other back."""
        done, messages = 0, None
        while done < total:
            taken = self._call(self._udp.fileno(), self._vector.raw + done * mmsg.HEADER.size, total - done, 0)
            if taken > 0:
                done += taken
                continue
            messages = messages or self._messages(lanes)
            self._refused(*messages[done], mmsg.ffi.errno)
            done += 1

    def _refused(self, lane: Lane, first: int, end: int, error: int) -> None:
        if end - first == 1 or error in (errno.EAGAIN, errno.EWOULDBLOCK):
            self._on_loss(end - first)
        else:  # no segmentation here, or a path of smaller packets
            lane.to.is_single = True
            self._send_each(lane, first, end)


def outbox(udp: socket.socket, on_loss: Callable[[int], None]) -> Outbox:
    """Return what sends on `udp` with the fewest calls here."""
    return Outbox(udp, on_loss) if mmsg.library() is None else ManyOutbox(udp, on_loss)


def singles(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first, end) of each packet by itself."""
    return [(number, number + 1) for number in range(len(sizes))]


def trains(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first, end) of each train: packets of one size, of which the last may be shorter."""
    found, first, total = [], 0, len(sizes)
    while first < total:
        size, end = sizes[first], first + 1
        while end < total and sizes[end] == size:
            end += 1
        if end < total and sizes[end] < size:
            end += 1
        found.append((first, end))
        first = end
    return found
