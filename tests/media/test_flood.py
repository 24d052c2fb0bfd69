"""Twenty thousand datagrams a second, from a seat and from a stranger: no neighbour loses a packet (X23)."""

from __future__ import annotations

import asyncio
import socket

import pytest

from broker.domain.plan import Media, Route
from broker.media.forward import state
from tests.media.mutate import seeds
from tests.media.support import CLIENT_HELLO, Endpoint, Stage, both_ways, plan
from tests.media.torrent import Torrent

pytestmark = pytest.mark.flow

RATE, SECONDS, PARTS_A_SECOND = 20_000, 1, 10
SLICE = 100  # what any system's socket buffer holds, so that what is shown is ours and not the machine's


class Neighbours:
    """A call that goes on beside the flood, counted packet by packet."""

    def __init__(self, relay: Stage, talker: Endpoint, ear: Endpoint) -> None:
        self._relay, self._talker, self._ear = relay, talker, ear
        self._said: list[bytes] = []

    async def talk(self, number: int) -> None:
        """Say and show the next."""
        body = number.to_bytes(4, "big")
        self._said.append(body)
        self._talker.say(body)
        self._talker.show(body, key=True)
        await asyncio.sleep(0)

    @property
    def packets(self) -> int:
        """How many packets they have sent."""
        return 2 * len(self._said)

    async def lost(self) -> int:
        """Return how many packets never came."""
        await self._relay.fences(self._talker, self._ear)
        heard = (self._ear.bodies(Media.AUDIO), self._ear.bodies(Media.VIDEO))
        return sum(len(self._said) - len([body for body in bodies if body in self._said]) for bodies in heard)


async def neighbours(relay: Stage) -> Neighbours:
    """Return a call of two that are no part of the flood."""
    talker, ear = await relay.enter("talker"), await relay.enter("ear")
    await relay.plane.apply(plan({Route("talker", kind, "ear", 0) for kind in Media}, "beside", valid_for_s=1e6))
    return Neighbours(relay, talker, ear)


async def pour(relay: Stage, torrent: Torrent, beside: Neighbours, fenced: list[Endpoint]) -> None:
    """Let the torrent through at `RATE` by the relay's clock, while the neighbours talk."""
    sent = 0
    for _ in range(SECONDS * PARTS_A_SECOND):
        for _ in range(RATE // PARTS_A_SECOND // SLICE):
            sent += torrent.send(sent, SLICE)
            for _ in range(SLICE):  # an endpoint here reads one datagram at each turn of the loop
                await asyncio.sleep(0)
            if sent % (5 * SLICE) == 0:
                await beside.talk(sent // (5 * SLICE))
        assert await beside.lost() == 0
        await relay.fences(*fenced)
        relay.clock.at += 1 / PARTS_A_SECOND
        await fenced[0].until(lambda: relay.clock.at - relay.plane._refilled_at < 0.5 / PARTS_A_SECOND)
    assert sent == RATE * SECONDS


@pytest.mark.parametrize("octets", [50, 1100])
async def test_a_seat_that_floods_is_capped_and_its_neighbours_lose_nothing(relay: Stage, octets: int) -> None:
    family, prisoner = await relay.enter("family"), await relay.enter("prisoner")
    await relay.plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=1e6))
    beside = await neighbours(relay)
    packets = [family.protect(family.rtp(Media.AUDIO, bytes(octets))) for _ in range(RATE * SECONDS)]
    udp = socket.socket(fileno=_dup(family))
    udp.connect(("127.0.0.1", relay.plane.port))
    await pour(relay, Torrent(udp, packets), beside, [family, prisoner])
    udp.close()
    through = relay.plane.counters()["forwarded"] - beside.packets  # the receiver's own socket may overflow
    by_number = state.SEAT_BURST_PACKETS + state.SEAT_PACKETS_PER_S * SECONDS
    by_octets = (state.SEAT_BURST_BYTES + state.SEAT_BYTES_PER_S * SECONDS) / len(packets[0])
    assert 0.8 * min(by_number, by_octets) <= through <= min(by_number, by_octets)
    assert relay.plane.counters()["flood"] >= RATE * SECONDS - through - 1


STRANGERS = {
    "media": [b"\x80\x60" + bytes(200)],
    "reports": seeds("rtcp"),
    "handshakes": [CLIENT_HELLO, *seeds("dtls")],
    "checks": seeds("stun"),
    "noise": [b"", b"\xff" * 1400, b"\x00"],
}


@pytest.mark.parametrize("kind", list(STRANGERS))
async def test_a_stranger_that_floods_costs_the_neighbours_nothing(relay: Stage, kind: str) -> None:
    beside, guard = await neighbours(relay), await relay.enter("guard")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.connect(("127.0.0.1", relay.plane.port))
    await pour(relay, Torrent(udp, STRANGERS[kind] * (SLICE // len(STRANGERS[kind]) + 1)), beside, [guard])
    with pytest.raises(BlockingIOError):  # not one answer: nobody is flooded through us
        udp.recv(1)
    udp.close()
    assert not any(name.startswith("fault") for name in relay.plane.counters())


def _dup(endpoint: Endpoint) -> int:
    """Return another handle of an endpoint's own socket."""
    handle: socket.socket = endpoint.transport.get_extra_info("socket")
    return socket.dup(handle.fileno())
