"""The office of one command: the database opened beside a broker that may be running on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from broker.clock import SystemClock
from broker.config import Config
from broker.engine.office import Office, furnish
from broker.engine.secrets import load_pepper
from broker.storage.database import Database
from broker.storage.directory import SqlDirectory
from broker.storage.eventlog import SqlEventLog

PEPPER_FILE = "pepper"


def pepper_of(config: Config) -> bytes:
    """Return the pepper that is set, or the one in the data directory. Raises OSError."""
    return config.pepper.encode() if config.pepper is not None else load_pepper(config.data_dir / PEPPER_FILE)


@asynccontextmanager
async def open_office(config: Config) -> AsyncIterator[Office]:
    """Open the database for one command, beside a broker that may be running on it.

    Raises:
        LogUnavailable, OSError, ValueError: The database or the data directory cannot be used.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(config.database_url)
    try:
        await database.migrate()
        yield furnish(
            SqlDirectory(database),
            SqlEventLog(database),
            SystemClock(),
            pepper=pepper_of(config),
            zone=ZoneInfo(config.zone),
        )
    finally:
        await database.close()
