"""Packets of one reading: sent by destination in their order, as trains where the network takes them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from broker.media import mmsg
from broker.media.batch import LANE_PACKETS, LANES, Destination, ManyOutbox, Outbox

KINDS = [Outbox] if mmsg.library() is None else [Outbox, ManyOutbox]
SO_NO_CHECK = 11  # asm-generic/socket.h


class Wire:
    """A socket that remembers what it was told to send."""

    def __init__(self, refuses: int | None = None) -> None:
        self.calls: list[tuple[str, list[int], tuple[str, int]]] = []
        self._refuses = refuses

    def sendto(self, packet: memoryview, address: tuple[str, int]) -> int:
        self.calls.append(("one", [len(packet)], address))
        return len(packet)

    def sendmsg(self, packets: list[memoryview], ancillary: object, flags: int, address: tuple[str, int]) -> int:
        if self._refuses is not None:
            raise OSError(self._refuses, "no")
        self.calls.append(("train", [len(packet) for packet in packets], address))
        return 0


HERE, THERE = ("127.0.0.1", 1), ("127.0.0.1", 2)


def fill(outbox: Outbox, *packets: tuple[bytes, tuple[str, int]]) -> None:
    places: dict[tuple[str, int], Destination] = {}
    for packet, address in packets:
        to = places.setdefault(address, outbox.destination(address))
        lane = to.lane or outbox.begin(to)
        slot = lane.free[-1]
        slot.view[: len(packet)] = packet
        slot.size[0] = len(packet)
        outbox.put(lane)


def lengths(wire: Wire, address: tuple[str, int]) -> list[list[int]]:
    return [sizes for _, sizes, to in wire.calls if to == address]


def udp_socket() -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(5)
    return udp


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with udp_socket() as udp:
        yield udp


@pytest.mark.parametrize("kind", KINDS)
def test_a_train_arrives_as_the_datagrams_that_it_was_made_of(kind: type[Outbox], receiver: socket.socket) -> None:
    lost: list[int] = []
    sent = [bytes([number]) * 1100 for number in range(4)] + [b"last" * 50, b"x" * 90, b"y" * 1200, b"z" * 1200]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as udp:
        outbox = kind(udp, lost.append)
        for _ in range(2):
            fill(outbox, *[(packet, receiver.getsockname()) for packet in sent])
            outbox.flush()
    assert [receiver.recv(2048) for _ in sent * 2] == sent * 2
    assert lost == []


@pytest.mark.parametrize("kind", KINDS)
def test_many_destinations_and_a_long_train_arrive_whole_and_in_order(kind: type[Outbox]) -> None:
    with ExitStack() as stack:
        ends = [stack.enter_context(udp_socket()) for _ in range(LANES + 3)]
        outbox = kind(stack.enter_context(udp_socket()), print)
        sent = [bytes([number]) * 300 for number in range(LANE_PACKETS + 5)]
        fill(outbox, *[(packet, end.getsockname()) for packet in sent for end in ends])
        outbox.flush()
        for end in ends:
            assert [end.recv(2048) for _ in sent] == sent


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_kernel_refuses_as_a_train_arrives_each_by_itself(kind: type[Outbox], receiver: socket.socket) -> None:
    lost: list[int] = []
    sent = [bytes([number]) * 1100 for number in range(4)]
    with udp_socket() as udp:
        udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)  # the kernel makes no segments without a checksum
        outbox = kind(udp, lost.append)
        nobody = ("::1", receiver.getsockname()[1])
        fill(outbox, *[(packet, to) for packet in sent for to in (receiver.getsockname(), nobody)])
        outbox.flush()
    assert [receiver.recv(2048) for _ in sent] == sent
    assert sum(lost) == len(sent), "an address of another family is no reason for an error"


def test_only_the_last_of_a_train_is_shorter_and_each_destination_has_its_own() -> None:
    wire = Wire()
    outbox = Outbox(wire, print)  # type: ignore[arg-type]
    sizes = [100, 100, 60, 100, 200, 200]
    fill(outbox, *[(bytes(size), to) for size in sizes for to in (HERE, THERE)])
    outbox.flush()
    assert lengths(wire, HERE) == lengths(wire, THERE) == [[100, 100, 60], [100], [200, 200]]


def test_a_network_without_trains_is_sent_each_packet_by_itself_from_then_on() -> None:
    wire, lost = Wire(refuses=errno.EINVAL), []
    outbox = Outbox(wire, lost.append)  # type: ignore[arg-type]
    for _ in range(2):
        fill(outbox, (bytes(100), HERE), (bytes(100), HERE))
        outbox.flush()
    assert lengths(wire, HERE) == [[100]] * 4
    assert lost == []


def test_what_a_full_buffer_does_not_take_is_lost_and_counted() -> None:
    wire, lost = Wire(refuses=errno.EAGAIN), []
    outbox = Outbox(wire, lost.append)  # type: ignore[arg-type]
    fill(outbox, *[(bytes(100), HERE)] * 3)
    outbox.flush()
    assert (wire.calls, lost) == ([], [3])


def test_more_than_there_is_room_for_is_sent_in_parts_and_nothing_is_sent_twice() -> None:
    wire = Wire()
    outbox = Outbox(wire, print)  # type: ignore[arg-type]
    fill(outbox, *[(bytes(100), HERE)] * (LANES * LANE_PACKETS + 1))
    outbox.flush()
    outbox.flush()
    assert sum(len(sizes) for sizes in lengths(wire, HERE)) == LANES * LANE_PACKETS + 1
