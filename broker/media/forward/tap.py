"""A tap on a source: each whole key frame that passes its call's gate is handed out, for a still."""

from __future__ import annotations

from collections.abc import Callable

from broker.media import h264, rtp
from broker.media.forward.api import Codec
from broker.media.forward.state import Gate

MAX_PARTS = 255  # packets of one key frame; a camera's low layer has no more

Found = Callable[[Codec, list[bytes]], None]
"""Called with a key frame's payloads in order, those of VP8 without their descriptors."""


class KeyFrameTap:
    """Collects one frame at a time; a packet lost or out of order gives it up, the next is seconds away."""

    def __init__(self, codec: Codec, gate: Gate, found: Found) -> None:
        self.gate = gate
        self._codec = codec
        self._found = found
        self._parts: list[bytes] = []
        self._timestamp = -1
        self._next = -1

    def take(self, sequence: int, timestamp: int, marker: int, payload: bytes, now: float) -> None:
        """Look at one packet of the layer, by its whole sequence number."""
        if now >= self.gate.deadline:
            self.drop()
            return
        body, starts = self._read(payload)
        if starts and timestamp != self._timestamp:
            self._parts, self._timestamp = [body], timestamp
        elif sequence == self._next and timestamp == self._timestamp and len(self._parts) < MAX_PARTS:
            self._parts.append(body)
        else:
            self.drop()
            return
        self._next = sequence + 1
        if marker:
            self._found(self._codec, self._parts)
            self.drop()

    def _read(self, payload: bytes) -> tuple[bytes, bool]:
        """Return a packet's body, and whether a key frame starts with it."""
        if self._codec is Codec.H264:
            return payload, h264.key_start(payload)
        vp8 = rtp.parse_vp8(payload)
        return (b"", False) if vp8 is None else (payload[vp8.size :], vp8.key)

    def drop(self) -> None:
        """Forget what was collected: nothing from before a gate shut is ever handed out."""
        self._parts, self._timestamp, self._next = [], -1, -1
