"""The forwarder's interface: the hot path alone, fed with keys, addresses, routes and deadlines by the plane.

Handles are plain values, so that a forwarder outside Python can keep its own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from broker.domain.plan import Media
from broker.media.dtls import Keys, PacketBuffer

Address = tuple[str, int]
PeerId = int
SourceId = tuple[PeerId, Media]
SinkId = tuple[PeerId, Media, int]


class Codec(StrEnum):
    """The codecs that we carry."""

    OPUS = "opus"
    VP8 = "vp8"
    H264 = "h264"


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One encoding of a source. `rid` (RFC 8851) is None where there is no simulcast.

    An SSRC that the offer did not name is learnt from the header extensions of its first packets.
    """

    rid: str | None = None
    ssrc: int | None = None
    rtx_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What a peer may publish of one kind: one to three `layers`, the lowest first.

    `red_payload_type`: of redundant Opus (RFC 2198). `repairs`: its sender answers requests for what was lost.
    """

    kind: Media
    mid: str
    codec: Codec
    payload_type: int
    rtx_payload_type: int | None
    layers: tuple[LayerSpec, ...]
    level_extension: int | None = None
    red_payload_type: int | None = None
    repairs: bool = True


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A line that a peer receives on, with what marks its packets.

    `types` holds the payload type and that of retransmissions for each codec that the line can take; where the latter
    is None, the same bytes are sent again. `send_time_extension`: id of abs-send-time, without which a receiver takes
    the publisher's jitter for congestion of its own link.
    """

    kind: Media
    index: int
    ssrc: int
    rtx_ssrc: int
    types: Mapping[Codec, tuple[int, int | None]]
    red_payload_type: int | None = None
    send_time_extension: int | None = None


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """Everything about a peer that its offer settled."""

    sources: tuple[SourceSpec, ...]
    sinks: tuple[SinkSpec, ...]
    mid_extension: int | None = None
    transport_cc_extension: int | None = None
    rid_extension: int | None = None
    repaired_rid_extension: int | None = None


class PeerStats(NamedTuple):
    """Totals of a peer's link. `heard_at`: when anything authenticated last came."""

    heard_at: float
    sent_at: float
    octets_in: int
    octets_out: int


class SourceStats(NamedTuple):
    """Totals of what one layer of a source brought. `last_at` is CLOCK_BOOTTIME; `level` 0..1 (RFC 6464)."""

    ssrc: int
    packets: int
    octets: int
    expected: int
    highest: int
    last_at: float
    last_timestamp: int
    stream_at: float
    level: float


class SinkStats(NamedTuple):
    """Totals of what one sink was sent. `offset`: sent timestamp minus the source's, modulo 2**32.

    `last_at`: when media last left, a black frame aside. `layer` is carried now: None where nothing is. `wanted` is
    what was asked for: None where no picture is.
    """

    packets: int
    octets: int
    last_at: float | None
    offset: int
    source: SourceId | None
    is_open: bool
    layer: int | None
    wanted: int | None


class Forwarder(Protocol):
    """Carries packets. Every time is CLOCK_BOOTTIME in seconds."""

    def open_peer(self, peer: PeerId, spec: PeerSpec, keys: Keys) -> None:
        """Take a peer whose keys are there. Nothing flows before `place` and `connect`."""

    def close_peer(self, peer: PeerId) -> None:
        """Forget the peer, its keys, addresses, sources and sinks."""

    def place(self, peer: PeerId, address: Address) -> None:
        """Send to `address` from now on, and accept packets from it."""

    def accept(self, peer: PeerId, address: Address) -> None:
        """Accept packets from `address` too."""

    def refuse(self, address: Address) -> None:
        """Accept nothing from `address` any more, and send nothing to it."""

    def connect(self, sink: SinkId, source: SourceId, gate: str, layer: int | None = 0) -> None:
        """Let `sink` carry `source` while `gate`'s deadline has not passed; video from a key frame of `layer`.

        `layer` counts from the lowest, as `want` has it.
        """

    def want(self, sink: SinkId, layer: int | None) -> None:
        """Carry that layer from its next key frame, and the present one until then. None: no picture, at once.

        For a layer that has been silent for a second stands the highest live one below it, else the lowest live one.
        """

    def disconnect(self, sink: SinkId) -> None:
        """Silence `sink`; what it was sent before is never sent again."""

    def tap(self, source: SourceId, gate: str | None, found: Callable[[Codec, list[bytes]], None]) -> None:
        """Hand each whole key frame of the source's lowest live layer that passes `gate` to `found`; None: no more."""

    def set_deadline(self, gate: str, deadline: float) -> None:
        """Let packets pass `gate` until `deadline`. A gate whose deadline had passed reopens at a key frame."""

    def deadline(self, gate: str) -> float:
        """Return the deadline of `gate`; minus infinity where it has none."""

    def receive(self, slot: PacketBuffer, size: int, address: Address) -> None:
        """Handle the SRTP or SRTCP datagram of `size` bytes that stands in `slot`, which is free again afterwards."""

    def flush(self) -> None:
        """Send what waits: nothing does once a reading's datagrams are handled, or a command or a tick is over."""

    def refill(self, elapsed: float) -> None:
        """Give every peer its allowance for `elapsed` seconds; drop what is too old; replace layers gone silent."""

    def lapse(self) -> None:
        """Shut the gates whose deadline has passed, so that their sinks go black without waiting for a packet."""

    def send_rtcp(self, peer: PeerId, packet: bytes) -> None:
        """Protect an RTCP compound and let it wait for `flush`."""

    def resend(self, sink: SinkId, sequences: Sequence[int]) -> bool:
        """Answer a NACK with the next `flush`: the same plaintext, nothing from before the sink last opened.

        Return False where something of what the sink carries is gone for good: only a key frame helps a picture then.
        """

    def take_arrivals(self, peer: PeerId) -> list[tuple[int, float]]:
        """Return and forget (transport-wide sequence, arrival) of what came since the last call."""

    def gaps(self) -> list[tuple[SourceId, int]]:
        """Return the layers of sources of which something is missing that somebody takes."""

    def take_missing(self, source: SourceId, layer: int, again_s: float) -> list[int]:
        """Return the sequences (whole numbers, ascending) to ask the publisher for now, none twice in `again_s`."""

    def note_clock(self, source: SourceId, layer: int, ntp: int, timestamp: int) -> None:
        """Take a sender report of a layer: its publisher's NTP time in 1/2**32 s, and the timestamp of that instant."""

    def layers(self, source: SourceId) -> int:
        """Return how many layers `source` may have, 0 where it is not there."""

    def peer_stats(self, peer: PeerId) -> PeerStats | None: ...
    def source_stats(self, source: SourceId, layer: int = 0) -> SourceStats | None: ...
    def sink_stats(self, sink: SinkId) -> SinkStats | None: ...

    def sent_at(self, sink: SinkId, timestamp: int) -> float | None:
        """Return when a video frame with this RTP timestamp was first sent on `sink`."""

    def frames_since(self, sink: SinkId, since: float) -> int:
        """Return how many video frames were sent on `sink` since then."""

    def sinks_of(self, source: SourceId) -> list[SinkId]:
        """Return the sinks that `source` is connected to."""


RtcpListener = Callable[[PeerId, bytes], None]
"""Called with an authenticated RTCP compound, in the clear."""

KeyListener = Callable[[SourceId, int], None]
"""Called when a sink waits for a key frame of a source's layer; may be called for every packet."""
