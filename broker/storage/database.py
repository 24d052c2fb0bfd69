"""The database: its connections, its settings, and what its errors mean to the rest of the broker."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, event, exc, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from broker.ports import LogUnavailable
from broker.storage.migrations import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY_S = 2.0  # how long another process may hold the file before we call the log unavailable
_CONNECT_S = 2
_STATEMENT_MS = 5_000


def database_url(text: str) -> URL:
    """Return `text` as a URL with our drivers: `sqlite:///path` or `postgresql://…`.

    Raises:
        ValueError: Another kind of database, or SQLite without a file.
    """
    url = make_url(text)
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise ValueError("SQLite needs a file: a record in memory would be none")
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"no support for the database {other}")


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what the storage says when it cannot (full, locked, gone, too slow) into LogUnavailable.

    Integrity and data errors pass: those are about what was asked, not about the storage.
    """
    try:
        yield
    except (exc.IntegrityError, exc.DataError):
        raise
    except (exc.DBAPIError, exc.TimeoutError, OSError) as error:
        raise LogUnavailable(_first_line(error)) from error


def _first_line(error: BaseException) -> str:
    """Return what the driver said, without the statement and its parameters: those may hold personal data."""
    origin = getattr(error, "orig", None) or error
    return f"{type(origin).__name__}: {str(origin).splitlines()[0] if str(origin) else ''}"


class Database:
    """One database. SQLite has one writing connection, in WAL mode, and fsyncs every commit."""

    def __init__(self, url: str, *, busy_s: float = _BUSY_S) -> None:
        """Prepare the connections; none is opened before it is used.

        Args:
            url: `sqlite:///path` or `postgresql://user@host/name`.
            busy_s: How long to wait for a lock of another process.
        """
        self._url = database_url(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._create_private(Path(str(self._url.database)))
            self._writer = _sqlite(self._url, busy_s, begin="BEGIN IMMEDIATE", connections=1)
            self._reader = _sqlite(self._url, busy_s, begin="BEGIN", connections=4)
        else:
            self._writer = self._reader = _postgresql(self._url, busy_s)

    @staticmethod
    def _create_private(path: Path) -> None:
        """Create the file readable by us alone: it holds personal data."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    async def migrate(self) -> None:
        """Bring the tables to what this version needs. Safe to run at every start, by several nodes."""
        async with self.writing() as connection:
            await connection.run_sync(upgrade)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes; when it ends without an error, it is durable."""
        with unavailable():
            async with self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that reads one state of the database."""
        with unavailable():
            async with self._reader.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def _sqlite(url: URL, busy_s: float, *, begin: str, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=max(busy_s * 2, 1.0),
        connect_args={"timeout": busy_s},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late, and DEFERRED
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # WAL with NORMAL may lose the last commits at a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL, busy_s: float) -> AsyncEngine:
    limits = f"-c statement_timeout={_STATEMENT_MS} -c lock_timeout={int(busy_s * 1000)} -c timezone=UTC"
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=max(busy_s * 2, 1.0),
        connect_args={"connect_timeout": _CONNECT_S, "options": limits},
    )
