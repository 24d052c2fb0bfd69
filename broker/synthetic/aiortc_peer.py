"""A second kind of peer, of another make: aiortc's RTCPeerConnection. It shows that ours speaks no dialect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from broker.synthetic import picture, voice
from broker.synthetic.people import AUDIO_CLOCK, AUDIO_STEP, VIDEO_CLOCK, VIDEO_STEP, Person
from broker.synthetic.tasks import Tasks

KEEP_SAMPLES = AUDIO_CLOCK  # a second of sound


class _Track(MediaStreamTrack):
    """A person's encoded frames at their pace; aiortc packs an `av.Packet` as it is."""

    def __init__(self, kind: str, frames: tuple[bytes, ...], step: int, clock: int) -> None:
        self.kind = kind
        super().__init__()
        self._frames, self._step, self._base = frames, step, Fraction(1, clock)
        self._at = 0
        self._began = time.monotonic()

    async def recv(self) -> Any:
        at, self._at = self._at, self._at + 1
        await asyncio.sleep(max(0.0, self._began + float(at * self._step * self._base) - time.monotonic()))
        packet: Any = av.Packet(self._frames[at % len(self._frames)])
        packet.pts = packet.dts = at * self._step
        packet.time_base = self._base
        return packet


class AiortcPeer:
    """A caller that publishes a person (or nothing) and decodes what it receives."""

    def __init__(self, person: Person | None, *, receive_audio: int = 1, receive_video: int = 1) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._tasks = Tasks()
        self.seen: list[int | None] = []
        self.heard: list[np.ndarray[Any, np.dtype[Any]]] = []
        if person is not None:
            self._publish(_Track("audio", person.audio, AUDIO_STEP, AUDIO_CLOCK))
            self._publish(_Track("video", person.video, VIDEO_STEP, VIDEO_CLOCK))
        for kind, count in (("audio", receive_audio), ("video", receive_video)):
            for _ in range(count):
                self._connection.addTransceiver(kind, direction="recvonly")
        self._connection.on("track", self._on_track)

    async def offer(self) -> str:
        """Return the offer."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def connect(self, answer: str) -> None:
        """Take the answer; the connection comes about by itself."""
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    @property
    def state(self) -> str:
        """Return the state of the connection, in the W3C's words."""
        return str(self._connection.connectionState)

    def who_is_heard(self) -> int | None:
        """Return whose voice the last second is."""
        return voice.who_speaks(np.concatenate(self.heard)) if self.heard else None

    async def close(self) -> None:
        """Close it, and stop decoding."""
        await self._tasks.close()
        await self._connection.close()

    def _publish(self, track: MediaStreamTrack) -> None:
        self._connection.addTransceiver(track, direction="sendonly")

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tasks.start(self._watch(track) if track.kind == "video" else self._listen(track))

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                self.seen.append(picture.read_marker(frame.to_ndarray(format="gray")))
        except MediaStreamError:
            return

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).mean(axis=1)
                self.heard = _last(self.heard, samples)
        except MediaStreamError:
            return


def _last(parts: Iterable[Any], more: Any) -> list[Any]:
    """Return the newest parts of a second or so."""
    kept = [*parts, more]
    while sum(part.size for part in kept[1:]) > KEEP_SAMPLES:
        kept.pop(0)
    return kept
