"""Renewals in the database: when each node last said, durably, that it still owns its calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from broker.storage.database import Database
from broker.storage.saving import upsert
from broker.storage.tables import renewals


class SqlRenewals:
    """`Renewals` on a `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(self, node: str, at: datetime) -> None:
        """Record that `node` lives; an earlier instant than the last changes nothing. Raises LogUnavailable."""

        def job(connection: Connection) -> None:
            last = connection.scalar(select(renewals.c.at).where(renewals.c.node == node))
            if last is None or last < at:
                upsert(connection, renewals, [{"node": node, "at": at}])

        await self._database.write(job)

    async def last(self, node: str) -> datetime | None:
        """Return the last renewal of `node`. Raises LogUnavailable."""
        wanted = select(renewals.c.at).where(renewals.c.node == node)
        return await self._database.read(lambda connection: connection.scalar(wanted))
