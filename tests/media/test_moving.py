"""A seat whose network address changes in the middle of a call: it is followed, and nobody else is (RFC 8445 §12)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest_asyncio

from broker.domain.plan import Media
from tests.media.support import Endpoint, Stage, Stranger, both_ways, plan

AUDIO = Media.AUDIO


class Ear(asyncio.DatagramProtocol):
    """Hears what still comes to an address that was left."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(data)


@pytest_asyncio.fixture
async def call(relay: Stage) -> tuple[Endpoint, Endpoint]:
    """The two ends of a live call."""
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
    return family, prisoner


async def move(endpoint: Endpoint) -> tuple[Any, Ear]:
    """Give the endpoint a new socket; return the old one, which stays open, and what it hears from now on."""
    old, ear = endpoint.transport, Ear()
    old.set_protocol(ear)
    endpoint.transport = await endpoint.open()
    return old, ear


async def test_media_stops_at_the_old_address_and_comes_to_the_new_one(
    relay: Stage, call: tuple[Endpoint, Endpoint]
) -> None:
    family, prisoner = call
    old, ear = await move(family)
    await family.fence()  # the first check from there
    prisoner.say(*[b"to the new address"] * 5)
    family.say(b"from the new address")
    await relay.fences(prisoner, family, prisoner)
    assert family.bodies(AUDIO) == [b"to the new address"] * 5
    assert prisoner.bodies(AUDIO) == [b"from the new address"]
    assert ear.heard == []
    old.close()


async def test_the_seat_stays_the_same_over_many_moves(relay: Stage, call: tuple[Endpoint, Endpoint]) -> None:
    family, prisoner = call
    told: list[tuple[str, bool]] = []
    relay.plane.watch(lambda endpoint, up: told.append((endpoint, up)))
    for number in range(12):  # more than the addresses that a seat may have at once
        old, _ = await move(family)
        await family.fence()
        family.say(str(number).encode())
        await relay.fences(family, prisoner)
        old.close()
    assert prisoner.bodies(AUDIO) == [str(number).encode() for number in range(12)]
    assert told == [], "nobody was lost and nobody came"


async def test_a_copied_packet_from_elsewhere_moves_nothing_and_uses_up_nothing(
    relay: Stage, call: tuple[Endpoint, Endpoint]
) -> None:
    family, prisoner = call
    stranger = Stranger(relay.plane.port)
    packet = family.protect(family.rtp(AUDIO, b"mine"))
    stranger.send(packet)
    prisoner.say(b"to the family")
    await relay.fences(prisoner, family)
    assert family.bodies(AUDIO) == [b"to the family"]
    family.send_raw(packet)
    await relay.fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"mine"]
    assert stranger.answers() == []
    stranger.close()


async def test_a_check_without_the_seats_password_moves_nothing(relay: Stage, call: tuple[Endpoint, Endpoint]) -> None:
    family, prisoner = call
    stranger = Stranger(relay.plane.port)
    stranger.send(family.check(pwd="q" * 32)[1], family.check(pwd=prisoner.pwd)[1])  # a guess, and another seat's
    prisoner.say(b"to the family")
    await relay.fences(prisoner, family)
    assert family.bodies(AUDIO) == [b"to the family"]
    assert stranger.answers() == []
    stranger.close()


async def test_a_second_path_takes_over_only_when_it_is_nominated_or_the_first_is_silent(
    relay: Stage, call: tuple[Endpoint, Endpoint]
) -> None:
    family, prisoner = call
    first = family.transport
    second = await family.open()
    _, check = family.check(nominate=False)
    second.sendto(check, ("127.0.0.1", relay.plane.port))
    await family.fence()
    assert relay.plane._sessions["family"].address == first.get_extra_info("sockname")

    relay.clock.at += 2.5  # nothing came for so long
    _, check = family.check(nominate=False)
    second.sendto(check, ("127.0.0.1", relay.plane.port))
    await prisoner.fence()
    assert relay.plane._sessions["family"].address == second.get_extra_info("sockname")
    second.close()


async def test_nobody_gets_the_address_that_a_seat_has_moved_to(relay: Stage, call: tuple[Endpoint, Endpoint]) -> None:
    family, prisoner = call
    old, _ = await move(family)
    await family.fence()
    _, check = prisoner.check()
    family.send_raw(check)  # as if the prisoner's laptop could write the family's new address
    prisoner.say(b"to the family")
    await relay.fences(family, prisoner, family)
    assert family.bodies(AUDIO) == [b"to the family"]
    assert relay.plane.counters()["stun_refused"] == 1
    old.close()
