"""A hundred handshakes while a stranger and somebody with a seat of another call race them (reliability.md X22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from broker.domain.plan import Media, Route
from tests.media.mutate import seeds
from tests.media.support import CLIENT_HELLO, Endpoint, Stage, Stranger, plan

pytestmark = pytest.mark.flow

HANDSHAKES, AT_ONCE = 100, 10


def raced(send: Callable[[bytes], None], stranger: Stranger, rival: Endpoint) -> Callable[[bytes], None]:
    """Return a sender whose datagrams an onlooker sends too: handshakes beforehand, checks as soon as they pass."""
    hellos = [CLIENT_HELLO, *(data for data in seeds("dtls") if data[13:14] == b"\x01")]

    def sent(datagram: bytes) -> None:
        if 20 <= datagram[0] < 64:
            stranger.send(datagram)
            rival.send_raw(datagram)
        send(datagram)
        stranger.send(datagram, *hellos)
        rival.send_raw(datagram)

    return sent


async def test_a_hundred_handshakes_succeed_while_strangers_race_them(relay: Stage) -> None:
    stranger = Stranger(relay.plane.port)
    rival, ear = await relay.enter("rival"), await relay.enter("ear")
    await relay.plane.apply(plan({Route("rival", Media.AUDIO, "ear", 0)}, "another", valid_for_s=60))

    async def join(number: int) -> bool:
        endpoint = Endpoint(relay.plane, f"family{number}")
        relay.endpoints.append(endpoint)
        endpoint.send_raw = raced(endpoint.send_raw, stranger, rival)  # type: ignore[method-assign]
        await endpoint.connect()
        return endpoint.is_up()

    joined = 0
    for first in range(0, HANDSHAKES, AT_ONCE):
        joined += sum(await asyncio.gather(*(join(number) for number in range(first, first + AT_ONCE))))
        relay.clock.at += 1
    assert joined == HANDSHAKES
    counts = relay.plane.counters()
    assert counts["stun_copy"] >= HANDSHAKES
    assert counts["dtls_stranger"] >= HANDSHAKES
    assert "dtls_failed" not in counts
    assert not any(name.startswith("fault") for name in counts)
    assert not any(20 <= answer[0] < 64 for answer in stranger.answers())
    rival.say(b"and the rival's own call goes on")
    await relay.fences(rival, ear)
    assert ear.bodies(Media.AUDIO) == [b"and the rival's own call goes on"]
    stranger.close()
