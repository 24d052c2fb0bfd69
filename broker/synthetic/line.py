"""One receive line of a caller: what arrives, what is missing, when a picture is whole; it decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.synthetic import rtp

BLACK = bytes.fromhex(
    "5005009d012aa0005a000bc7088585888584883f820006280f0875549aee21d5526bb8875549aee21d5526bb8875549aee21bc00fee6b500"
)  # the one frame that is no picture: the relay puts it in a paused picture's place (docs/decisions/0008)
_REORDER = 64  # packets a gap may stay open before it counts as lost
_ASK_AT_ONCE, _ASK_TRIES, _ASK_AGAIN_S = 16, 10, 0.1  # as libwebrtc does before it knows the round trip
_KEEP_MISSING = 512  # twice the relay's ring: none older is ever sent again
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
        self.packets = self.octets = self.blacks = 0  # black frames are not among the packets
        self.last_at: float | None = None  # any packet
        self.decodable_at: float | None = None  # since `mark`: first whole keyframe, or first packet of a voice
        self.shown_timestamp: int | None = None  # of the newest whole frame
        self.frames = 0  # whole frames so far
        self.highest: int | None = None  # extended highest sequence number
        self._reported = (0, 0)  # expected and missing at the last receiver report
        self.tap: Tap | None = None
        self._first = 0
        self._missing: set[int] = set()
        self._given_up = 0  # of which nobody asks any more
        self._asked: dict[int, tuple[int, float]] = {}  # how often, and when last
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
        return len(self._missing) + self._given_up

    @property
    def expected(self) -> int:
        """Packets that were sent, as far as the sequence numbers tell."""
        return 0 if self.highest is None else self.highest - self._first + 1

    def fraction_lost(self) -> int:
        """Return the fraction lost since the last call, of 256 (RFC 3550 §6.4.1, A.3)."""
        (expected, lost), self._reported = self._reported, (self.expected, self.lost)
        since = self.expected - expected
        return min(255, max(0, self.lost - lost) * 256 // since) if since > 0 else 0

    def to_ask(self, now: float) -> list[int]:
        """Return the sequence numbers to ask for again now (RFC 4585 §6.2.1), each a few times and never in haste."""
        if self.highest is None or not self._missing:
            return []
        young = [number for number in sorted(self._missing)[-_ASK_AT_ONCE:] if self.highest - number < _REORDER]
        self._asked = {number: self._asked.get(number, (0, 0.0)) for number in young}
        due = [number for number, (tries, at) in self._asked.items() if tries < _ASK_TRIES and now - at >= _ASK_AGAIN_S]
        for number in due:
            self._asked[number] = (self._asked[number][0] + 1, now)
        return [number & 0xFFFF for number in due]

    def arrive(self, header: rtp.Header, payload: bytes, now: float) -> None:
        """Count a packet and, of video, put its frame together."""
        in_order = self._count(header.sequence)
        if self.kind == "video" and rtp.vp8_payload(payload) == (True, BLACK):
            self.blacks += 1
            self._parts = None
            return
        self.packets += 1
        self.octets += len(payload)
        self.last_at = now
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
            if len(self._missing) > _KEEP_MISSING:
                kept = {at for at in self._missing if number - at < _KEEP_MISSING}
                self._given_up += len(self._missing) - len(kept)
                self._missing = kept
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
