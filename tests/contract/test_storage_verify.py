"""The check of the record finds whatever was done to it, in any row and any column (I13, X42)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, create_engine, delete, insert, select, update

from broker.domain import audit
from broker.domain.audit import Tampering
from broker.ports import LogUnavailable
from broker.storage.anchors import AnchorDamaged, Anchors
from broker.storage.checkpoints import Checkpoints
from broker.storage.database import Database, database_url
from broker.storage.eventlog import SqlEventLog
from broker.storage.keys import AuditKey, PublicKey
from broker.storage.tables import checkpoints, events, heads
from broker.storage.verify import VerifyReport, verify_database
from tests.contract.storage_support import NOON, event

pytestmark = [pytest.mark.contract, pytest.mark.feature("F102")]

TABLES = (events, heads, checkpoints)


@dataclass
class Evidence:
    """A recorded afternoon, and an intruder who may do anything to the database."""

    url: str
    folder: Path
    kept: dict[Table, Sequence[dict[str, Any]]]

    def verify(self, *, anchors: bool = True) -> VerifyReport:
        public = PublicKey.from_file(self.folder / "audit.pub")
        return verify_database(self.url, public, self.folder / "anchors.jsonl" if anchors else None)

    def tamper(self, how: Callable[[Connection], object], *, anchors: bool = True) -> VerifyReport:
        """Do something to the database, check it, and put everything back."""
        engine = create_engine(database_url(self.url))
        with engine.begin() as connection:
            for statement in _no_triggers(connection.dialect.name):
                connection.exec_driver_sql(statement)
            how(connection)
        report = self.verify(anchors=anchors)
        with engine.begin() as connection:
            for statement in _no_triggers(connection.dialect.name):
                connection.exec_driver_sql(statement)
            for table, rows in self.kept.items():
                connection.execute(delete(table))
                connection.execute(insert(table), list(rows))
        engine.dispose()
        return report


def _no_triggers(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {t}_no_{c}" for t in ("events", "checkpoints") for c in ("update", "delete")]
    return ["SET LOCAL session_replication_role = replica"]


@pytest.fixture
async def evidence(database_url: str, tmp_path: Path) -> Evidence:
    database = Database(database_url)
    log, points = SqlEventLog(database), Checkpoints.in_directory(database, tmp_path)
    await log.append("call/1", 0, [event("a"), event("b")])
    await log.append("call/2", 0, [event("p")])
    await points.checkpoint(NOON)
    await log.append("call/1", 2, [event("c"), event("d")])
    await points.checkpoint(NOON + timedelta(seconds=60))
    await log.append("call/2", 1, [event("late")])  # no checkpoint covers this one yet

    def all_rows(connection: Connection) -> dict[Table, Sequence[dict[str, Any]]]:
        return {table: [dict(row._mapping) for row in connection.execute(select(table))] for table in TABLES}

    kept = await database.read(all_rows)
    await database.close()
    return Evidence(database_url, tmp_path, kept)


def another(value: Any) -> Any:
    """Return a value of the same type that is not this one."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, int):
        return value + 100
    return "x" + value[1:] if value[0] != "x" else "y" + value[1:]


def where(table: Table, row: dict[str, Any]) -> Any:
    conditions = [table.c[column.name] == row[column.name] for column in table.primary_key]
    return conditions[0] if len(conditions) == 1 else conditions[0] & conditions[1]


def test_a_record_left_alone_is_whole(evidence: Evidence) -> None:
    report = evidence.verify()

    assert report.ok
    assert VerifyReport(None, records=6, streams=2, checkpoints=2, anchors=2, uncovered=1) == report
    assert evidence.verify(anchors=False).ok


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_edit_of_any_column_of_any_row_is_found(evidence: Evidence, table: Table) -> None:
    missed = []
    for row in evidence.kept[table]:
        for name, value in row.items():
            change = update(table).where(where(table, row)).values({name: another(value)})
            if evidence.tamper(lambda connection, change=change: connection.execute(change)).ok:  # type: ignore[misc]
                missed.append((row, name))

    assert missed == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_deletion_of_any_row_is_found(evidence: Evidence, table: Table) -> None:
    missed = []
    for row in evidence.kept[table]:
        change = delete(table).where(where(table, row))
        if evidence.tamper(lambda connection, change=change: connection.execute(change)).ok:  # type: ignore[misc]
            missed.append(row)

    assert missed == []


def test_a_swap_of_any_two_rows_is_found(evidence: Evidence) -> None:
    rows = evidence.kept[events]
    missed = []
    for one in rows:
        for two in rows:
            if one["hash"] < two["hash"]:
                report = evidence.tamper(lambda connection, one=one, two=two: _swap(connection, one, two))  # type: ignore[misc]
                missed += [] if not report.ok else [(one, two)]

    assert missed == []


def _swap(connection: Connection, one: dict[str, Any], two: dict[str, Any]) -> None:
    connection.execute(delete(events).where(where(events, one)))
    connection.execute(delete(events).where(where(events, two)))
    place = ("stream", "seq")
    for row, to in ((one, two), (two, one)):
        connection.execute(insert(events).values({**row, **{name: to[name] for name in place}}))


def test_an_event_slipped_in_is_found(evidence: Evidence) -> None:
    def slip_in(connection: Connection) -> None:
        move = update(events).where(events.c.stream == "call/1", events.c.seq > 2)
        connection.execute(move.values(seq=events.c.seq + 100))
        connection.execute(move.values(seq=events.c.seq - 99))
        last = evidence.kept[events][1]["hash"]
        forged = audit.seal("call/1", 3, last, id="f", type="call.resumed", at=NOON, actor="S9", body={})
        connection.execute(insert(events).values(_columns(forged)))

    report = evidence.tamper(slip_in)

    assert report.fault is not None
    assert (report.fault.stream, report.fault.seq) == ("call/1", 4)


def _columns(entry: audit.Entry) -> dict[str, Any]:
    return {column.name: getattr(entry, column.name) for column in events.columns}


def test_a_stream_rewritten_from_its_first_event_with_good_hashes_is_found(evidence: Evidence) -> None:
    def rewrite(connection: Connection) -> None:
        last = audit.GENESIS
        for row in [row for row in evidence.kept[events] if row["stream"] == "call/1"]:
            forged = audit.seal(
                "call/1", row["seq"], last, id=row["id"], type=row["type"], at=NOON, actor="S9", body={"reason": "none"}
            )
            connection.execute(update(events).where(where(events, row)).values(_columns(forged)))
            last = forged.hash
        connection.execute(update(heads).where(heads.c.stream == "call/1").values(hash=last))

    report = evidence.tamper(rewrite)

    assert report.fault == audit.Fault("call/1", 2, Tampering.REWRITTEN)


def test_a_stream_cut_short_with_its_head_is_found(evidence: Evidence) -> None:
    def cut(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.stream == "call/1", events.c.seq > 2))
        last = evidence.kept[events][1]["hash"]
        connection.execute(update(heads).where(heads.c.stream == "call/1").values(seq=2, hash=last, checkpoint=1))

    report = evidence.tamper(cut)

    assert report.fault == audit.Fault("call/1", 3, Tampering.TRUNCATED)


def test_a_stream_removed_with_its_head_is_found(evidence: Evidence) -> None:
    def remove(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.stream == "call/1"))
        connection.execute(delete(heads).where(heads.c.stream == "call/1"))

    report = evidence.tamper(remove)

    assert report.fault == audit.Fault("call/1", 1, Tampering.REMOVED)


def test_a_record_emptied_whole_is_found_by_its_anchors(evidence: Evidence) -> None:
    def empty(connection: Connection) -> None:
        for table in TABLES:
            connection.execute(delete(table))

    report = evidence.tamper(empty)

    assert report.fault == audit.Fault(audit.CHECKPOINTS, 1, Tampering.CHECKPOINT_MISSING)


def test_the_last_minute_cut_off_with_its_checkpoint_is_found_by_its_anchor(evidence: Evidence) -> None:
    def cut(connection: Connection) -> None:
        connection.execute(delete(checkpoints).where(checkpoints.c.number == 2))
        connection.execute(delete(events).where(events.c.stream == "call/1", events.c.seq > 2))
        last = evidence.kept[events][1]["hash"]
        connection.execute(update(heads).where(heads.c.stream == "call/1").values(seq=2, hash=last, checkpoint=1))

    report = evidence.tamper(cut)

    assert report.fault == audit.Fault(audit.CHECKPOINTS, 2, Tampering.CHECKPOINT_MISSING)


def history_of_nothing(connection: Connection, key: AuditKey) -> None:
    """Replace every checkpoint by an empty one, well chained and signed with `key`, as if nothing had happened yet."""
    last = audit.GENESIS
    for number in (1, 2):
        stored = audit.checkpoint_bytes(number, NOON, last, [])
        last = audit.chain(last, stored)
        forged = {"stored": stored, "hash": last, "signature": key.sign(stored)}
        connection.execute(update(checkpoints).where(checkpoints.c.number == number).values(forged))
    connection.execute(update(heads).values(checkpoint=0))


def test_checkpoints_signed_by_another_are_found_even_without_anchors(evidence: Evidence, tmp_path: Path) -> None:
    stranger = AuditKey.in_directory(tmp_path / "stranger")

    report = evidence.tamper(lambda connection: history_of_nothing(connection, stranger), anchors=False)

    assert report.fault == audit.Fault(audit.CHECKPOINTS, 1, Tampering.CHECKPOINT_BROKEN)


def test_checkpoints_signed_anew_with_a_stolen_key_are_found_by_their_anchors(evidence: Evidence) -> None:
    stolen = AuditKey.in_directory(evidence.folder)

    report = evidence.tamper(lambda connection: history_of_nothing(connection, stolen))

    assert report.fault == audit.Fault(audit.CHECKPOINTS, 1, Tampering.CHECKPOINT_BROKEN)


def _edit(line: str) -> str:
    value = json.loads(line)
    value["stored"] = value["stored"].replace("call/1", "call/3")
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [_edit(lines[0]), lines[1]], 1),
        (lambda lines: [lines[0], _edit(lines[1])], 2),
        (lambda lines: lines[::-1], 1),
        (lambda lines: [lines[0], "", lines[1]], 2),
        (lambda lines: [lines[0], "[]", lines[1]], 2),
        (lambda lines: [lines[0], lines[1].replace('"number":2', '"number":3')], 2),
        (lambda lines: [lines[0], lines[0]], 2),
    ],
)
def test_an_anchor_file_that_was_touched_is_found(
    evidence: Evidence, change: Callable[[list[str]], list[str]], seq: int
) -> None:
    path = evidence.folder / "anchors.jsonl"
    path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))

    assert evidence.verify().fault == audit.Fault(audit.CHECKPOINTS, seq, Tampering.ANCHOR_BROKEN)


def test_an_anchor_file_that_is_gone_is_found(evidence: Evidence) -> None:
    (evidence.folder / "anchors.jsonl").unlink()

    assert evidence.verify().fault == audit.Fault(audit.CHECKPOINTS, 1, Tampering.ANCHORS_MISSING)


def test_a_line_torn_by_a_crash_is_no_tampering(evidence: Evidence) -> None:
    path = evidence.folder / "anchors.jsonl"
    path.write_bytes(path.read_bytes()[:-20])

    report = evidence.verify()

    assert (report.ok, report.anchors) == (True, 1)


async def test_what_the_anchor_file_missed_is_added_by_the_next_checkpoint(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)
    anchors = Anchors(tmp_path / "anchors.jsonl")
    points = Checkpoints(database, AuditKey.in_directory(tmp_path), anchors)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(anchors, "add", full)
        with pytest.raises(LogUnavailable):
            await points.checkpoint(NOON)
    await points.checkpoint(NOON)
    await database.close()

    report = verify_database(database_url, PublicKey.from_file(tmp_path / "audit.pub"), tmp_path / "anchors.jsonl")
    assert (report.fault, report.checkpoints, report.anchors) == (None, 2, 2)


def test_anchors_go_on_after_a_torn_line_and_refuse_a_damaged_one(evidence: Evidence) -> None:
    path = evidence.folder / "anchors.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])

    assert Anchors(path).last == 2
    assert path.read_bytes() == whole

    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(AnchorDamaged):
        Anchors(path)


def test_a_database_that_is_not_there_is_not_made_by_looking_for_it(evidence: Evidence, tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable):
        verify_database(f"sqlite:///{tmp_path}/none.db", PublicKey.from_file(tmp_path / "audit.pub"))

    assert not (tmp_path / "none.db").exists()


def test_the_private_key_is_readable_by_us_alone(tmp_path: Path) -> None:
    AuditKey.in_directory(tmp_path)

    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(ValueError):
        AuditKey.in_directory(tmp_path)
