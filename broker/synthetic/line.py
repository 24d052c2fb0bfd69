"""One receive line of a caller: what arrives, what is missing, when a picture is whole; it decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.synthetic import rtp

_REORDER = 64  # packets a gap may stay open before it counts as lost
_KEEP_FRAMES = 600


@dataclass(slots=True)
class Tap:
    """Encoded frames kept for whoever checks a promise, with the second (monotonic) of their arrival; bounded."""

    frames: list[tuple[float, bytes]] = field(default_factory=list)
    started: bool = False  # video is kept from the first keyframe on

    def take(self, now: float, frame: bytes) -> None:
        if len(self.frames) < _KEEP_FRAMES:
            self.frames.append((now, frame))


class Line:
    """What arrived on one receive line. Times are the caller's monotonic seconds."""

    def __init__(self, kind: str, mid: str, ssrc: int) -> None:
        self.kind, self.mid, self.ssrc = kind, mid, ssrc
        self.packets = 0
        self.last_at: float | None = None  # any packet
        self.decodable_at: float | None = None  # since `mark`: first whole keyframe, or first packet of a voice
        self.shown_timestamp: int | None = None  # of the newest whole frame
        self.frames = 0  # whole frames so far
        self.highest: int | None = None  # extended highest sequence number
        self.received_before = 0  # counters at the last receiver report
        self.tap: Tap | None = None
        self._first = 0
        self._missing: set[int] = set()
        self._parts: list[bytes] | None = None
        self._expected = 0
        self._frame_timestamp = 0

    def mark(self) -> None:
        """Forget what was seen: `decodable_at` is the next time that something decodable arrives."""
        self.decodable_at = None
        self._parts = None

    @property
    def lost(self) -> int:
        """Packets that have not arrived although later ones have."""
        return len(self._missing)

    @property
    def missing(self) -> list[int]:
        """Sequence numbers to ask for again (RFC 4585 §6.2.1)."""
        return [number & 0xFFFF for number in sorted(self._missing)[-16:]]

    def recent(self, window: int = _REORDER) -> bool:
        """Tell whether a gap is young enough to be worth asking for."""
        return self.highest is not None and any(self.highest - number < window for number in self._missing)

    def arrive(self, header: rtp.Header, payload: bytes, now: float) -> None:
        """Count a packet and, of video, put its frame together."""
        self.packets += 1
        self.last_at = now
        in_order = self._count(header.sequence)
        if self.kind == "audio":
            if self.decodable_at is None:
                self.decodable_at = now
            if self.tap is not None:
                self.tap.take(now, payload)
        elif in_order is not None:
            self._video(header, payload, in_order, now)

    def _count(self, sequence: int) -> int | None:
        """Return the extended sequence number, None for a packet seen before."""
        if self.highest is None:
            self.highest = self._first = sequence
            return sequence
        ahead = (sequence - self.highest + 0x8000 & 0xFFFF) - 0x8000
        number = self.highest + ahead
        if ahead > 0:
            self._missing.update(range(self.highest + 1, number))
            self.highest = number
        elif number in self._missing:
            self._missing.discard(number)
        else:
            return None
        return number

    def _video(self, header: rtp.Header, payload: bytes, number: int, now: float) -> None:
        read = rtp.vp8_payload(payload)
        if read is None:
            return
        starts, part = read
        if starts:
            self._parts, self._frame_timestamp = [part], header.timestamp
        elif self._parts is not None and number == self._expected and header.timestamp == self._frame_timestamp:
            self._parts.append(part)
        else:
            self._parts = None
        self._expected = number + 1
        if header.marker and self._parts is not None:
            self._whole(b"".join(self._parts), header.timestamp, now)
            self._parts = None

    def _whole(self, frame: bytes, timestamp: int, now: float) -> None:
        key = rtp.is_keyframe(frame)
        if self.decodable_at is None:
            if not key:
                return
            self.decodable_at = now
        self.frames += 1
        self.shown_timestamp = timestamp
        if self.tap is not None and (key or self.tap.started):
            self.tap.started = True
            self.tap.take(now, frame)
