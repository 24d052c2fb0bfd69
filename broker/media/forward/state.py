"""What the Python forwarder keeps: peers, sources with their rings, sinks with their offsets, gates."""

from __future__ import annotations

import secrets
from typing import Any

from broker.domain.plan import Media
from broker.media import rtp
from broker.media.dtls import Keys
from broker.media.forward.api import Address, PeerId, PeerSpec, SinkSpec, SourceId, SourceSpec

RING = 256  # packets kept for retransmission (media.md §9): at least 1 s of 2 Mbit/s
KEEP_S = 1.0  # a packet older than this is not sent again
SENT_KEPT_S = 10.0
SENT_KEPT = 1024  # frames: 10 s at up to 100 fps
MAX_GAP = 100  # a larger hole is not asked for packet by packet
NEVER = float("-inf")

SEAT_BYTES_PER_S = 2_500_000 / 8  # reliability.md X23
SEAT_PACKETS_PER_S = 500.0
SEAT_BURST_BYTES = 400_000.0  # two large key frames and 1 s of media
SEAT_BURST_PACKETS = 600.0
RESENDS_PER_S = 250.0
MAX_SSRCS = 256  # that one connection may ever use: libsrtp keeps each as long as its keys and searches them in turn

Stored = tuple[int, int, int, bytes, rtp.Vp8 | None, float]
"""sequence (whole number), marker, timestamp, payload, VP8 descriptor, arrival."""


class Gate:
    """A call's deadline, shared by the sinks that carry it."""

    __slots__ = ("deadline",)

    def __init__(self) -> None:
        self.deadline = NEVER


class Source:
    """What a peer publishes of one kind: its binding to an SSRC, its ring and its counts."""

    def __init__(self, peer: Peer, spec: SourceSpec) -> None:
        self.peer = peer
        self.id: SourceId = (peer.id, spec.kind)
        self.spec = spec
        self.is_video = spec.kind is Media.VIDEO
        self.rate = 90_000 if self.is_video else 48_000
        self.sinks: list[Sink] = []
        self.level = 0.0
        self.level_at = NEVER
        self.last_at = NEVER
        self.cc_places: dict[int, int] = {}
        self.bind(spec.ssrc, NEVER)

    def bind(self, ssrc: int | None, now: float) -> None:
        """Begin a new stream: what came before has nothing to do with its numbers."""
        self.ssrc = ssrc
        self.stream = object()
        self.stream_at = now
        self.highest = -1
        self.first = -1
        self.received = 0
        self.last_timestamp = 0
        self.missing: dict[int, tuple[float, float, int]] = {}
        self.slots = [-1] * RING
        self.ring: list[Stored | None] = [None] * RING
        for sink in self.sinks:
            sink.shut()

    def purge(self) -> None:
        """Forget what could be sent again, but not which numbers came: none is ever taken twice."""
        self.ring = [None] * RING
        self.missing.clear()


class Sink:
    """One receive line of a peer: what makes its packets one contiguous stream whatever source it carries."""

    def __init__(self, peer: Peer, spec: SinkSpec) -> None:
        self.peer = peer
        self.id = (peer.id, spec.kind, spec.index)
        self.spec = spec
        self.ssrc = spec.ssrc
        self.payload_type = spec.payload_type
        self.source: Source | None = None
        self.gate: Gate | None = None
        self.is_open = False
        self.base = 0
        self.sequence_offset = 0
        self.highest = secrets.randbelow(1 << 15) - 1  # RFC 3711 wants the first below 2**15
        self.stream: object = None
        self.timestamp_offset = 0
        self.timestamp = secrets.randbits(32)
        self.last_at: float | None = None
        self.picture: int | None = None
        self.picture_offset = 0
        self.tl0: int | None = None
        self.tl0_offset = 0
        self.rewrites = False
        self.rtx_sequence = secrets.randbelow(1 << 15)
        self.sent: dict[int, float] = {}
        self.packets = 0
        self.octets = 0
        self.resends = RESENDS_PER_S

    def shut(self) -> None:
        """Wait for a fresh start: nothing older than it will ever leave."""
        self.is_open = False

    def begin(self, source: Source, stored: Stored, now: float) -> None:
        """Open at `stored`: continue this line's numbers from where they stood."""
        sequence, _, timestamp, _, vp8, _ = stored
        self.is_open = True
        self.base = sequence
        self.sequence_offset = self.highest + 1 - sequence
        if self.stream is not source.stream:  # another clock: frozen time shows as time, not as a jump
            passed = 0 if self.last_at is None else max(1, int((now - self.last_at) * source.rate))
            self.timestamp_offset = self.timestamp + passed - timestamp & 0xFFFFFFFF
            self.stream = source.stream
        if vp8 is not None:
            self.picture_offset = 0 if self.picture is None else self.picture + 1 - vp8.picture
            self.tl0_offset = 0 if self.tl0 is None else self.tl0 + 1 - vp8.tl0
            self.rewrites = bool(self.picture_offset or self.tl0_offset)

    def note(self, sequence: int, timestamp: int, vp8: rtp.Vp8 | None, now: float) -> None:
        """Remember the newest packet that left."""
        self.highest = sequence
        if vp8 is not None:
            if vp8.picture_bits:
                self.picture = vp8.picture + self.picture_offset
            if vp8.tl0_at:
                self.tl0 = vp8.tl0 + self.tl0_offset
        if timestamp != self.timestamp or self.last_at is None:
            self.timestamp = timestamp
            if vp8 is not None:
                self.sent[timestamp] = now
                if len(self.sent) > SENT_KEPT:
                    del self.sent[next(iter(self.sent))]
        self.last_at = now


class Peer:
    """One connection: keys, addresses, allowance, and what it sends and receives."""

    def __init__(self, number: PeerId, spec: PeerSpec, keys: Keys, now: float) -> None:
        self.id = number
        self.spec = spec
        self.keys = keys
        self.rx: Any = keys.rx
        self.tx: Any = keys.tx
        self.address: Address | None = None
        self.addresses: set[Address] = set()
        self.packet_tokens = SEAT_BURST_PACKETS
        self.byte_tokens = SEAT_BURST_BYTES
        self.heard_at = now
        self.sent_at = NEVER
        self.octets_in = 0
        self.octets_out = 0
        self.arrivals: list[tuple[int, float]] = []
        self.cc = spec.transport_cc_extension
        self.sources = {s.kind: Source(self, s) for s in spec.sources}
        self.sinks = {(s.kind, s.index): Sink(self, s) for s in spec.sinks}
        self.by_ssrc: dict[int, tuple[Source, bool]] = {}
        self.met: set[int] = set()  # SSRCs that the offer did not name
        self.is_full = False
        for source in self.sources.values():
            if source.spec.ssrc is not None:
                self.by_ssrc[source.spec.ssrc] = (source, False)
            if source.spec.rtx_ssrc is not None:
                self.by_ssrc[source.spec.rtx_ssrc] = (source, True)

    def meet(self, ssrc: int) -> None:
        """Note an authenticated packet under an SSRC that no source has yet."""
        self.met.add(ssrc)
        self.is_full = len(self.met) >= MAX_SSRCS

    def knows(self, ssrc: int) -> bool:
        """Tell whether `ssrc` is one that libsrtp may be asked to open."""
        return ssrc in self.met or ssrc in self.by_ssrc

    def refill(self, elapsed: float) -> None:
        """Add the allowance of `elapsed` seconds, up to the burst."""
        self.packet_tokens = min(SEAT_BURST_PACKETS, self.packet_tokens + SEAT_PACKETS_PER_S * elapsed)
        self.byte_tokens = min(SEAT_BURST_BYTES, self.byte_tokens + SEAT_BYTES_PER_S * elapsed)
        for sink in self.sinks.values():
            sink.resends = min(RESENDS_PER_S, sink.resends + RESENDS_PER_S * elapsed)
