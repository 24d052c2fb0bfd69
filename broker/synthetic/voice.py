"""A synthetic person's voice: syllables of a harmonic tone whose fundamental tells who speaks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.synthetic.picture import SECONDS

RATE = 48_000
FRAME_SAMPLES = 960  # 20 ms

VOICES = 32
_LOWEST_HZ = 220.0
_STEP_HZ = 6.5  # the highest is 421.5 Hz: below the second harmonic of the lowest, so a fundamental is never a harmonic
_SYLLABLES_HZ = 3.2
_NEAR_HZ = 2.5
_CLEAR = 6.0  # how far the peak stands over the median of the band


def fundamental_hz(number: int) -> float:
    """Return the fundamental of person `number`; 32 voices in all."""
    return _LOWEST_HZ + _STEP_HZ * (number * 7 % VOICES)


def speak(number: int) -> NDArray[np.int16]:
    """Return the voice of person `number`, mono at 48 kHz, a loop of SECONDS without a seam."""
    time = np.arange(SECONDS * RATE) / RATE
    tone = fundamental_hz(number)
    wave = sum(np.sin(2 * np.pi * tone * n * time) / n**1.3 for n in range(1, 6))
    syllable = 0.35 + 0.65 * np.sin(np.pi * _SYLLABLES_HZ * time) ** 2
    phrase = np.clip(1.4 + np.sin(2 * np.pi * time / 5 + number), 0.5, 1)
    samples = wave * syllable * phrase
    return np.asarray(samples / np.abs(samples).max() * 14_000, np.int16)


def level(number: int, frame: int) -> int:
    """Return how far below full scale frame `frame` of the voice is, in dB (RFC 6464: 0 .. 127)."""
    time = frame * FRAME_SAMPLES / RATE
    syllable = 0.35 + 0.65 * float(np.sin(np.pi * _SYLLABLES_HZ * time)) ** 2
    return int(min(127, 12 - 20 * np.log10(syllable)))


def who_speaks(samples: NDArray[Any]) -> int | None:
    """Return the voice (0 .. VOICES - 1: a person's number modulo VOICES) in mono `samples` at 48 kHz, None for none.

    Half a second or more tells them apart.
    """
    if samples.size < RATE // 2:
        return None
    wave = samples.astype(np.float64)
    if np.sqrt(np.mean(wave**2)) < 100:
        return None
    size = 1 << 17  # bins of 0.37 Hz
    power = np.abs(np.fft.rfft(wave * np.hanning(wave.size), size))
    first, last = (int(hz * size / RATE) for hz in (_LOWEST_HZ - 5, _LOWEST_HZ + _STEP_HZ * VOICES))
    band = power[first:last]
    peak = int(band.argmax())
    if band[peak] < _CLEAR * np.median(band):
        return None
    heard = (first + peak) * RATE / size
    nearest = min(range(VOICES), key=lambda number: abs(fundamental_hz(number) - heard))
    return nearest if abs(fundamental_hz(nearest) - heard) <= _NEAR_HZ else None
