"""Observation records that write themselves (features F48): who was proven to have which call displayed, from, to, how.

A span ends at every change of mode or sound, where proofs stop, and at the latest after `cut_s`, so that a crash
loses the last piece of each at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from broker.domain.codes import ObservationMode


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch at one console: proven from `start` to `end`, in one mode, with sound or without."""

    call_id: str
    number: str
    session: str
    start: datetime
    end: datetime
    mode: ObservationMode
    sound: bool


class Observations:
    """The spans that are open now, fed with proofs. No clock, no I/O."""

    def __init__(self, gap_s: float, cut_s: float) -> None:
        self._gap = timedelta(seconds=gap_s)
        self._cut = timedelta(seconds=cut_s)
        self._open: dict[tuple[str, str], Span] = {}  # by session and call

    def shown(
        self, call_id: str, number: str, session: str, at: datetime, mode: ObservationMode, sound: bool
    ) -> list[Span]:
        """Take in one proof of one call; return the span that ends by it, if one does."""
        key = (session, call_id)
        span = self._open.get(key)
        if span is not None and at <= span.end:
            return []
        fresh = Span(call_id, number, session, at, at, mode, sound)
        if span is None or at - span.end > self._gap:
            self._open[key] = fresh
            return _whole(span)
        if (span.mode, span.sound) != (mode, sound) or at - span.start >= self._cut:
            self._open[key] = fresh
            return _whole(replace(span, end=at))
        self._open[key] = replace(span, end=at)
        return []

    def over(self, now: datetime) -> list[Span]:
        """Return the spans whose proofs stopped."""
        return self._take([key for key, span in self._open.items() if now - span.end > self._gap])

    def call_ended(self, call_id: str) -> list[Span]:
        """Return the spans of a call that is over."""
        return self._take([key for key in self._open if key[1] == call_id])

    def console_gone(self, session: str) -> list[Span]:
        """Return the spans of a console that shows nothing any more."""
        return self._take([key for key in self._open if key[0] == session])

    def _take(self, keys: list[tuple[str, str]]) -> list[Span]:
        return [span for key in keys for span in _whole(self._open.pop(key))]


def _whole(span: Span | None) -> list[Span]:
    """Return the span where it has a length: one proof alone is an instant."""
    return [span] if span is not None and span.end > span.start else []
