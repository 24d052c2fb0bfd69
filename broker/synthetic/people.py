"""Synthetic people as encoded loops: VP8 frames with a keyframe every 2 s, and Opus frames; made once per process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from broker.synthetic import picture, voice

PEOPLE = 256  # what the marker can tell apart
KEYFRAME_EVERY = 2 * picture.FPS
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
VIDEO_STEP = VIDEO_CLOCK // picture.FPS  # RTP ticks a frame
AUDIO_STEP = voice.FRAME_SAMPLES
_BITRATE_BPS = 160_000


@dataclass(frozen=True, slots=True)
class Person:
    """What a person sends, over and over: encoded frames."""

    number: int
    video: tuple[bytes, ...]  # an empty one: nothing is sent in its place
    keyframes: tuple[int, ...]  # their places in `video`; the first is 0
    audio: tuple[bytes, ...]
    levels: tuple[int, ...]  # dB below full scale of each audio frame

    @property
    def video_bps(self) -> float:
        """What the whole picture takes."""
        return sum(map(len, self.video)) * 8 * picture.FPS / len(self.video)

    def next_keyframe(self, index: int) -> int:
        """Return the place of the first keyframe at or after `index`, round the loop."""
        return next((at for at in self.keyframes if at >= index), 0)


@lru_cache(maxsize=PEOPLE)
def person(number: int) -> Person:
    """Return person `number` (0 .. PEOPLE - 1), encoded on first use (about half a second of CPU)."""
    if not 0 <= number < PEOPLE:
        raise ValueError(f"no synthetic person {number}")
    video, keyframes = encode_video(picture.draw(number, at) for at in range(picture.FRAMES))
    audio = encode_audio(voice.speak(number))
    return Person(number, video, keyframes, audio, tuple(voice.level(number, at) for at in range(len(audio))))


def who_is_seen(frames: Iterable[bytes]) -> list[int | None]:
    """Decode VP8 `frames` (the first a keyframe) and return whose picture each is."""
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    seen: list[int | None] = []
    for frame in frames:
        try:
            shown = decoder.decode(av.Packet(frame))
        except av.FFmpegError:
            continue
        seen += [picture.read_marker(one.to_ndarray(format="gray")) for one in shown]
    return seen


def who_is_heard(frames: Iterable[bytes]) -> int | None:
    """Decode Opus `frames` of one speaker in a row and return whose voice it is (a number modulo voice.VOICES)."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.format = "s16"
    parts: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    for frame in frames:
        try:
            parts += [_mono(one) for one in decoder.decode(av.Packet(frame))]
        except av.FFmpegError:
            continue
    return voice.who_speaks(np.concatenate(parts)) if parts else None


def _mono(frame: av.AudioFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    samples = frame.to_ndarray().astype(np.float64)
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    return np.asarray(samples.mean(axis=0))


def encode_video(pictures: Iterable[picture.Pixels]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return RGB pictures as VP8 frames, and the places of the keyframes: one every KEYFRAME_EVERY."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height = picture.WIDTH, picture.HEIGHT
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, picture.FPS)
    encoder.framerate = Fraction(picture.FPS)
    encoder.bit_rate = _BITRATE_BPS
    encoder.gop_size = KEYFRAME_EVERY
    encoder.thread_count = 1  # more of them spin while they wait, and take ten times the CPU
    encoder.options = {
        "deadline": "realtime",
        "cpu-used": "16",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "1",
        "keyint_min": str(KEYFRAME_EVERY),
    }
    packets = []
    for at, pixels in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts = at
        frame.time_base = encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = tuple(bytes(packet) for packet in packets)
    return frames, tuple(at for at, packet in enumerate(packets) if packet.is_keyframe)


def encode_audio(samples: NDArray[np.int16]) -> tuple[bytes, ...]:
    """Return mono samples at 48 kHz as Opus frames of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate = AUDIO_CLOCK
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = 24_000
    encoder.time_base = Fraction(1, AUDIO_CLOCK)
    encoder.options = {"application": "voip", "frame_duration": "20"}
    frames: list[bytes] = []
    for start in range(0, samples.size, voice.FRAME_SAMPLES):
        frame = av.AudioFrame.from_ndarray(
            samples[start : start + voice.FRAME_SAMPLES].reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = AUDIO_CLOCK
        frame.pts = start
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(frames)
