"""Renewals in the database: when each node last said, durably, that it still owns its calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from broker.storage.database import Database
from broker.storage.tables import renewals


class SqlRenewals:
    """`Renewals` on a `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(self, node: str, at: datetime) -> None:
        """Record that `node` lives; an earlier instant than the last changes nothing. Raises LogUnavailable."""
        new: Any = sqlite.insert(renewals) if self._database.is_sqlite else postgresql.insert(renewals)
        upsert = new.values(node=node, at=at).on_conflict_do_update(
            index_elements=["node"], set_={"at": new.excluded["at"]}, where=renewals.c.at < new.excluded["at"]
        )
        async with self._database.writing() as connection:
            await connection.execute(upsert)

    async def last(self, node: str) -> datetime | None:
        """Return the last renewal of `node`. Raises LogUnavailable."""
        async with self._database.reading() as connection:
            at: datetime | None = await connection.scalar(select(renewals.c.at).where(renewals.c.node == node))
            return at
