"""When the frames of a line were sent: a monitor's proof is judged against it."""

from __future__ import annotations

from array import array
from bisect import bisect_left

SENT_KEPT_S = 10.0
SENT_KEPT = 1024  # frames: 10 s at up to 100 fps


class Frames:
    """When the frames of one line were sent, by timestamp: SENT_KEPT_S of them, SENT_KEPT at most."""

    __slots__ = ("_times", "_timestamps")

    def __init__(self) -> None:
        self._timestamps = array("I")
        self._times = array("d")

    def __len__(self) -> int:
        return len(self._times)

    def note(self, timestamp: int, now: float) -> None:
        """Remember a frame that is sent now."""
        self._timestamps.append(timestamp)
        self._times.append(now)
        if len(self._times) > SENT_KEPT:
            self._drop(SENT_KEPT // 8)

    def at(self, timestamp: int) -> float | None:
        """Return when a frame with that timestamp was first sent, None where it is not known."""
        try:
            return self._times[self._timestamps.index(timestamp)]
        except ValueError:
            return None

    def since(self, since: float) -> int:
        """Return how many were sent at that instant or after it."""
        return len(self._times) - bisect_left(self._times, since)

    def forget(self, now: float) -> None:
        """Drop those that were sent too long ago."""
        if self._times and now - self._times[0] > SENT_KEPT_S:
            self._drop(bisect_left(self._times, now - SENT_KEPT_S))

    def _drop(self, count: int) -> None:
        del self._timestamps[:count], self._times[:count]
