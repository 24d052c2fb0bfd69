"""Inquiries into the record of one call: found, opened by a named person, and that opening itself on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.domain.audit import Entry, check_entries, stored_bytes, text_of
from broker.domain.codes import Code, Refused
from broker.domain.records import Scope, Visit
from broker.domain.shift import HandOver, Shift, hand_over, shifts
from broker.domain.story import Story, tell
from broker.engine.actor import stream_of
from broker.engine.figures import Figures
from broker.engine.stream import Streams
from broker.ports import Clock, Directory, Record


@dataclass(frozen=True, slots=True)
class CallFile:
    """A call's whole record. `broken`: the first entry that does not follow from the one before, None where all do."""

    visit: Visit
    records: Sequence[Record]
    story: Story | None
    broken: int | None
    openings: Sequence[Record]  # who has opened it, the latest last


class Inquiry:
    """Reads what was recorded; writes only who read it."""

    def __init__(self, figures: Figures, streams: Streams, directory: Directory, clock: Clock) -> None:
        self._figures = figures
        self._streams = streams
        self._directory = directory
        self._clock = clock

    async def find(self, scope: Scope, start: datetime, end: datetime) -> list[tuple[Visit, Story]]:
        """Return the calls of a range of time that have a record, by their start. Raises LogUnavailable."""
        stories = {story.id: story for story in await self._figures.stories(scope.establishments, start, end)}
        visits = await self._directory.visits(scope, start, end)
        return [(visit, stories[visit.id]) for visit in visits if visit.id in stories]

    async def open(self, scope: Scope, call_id: str, actor: str) -> CallFile:
        """Open a call's record; that it was opened, and by whom, is recorded first.

        Raises:
            Refused: `unknown_call`, outside of the scope too.
            LogUnavailable: It cannot be recorded, so it is not shown.
        """
        visit = await self._directory.visit(scope, call_id)
        if visit is None:
            raise Refused(Code.UNKNOWN_CALL)
        place = self._streams.establishment(visit.establishment)
        await place.append("record.opened", actor, {"call_id": call_id})
        records = await self._streams.of(stream_of(call_id)).read()
        fault = check_entries(map(_entry, records), {}).fault
        opened = [
            record
            for record in await self._figures.place(visit.establishment)
            if record.type == "record.opened" and record.body.get("call_id") == call_id
        ]
        return CallFile(visit, records, tell(records, self._clock.now()), fault.seq if fault else None, opened)

    async def shifts(self, places: frozenset[str], since: datetime) -> list[Shift]:
        """Return the shifts at the monitoring post that began since. Raises LogUnavailable."""
        records = [record for place in sorted(places) for record in await self._figures.place(place)]
        return [shift for shift in shifts(records, self._clock.now()) if shift.start >= since]

    async def hand_over(self, shift: Shift, places: frozenset[str]) -> HandOver:
        """Return what a shift came to, as far as `places` reach. Raises LogUnavailable."""
        within = shift.told & places
        records = [record for place in sorted(within) for record in await self._figures.place(place)]
        return hand_over(shift, await self._figures.stories(within, shift.start, shift.until), records)


def _entry(record: Record) -> Entry:
    """Return the entry as it lies in storage: the bytes that were hashed have one form (audit.canonical)."""
    stored = stored_bytes(
        record.stream,
        record.seq,
        id=record.id,
        type=record.type,
        at=record.at,
        actor=record.actor,
        body=record.body,
    )
    at = text_of(record.at)
    return Entry(record.stream, record.seq, record.id, record.type, at, record.actor, stored, record.hash)
