"""Seeded hostile traffic against a relay of our own on loopback: `python -m tests.media.fuzz_relay --seconds 600`.

Strangers and an authenticated participant send damaged STUN, DTLS, SRTP and SRTCP; a second call must lose nothing,
the first must go on, and no fault may be counted. A failure prints the seed that repeats it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import struct
import time
from collections.abc import Callable

from broker.domain.plan import Media, Route
from broker.media import rtcp
from tests.media.support import (
    CLIENT_HELLO,
    MID_ID,
    RTX_TYPE,
    TRANSPORT_CC_ID,
    Endpoint,
    Stage,
    Stranger,
    both_ways,
    plan,
    stage,
    vp8,
)

ROUND = 40  # datagrams between two looks at the calls


class Attack:
    """One seeded attacker: strangers' sockets, and the keys of one seat."""

    def __init__(self, relay: Stage, seat: Endpoint, chance: random.Random) -> None:
        self.relay, self.seat, self.chance = relay, seat, chance
        self.strangers = [Stranger(relay.plane.port) for _ in range(3)]

    def damage(self, datagram: bytes) -> bytes:
        """Return `datagram` with a few bytes changed, cut, doubled or put in."""
        data = bytearray(datagram)
        for _ in range(self.chance.randint(0, 4)):
            at = self.chance.randint(0, len(data))
            match self.chance.randrange(5):
                case 0 if data:
                    data[at % len(data)] = self.chance.randrange(256)
                case 1:
                    del data[at:]
                case 2:
                    data[at:at] = self.chance.randbytes(self.chance.randint(1, 8))
                case 3:
                    data += data[at:]
                case _:
                    del data[at : at + 4]
        return bytes(data[:1900])

    def stun(self) -> bytes:
        """A check of the seat's, damaged or not."""
        return self.damage(self.seat.check(nominate=self.chance.random() < 0.5)[1])

    def hello(self) -> bytes:
        """A DTLS record."""
        return self.damage(CLIENT_HELLO)

    def noise(self) -> bytes:
        """Anything at all."""
        return self.chance.randbytes(self.chance.randint(0, 200))

    def media(self) -> bytes:
        """RTP of the seat, damaged before it is protected."""
        kind = self.chance.choice(list(Media))
        extension = bytes([TRANSPORT_CC_ID << 4 | 1]) + self.chance.randbytes(2) + bytes([MID_ID << 4, 49])
        payload = vp8(self.chance.randbytes(9), self.chance.randrange(1 << 15), 3, self.chance.random() < 0.5)
        packet = self.seat.rtp(kind, payload, 1, extension, skip=self.chance.choice([0, 0, 0, 1, 150, 40_000]))
        if self.chance.random() < 0.2:
            packet = packet[:1] + bytes([RTX_TYPE]) + packet[2:8] + struct.pack("!I", 77) + packet[12:]
        return self._protected(packet[:2] + self.damage(packet[2:]), is_rtcp=False)

    def reports(self) -> bytes:
        """RTCP of the seat, damaged before it is protected."""
        ssrc = self.seat.heard[-1].ssrc if self.seat.heard else 1
        numbers = [self.chance.randrange(1 << 16) for _ in range(4)]
        compound = self.chance.choice(
            [
                rtcp.write_nack(1, ssrc, sorted(numbers)),
                rtcp.write_pli(1, ssrc),
                rtcp.write_remb(1, self.chance.getrandbits(40), [ssrc]),
                rtcp.write_rr(1, [rtcp.Report(ssrc, 255, -5, 7, 7, 7, 7)]),
                rtcp.write_sr(rtcp.SenderInfo(self.seat.senders[Media.VIDEO].ssrc, self.chance.getrandbits(64), 9)),
                rtcp.write_bye([ssrc]),
                rtcp.write_transport_cc(1, ssrc, 7, 5, [(5, 100_000), (9, 200_000)]),
            ]
        )
        return self._protected(rtcp.write_rr(1) + self.damage(compound), is_rtcp=True)

    def _protected(self, packet: bytes, is_rtcp: bool) -> bytes:
        try:
            return self.seat.protect(packet, is_rtcp)
        except AssertionError:  # libsrtp will not protect what is too broken: send it as it is
            return packet

    def strike(self) -> None:
        """Send one datagram."""
        makers: list[Callable[[], bytes]] = [self.stun, self.hello, self.noise, self.media, self.reports]
        datagram = self.chance.choice(makers)()
        if self.chance.random() < 0.3:
            self.chance.choice(self.strangers).send(datagram)
        else:
            self.seat.send_raw(datagram)


async def fuzz(seed: int, seconds: float) -> int:
    """Attack for some seconds; return how many datagrams were sent. Raises AssertionError where a promise breaks."""
    relay = await stage()
    names = ("seat", "other", "family", "prisoner")
    seat, other, family, prisoner = [await relay.enter(name) for name in names]
    attack = Attack(relay, seat, random.Random(seed))
    sent = rounds = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if rounds % 50 == 0:
            await relay.plane.apply(plan(both_ways("seat", "other"), "attacked", rounds, 1e9))
            await relay.plane.apply(plan({Route("family", Media.AUDIO, "prisoner", 0)}, "quiet", rounds, 1e9))
        for _ in range(ROUND):
            attack.strike()
        sent, rounds = sent + ROUND, rounds + 1
        other.say(b"alive")
        family.say(rounds.to_bytes(4, "big"))
        await relay.fences(family, other, prisoner)
        assert prisoner.heard[-1].body == rounds.to_bytes(4, "big"), f"seed {seed}: the quiet call lost a packet"
        faults = [name for name in relay.plane.counters() if name.startswith("fault")]
        assert not faults, f"seed {seed}: {faults}"
        for endpoint in relay.endpoints:
            del endpoint.heard[:-1], endpoint.reports[:], endpoint.wire[:]
        relay.clock.at += 0.1
    relay.clock.at += 5
    await other.until(lambda: relay.plane._sessions["seat"].checks > 2)
    await seat.fence()  # a stranger with the seat's own password may have led its media elsewhere
    seat.heard.clear()
    other.say(b"still heard")
    await relay.fences(other, seat)
    assert seat.bodies(Media.AUDIO) == [b"still heard"], f"seed {seed}: the attacked call stopped"
    await relay.close()
    for stranger in attack.strangers:
        stranger.close()
    return sent


def main() -> None:
    """Attack from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    sent = asyncio.run(fuzz(options.seed, options.seconds))
    print(f"{sent} hostile datagrams, seed {options.seed}: no call disturbed, no fault")


if __name__ == "__main__":
    main()
