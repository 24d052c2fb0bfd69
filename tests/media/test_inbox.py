"""Datagrams read many by one call, or one by one: the same either way."""

from __future__ import annotations

import socket

import pytest

from broker.media import mmsg
from broker.media.dtls import BUFFER_BYTES
from broker.media.inbox import BATCH, Inbox, ManyInbox, SocketInbox

KINDS = [SocketInbox] if mmsg.library() is None else [SocketInbox, ManyInbox]
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def pair(family: socket.AddressFamily) -> tuple[socket.socket, socket.socket]:
    """Return a socket to read, and one that sends to it."""
    if family is socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    ours, theirs = (socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _ in range(2))
    try:
        for udp in (ours, theirs):
            udp.bind((LOOPBACK[family], 0))
    except OSError:
        pytest.skip("no such address here")
    theirs.connect(ours.getsockname())
    return ours, theirs


def read(inbox: Inbox) -> list[tuple[bytes, object]]:
    """Return what one reading finds."""
    found: list[tuple[bytes, object]] = []
    inbox.read(lambda slot, size, address: found.append((slot.bytes[:size], address)))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", LOOPBACK)
def test_each_datagram_is_handed_over_whole_in_order_and_with_whence_it_came(
    kind: type[SocketInbox | ManyInbox], family: socket.AddressFamily
) -> None:
    ours, theirs = pair(family)
    with ours, theirs:
        inbox = kind(ours)
        sent = [bytes([number]) * (number + 1) for number in range(BATCH + 5)]
        for packet in sent:
            theirs.send(packet)
        found = read(inbox) + read(inbox)
        assert [packet for packet, _ in found] == sent
        assert {address for _, address in found} == {theirs.getsockname()}
        assert read(inbox) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_datagram_that_fills_its_slot_may_have_been_cut_and_counts_as_empty(
    kind: type[SocketInbox | ManyInbox],
) -> None:
    ours, theirs = pair(socket.AF_INET)
    with ours, theirs:
        inbox = kind(ours)
        for size in (BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 500, 3):
            theirs.send(bytes(size))
        assert [len(packet) for packet, _ in read(inbox)] == [BUFFER_BYTES - 1, 0, 0, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_closed_socket_has_nothing_to_read(kind: type[SocketInbox | ManyInbox]) -> None:
    ours, theirs = pair(socket.AF_INET)
    inbox = kind(ours)
    ours.close()
    theirs.close()
    assert read(inbox) == []


def test_more_addresses_than_are_remembered_are_still_read_right() -> None:
    addresses = mmsg.Addresses(socket.AF_INET)
    for number in range(mmsg.KEPT + 10):
        address = (f"10.0.{number >> 8}.{number & 255}", 1024 + number)
        assert addresses[mmsg.name(address, socket.AF_INET)] == address
    assert len(addresses) <= mmsg.KEPT
