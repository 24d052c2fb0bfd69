"""Fixtures of the storage contract: each kind of storage in turn, and the databases under them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.ports import Directory, EventLog, Renewals
from broker.storage.database import Database
from broker.storage.directory import SqlDirectory
from broker.storage.eventlog import SqlEventLog
from broker.storage.renewals import SqlRenewals
from broker.storage.tables import metadata
from tests.contract.storage_support import PostgreSQL, running_server, server_programs
from tests.fakes_storage import FakeDirectory, FakeEventLog, FakeRenewals


@dataclass(frozen=True)
class Storage:
    """One kind of storage, empty. `url` is None for the fakes."""

    log: EventLog
    directory: Directory
    renewals: Renewals
    url: str | None = None


def make_tables(url: str) -> None:
    """Migrate the database at `url`, from within a running loop or without one."""

    async def migrate() -> None:
        database = Database(url)
        await database.migrate()
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate()).result()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running_server(server_programs()) as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "broker.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database with every table, and nothing in them."""
    shutil.copy(sqlite_template, tmp_path / "broker.db")
    return f"sqlite:///{tmp_path}/broker.db"


@pytest.fixture(scope="session")
def postgresql_tables(postgresql: PostgreSQL) -> PostgreSQL:
    postgresql.run("CREATE DATABASE broker")
    make_tables(postgresql.url("broker"))
    return postgresql


@pytest.fixture
def postgresql_url(postgresql_tables: PostgreSQL) -> Iterator[str]:
    """The same on PostgreSQL: one database, emptied after each test, its triggers asleep meanwhile."""
    yield postgresql_tables.url("broker")
    names = ", ".join(table.name for table in metadata.sorted_tables)
    postgresql_tables.run(f"SET session_replication_role = replica; TRUNCATE {names}", "broker")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Each kind of storage in turn: what holds for one holds for all."""
    if request.param == "fake":
        directory = FakeDirectory()
        yield Storage(FakeEventLog(directory), directory, FakeRenewals())
        return
    url: str = request.getfixturevalue(f"{request.param}_url")
    database = Database(url)
    yield Storage(SqlEventLog(database), SqlDirectory(database), SqlRenewals(database), url)
    await database.close()
