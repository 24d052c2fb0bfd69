"""A relay that serves this machine alone."""

from __future__ import annotations

import asyncio
import socket

from broker.media.local import LOOPBACK, own_addresses
from broker.media.plane import RelayPlane
from tests.fakes import FakeClock


async def test_what_comes_from_another_address_is_dropped_unread() -> None:
    relay = RelayPlane(("0.0.0.0", 0), [LOOPBACK], FakeClock(), frozenset({LOOPBACK}))
    await relay.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
            elsewhere.bind(("127.0.0.2", 0))
            elsewhere.sendto(b"\x00\x01" + bytes(30), (LOOPBACK, relay.port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.bind((LOOPBACK, 0))
            here.sendto(b"\xff", (LOOPBACK, relay.port))
        async with asyncio.timeout(10):
            while "unknown" not in relay.counters():
                await asyncio.sleep(0)
        assert relay.counters()["elsewhere"] == 1
        assert "stun_stranger" not in relay.counters()
    finally:
        await relay.close()


def test_the_machines_own_addresses_begin_with_loopback() -> None:
    assert own_addresses()[0] == LOOPBACK
