"""The event log in the database: appends that wait together are committed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exc, func, insert, select, update

from broker.domain import audit
from broker.domain.records import Row
from broker.ports import LogConflict, LogUnavailable, NewEvent, Record, RowClash
from broker.storage.database import Database
from broker.storage.saving import save_rows
from broker.storage.tables import events as events_table
from broker.storage.tables import heads as heads_table

_BATCH = 256  # appends in one commit at most, so that none waits behind an endless one

_RECORD = (events_table.c.stored, events_table.c.hash)


@dataclass(eq=False, slots=True)
class _Append:
    """An append on its way; it has its answer when `answer` or `refusal` is set."""

    stream: str
    after_seq: int
    events: Sequence[NewEvent]
    rows: Sequence[Row]
    answer: list[Record] | None = None
    refusal: Exception | None = field(default=None)

    @property
    def settled(self) -> bool:
        return self.answer is not None or self.refusal is not None


class SqlEventLog:
    """An `EventLog` on a `Database`. Close the database, not the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Append] = []
        self._turn = asyncio.Lock()

    async def append(
        self, stream: str, after_seq: int, events: Sequence[NewEvent], rows: Sequence[Row] = ()
    ) -> list[Record]:
        """Append events and save rows in one transaction; see the port.

        Whoever's turn it is writes everything that waits, so that one fsync serves
        many. A caller that is cancelled in its turn leaves the others waiting for the
        next, which finds their events by id should the commit have happened.

        Raises:
            LogConflict, LogUnavailable, RowClash: See the port.
            TypeError, ValueError: An event that is not plain JSON; nothing was written.
        """
        mine = _Append(stream, after_seq, tuple(events), tuple(rows))
        self._waiting.append(mine)
        try:
            while not mine.settled:
                async with self._turn:
                    if not mine.settled:
                        await self._write(self._waiting[:_BATCH])
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if mine.refusal is not None:
            raise mine.refusal
        return mine.answer or []

    async def _write(self, batch: Sequence[_Append]) -> None:
        """Write a batch in one transaction: each append whole or not at all, and none before the commit is durable."""

        def job(connection: Connection) -> list[list[Record] | Exception]:
            return [_attempt(connection, each) for each in batch]

        results: Sequence[list[Record] | Exception]
        try:
            results = await self._database.write(job)
        except LogUnavailable as error:
            results = [LogUnavailable(str(error)) for _ in batch]
        for each, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                each.refusal = result
            else:
                each.answer = result
        self._waiting = [each for each in self._waiting if not each.settled]

    async def read(self, stream: str, after_seq: int = 0) -> list[Record]:
        """Return the stream's records after `after_seq`, in order. Raises LogUnavailable."""
        later = select(*_RECORD).where(events_table.c.stream == stream, events_table.c.seq > after_seq)
        wanted = later.order_by(events_table.c.seq)
        return await self._database.read(
            lambda connection: [record_of(stored, hash) for stored, hash in connection.execute(wanted)]
        )

    async def head(self, stream: str) -> int:
        """Return the stream's last seq, 0 where there is none. Raises LogUnavailable."""
        wanted = select(heads_table.c.seq).where(heads_table.c.stream == stream)
        return await self._database.read(lambda connection: int(connection.scalar(wanted) or 0))

    async def streams(self, prefix: str) -> list[str]:
        """Return the names of the streams that start with `prefix`, sorted. Raises LogUnavailable."""
        begins = func.substr(heads_table.c.stream, 1, len(prefix)) == prefix  # LIKE would not mind the case
        wanted = select(heads_table.c.stream).where(begins)
        return await self._database.read(lambda connection: sorted(connection.scalars(wanted)))

    async def heads(self, prefix: str) -> dict[str, int]:
        """Return the last seq of every stream that starts with `prefix`, by name. Raises LogUnavailable."""
        begins = func.substr(heads_table.c.stream, 1, len(prefix)) == prefix
        wanted = select(heads_table.c.stream, heads_table.c.seq).where(begins).order_by(heads_table.c.stream)
        return await self._database.read(
            lambda connection: {stream: int(seq) for stream, seq in connection.execute(wanted)}
        )


def record_of(stored: bytes, hash: str) -> Record:
    """Return the record that the stored bytes hold: they are the record, the columns only an index."""
    entry: dict[str, Any] = audit.read(stored)
    at: datetime = audit.instant(entry["at"])
    return Record(entry["stream"], entry["seq"], entry["id"], entry["type"], at, entry["actor"], entry["body"], hash)


def _attempt(connection: Connection, wanted: _Append) -> list[Record] | Exception:
    """Return the records of one append, or why it is refused while the others of the batch go on."""
    try:
        with connection.begin_nested():
            return _append(connection, wanted)
    except (LogConflict, RowClash, TypeError, ValueError) as refusal:
        return refusal
    except exc.IntegrityError:
        return LogConflict(wanted.stream)  # another process was quicker
    except exc.DataError as error:
        return ValueError(type(error.orig).__name__)  # its text may quote what was to be stored


def _append(connection: Connection, wanted: _Append) -> list[Record]:
    stream = wanted.stream
    head = (
        connection.execute(select(heads_table.c.seq, heads_table.c.hash).where(heads_table.c.stream == stream))
    ).one_or_none()
    seq, last = (head.seq, head.hash) if head else (0, audit.GENESIS)
    held = _held(connection, stream, [event.id for event in wanted.events]) if seq else {}
    unique = {event.id: event for event in wanted.events}
    fresh = [event for event in unique.values() if event.id not in held]
    if unique and not fresh:
        return [held[event.id] for event in wanted.events]  # a replay: the first time has saved the rows too
    if seq not in {wanted.after_seq, wanted.after_seq + len(held)}:
        raise LogConflict(stream)
    entries = _sealed(stream, seq, last, fresh)
    if entries:
        _store(connection, entries, replaces=seq)
    save_rows(connection, wanted.rows)
    held |= {entry.id: record_of(entry.stored, entry.hash) for entry in entries}
    return [held[event.id] for event in wanted.events]


def _held(connection: Connection, stream: str, ids: Sequence[str]) -> dict[str, Record]:
    wanted = select(*_RECORD).where(events_table.c.stream == stream, events_table.c.id.in_(ids))
    records = [record_of(stored, hash) for stored, hash in connection.execute(wanted)]
    return {record.id: record for record in records}


def _sealed(stream: str, seq: int, last: str, events: Sequence[NewEvent]) -> list[audit.Entry]:
    entries: list[audit.Entry] = []
    for event in events:
        seq += 1
        entry = audit.seal(
            stream, seq, last, id=event.id, type=event.type, at=event.at, actor=event.actor, body=event.body
        )
        entries.append(entry)
        last = entry.hash
    return entries


def _store(connection: Connection, entries: Sequence[audit.Entry], *, replaces: int) -> None:
    """Store the entries and move the stream's head from seq `replaces`; raises LogConflict where it has moved."""
    last = entries[-1]
    head = {"seq": last.seq, "hash": last.hash, "checkpoint": 0}
    if replaces:
        moved = connection.execute(
            update(heads_table).where(heads_table.c.stream == last.stream, heads_table.c.seq == replaces).values(head)
        )
        if moved.rowcount != 1:
            raise LogConflict(last.stream)
    else:
        connection.execute(insert(heads_table).values(stream=last.stream, **head))
    connection.execute(
        insert(events_table),
        [
            {
                "stream": entry.stream,
                "seq": entry.seq,
                "id": entry.id,
                "type": entry.type,
                "at": entry.at,
                "actor": entry.actor,
                "stored": entry.stored,
                "hash": entry.hash,
            }
            for entry in entries
        ],
    )
