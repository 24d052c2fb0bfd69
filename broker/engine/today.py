"""Who has held which post today, at each establishment: read from the record once, kept up by sign-ons."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo
from typing import Final

from broker.domain.codes import Post
from broker.domain.posts import Holder
from broker.engine.stream import establishment_stream
from broker.ports import Clock, EventLog

TAKEN: Final = "post.signed_on"


class Today:
    """The day is the session: no one person holds both posts in it (design README 1)."""

    def __init__(self, log: EventLog, clock: Clock, zone: tzinfo) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._held: dict[tuple[str, date], set[tuple[str, Post]]] = {}
        self.agreed: dict[str, str] = {}  # staff number -> the guidance acknowledged last, of what was read so far

    async def at(self, scope: Iterable[str]) -> frozenset[tuple[str, Post]]:
        """Return (staff number, post) of everybody who took a post at any of these establishments today."""
        day = self._day()
        found: set[tuple[str, Post]] = set()
        for place in scope:
            if (place, day) not in self._held:
                self._held[place, day] = await self._read(place, day)
            found |= self._held[place, day]
        return frozenset(found)

    def took(self, holder: Holder) -> None:
        """Remember a sign-on that is now on the record."""
        self.agreed[holder.number] = holder.guidance
        for place in holder.scope:
            self._held.setdefault((place, self._day()), set()).add((holder.number, holder.post))

    def _day(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    async def _read(self, establishment: str, day: date) -> set[tuple[str, Post]]:
        taken = [record for record in await self._log.read(establishment_stream(establishment)) if record.type == TAKEN]
        for record in taken:
            self.agreed[record.actor.removeprefix("staff:")] = record.body.get("guidance", "")
        return {
            (record.actor.removeprefix("staff:"), Post(record.body["post"]))
            for record in taken
            if record.at.astimezone(self._zone).date() == day
        }
