"""One connection of an endpoint: what its offer settled, its ICE credentials, its DTLS and its life."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from broker.domain.plan import Media
from broker.media import sdp
from broker.media.dtls import Handshake
from broker.media.forward.api import Address, Codec, LayerSpec, PeerId, PeerSpec, SinkSpec, SourceSpec
from broker.ports import Line

CHECKS_PER_S = 20.0  # a browser makes one every 2.5 s, and some more in its first second
CHECKS_BURST = 100.0
RECORDS_PER_S = 20.0  # DTLS datagrams: a handshake sends about five, a goodbye one
RECORDS_BURST = 100.0
TRANSACTIONS_KEPT = 64
MAX_ADDRESSES = 8  # candidate pairs of one browser that may pass a check


@dataclass(slots=True)
class Session:
    """The mutable state of one connection. Times are CLOCK_BOOTTIME."""

    endpoint: str
    peer: PeerId
    ufrag: str
    pwd: str
    spec: PeerSpec
    handshake: Handshake
    made_at: float
    publishes: frozenset[Media]
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))  # ours, in feedback
    address: Address | None = None
    addresses: dict[Address, None] = field(default_factory=dict)  # in the order of their first check
    checked_at: float = float("-inf")
    checks: float = CHECKS_BURST  # from addresses that have passed one
    first_checks: float = CHECKS_BURST  # from any other: an onlooker cannot use up what the endpoint needs
    records: float = RECORDS_BURST
    transactions: dict[bytes, Address] = field(default_factory=dict)  # of the last checks, and whence they came
    has_keys: bool = False
    is_up: bool = False

    def is_copy(self, transaction: bytes, address: Address) -> bool:
        """Tell whether a check came before from elsewhere: somebody who saw it pass has sent it again."""
        return self.transactions.get(transaction, address) != address

    def take_check(self, address: Address) -> bool:
        """Use the allowance for one check from `address`; False where there is none left."""
        if address in self.addresses:
            self.checks -= 1
            return self.checks >= 0
        self.first_checks -= 1
        return self.first_checks >= 0

    def note_check(self, transaction: bytes, address: Address, now: float) -> None:
        """Remember an authenticated check."""
        self.checked_at = now
        self.transactions[transaction] = address
        if len(self.transactions) > TRANSACTIONS_KEPT:
            del self.transactions[next(iter(self.transactions))]

    def refill(self, elapsed: float) -> None:
        """Add the allowance of `elapsed` seconds, up to the bursts."""
        self.checks = min(CHECKS_BURST, max(0.0, self.checks) + CHECKS_PER_S * elapsed)
        self.first_checks = min(CHECKS_BURST, max(0.0, self.first_checks) + CHECKS_PER_S * elapsed)
        self.records = min(RECORDS_BURST, self.records + RECORDS_PER_S * elapsed)


@dataclass(frozen=True, slots=True)
class Settled:
    """What comes of an offer: the forwarder's description of the peer, and the answer's material."""

    spec: PeerSpec
    receiving: frozenset[str]
    sending: dict[str, sdp.SendLine]
    lines: tuple[Line, ...]
    publishes: frozenset[Media]


def settle(offer: sdp.Offer, publishes: frozenset[Media]) -> Settled:
    """Decide what each offered line does.

    The first sending line of each kind in `publishes` may send; every receive-only line receives.
    """
    sources: dict[Media, SourceSpec] = {}
    sinks: list[SinkSpec] = []
    sending: dict[str, sdp.SendLine] = {}
    lines: list[Line] = []
    counts = dict.fromkeys(Media, 0)
    used: set[int] = set()
    for line in offer.lines:
        if line.kind is None or line.preferred is None:
            continue
        if line.direction in ("sendonly", "sendrecv") and line.kind in publishes and line.kind not in sources:
            sources[line.kind] = _source(line, line.kind, line.preferred)
        elif line.direction == "recvonly":
            index, counts[line.kind] = counts[line.kind], counts[line.kind] + 1
            # A leg's picture and sound of one index are of one person: lips in step. A monitor's are of anyone.
            stream = f"line{index}" if publishes else f"{line.kind}{index}"
            send = sdp.SendLine(_fresh(used), _fresh(used), stream)
            sending[line.mid] = send
            lines.append(Line(line.mid, line.kind, index))
            types = {codec: (own.payload_type, own.rtx) for codec, own in line.codecs.items()}
            stamp = sdp.answered_extensions(line, "sendonly").get(sdp.ABS_SEND_TIME)
            sinks.append(SinkSpec(line.kind, index, send.ssrc, send.rtx_ssrc, types, line.red, stamp))
    extensions = [line.extensions for line in offer.lines if line.mid in {s.mid for s in sources.values()}]
    first = {uri: number for found in reversed(extensions) for uri, number in found.items()}
    spec = PeerSpec(
        tuple(sources.values()),
        tuple(sinks),
        first.get(sdp.MID),
        first.get(sdp.TRANSPORT_CC),
        first.get(sdp.RID),
        first.get(sdp.REPAIRED_RID),
    )
    receiving = frozenset(source.mid for source in sources.values())
    return Settled(spec, receiving, sending, tuple(lines), frozenset(sources))


def _source(line: sdp.OfferedLine, kind: Media, codec: Codec) -> SourceSpec:
    rids = [LayerSpec(rid) for rid in line.rids]
    return SourceSpec(
        kind,
        line.mid,
        codec,
        line.codecs[codec].payload_type,
        line.codecs[codec].rtx,
        tuple(rids) or (LayerSpec(None, line.ssrc, line.rtx_ssrc),),
        line.extensions.get(sdp.AUDIO_LEVEL),
        line.red,
        "nack" in line.feedback,
    )


def _fresh(used: set[int]) -> int:
    """Return a random SSRC that this connection does not use yet (RFC 3550 §8)."""
    while (ssrc := secrets.randbits(32)) in used or ssrc == 0:
        continue
    used.add(ssrc)
    return ssrc
