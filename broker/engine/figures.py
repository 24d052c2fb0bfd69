"""The figures' reader: which streams a report is made of, read once and kept while they do not grow.

Which calls fall into a range of time is asked of the directory; everything that is counted comes from the record.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from broker.domain.cuts import Frame
from broker.domain.figures import alerts_of, stories
from broker.domain.records import Establishment, Scope
from broker.domain.report import Asked, Report, report
from broker.domain.story import Recorded, Story, tell, with_alerts
from broker.engine.actor import stream_of
from broker.engine.facts import LOOK_BACK
from broker.engine.stream import establishment_stream
from broker.ports import Clock, Directory, EventLog, Record

KEPT: Final = 4_000  # stories of calls that are over
OF_PLACES: Final = ("alert.", "post.", "handover.", "monitoring.", "attention.", "break.", "record.", "shift.")


class Figures:
    """Reports from the live record. One object a node."""

    def __init__(self, log: EventLog, directory: Directory, clock: Clock, zone: tzinfo) -> None:
        self._log = log
        self._directory = directory
        self._clock = clock
        self.zone = zone
        self._over: OrderedDict[str, tuple[int, Story]] = OrderedDict()  # call -> its stream's last seq, and its story
        self._places: dict[str, list[Record]] = {}  # establishment -> what of its stream is counted
        self._read_to: dict[str, int] = {}

    async def report(self, asked: Asked) -> Report:
        """Return a report as of now. Raises LogUnavailable."""
        now = self._clock.now()
        places = await self.places(asked.establishments)
        found = await self.stories(asked.establishments, asked.start, min(asked.end, now + LOOK_BACK))
        return await asyncio.to_thread(report, found, asked, places, Frame(self.zone), now)

    async def places(self, establishments: frozenset[str]) -> dict[str, Establishment]:
        """Return these establishments by code."""
        return {row.code: row for row in await self._directory.establishments(Scope(establishments))}

    async def stories(self, establishments: frozenset[str], start: datetime, end: datetime) -> list[Story]:
        """Return the stories of the calls of a range of time, by id. Raises LogUnavailable."""
        now = self._clock.now()
        visits = await self._directory.visits(Scope(establishments), start - LOOK_BACK, end + LOOK_BACK)
        heads = await self._log.heads(stream_of(""))
        alerts = {}
        for place in establishments:
            alerts.update(alerts_of(await self.place(place), now))
        found: list[Story] = []
        for call_id in sorted({visit.id for visit in visits}):
            seq = heads.get(stream_of(call_id))
            story = await self._story(call_id, seq, now) if seq else None
            if story is not None:
                found.append(with_alerts(story, alerts.get(call_id, ())))
        return found

    async def _story(self, call_id: str, seq: int, now: datetime) -> Story | None:
        known = self._over.get(call_id)
        if known is not None and known[0] == seq:
            self._over.move_to_end(call_id)
            return known[1]
        records = await self._log.read(stream_of(call_id))
        story = await asyncio.to_thread(tell, records, now)
        if story is not None and story.call.ended_at is not None:
            self._over[call_id] = (records[-1].seq, story)
            while len(self._over) > KEPT:
                self._over.popitem(last=False)
        return story

    async def place(self, establishment: str) -> list[Record]:
        """Return what an establishment's stream says of posts, checks and alerts, in order. Raises LogUnavailable."""
        kept = self._places.setdefault(establishment, [])
        new = await self._log.read(establishment_stream(establishment), self._read_to.get(establishment, 0))
        fresh = [record for record in new if record.seq > self._read_to.get(establishment, 0)]  # two may have read
        if fresh:
            self._read_to[establishment] = fresh[-1].seq
            kept += [record for record in fresh if record.type.startswith(OF_PLACES)]
        return kept


def report_of(
    streams: Iterable[Sequence[Recorded]],
    asked: Asked,
    places: Mapping[str, Establishment],
    zone: tzinfo,
    now: datetime,
) -> Report:
    """Return the report that these streams make: the same as the live one, from records alone."""
    return report(stories(streams, now), asked, places, Frame(zone), now)


def as_csv(rows: Iterable[Sequence[str]], marking: str) -> str:
    """Return rows as CSV (RFC 4180) under their marking; no cell is left that a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([marking])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    try:
        float(cell)
    except ValueError:
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and len(cell) > 1 else cell
    return cell
