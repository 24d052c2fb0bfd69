"""Spans of time: sorted, apart from each other, each from its first instant up to but without its last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

Span = tuple[datetime, datetime]
Spans = tuple[Span, ...]

EVER: datetime = datetime.min.replace(tzinfo=UTC)
NEVER: datetime = datetime.max.replace(tzinfo=UTC)
ALWAYS: Spans = ((EVER, NEVER),)
NO_TIME = timedelta(0)


def union(spans: Iterable[Span]) -> Spans:
    """Return the time that any of `spans` holds."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def meet(one: Spans, other: Spans) -> Spans:
    """Return the time that both hold."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def outside(one: Spans, other: Spans) -> Spans:
    """Return the time of `one` that `other` does not hold."""
    edges = [EVER, *(edge for span in other for edge in span), NEVER]
    return meet(one, tuple(zip(edges[::2], edges[1::2], strict=True)))


def length(spans: Iterable[Span]) -> timedelta:
    """Return how long they are together."""
    return sum((end - start for start, end in spans), NO_TIME)


def holds(spans: Spans, at: datetime) -> bool:
    """Say whether the instant is within."""
    return any(start <= at < end for start, end in spans)


class Track(Generic[T]):
    """One value at each instant, from ever to never. Changes come in the order of time."""

    def __init__(self, first: T) -> None:
        self._changes: list[tuple[datetime, T]] = [(EVER, first)]

    def set(self, at: datetime, value: T) -> None:
        """From `at` on it is `value`; an instant before the last change counts as that of the last change."""
        last_at, last = self._changes[-1]
        if value == last:
            return
        if at <= last_at and len(self._changes) > 1:
            self._changes.pop()
            self.set(last_at, value)
        else:
            self._changes.append((at, value))

    def __iter__(self) -> Iterator[tuple[Span, T]]:
        """Yield every span with its value, in order; together they are all of time."""
        ends = [since for since, _ in self._changes[1:]] + [NEVER]
        for (since, value), end in zip(self._changes, ends, strict=True):
            if since < end:
                yield (since, end), value

    def where(self, value: T) -> Spans:
        """Return when it was `value`."""
        return tuple(span for span, found in self if found == value)

    def keys(self) -> dict[T, Spans]:
        """Return when it was each of its values: a partition of time."""
        found: dict[T, list[Span]] = {}
        for span, value in self:
            found.setdefault(value, []).append(span)
        return {value: tuple(spans) for value, spans in found.items()}
