"""Who has held which post today, at each establishment: read from the record once, kept up by sign-ons."""

from __future__ import annotations

from datetime import date, tzinfo

from broker.domain.codes import Post
from broker.domain.posts import Holder
from broker.engine.stream import establishment_stream
from broker.ports import Clock, EventLog


class Today:
    """The day is the session: no one person holds both posts in it (design README 1)."""

    def __init__(self, log: EventLog, clock: Clock, zone: tzinfo) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._held: dict[tuple[str, date], set[tuple[str, Post]]] = {}

    async def at(self, establishment: str) -> frozenset[tuple[str, Post]]:
        """Return (staff number, post) of everybody who took a post there today."""
        day = self._day()
        if (establishment, day) not in self._held:
            self._held[establishment, day] = await self._read(establishment, day)
        return frozenset(self._held[establishment, day])

    def took(self, holder: Holder) -> None:
        """Remember a sign-on that is now on the record."""
        self._held.setdefault((holder.establishment, self._day()), set()).add((holder.number, holder.post))

    def _day(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    async def _read(self, establishment: str, day: date) -> set[tuple[str, Post]]:
        return {
            (record.actor.removeprefix("staff:"), Post(record.body["post"]))
            for record in await self._log.read(establishment_stream(establishment))
            if record.type == "post.signed_on" and record.at.astimezone(self._zone).date() == day
        }
