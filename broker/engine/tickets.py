"""Tickets: what a page shows a socket. Sixty seconds, once, in memory only."""

from __future__ import annotations

from collections import OrderedDict

from broker.engine.chairs import Chair
from broker.engine.secrets import new_token
from broker.ports import Clock

LIFE_S = 60.0
MOST = 10_000
"""More than this many unused tickets at once is a flood: the oldest are dropped."""


class Tickets:
    """The tickets given out and not used yet, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, tuple[float, Chair]] = OrderedDict()

    def issue(self, chair: Chair) -> str:
        """Return a fresh ticket for `chair`."""
        now = self._clock.boottime()
        self._forget(now)
        ticket = new_token()
        self._waiting[ticket] = (now + LIFE_S, chair)
        return ticket

    def take(self, ticket: str) -> Chair | None:
        """Return the chair of `ticket` and void it; None where it is unknown, used or too old."""
        self._forget(self._clock.boottime())
        entry = self._waiting.pop(ticket, None)
        return entry[1] if entry else None

    def _forget(self, now: float) -> None:
        while self._waiting:
            ticket, (until, _) = next(iter(self._waiting.items()))
            if until > now and len(self._waiting) < MOST:
                return
            del self._waiting[ticket]
