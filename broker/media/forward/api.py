"""The forwarder's interface: the hot path alone, fed with keys, addresses, routes and deadlines by the plane.

Handles are plain values, so that a forwarder outside Python can keep its own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from broker.domain.plan import Media
from broker.media.dtls import Keys

Address = tuple[str, int]
PeerId = int
SourceId = tuple[PeerId, Media]
SinkId = tuple[PeerId, Media, int]


class Codec(StrEnum):
    """What we carry."""

    OPUS = "opus"
    VP8 = "vp8"
    H264 = "h264"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What a peer may publish of one kind. `ssrc` is None where its offer named none."""

    kind: Media
    mid: str
    payload_type: int
    rtx_payload_type: int | None
    ssrc: int | None
    rtx_ssrc: int | None
    level_extension: int | None = None


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A line that a peer receives on, with what marks its packets. No `rtx_payload_type`: the same bytes again."""

    kind: Media
    index: int
    ssrc: int
    payload_type: int
    rtx_ssrc: int
    rtx_payload_type: int | None


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """Everything about a peer that its offer settled."""

    sources: tuple[SourceSpec, ...]
    sinks: tuple[SinkSpec, ...]
    mid_extension: int | None = None
    transport_cc_extension: int | None = None


@dataclass(frozen=True, slots=True)
class PeerStats:
    """Totals of a peer's link. `heard_at`: when anything authenticated last came."""

    heard_at: float
    sent_at: float
    octets_in: int
    octets_out: int


@dataclass(frozen=True, slots=True)
class SourceStats:
    """Totals of what one source published. `last_at` is CLOCK_BOOTTIME; `level` 0..1 (RFC 6464)."""

    ssrc: int
    packets: int
    expected: int
    highest: int
    last_at: float
    last_timestamp: int
    stream_at: float
    level: float


@dataclass(frozen=True, slots=True)
class SinkStats:
    """Totals of what one sink was sent. `offset`: sent timestamp minus the source's, modulo 2**32."""

    packets: int
    octets: int
    last_at: float | None
    offset: int
    source: SourceId | None
    is_open: bool


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

    def connect(self, sink: SinkId, source: SourceId, gate: str) -> None:
        """Let `sink` carry `source` while `gate`'s deadline has not passed; video from its next key frame."""

    def disconnect(self, sink: SinkId) -> None:
        """Silence `sink`; what it was sent before is never sent again."""

    def set_deadline(self, gate: str, deadline: float) -> None:
        """Let packets pass `gate` until `deadline`. A gate whose deadline had passed reopens at a key frame."""

    def deadline(self, gate: str) -> float:
        """Return the deadline of `gate`; minus infinity where it has none."""

    def receive(self, size: int, address: Address) -> None:
        """Handle the SRTP or SRTCP datagram of `size` bytes that stands in the receive buffer."""

    def refill(self, elapsed: float) -> None:
        """Give every peer its allowance for `elapsed` seconds."""

    def send_rtcp(self, peer: PeerId, packet: bytes) -> None:
        """Protect and send an RTCP compound."""

    def resend(self, sink: SinkId, sequences: Sequence[int]) -> None:
        """Answer a NACK: the same plaintext again, never anything from before the sink last opened."""

    def take_arrivals(self, peer: PeerId) -> list[tuple[int, float]]:
        """Return and forget (transport-wide sequence, arrival) of what came since the last call."""

    def gaps(self) -> list[SourceId]:
        """Return the sources of which something is missing."""

    def take_missing(self, source: SourceId) -> list[int]:
        """Return the sequences (whole numbers, ascending) to ask the publisher for now."""

    def peer_stats(self, peer: PeerId) -> PeerStats | None: ...
    def source_stats(self, source: SourceId) -> SourceStats | None: ...
    def sink_stats(self, sink: SinkId) -> SinkStats | None: ...

    def sent_at(self, sink: SinkId, timestamp: int) -> float | None:
        """Return when a video frame with this RTP timestamp was first sent on `sink`."""

    def sinks_of(self, source: SourceId) -> list[SinkId]:
        """Return the sinks that `source` is connected to."""


RtcpListener = Callable[[PeerId, bytes], None]
"""Called with an authenticated RTCP compound, in the clear."""

KeyListener = Callable[[SourceId], None]
"""Called when a sink waits for a key frame of a source; may be called for every packet."""
