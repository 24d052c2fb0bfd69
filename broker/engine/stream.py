"""One hash-chained stream of the record, appended to under a lock."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from broker.domain.records import Row
from broker.ports import JSON, Clock, EventLog, Journal, LogConflict, LogUnavailable, NewEvent, Record

ATTEMPTS = 8  # another process (the command line) may append between two of ours; eight in a row is a fault


def establishment_stream(code: str) -> str:
    """Return the name of the stream that holds an establishment's posts, devices, visits and denials."""
    return f"establishment:{code}"


SYSTEM_STREAM = "system"
"""What belongs to no establishment: accounts, and establishments themselves."""


class Stream:
    """A stream by name: it keeps the head, and reads it again where another writer was faster."""

    def __init__(self, log: EventLog, name: str, clock: Clock, journal: Journal | None = None) -> None:
        self.name = name
        self._log = log
        self._clock = clock
        self._journal = journal
        self._lock = asyncio.Lock()
        self._head: int | None = None

    async def append(self, type: str, actor: str, body: Mapping[str, JSON], rows: Sequence[Row] = ()) -> Record:
        """Append one event and save `rows` in the same transaction; the record is durable when this returns.

        Raises:
            LogUnavailable: The storage did not take it; nothing was written.
            LogConflict: Other writers were faster time after time; nothing was written.
        """
        return await self._append(self._event(type, actor, body), rows)

    async def insist(self, type: str, actor: str, body: Mapping[str, JSON], rows: Sequence[Row] = ()) -> Record | None:
        """Append a restrictive event, which never fails because the log is down (design README 7).

        Returns None where only the journal has it, and `rows` are not saved; the caller has already acted.

        Raises:
            LogUnavailable: There is no journal, or not even the journal took it.
        """
        event = self._event(type, actor, body)
        try:
            return await self._append(event, rows)
        except (LogUnavailable, LogConflict):
            if self._journal is None:
                raise
        try:
            self._journal.put(self.name, [event])
        except OSError as error:
            raise LogUnavailable(str(error)) from error
        return None

    def _event(self, type: str, actor: str, body: Mapping[str, JSON]) -> NewEvent:
        return NewEvent(secrets.token_hex(16), type, self._clock.now(), actor, body)

    async def _append(self, event: NewEvent, rows: Sequence[Row]) -> Record:
        async with self._lock:
            for attempt in range(ATTEMPTS):
                if self._head is None:
                    self._head = await self._log.head(self.name)
                try:
                    record = (await self._log.append(self.name, self._head, [event], rows))[0]
                except LogConflict:
                    self._head = None
                    if attempt + 1 == ATTEMPTS:
                        raise
                else:
                    self._head = record.seq
                    return record
        raise AssertionError("unreachable")


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
