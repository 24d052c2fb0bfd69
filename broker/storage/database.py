"""The database: its connections, its settings, and what its errors mean to the rest of the broker.

Storage is written as plain functions over one SQLAlchemy connection, a transaction
each, that run in threads of the database's own: the event loop carries packets and must
not wait for a disk. Asynchronous drivers were measured first; they hand every statement
to a thread and back, which made an append three to five times as slow.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from broker.ports import LogUnavailable
from broker.storage.migrations import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_READERS = 4
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
            return url.set(drivername="sqlite")
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
    """One database. It has one writing thread; SQLite is in WAL mode and fsyncs every commit."""

    def __init__(self, url: str, *, busy_s: float = _BUSY_S) -> None:
        """Prepare the connections; none is opened before it is used.

        Args:
            url: `sqlite:///path` or `postgresql://user@host/name`.
            busy_s: How long to wait for a lock of another process.

        Raises:
            ValueError: The URL names no database of ours.
            OSError: The SQLite file can be neither opened nor made.
        """
        self._url = database_url(url)
        if self._url.get_backend_name() == "sqlite":
            _create_private(Path(str(self._url.database)))
            self._writer = _sqlite(self._url, busy_s, begin="BEGIN IMMEDIATE", connections=1)
            self._reader = _sqlite(self._url, busy_s, begin="BEGIN", connections=_READERS)
        else:
            self._writer = self._reader = _postgresql(self._url, busy_s)
        self._write_thread = ThreadPoolExecutor(1, "storage-write")
        self._read_threads = ThreadPoolExecutor(_READERS, "storage-read")

    async def migrate(self) -> None:
        """Bring the tables to what this version needs. Safe to run at every start, by several nodes."""
        await self.write(upgrade)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in a transaction; when this returns, what it wrote is durable.

        A caller that is cancelled meanwhile is so once the transaction has ended.

        Raises:
            LogUnavailable: The storage did not take it. Only where the connection to
                PostgreSQL broke during the commit itself may it have been written.
        """
        return await _finished(self._write_thread, lambda: _transaction(self._writer, job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in a transaction that sees one state of the database. Raises LogUnavailable."""
        return await _finished(self._read_threads, lambda: _transaction(self._reader, job))

    async def close(self) -> None:
        """End what runs, and close every connection."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        self._writer.dispose()
        self._reader.dispose()


def _transaction(engine: Engine, job: Callable[[Connection], T]) -> T:
    with unavailable(), engine.begin() as connection:
        return job(connection)


async def _finished(threads: ThreadPoolExecutor, job: Callable[[], T]) -> T:
    """Return what `job` returns; never leave while it runs, or a retry could meet its own first try."""
    running = asyncio.get_running_loop().run_in_executor(threads, job)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                continue
        running.exception()  # looked at, so that nobody reports it as forgotten
        raise


def _create_private(path: Path) -> None:
    """Create the file readable by us alone: it holds personal data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _sqlite(url: URL, busy_s: float, *, begin: str, connections: int) -> Engine:
    engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args={"timeout": busy_s})

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late, and DEFERRED
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # WAL with NORMAL may lose the last commits at a power cut
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL, busy_s: float) -> Engine:
    limits = f"-c statement_timeout={_STATEMENT_MS} -c lock_timeout={int(busy_s * 1000)} -c timezone=UTC"
    limits += " -c synchronous_commit=on"  # whatever the server's own default
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=_READERS + 1,
        max_overflow=0,
        connect_args={"connect_timeout": _CONNECT_S, "options": limits},
    )
