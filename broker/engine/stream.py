"""One hash-chained stream of the record, appended to under a lock."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from broker.domain.records import Row
from broker.ports import JSON, Clock, EventLog, Journal, LogConflict, LogUnavailable, NewEvent, Record

ATTEMPTS = 8  # another process (the command line) may append between two of ours; eight in a row is a fault


def establishment_stream(code: str) -> str:
    """Return the name of the stream that holds an establishment's posts, devices, visits and denials."""
    return f"establishment:{code}"


SYSTEM_STREAM = "system"
"""What belongs to no establishment: accounts, and establishments themselves."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is to be recorded: its type and its body, ids only."""

    type: str
    body: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Change:
    """Facts to record and rows to save with them, all or none."""

    facts: Sequence[Fact]
    rows: Sequence[Row] = ()


class Stream:
    """A stream by name: it keeps the head, and reads it again where another writer was faster."""

    def __init__(self, log: EventLog, name: str, clock: Clock, journal: Journal | None = None) -> None:
        self.name = name
        self._log = log
        self._clock = clock
        self._journal = journal
        self._lock = asyncio.Lock()
        self._head: int | None = None
        self._owed: list[Row] = []

    async def append(self, type: str, actor: str, body: Mapping[str, JSON], rows: Sequence[Row] = ()) -> Record:
        """Append one event and save `rows` in the same transaction; the record is durable when this returns.

        Raises:
            LogUnavailable: The storage did not take it; nothing was written.
            LogConflict: Other writers were faster time after time; nothing was written.
        """
        async with self._lock:
            return (await self._append([self._event(Fact(type, body), actor)], rows))[0]

    async def change(self, actor: str, work: Callable[[], Awaitable[Change]]) -> list[Record]:
        """Append what `work` decides from the rows as they are, and save its rows, as one step.

        `work` reads the directory after the stream's head was read. Where another writer of this stream comes
        between, nothing is written and `work` is asked again: two bookings can never both see a free seat.
        What `work` raises comes through. A change without facts writes nothing.

        Raises:
            LogUnavailable, LogConflict: as `append`.
        """
        async with self._lock:
            for attempt in range(ATTEMPTS):
                self._head = await self._log.head(self.name)
                wanted = await work()
                if not wanted.facts:
                    return []
                try:
                    return await self._take([self._event(fact, actor) for fact in wanted.facts], wanted.rows)
                except LogConflict:
                    if attempt + 1 == ATTEMPTS:
                        raise
        raise AssertionError("unreachable")

    async def insist(self, type: str, actor: str, body: Mapping[str, JSON], rows: Sequence[Row] = ()) -> Record | None:
        """Append a restrictive event, which never fails because the log is down (design README 7).

        Returns None where only the journal has it; `rows` are then saved with the stream's next event.
        The caller has already acted.

        Raises:
            LogUnavailable: There is no journal, or not even the journal took it.
        """
        event = self._event(Fact(type, body), actor)
        async with self._lock:
            try:
                return (await self._append([event], rows))[0]
            except (LogUnavailable, LogConflict):
                if self._journal is None:
                    raise
            try:
                self._journal.put(self.name, [event])
            except OSError as error:
                raise LogUnavailable(str(error)) from error
            self._owed.extend(rows)
        return None

    async def read(self, after_seq: int = 0) -> list[Record]:
        """Return the stream's records in order. Raises LogUnavailable."""
        return await self._log.read(self.name, after_seq)

    def _event(self, fact: Fact, actor: str) -> NewEvent:
        return NewEvent(secrets.token_hex(16), fact.type, self._clock.now(), actor, fact.body)

    async def _append(self, events: Sequence[NewEvent], rows: Sequence[Row]) -> list[Record]:
        for attempt in range(ATTEMPTS):
            if self._head is None:
                self._head = await self._log.head(self.name)
            try:
                return await self._take(events, rows)
            except LogConflict:
                if attempt + 1 == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _take(self, events: Sequence[NewEvent], rows: Sequence[Row]) -> list[Record]:
        head, self._head = self._head or 0, None  # unknown until the log has answered
        records = await self._log.append(self.name, head, events, [*self._owed, *rows])
        self._owed.clear()
        self._head = records[-1].seq
        return records


class Streams:
    """The streams of one log, one object a name, so that a process's writers share a lock."""

    def __init__(self, log: EventLog, clock: Clock, journal: Journal | None = None) -> None:
        self._log = log
        self._clock = clock
        self._journal = journal
        self._streams: dict[str, Stream] = {}

    def of(self, name: str) -> Stream:
        """Return the stream called `name`, with its lock and head."""
        if name not in self._streams:
            self._streams[name] = Stream(self._log, name, self._clock, self._journal)
        return self._streams[name]

    def establishment(self, code: str) -> Stream:
        """Return the stream of an establishment."""
        return self.of(establishment_stream(code))
