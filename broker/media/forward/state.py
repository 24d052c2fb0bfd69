"""What the Python forwarder keeps: peers, sources with their layers and rings, sinks with their runs, gates."""

from __future__ import annotations

import secrets
from array import array
from typing import Any, Protocol

from broker.domain.plan import Media
from broker.media import rtp
from broker.media.batch import Destination
from broker.media.dtls import Keys
from broker.media.forward.api import Address, Codec, LayerSpec, PeerId, PeerSpec, SinkSpec, SourceId, SourceSpec
from broker.media.forward.frames import Frames

RING = 256  # packets kept for retransmission (media.md §9): at least 1 s of 2 Mbit/s
KEEP_S = 1.0  # a packet older than this is not sent again
LIVE_S = 1.0  # a layer that was silent for so long has been dropped by its publisher
MAX_GAP = 100  # a larger hole is not asked for packet by packet
MAX_RUNS = 4  # earlier ones of an opening, whose packets can be sent again
ALIGN_WITHIN_S = 1.0  # clocks by sender reports that differ more from the arrivals are not believed
NEVER = float("-inf")

SEAT_BYTES_PER_S = 2_500_000 / 8  # reliability.md X23
SEAT_PACKETS_PER_S = 500.0
SEAT_BURST_BYTES = 400_000.0  # two large key frames and 1 s of media
SEAT_BURST_PACKETS = 600.0
REPORT_WEIGHT = 4  # an octet of RTCP costs as much of the allowance as so many of media: it costs us as much time
RESENDS_PER_S = 250.0
MAX_SSRCS = 256  # that one connection may ever use: libsrtp keeps each as long as its keys and searches them in turn

Stored = tuple[int, int, int, bytes, rtp.Vp8 | None, float, tuple[int, int] | None]
"""sequence (whole number), marker, timestamp, payload, VP8 descriptor, arrival, RED (start of the primary, reach)."""


class Gate:
    """A call's deadline, shared by the sinks that carry it."""

    __slots__ = ("deadline", "is_shut", "sinks")

    def __init__(self) -> None:
        self.deadline = NEVER
        self.is_shut = True
        self.sinks: list[Sink] = []


class Layer:
    """One encoding of a source: its binding to an SSRC, its ring and its counts."""

    __slots__ = (
        "clock",
        "descriptor",
        "first",
        "highest",
        "index",
        "last_at",
        "last_timestamp",
        "later_bytes",
        "missing",
        "octets",
        "oldest",
        "received",
        "ring",
        "runs",
        "slots",
        "source",
        "spec",
        "ssrc",
        "stream",
        "stream_at",
        "waiting",
    )

    def __init__(self, source: Source, index: int, spec: LayerSpec) -> None:
        self.source = source
        self.index = index
        self.spec = spec
        self.runs: tuple[Run, ...] = ()  # replaced and never changed: a fan-out may be walking it
        self.waiting: tuple[Sink, ...] = ()
        self.last_at = NEVER
        self.bind(spec.ssrc, NEVER)

    def bind(self, ssrc: int | None, now: float) -> None:
        """Begin a new stream: what came before has nothing to do with its numbers."""
        self.ssrc = ssrc
        self.stream = object()
        self.stream_at = now
        self.clock: tuple[int, int] | None = None
        self.highest = -1
        self.first = -1
        self.received = 0
        self.octets = 0
        self.last_timestamp = 0
        self.descriptor: rtp.Vp8 | None = None  # of the last frame's first packet
        self.later_bytes = b""  # with which the descriptors of that frame's later packets are written
        self.missing: dict[int, tuple[float, float, int]] = {}
        self.slots = array("q", [-1]) * RING
        self.purge()
        for run in self.runs:
            run.sink.shut()

    def purge(self) -> None:
        """Forget what could be sent again, but not which numbers came: none is ever taken twice."""
        self.ring: list[Stored | None] = [None] * RING
        self.oldest = self.highest + 1
        self.missing.clear()

    def expire(self, now: float) -> None:
        """Drop what is too old to be sent again."""
        ring, highest = self.ring, self.highest
        at = max(self.oldest, highest - RING + 1)
        while at <= highest:
            place = at % RING
            if (stored := ring[place]) is not None:
                if now - stored[5] <= KEEP_S:
                    break
                ring[place] = None
            at += 1
        self.oldest = at

    def read_vp8(self, payload: bytes) -> rtp.Vp8 | None:
        """Return the descriptor in front of a payload; a frame's later packets repeat that of the first."""
        last = self.descriptor
        if last is not None and payload.startswith(self.later_bytes):
            return last if len(payload) > last.size else None
        found = rtp.parse_vp8(payload)
        if found is not None:
            self.descriptor = found._replace(key=False) if found.key else found
            self.later_bytes = b"\x80" + payload[1 : found.size]
        return found

    def kept(self, sequence: int) -> Stored | None:
        """Return the packet of that number if it is still there."""
        stored = self.ring[sequence % RING]
        return stored if stored is not None and stored[0] == sequence else None

    def is_live(self, now: float) -> bool:
        """Tell whether its publisher sends it."""
        return now - self.last_at < LIVE_S

    @property
    def is_taken(self) -> bool:
        """Whether any sink carries it or waits for it."""
        return bool(self.runs or self.waiting)


class Tap(Protocol):
    """Looks at the packets of a source's lowest layer, and sends none."""

    gate: Gate

    def take(self, sequence: int, timestamp: int, marker: int, payload: bytes, now: float) -> None: ...
    def drop(self) -> None: ...


class Source:
    """What a peer publishes of one kind."""

    __slots__ = (
        "cc_places",
        "id",
        "is_video",
        "is_vp8",
        "layers",
        "level",
        "level_at",
        "level_extension",
        "payload_type",
        "peer",
        "rate",
        "sinks",
        "spec",
        "tap",
    )

    def __init__(self, peer: Peer, spec: SourceSpec) -> None:
        self.peer = peer
        self.id: SourceId = (peer.id, spec.kind)
        self.spec = spec
        self.is_video = spec.kind is Media.VIDEO
        self.is_vp8 = spec.codec is Codec.VP8
        self.payload_type = spec.payload_type
        self.level_extension = spec.level_extension
        self.rate = 90_000 if self.is_video else 48_000
        self.sinks: list[Sink] = []
        self.level = 0.0
        self.level_at = NEVER
        self.cc_places: dict[int, int] = {}
        self.tap: Tap | None = None
        self.layers = tuple(Layer(self, index, layer) for index, layer in enumerate(spec.layers))

    def choose(self, wanted: int, now: float) -> Layer | None:
        """Return the layer that stands for `wanted`; None where none of them is live."""
        layers = self.layers
        if len(layers) == 1:
            return layers[0]
        first = min(wanted, len(layers) - 1)
        return next((layer for layer in (*layers[first::-1], *layers[first + 1 :]) if layer.is_live(now)), None)


class Run:
    """A stretch of a sink's stream that comes from one layer: what turns that layer's numbers into the sink's."""

    __slots__ = (
        "base",
        "first",
        "first_timestamp",
        "flags",
        "gate",
        "layer",
        "payload_type",
        "peer",
        "picture_bits",
        "picture_offset",
        "red_type",
        "rewrites",
        "rtx_type",
        "send_time",
        "sequence_offset",
        "sink",
        "start",
        "stream",
        "timestamp_offset",
        "tl0_offset",
    )

    def __init__(self, sink: Sink, layer: Layer, gate: Gate, stored: Stored) -> None:
        spec = layer.source.spec
        self.sink = sink
        self.layer = layer
        self.gate = gate
        self.peer = sink.peer
        # Every packet is written with abs-send-time as one element of three bytes behind the fixed header, and over it
        # where the sink takes none.
        self.send_time = sink.send_time
        self.flags, self.start = (0x90, 20) if sink.send_time else (0x80, 12)
        self.stream = layer.stream
        self.payload_type, self.rtx_type = sink.spec.types[spec.codec]
        # The blocks of a RED payload name their payload type: it passes where both ends have the same.
        self.red_type = sink.spec.red_payload_type if self.payload_type == spec.payload_type else None
        self.base, self.first_timestamp = stored[0], stored[2]
        self.first = sink.highest + 1
        self.sequence_offset = self.first - stored[0]
        self.timestamp_offset = 0
        self.picture_bits = self.picture_offset = self.tl0_offset = 0
        if (vp8 := stored[4]) is not None:
            self.picture_bits = vp8.picture_bits
            self.picture_offset = 0 if sink.picture is None else sink.picture + 1 - vp8.picture
            self.tl0_offset = 0 if sink.tl0 is None else sink.tl0 + 1 - vp8.tl0
        self.rewrites = bool(self.picture_offset or self.tl0_offset)


class Sink:
    """One receive line of a peer: what makes its packets one contiguous stream whatever source it carries.

    It is open while it has a `run`. `target` is the layer that it carries or waits for.
    """

    __slots__ = (
        "black_at",
        "frame",
        "gate",
        "highest",
        "id",
        "last_at",
        "last_run",
        "moved_at",
        "octets",
        "packets",
        "past",
        "peer",
        "picture",
        "resends",
        "rtx_sequence",
        "run",
        "send_time",
        "sent",
        "since",
        "source",
        "spec",
        "ssrc",
        "target",
        "timestamp",
        "tl0",
        "vp8",
        "wanted",
    )

    def __init__(self, peer: Peer, spec: SinkSpec) -> None:
        self.peer = peer
        self.id = (peer.id, spec.kind, spec.index)
        self.spec = spec
        self.ssrc = spec.ssrc
        self.source: Source | None = None
        self.gate: Gate | None = None
        self.wanted: int | None = None
        self.target: Layer | None = None
        self.since = NEVER  # nothing that came before is ever sent
        self.run: Run | None = None
        self.last_run: Run | None = None
        self.past: list[Run] = []
        self.send_time = 0 if spec.send_time_extension is None else (spec.send_time_extension << 4 | 2) << 24
        self.highest = secrets.randbelow(1 << 15) - 1  # RFC 3711 wants the first below 2**15
        self.timestamp = secrets.randbits(32)
        self.moved_at: float | None = None
        self.last_at: float | None = None
        self.black_at: int | None = None  # number of the last black frame
        self.picture: int | None = None
        self.tl0: int | None = None
        self.rtx_sequence = secrets.randbelow(1 << 15)
        self.sent = Frames()
        self.frame = -1  # the run's timestamp of the newest packet that left, and its descriptor
        self.vp8: rtp.Vp8 | None = None
        self.packets = 0
        self.octets = 0
        self.resends = RESENDS_PER_S

    def aim(self, target: Layer | None) -> None:
        """Wait for a key frame of `target`, unless that is what is carried; None: for nothing."""
        if self.target is not None:
            self.target.waiting = tuple(sink for sink in self.target.waiting if sink is not self)
        before, self.target = self.target, target
        if target is not None and (self.run is None or self.run.layer is not target):
            target.waiting += (self,)
        if before is not None and not before.is_taken:
            before.purge()

    def shut(self) -> None:
        """Wait for a fresh start: nothing older than it will ever leave."""
        self.leave()
        self.past.clear()
        self.aim(self.target)

    def leave(self) -> None:
        """End the run."""
        run, self.run = self.run, None
        if run is not None:
            run.layer.runs = tuple(other for other in run.layer.runs if other is not run)

    def begin(self, layer: Layer, gate: Gate, stored: Stored, now: float) -> None:
        """Carry `layer` from `stored` on: continue this line's numbers from where they stood."""
        run = Run(self, layer, gate, stored)
        run.timestamp_offset = self._timestamp_offset(run, stored[2], now)
        if self.run is not None:
            self.past = [*self.past[1 - MAX_RUNS :], self.run]
        self.leave()
        self.run = self.last_run = run
        self.frame = -1
        layer.runs += (run,)
        layer.waiting = tuple(sink for sink in layer.waiting if sink is not self)

    def _timestamp_offset(self, run: Run, timestamp: int, now: float) -> int:
        """Return the offset at which frozen time shows as time, and not as a jump."""
        if self.moved_at is None:
            return self.timestamp - timestamp
        rate = run.layer.source.rate
        passed = max(1, int((now - self.moved_at) * rate))
        offset = self.timestamp + passed - timestamp  # another clock: by arrival
        if (same := self._same_clock(run)) is not None:
            ahead = (timestamp + same - self.timestamp + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
            if run.stream is self.last_stream or abs(ahead - passed) < ALIGN_WITHIN_S * rate:
                offset = same + max(0, 1 - ahead)
        return offset & 0xFFFFFFFF

    @property
    def last_stream(self) -> object:
        """The stream of the newest packets that left."""
        return None if self.last_run is None else self.last_run.stream

    def _same_clock(self, run: Run) -> int | None:
        """Return the offset by which an instant keeps its timestamp: of the same stream, or of two known clocks."""
        last = self.last_run
        if last is None:
            return None
        if last.stream is run.stream:
            return last.timestamp_offset
        layer, before = run.layer, last.layer
        if layer.source is not before.source or before.stream is not last.stream:
            return None
        if layer.clock is None or before.clock is None:
            return None
        (ntp, timestamp), (ntp_before, timestamp_before) = layer.clock, before.clock
        passed = (ntp - ntp_before) * layer.source.rate >> 32
        return last.timestamp_offset + timestamp_before + passed - timestamp

    def note(self, run: Run, stored: Stored, now: float) -> None:
        """Remember a frame or a piece of sound, the newest that left, by its first packet."""
        self.frame, vp8 = stored[2], stored[4]
        if vp8 is not None and vp8 is not self.vp8:
            if vp8.picture_bits:
                self.picture = vp8.picture + run.picture_offset
            if vp8.tl0_at:
                self.tl0 = vp8.tl0 + run.tl0_offset
        self.vp8 = vp8
        timestamp = stored[2] + run.timestamp_offset & 0xFFFFFFFF
        if timestamp != self.timestamp or self.last_at is None:
            self.timestamp = timestamp
            if run.layer.source.is_video:
                self.sent.note(timestamp, now)

    def move(self, now: float, rate: int) -> None:
        """Take the next number and a timestamp that says how much time has passed, for a packet of our own."""
        passed = 0 if self.moved_at is None else int((now - self.moved_at) * rate)
        self.highest += 1
        self.timestamp = self.timestamp + max(1, passed) & 0xFFFFFFFF
        self.moved_at = now

    def run_of(self, sequence: int) -> Run | None:
        """Return the run of this opening that number `sequence` left in."""
        for run in (self.run, *reversed(self.past)):
            if run is not None and sequence >= run.first:
                return run
        return None


class Peer:
    """One connection: keys, addresses, allowance, and what it sends and receives."""

    __slots__ = (
        "addresses",
        "arrivals",
        "by_ssrc",
        "byte_tokens",
        "cc",
        "cc_head",
        "heard_at",
        "id",
        "is_full",
        "keys",
        "met",
        "octets_in",
        "octets_out",
        "packet_tokens",
        "rx",
        "sent_at",
        "sinks",
        "sources",
        "spec",
        "to",
        "tx",
    )

    def __init__(self, number: PeerId, spec: PeerSpec, keys: Keys, now: float) -> None:
        self.id = number
        self.spec = spec
        self.keys = keys
        self.rx: Any = keys.rx
        self.tx: Any = keys.tx
        self.to: Destination | None = None
        self.addresses: set[Address] = set()
        self.packet_tokens = SEAT_BURST_PACKETS
        self.byte_tokens = SEAT_BURST_BYTES
        self.heard_at = now
        self.sent_at = NEVER
        self.octets_in = 0
        self.octets_out = 0
        self.arrivals: list[tuple[int, float]] = []
        self.cc = spec.transport_cc_extension
        self.cc_head = (self.cc or 0) << 4 | 1  # of its element of two bytes
        self.sources = {s.kind: Source(self, s) for s in spec.sources}
        self.sinks = {(s.kind, s.index): Sink(self, s) for s in spec.sinks}
        self.by_ssrc: dict[int, tuple[Layer, bool]] = {}
        self.met: set[int] = set()  # SSRCs that the offer did not name
        self.is_full = False
        for source in self.sources.values():
            for layer in source.layers:
                if layer.spec.ssrc is not None:
                    self.by_ssrc[layer.spec.ssrc] = (layer, False)
                if layer.spec.rtx_ssrc is not None:
                    self.by_ssrc[layer.spec.rtx_ssrc] = (layer, True)

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
            if sink.resends < RESENDS_PER_S:
                sink.resends = min(RESENDS_PER_S, sink.resends + RESENDS_PER_S * elapsed)
