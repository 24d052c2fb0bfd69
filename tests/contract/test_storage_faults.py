"""Full, locked, gone: the log says so, writes nothing, acknowledges nothing, and comes back (X12, X13)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text

from broker.domain.records import Establishment, Prisoner
from broker.ports import EventLog, LogUnavailable, Record
from broker.storage.database import Database
from broker.storage.directory import SqlDirectory
from broker.storage.eventlog import SqlEventLog
from broker.storage.renewals import SqlRenewals
from tests.contract.storage_support import NOON, PostgreSQL, event, running_server, scope, server_programs

pytestmark = pytest.mark.contract

BIG = "x" * 20_000


@pytest.fixture
async def impatient(database_url: str) -> AsyncIterator[Database]:
    """A database that does not wait for the locks of others."""
    database = Database(database_url, busy_s=0.01)
    yield database
    await database.close()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the tables as another process would in the midst of its own transaction."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()
    else:
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE events, heads, prisoners, renewals IN EXCLUSIVE MODE")
            yield


async def limit_pages(database: Database, pages: int | None = None) -> None:
    """Let the file have so many pages and no more; None: what it has now."""

    def limit(connection: Connection) -> None:
        now = connection.scalar(text("PRAGMA page_count"))
        connection.exec_driver_sql(f"PRAGMA max_page_count={now if pages is None else pages}")

    await database.write(limit)


async def fill(log: EventLog) -> list[Record]:
    """Append until the log takes no more, and return what it acknowledged."""
    taken: list[Record] = []
    try:
        while len(taken) < 1_000:
            taken += await log.append("call/1", len(taken), [event(f"e{len(taken)}", note=BIG)])
    except LogUnavailable:
        return taken
    raise AssertionError("the log never filled")


async def test_a_full_disk_takes_nothing_and_loses_nothing(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    log = SqlEventLog(database)
    await limit_pages(database, 100)

    taken = await fill(log)

    assert len(taken) > 1
    assert await log.read("call/1") == taken
    await limit_pages(database, 10_000)
    [record] = await log.append("call/1", len(taken), [event("after")])
    assert record.seq == len(taken) + 1
    await database.close()


async def test_a_full_disk_refuses_rows_and_their_event_together(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    log = SqlEventLog(database)
    await limit_pages(database)
    people = [Prisoner(f"A{number}AA", "EXA", BIG, "Example") for number in range(50)]

    with pytest.raises(LogUnavailable):
        await log.append("establishment/EXA", 0, [event("a")], rows=[Establishment("EXA", "HMP Example"), *people])

    assert await log.head("establishment/EXA") == 0
    assert await SqlDirectory(database).establishments(scope("EXA")) == []
    await database.close()


async def test_a_locked_log_is_unavailable_and_comes_back(impatient: Database, database_url: str) -> None:
    log = SqlEventLog(impatient)
    await log.append("call/1", 0, [event("a")])

    with locked(database_url):
        with pytest.raises(LogUnavailable):
            await log.append("call/1", 1, [event("b")])
        with pytest.raises(LogUnavailable):
            await SqlRenewals(impatient).renew("node-1", NOON)
        with pytest.raises(LogUnavailable):
            await SqlDirectory(impatient).save(scope("EXA"), [Prisoner("A1234AA", "EXA", "Pat", "Example")])
        assert [record.id for record in await log.read("call/1")] == ["a"]

    await log.append("call/1", 1, [event("b")])
    assert await log.head("call/1") == 2


async def test_everyone_who_waits_is_told_that_the_log_is_unavailable(impatient: Database, database_url: str) -> None:
    log = SqlEventLog(impatient)

    with locked(database_url):
        outcomes = await asyncio.gather(
            *(log.append(f"call/{number}", 0, [event("a")]) for number in range(5)), return_exceptions=True
        )

    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}
    assert await log.streams("") == []


async def test_broken_connections_are_made_anew(postgresql_url: str, postgresql: PostgreSQL) -> None:
    database = Database(postgresql_url)
    log = SqlEventLog(database)
    await log.append("call/1", 0, [event("a")])

    postgresql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'broker'")

    await log.append("call/1", 1, [event("b")])
    assert await log.head("call/1") == 2
    await database.close()


async def test_a_server_that_is_gone_is_unavailable() -> None:
    with running_server(server_programs()) as server:
        database = Database(server.url("postgres"))
        await database.migrate()
        log = SqlEventLog(database)
        await log.append("call/1", 0, [event("a")])

    with pytest.raises(LogUnavailable):
        await log.append("call/1", 1, [event("b")])
    with pytest.raises(LogUnavailable):
        await log.read("call/1")
    await database.close()


async def test_a_caller_who_goes_away_takes_nobody_else_s_event_along(database: Database) -> None:
    log = SqlEventLog(database)
    first = asyncio.create_task(log.append("call/1", 0, [event("a")]))
    others = [asyncio.create_task(log.append(f"call/{number}", 0, [event("a")])) for number in (2, 3)]
    await asyncio.sleep(0)  # all three have begun: the first writes, the others wait

    first.cancel()
    others[0].cancel()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, asyncio.CancelledError, list]
    assert await log.streams("") == ["call/1", "call/3"]  # a write that had begun was not left half done
    assert [record.seq for record in await log.append("call/1", 0, [event("a")])] == [1]


async def test_a_cancelled_caller_waits_for_the_end_of_what_it_began(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    begun, go_on = threading.Event(), threading.Event()

    def job(_: Connection) -> None:
        begun.set()
        assert go_on.wait(30)

    caller = asyncio.create_task(database.write(job))
    assert await asyncio.to_thread(begun.wait, 30)
    for _ in range(2):
        caller.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not caller.done()

    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await database.close()


async def test_many_waiting_appends_share_their_commits(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(sqlite_url)
    log = SqlEventLog(database)
    commits = []
    write = database.write

    async def counted(job: object) -> object:
        commits.append(job)
        return await write(job)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "write", counted)
    await asyncio.gather(*(log.append(f"call/{number}", 0, [event("a")]) for number in range(100)))

    assert len(await log.streams("")) == 100
    assert len(commits) <= 3
    await database.close()
