"""Stills given to consoles: the numbers of the last ones, so that a proof may name them."""

from __future__ import annotations

from collections import deque

KEPT = 4  # of one leg: what a page may still name while the next one is on its way


class Stills:
    """What each console was given. Times are CLOCK_BOOTTIME in seconds."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._given: dict[str, dict[str, deque[tuple[int, float]]]] = {}

    def give(self, session: str, leg_id: str, at: float) -> int:
        """Note that `session` is given a still of a leg now; return its number, which rises."""
        number = self._numbers[session] = self._numbers.get(session, 0) + 1
        self._given.setdefault(session, {}).setdefault(leg_id, deque(maxlen=KEPT)).append((number, at))
        return number

    def age_s(self, session: str, leg_id: str, number: int, now: float) -> float | None:
        """Return how long ago that still was given, None where it was not, or not of that leg."""
        given = self._given.get(session, {}).get(leg_id, ())
        return next((now - at for known, at in given if known == number), None)

    def forget(self, session: str) -> None:
        """Drop what a console that is gone was given."""
        self._numbers.pop(session, None)
        self._given.pop(session, None)
