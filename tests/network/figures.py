"""Figures out of what a browser measured itself: pure functions over the samples of watch.js.

A sample is one moment of a page: the statistics (W3C webrtc-stats) of its newest connection, by kind.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

Sample = dict[str, Any]

STILL_S = 1.0  # a picture that stands longer is a freeze
BACK_FOR_S = 1.0  # so long must media flow to count as back
BACK_FRAMES_PER_S = 5.0
BACK_CONCEALED = 0.1
SERIES_S = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What came between two samples of one connection. `audio` and `concealed` in samples of sound."""

    at: float
    seconds: float
    audio: int
    concealed: int
    frames: int
    octets_in: int
    octets_out: int
    height: int
    skew_ms: float | None


@dataclass(frozen=True, slots=True)
class Reception:
    """What one end received. Shares 0..1, times in seconds, `skew_ms` the sound's lead over the picture.

    Attributes:
        sound: Share of the sound that was played as it was sent: what the jitter buffer made up counts as lost, whether
            a packet never came or came too late; what redundancy, in-band FEC or a repeat mended counts as delivered.
        freezes_per_min: Pictures that stood still for more than a second.
        without_picture_s: How long the picture stood in all those.
    """

    sound: float
    freezes_per_min: float
    without_picture_s: float
    frames_per_s: float
    skew_ms: float | None
    skew_worst_ms: float | None
    kbps_in: float
    kbps_out: float
    back_after_s: float | None
    connections: int  # one, and each that the page made anew
    series: list[tuple[float, int, int, int]]  # (second, kbit/s in, kbit/s out, height of the picture)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def steps(samples: Sequence[Sample]) -> list[Step]:
    """Return what came between each two samples; nothing where the connection changed between them."""
    return [_step(before, after) for before, after in pairwise(samples) if before["pc"] == after["pc"]]


def _step(before: Sample, after: Sample) -> Step:
    def grown(kind: str, name: str) -> int:
        return max(0, int(after.get(kind, {}).get(name, 0)) - int(before.get(kind, {}).get(name, 0)))

    return Step(
        after["at"],
        after["at"] - before["at"],
        grown("audio", "totalSamplesReceived"),
        grown("audio", "concealedSamples"),
        grown("video", "framesDecoded"),
        grown("audio", "bytesReceived") + grown("video", "bytesReceived"),
        max(0, _sent(after) - _sent(before)),
        int(after.get("video", {}).get("frameHeight", 0)),
        _skew(after),
    )


def _sent(sample: Sample) -> int:
    return sum(int(one.get("bytesSent", 0)) for one in sample["out"])


def _skew(sample: Sample) -> float | None:
    """Return by how much the sound that is played is newer than the picture that is shown; None: not known yet."""
    times = [sample.get(kind, {}).get("estimatedPlayoutTimestamp") for kind in ("audio", "video")]
    return None if None in times or 0 in times else float(times[0] - times[1])


def reception(samples: Sequence[Sample], began_at: float, back_from: float | None = None) -> Reception:
    """Return the figures of the time since `began_at`; `back_from`: when a trouble ended that media recover from."""
    found = [step for step in steps(samples) if step.at >= began_at]
    seconds = max(sum(step.seconds for step in found), 0.001)
    sound, made_up = sum(step.audio for step in found), sum(step.concealed for step in found)
    skews = [step.skew_ms for step in found if step.skew_ms is not None]
    still = list(_still(found, began_at))
    return Reception(
        sound=1 - made_up / sound if sound else 0.0,
        freezes_per_min=len(still) * 60 / seconds,
        without_picture_s=sum(still),
        frames_per_s=sum(step.frames for step in found) / seconds,
        skew_ms=statistics.median(skews) if skews else None,
        skew_worst_ms=_nearly_worst([abs(skew) for skew in skews]),
        kbps_in=sum(step.octets_in for step in found) * 8 / seconds / 1000,
        kbps_out=sum(step.octets_out for step in found) * 8 / seconds / 1000,
        back_after_s=None if back_from is None else back_after(found, back_from),
        connections=len({sample["pc"] for sample in samples if sample["at"] >= began_at}),
        series=_series(found, began_at),
    )


def _nearly_worst(values: list[float]) -> float | None:
    """Return what 95 of 100 values do not exceed."""
    return sorted(values)[int(len(values) * 0.95)] if values else None


def _still(found: Sequence[Step], began_at: float) -> Iterator[float]:
    """Yield how long the picture stood, each time that it stood for more than STILL_S."""
    moved_at = began_at
    for step in found:
        if step.frames:
            if step.at - moved_at > STILL_S:
                yield step.at - moved_at
            moved_at = step.at
    if found and found[-1].at - moved_at > STILL_S:
        yield found[-1].at - moved_at


def back_after(found: Sequence[Step], since: float) -> float | None:
    """Return how long after `since` picture and sound flow again and go on for BACK_FOR_S; None: they do not."""
    for at, first in enumerate(found):
        if first.at < since or not (first.frames and first.audio):
            continue
        window = [step for step in found[at:] if step.at <= first.at + BACK_FOR_S]
        sound = sum(step.audio for step in window)
        made_up = sum(step.concealed for step in window)
        frames = sum(step.frames for step in window)
        is_whole = found[-1].at >= first.at + BACK_FOR_S
        if is_whole and made_up <= sound * BACK_CONCEALED and frames >= BACK_FRAMES_PER_S * BACK_FOR_S:
            return max(0.0, first.at - first.seconds - since)
    return None


def _series(found: Sequence[Step], began_at: float) -> list[tuple[float, int, int, int]]:
    """Return a point a second."""
    buckets: dict[int, list[Step]] = {}
    for step in found:
        buckets.setdefault(int((step.at - began_at) // SERIES_S), []).append(step)
    return [
        (
            at * SERIES_S,
            _kbps(bucket, lambda step: step.octets_in),
            _kbps(bucket, lambda step: step.octets_out),
            bucket[-1].height if any(step.frames for step in bucket) else 0,
        )
        for at, bucket in sorted(buckets.items())
    ]


def _kbps(bucket: Sequence[Step], octets: Callable[[Step], int]) -> int:
    return round(sum(octets(step) for step in bucket) * 8 / 1000 / max(sum(step.seconds for step in bucket), 0.001))
