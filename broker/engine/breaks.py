"""Breaks: when a monitor has been on post for as long as policy allows without one, and how often it was put off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from broker.domain.codes import Code, Post, Refused
from broker.domain.policy import Policy
from broker.domain.posts import Holder
from broker.engine.presence import Presence
from broker.engine.stream import Streams
from broker.ports import Clock, LogUnavailable

log = structlog.get_logger()


@dataclass(slots=True)
class Break:
    """A person's next break; `asked` once it is due and on record."""

    at: datetime
    asked: bool = False
    snoozed: int = 0


class Breaks:
    """By person, not by socket: a page that is loaded again does not start the hour anew."""

    def __init__(self, presence: Presence, streams: Streams, clock: Clock, policy: Policy) -> None:
        self._presence = presence
        self._streams = streams
        self._clock = clock
        self._policy = policy
        self._next: dict[str, Break] = {}

    def next(self, number: str) -> Break | None:
        """Return the person's next break; None for somebody who monitors nothing."""
        return self._next.get(number)

    async def look(self) -> None:
        """Ask for the breaks that are due, and put that on record. Call it every second."""
        on = {holder.number: holder for holder in self._presence.holders if holder.post is Post.MONITOR}
        for number in [number for number in self._next if number not in on]:
            del self._next[number]
        for number, holder in on.items():
            due = holder.since + timedelta(seconds=self._policy.break_after_s)
            found = self._next.setdefault(number, Break(due))
            if not found.asked and self._clock.now() >= found.at:
                found.asked = True
                await self._record(holder, found)

    def snooze(self, number: str) -> None:
        """Put a break that was asked for off, by policy's break_snooze_s. Raises Refused."""
        found = self._next.get(number)
        if found is None or not found.asked:
            raise Refused(Code.TOO_EARLY)
        found.at = self._clock.now() + timedelta(seconds=self._policy.break_snooze_s)
        found.asked = False
        found.snoozed += 1

    async def _record(self, holder: Holder, found: Break) -> None:
        body = {"number": holder.number, "session": holder.session, "snoozed": found.snoozed}
        for place in sorted(holder.scope):
            try:
                await self._streams.establishment(place).append("break.due", "system", body)
            except LogUnavailable:
                log.warning("break not recorded", establishment=place)
