"""A person's loop as packets: what is due now, with sequence numbers and timestamps that run on for ever."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from broker.synthetic import picture, rtp
from broker.synthetic.budget import Budget
from broker.synthetic.people import AUDIO_STEP, VIDEO_STEP, Person
from broker.synthetic.sdp import AUDIO_PT, VIDEO_PT

AUDIO_S = 0.02
VIDEO_S = 1 / picture.FPS
HISTORY = 256  # packets kept for retransmission
_BEHIND_S = 0.5  # a caller that was stopped longer than this does not catch up


class Sending:
    """One m-line that sends: numbers its packets."""

    def __init__(self, mid: str, payload_type: int) -> None:
        self.mid = mid
        self.ssrc = secrets.randbits(31) | 1
        self.packets = self.octets = 0
        self.timestamp = secrets.randbits(31)
        self._payload_type = payload_type
        self._sequence = secrets.randbits(15)

    def packet(self, payload: bytes, marker: bool, extensions: bytes) -> tuple[int, bytes]:
        """Return the next packet and its sequence number."""
        sequence = self._sequence
        self._sequence = sequence + 1 & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return sequence, rtp.write(self._payload_type, marker, sequence, self.timestamp, self.ssrc, extensions, payload)


class Loop:
    """What one person sends. `due` is called every few milliseconds with monotonic seconds."""

    def __init__(self, person: Person, kinds: frozenset[str]) -> None:
        self.person = person
        self.audio = Sending("a", AUDIO_PT) if "audio" in kinds else None
        self.video = Sending("v", VIDEO_PT) if "video" in kinds else None
        self.keyframe_wanted = False
        self.budget = Budget()
        self.history: OrderedDict[int, bytes] = OrderedDict()  # video sequence -> datagram as sent
        self._audio_at = self._video_at = 0.0
        self._audio_index = self._video_index = 0
        self._picture_id = secrets.randbits(15)
        self._mid = rtp.extension_block("v")
        self._video_bps = person.video_bps
        self._skips = False  # since a frame was left out: until the next keyframe that fits

    def due(self, now: float) -> list[tuple[int | None, bytes]]:
        """Return the packets to send now, with the sequence number of those that may be asked for again."""
        if now - self._audio_at > _BEHIND_S:
            self._audio_at = self._video_at = now
        packets: list[tuple[int | None, bytes]] = []
        while self._audio_at <= now:
            self._audio_at += AUDIO_S
            if self.audio is not None:
                packets.append(self._next_audio(self.audio))
        while self._video_at <= now:
            self._video_at += VIDEO_S
            if self.video is not None:
                packets += self._next_video(self.video, now)
        return packets

    def play(self, person: Person) -> None:
        """Send `person` from now on, whose pictures begin with a keyframe."""
        if person.video is not self.person.video:
            self._video_index, self._skips = 0, False
        self.person = person
        self._video_bps = person.video_bps

    def remember(self, sequence: int, datagram: bytes) -> None:
        """Keep a video datagram in case it is asked for again: the same bytes, so no key stream is used twice."""
        self.history[sequence] = datagram
        if len(self.history) > HISTORY:
            self.history.popitem(last=False)

    def _next_audio(self, sending: Sending) -> tuple[None, bytes]:
        at = self._audio_index
        self._audio_index = (at + 1) % len(self.person.audio)
        extensions = rtp.extension_block("a", self.person.levels[at])
        _, packet = sending.packet(self.person.audio[at], False, extensions)
        sending.timestamp += AUDIO_STEP
        return None, packet

    def _next_video(self, sending: Sending, now: float) -> list[tuple[int | None, bytes]]:
        if self.keyframe_wanted:
            self.keyframe_wanted = False
            self._video_index = self.person.next_keyframe(self._video_index)
        packets: list[tuple[int | None, bytes]] = []
        if self.person.video[self._video_index] and self._fits(self._video_index, now):
            payloads = rtp.split_frame(self.person.video[self._video_index], self._picture_id)
            last = len(payloads) - 1
            packets += [sending.packet(payload, at == last, self._mid) for at, payload in enumerate(payloads)]
            self._picture_id += 1
        self._video_index = (self._video_index + 1) % len(self.person.video)
        sending.timestamp += VIDEO_STEP
        return packets

    def _fits(self, index: int, now: float) -> bool:
        """Tell whether a frame is sent: all of them, or as many keyframes as the budget allows."""
        if self.budget.bps >= self._video_bps:
            self._skips = self._skips and index not in self.person.keyframes
        else:
            self._skips = index not in self.person.keyframes or not self.budget.spend(
                len(self.person.video[index]), now
            )
        return not self._skips
