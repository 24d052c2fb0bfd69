"""Seeded hostile traffic against a relay of our own on loopback: strangers, and a seat with all rights of a seat.

Four endpoints: `seat` attacks and is in a call with `other`; `family` and `prisoner` have a quiet call that must lose
nothing. Media and reports of the seat are mutated before they are protected, its checks before they are signed, so
that what is wrong with them comes past the first door. `python -m tests.media.fuzz` runs it for long.
"""

from __future__ import annotations

import asyncio
import logging
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from broker.domain.plan import Media
from broker.media import rtcp
from tests.media.fuzz_parsers import signed
from tests.media.mutate import Mutator, seeds
from tests.media.support import (
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

ROUND = 200  # datagrams between two looks at the calls
ROUND_S = 0.3  # on the relay's clock: the seat's allowance is then no cover for what the packets say
REJOIN_EVERY = 10  # rounds
LINES_A_MINUTE = 6
STUMBLE_S = 0.05


class Attack:
    """One seeded attacker: strangers' sockets, and the keys of one seat."""

    def __init__(self, relay: Stage, seat: Endpoint, seed: int) -> None:
        self.relay, self.seat = relay, seat
        self.chance = random.Random(seed)
        self.overheard: list[bytes] = []  # datagrams of others, as somebody on their network sees them
        self.strangers = [Stranger(relay.plane.port) for _ in range(3)]
        self._mutators = {kind: Mutator(kind, seed) for kind in ("stun", "dtls", "rtp", "rtcp")}
        self._makers: list[Callable[[], bytes]] = [
            *[self.captured_media] * 4,
            *[self.media] * 5,
            *[self.captured_reports] * 4,
            *[self.reports] * 4,
            self.check,
            self.check,
            self.hello,
            self.hello,
            self.copy,
            self.noise,
        ]

    def mutated(self, kind: str, data: bytes | None = None) -> bytes:
        """Return `data` or a captured datagram of `kind`, mutated."""
        material = seeds_of[kind] if data is None else [data]
        return self._mutators[kind].mutated(self.chance.choice(material), self.chance)

    def check(self) -> bytes:
        """A check: of the seat's own or a captured one, mutated before or after it is signed."""
        whole = self.seat.check(nominate=self.chance.random() < 0.5)[1]
        if self.chance.random() < 0.5:
            return self.mutated("stun", whole)
        return signed(self.mutated("stun", whole), self.seat.pwd)

    def hello(self) -> bytes:
        """A DTLS datagram."""
        return self.mutated("dtls")

    def copy(self) -> bytes:
        """What another's network saw pass, as it was or mutated."""
        if not self.overheard:
            return self.noise()
        data = self.chance.choice(self.overheard)
        return data if self.chance.random() < 0.7 else self.mutated("rtp", data)

    def noise(self) -> bytes:
        """Anything at all."""
        return self.chance.randbytes(self.chance.randint(0, 200))

    def captured_media(self) -> bytes:
        """A captured packet, mutated; mostly under an SSRC, a number and a type that the seat has."""
        packet = bytearray(self.mutated("rtp"))
        sender = self.seat.senders[self.chance.choice(list(Media))]
        if len(packet) >= 12 and self.chance.random() < 0.8:
            sender.sequence = sender.sequence + 1 & 0xFFFF
            packet[1:4] = bytes([sender.payload_type | packet[1] & 0x80]) + struct.pack("!H", sender.sequence)
            packet[8:12] = struct.pack("!I", sender.ssrc)
        return self._protected(bytes(packet), is_rtcp=False)

    def media(self) -> bytes:
        """A packet as the seat would send it, mutated after its first bytes."""
        kind = self.chance.choice(list(Media))
        extension = bytes([TRANSPORT_CC_ID << 4 | 1]) + self.chance.randbytes(2) + bytes([MID_ID << 4, 49])
        payload = vp8(self.chance.randbytes(9), self.chance.randrange(1 << 15), 3, self.chance.random() < 0.5)
        packet = self.seat.rtp(kind, payload, 1, extension, skip=self.chance.choice([*[0] * 9, 1, 150, 20_000]))
        if self.chance.random() < 0.2:
            packet = packet[:1] + bytes([RTX_TYPE]) + packet[2:8] + struct.pack("!I", 77) + packet[12:]
        whole = 2 if self.chance.random() < 0.1 else 12
        return self._protected(packet[:whole] + self.mutated("rtp", packet[whole:]), is_rtcp=False)

    def captured_reports(self) -> bytes:
        """A captured compound, mutated; its second SSRC is often one that the seat is sent."""
        packet = bytearray(self.mutated("rtcp"))
        if len(packet) >= 12 and self.seat.heard and self.chance.random() < 0.5:
            packet[8:12] = struct.pack("!I", self.seat.heard[-1].ssrc)
        return self._protected(bytes(packet), is_rtcp=True)

    def reports(self) -> bytes:
        """A report that names what the seat is sent, mutated."""
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
        return self._protected(rtcp.write_rr(1) + self.mutated("rtcp", compound), is_rtcp=True)

    def _protected(self, packet: bytes, is_rtcp: bool) -> bytes:
        try:
            return self.seat.protect(packet, is_rtcp)
        except AssertionError:  # libsrtp will not protect what is too broken: send it as it is
            return packet

    def strike(self) -> None:
        """Send one datagram, at times from elsewhere first."""
        datagram = self.chance.choice(self._makers)()
        if self.chance.random() < 0.3:
            self.chance.choice(self.strangers).send(datagram)
        self.seat.send_raw(datagram)


seeds_of = {kind: seeds(kind) for kind in ("stun", "dtls", "rtp", "rtcp")}


@dataclass
class Lines(logging.Handler):
    """Counts what is logged of drops and faults, and everything that a library complains of."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.INFO)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not text.startswith(("media up", "media lost")):
            error = record.exc_info[1] if record.exc_info else None
            self.lines.append(f"{record.name}: {text} {error!r}"[:400])


class Arena:
    """The relay, its four endpoints and the attack; `round` strikes and looks."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rounds = self.sent = 0
        self.log = Lines()

    async def open(self) -> None:
        """Connect everybody."""
        self.relay = await stage()
        self.began = self.relay.clock.at
        logging.getLogger().addHandler(self.log)
        logging.getLogger("broker.media").setLevel(logging.INFO)
        names = ("seat", "other", "family", "prisoner")
        self.seat, self.other, self.family, self.prisoner = [await self.relay.enter(name) for name in names]
        self.attack = Attack(self.relay, self.seat, self.seed)
        send = self.family.send_raw
        self.family.send_raw = lambda datagram: (self.attack.overheard.append(datagram), send(datagram))  # type: ignore[method-assign,assignment]

    async def round(self) -> None:
        """Strike `ROUND` times while both calls go on; raises AssertionError where a promise breaks."""
        relay, number = self.relay, self.rounds
        await relay.plane.apply(plan(both_ways("seat", "other"), "attacked", number + 1, 1e9))
        await relay.plane.apply(plan(both_ways("family", "prisoner"), "quiet", number + 1, 1e9))
        said = [b"%d %d" % (number, part) for part in range(4)]
        for part in said:
            for _ in range(ROUND // len(said)):
                self.attack.strike()
            self.family.say(part)
            self.prisoner.show(part, key=True)
            self.other.say(b"alive")
            await relay.fences(self.family, self.other, self.prisoner)
        await self.family.fence()
        heard = (self.prisoner.bodies(Media.AUDIO), self.family.bodies(Media.VIDEO))
        assert heard == (said, said), f"{self.where()}: the quiet call lost a packet: {heard}"
        self.look()
        self.sent, self.rounds = self.sent + ROUND, number + 1
        relay.clock.at += ROUND_S
        if self.rounds % REJOIN_EVERY == 0:
            await self.behave()

    def look(self) -> None:
        """Nothing broke, nothing was logged beyond measure, and forget what was heard."""
        faults = [name for name in self.relay.plane.counters() if name.startswith("fault")]
        assert not faults, f"{self.where()}: {faults}: {self.log.lines}"
        minutes = (self.relay.clock.at - self.began) / 60 + 1
        assert len(self.log.lines) <= LINES_A_MINUTE * minutes, f"{self.where()}: {self.log.lines}"
        for endpoint in self.relay.endpoints:
            del endpoint.heard[:-1], endpoint.reports[:], endpoint.wire[:]
            endpoint.heard = endpoint.heard[-1:] if endpoint is self.seat else []
        del self.attack.overheard[:-20]

    async def behave(self) -> None:
        """Let the seat come back as a page does that found itself without media; its call goes on."""
        await self.seat.close()
        self.relay.endpoints.remove(self.seat)
        await self.stumble()
        self.seat = self.attack.seat = await self.relay.enter("seat")
        self.seat.say(b"here again")
        self.seat.show(b"seen again", key=True)
        self.other.say(b"welcome")
        await self.relay.fences(self.seat, self.other, self.seat)
        found = (
            self.other.bodies(Media.AUDIO)[-1:],
            self.other.bodies(Media.VIDEO)[-1:],
            self.seat.bodies(Media.AUDIO),
        )
        expected = ([b"here again"], [b"seen again"], [b"welcome"])
        assert found == expected, f"{self.where()}: the attacked call did not go on: {found}"
        self.look()

    async def stumble(self) -> None:
        """Let the seat shake hands with half of its datagrams mutated, from an address that passed a check."""
        clumsy, chance = Endpoint(self.relay.plane, "seat"), self.attack.chance
        send = clumsy.send_raw

        def mutated(datagram: bytes) -> None:
            is_dtls = 20 <= datagram[0] < 64
            send(self.attack.mutated("dtls", datagram) if is_dtls and chance.random() < 0.5 else datagram)

        clumsy.send_raw = mutated  # type: ignore[method-assign]
        await clumsy.connect(shake=False)
        await clumsy.fence()
        asyncio.get_running_loop().call_later(STUMBLE_S, clumsy.handshake.pipe.close)
        try:
            await clumsy.shake()
        except AssertionError:
            pass  # it failed, as most do
        await clumsy.close()
        self.look()

    def where(self) -> str:
        return f"seed {self.seed}, round {self.rounds}"

    async def close(self) -> None:
        """Leave."""
        logging.getLogger().removeHandler(self.log)
        await self.relay.close()
        for stranger in self.attack.strangers:
            stranger.close()


async def fuzz(seed: int, mutations: int, told: Callable[[int], None] = lambda sent: None) -> int:
    """Send at least so many hostile datagrams; return how many. Raises AssertionError where a promise breaks."""
    arena = Arena(seed)
    await arena.open()
    try:
        while arena.sent < mutations:
            await arena.round()
            told(arena.sent)
        await arena.behave()
    finally:
        await arena.close()
    return arena.sent
