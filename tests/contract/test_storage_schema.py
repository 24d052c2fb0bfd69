"""The tables as the migrations make them, and who may touch what."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, exc, text

from broker.ports import LogUnavailable
from broker.storage.database import Database, database_url
from broker.storage.eventlog import SqlEventLog
from broker.storage.tables import metadata
from tests.contract.storage_support import event

pytestmark = pytest.mark.contract


async def test_the_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    def difference(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.read(difference) == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    log = SqlEventLog(database)
    await log.append("call/1", 0, [event("a")])

    await database.migrate()

    assert await log.head("call/1") == 1


@pytest.mark.feature("F102")
@pytest.mark.parametrize("change", ["UPDATE events SET actor = 'S9'", "DELETE FROM events"])
async def test_an_event_cannot_be_changed_by_accident(database: Database, change: str) -> None:
    await SqlEventLog(database).append("call/1", 0, [event("a")])

    with pytest.raises((LogUnavailable, exc.IntegrityError), match="append-only"):
        await database.write(lambda connection: connection.execute(text(change)))

    [record] = await SqlEventLog(database).read("call/1")
    assert record.actor == "S1234"


def test_the_file_is_readable_by_us_alone(sqlite_template: Path, tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path}/data/new.db")

    assert (tmp_path / "data" / "new.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/broker"])
def test_a_database_that_cannot_hold_a_record_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        database_url(url)


async def test_what_is_logged_of_a_failure_quotes_no_personal_data(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text("SELECT nothing FROM prisoners WHERE last_name = :name"), {"name": "Brádaigh"})

    with pytest.raises(LogUnavailable) as refusal:
        await database.write(fail)

    assert "Brádaigh" not in str(refusal.value)
    assert "prisoners WHERE" not in str(refusal.value)


async def test_a_commit_on_sqlite_reaches_the_disk_before_it_is_acknowledged(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    settings = await database.write(
        lambda connection: [connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]
    )

    assert settings == ["wal", 2]  # 2: FULL
    await database.close()


async def test_a_commit_on_postgresql_reaches_the_disk_before_it_is_acknowledged(postgresql_url: str) -> None:
    database = Database(postgresql_url)

    assert await database.write(lambda connection: connection.scalar(text("SHOW synchronous_commit"))) == "on"
    await database.close()
