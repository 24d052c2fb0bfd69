"""Checkpoints: every minute a signed statement of where each stream stands (design README 6)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, exc, insert, select, update

from broker.domain import audit
from broker.domain.audit import Checkpoint, Head
from broker.ports import LogConflict, LogUnavailable
from broker.storage.anchors import ANCHOR_FILE, Anchors
from broker.storage.database import Database
from broker.storage.keys import AuditKey
from broker.storage.tables import checkpoints as table
from broker.storage.tables import heads

INTERVAL_S = 60.0
"""How often the owner of the log calls `checkpoint`: what is cut off within it cannot be proven."""


class Checkpoints:
    """Makes checkpoints in the database, and anchors each in a file outside of it."""

    def __init__(self, database: Database, key: AuditKey, anchors: Anchors) -> None:
        self._database = database
        self._key = key
        self._anchors = anchors
        self._turn = asyncio.Lock()

    @classmethod
    def in_directory(cls, database: Database, directory: Path) -> Checkpoints:
        """Return checkpoints with the key and the anchor file of a data directory. Raises OSError, ValueError."""
        return cls(database, AuditKey.in_directory(directory), Anchors(directory / ANCHOR_FILE))

    async def checkpoint(self, at: datetime) -> Checkpoint:
        """Sign where every stream stands, and anchor it. Call it every `INTERVAL_S`, and once when closing.

        Raises:
            LogConflict: Another node has just made one; nothing is lost.
            LogUnavailable: The database or the anchor file did not take it; the next call catches up.
        """
        async with self._turn:
            try:
                made = await self._database.write(lambda connection: self._make(connection, at))
            except exc.IntegrityError as error:
                raise LogConflict(audit.CHECKPOINTS) from error
            await self._catch_up()
            return made

    def _make(self, connection: Connection, at: datetime) -> Checkpoint:
        last = connection.execute(
            select(table.c.number, table.c.hash).order_by(table.c.number.desc()).limit(1)
        ).one_or_none()
        number, previous = (last.number + 1, last.hash) if last else (1, audit.GENESIS)
        moved = connection.execute(
            update(heads)
            .where(heads.c.checkpoint == 0)
            .values(checkpoint=number)
            .returning(heads.c.stream, heads.c.seq, heads.c.hash)
        )
        stored = audit.checkpoint_bytes(number, at, previous, [Head(*head) for head in moved])
        made = Checkpoint(number, stored, audit.chain(previous, stored), self._key.sign(stored))
        connection.execute(insert(table).values(number=number, stored=stored, hash=made.hash, signature=made.signature))
        return made

    async def _catch_up(self) -> None:
        """Anchor what the file lacks: the last checkpoint, and any before it that a crash or a full disk kept out."""
        lacking = select(table).where(table.c.number > self._anchors.last).order_by(table.c.number)
        rows = await self._database.read(
            lambda connection: [Checkpoint(**row._mapping) for row in connection.execute(lacking)]
        )
        try:
            await asyncio.to_thread(self._anchors.add, rows)
        except OSError as error:
            raise LogUnavailable(f"the anchor file: {error.strerror}") from error
