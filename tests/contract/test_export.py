"""An export proves itself: what was changed, left out or cut off is found before anything is counted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.config import load
from broker.domain.audit import CHECKPOINTS, Fault, Tampering, canonical
from broker.domain.records import Hall, Prisoner, Seat, Visit
from broker.office import open_office
from broker.ports import NewEvent
from broker.storage.checkpoints import Checkpoints
from broker.storage.database import Database
from broker.storage.export import ExportBroken, check_export, read_export
from broker.storage.keys import PublicKey
from tests.domain.stories import stream_of
from tests.domain.support import HOUR, NOON, PRISON, booked, live

pytestmark = pytest.mark.contract


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty folder to work in, at an hour after the call, without the machine's own settings."""
    for name in [name for name in os.environ if name.startswith("BROKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    with time_machine.travel(NOON + HOUR, tick=True):
        yield tmp_path


def run(*words: str, ends: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == ends, result.output
    return result


@pytest.fixture
def call() -> None:
    """A prison in whose record one call of 24 November 2026 stands, and a checkpoint that states it."""
    run("establishment", "add", PRISON, "HMP Harrowdene", "--open-estate")
    run("establishment", "add", "SKB", "HMP Stoke Barrow")
    scene = live()
    scene.wait(120)
    records = stream_of(scene, booked())

    async def put() -> None:
        config = load()
        async with open_office(config) as office:
            events = [NewEvent(f"e{rec.seq}", rec.type, rec.at, rec.actor, rec.body) for rec in records]
            rows = [
                Hall("HRD-A", PRISON, "Hall A"),
                Seat("HRD-A-1", PRISON, "HRD-A", 1),
                Prisoner("A1234BC", PRISON, "A", "B"),
                Visit("v1", PRISON, "social", "A1234BC", ("c1",), "HRD-A", "HRD-A-1", NOON, scene.call.ends_at, "B1"),
            ]
            await office.log.append("call:v1", 0, events, rows)
        database = Database(config.database_url)
        await Checkpoints.in_directory(database, config.data_dir).checkpoint(NOON)
        await database.close()

    asyncio.run(put())


DAY = ("--from", "2026-11-24", "--to", "2026-11-24", "--json")


def counted(*words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("audit", "figures", *DAY, *words).output)
    return found


def whole() -> Path:
    run("audit", "export", "record.jsonl")
    return Path("OFFICIAL-record.jsonl")


@pytest.mark.feature("F82")
def test_an_export_comes_to_the_same_figures_as_the_record(call):
    file = whole()
    live_record, exported = counted(), counted("--export", str(file), "--key", "data/audit.pub")
    now = live_record.pop("now"), exported.pop("now")

    assert live_record["total"]["calls"] == 1  # type: ignore[index]
    assert live_record == exported | {"total": live_record["total"], "cuts": live_record["cuts"]}
    assert all(now)
    # A call that runs counts up to now, and now is later in one of them: everything that is over is the same.
    same = ("calls", "completed", "monitored_pct", "breaches", "looks_due")
    assert [live_record["total"][name] for name in same] == [exported["total"][name] for name in same]  # type: ignore[index]


@pytest.mark.feature("F98")
def test_an_export_carries_its_marking_in_its_name_and_its_first_line_and_is_its_owners_alone(call):
    file = whole()

    assert json.loads(file.read_text().splitlines()[0])["marking"] == "OFFICIAL"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "there already" in run("audit", "export", "record.jsonl", ends=1).stderr


def test_an_export_of_one_establishment_holds_nothing_of_another(call):
    run("audit", "export", "skb.jsonl", "--establishment", "skb")
    run("audit", "export", "hrd.jsonl", "--establishment", "hrd")

    assert PRISON not in Path("OFFICIAL-skb.jsonl").read_text()
    assert "call:v1" in {records[0].stream for records in read_export(Path("OFFICIAL-hrd.jsonl"))}


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def rewritten(file: Path, values: list[dict[str, object]]) -> None:
    """Write the file anew with an end that fits, as whoever changes it could."""
    body = b"".join(canonical(value) + b"\n" for value in values[:-1])
    end = {"end": len(values) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    file.write_bytes(body + canonical(end) + b"\n")


def edited(values):
    entry = next(v for v in values if "call.started" in str(v.get("entry")))
    entry["entry"] = str(entry["entry"]).replace("12:00:00", "11:00:00")


def dropped(values):
    values.remove(next(v for v in values if "cover.changed" in str(v.get("entry"))))


def cut_off(values):
    last = [v for v in values if '"stream":"call:v1"' in str(v.get("entry"))][-1]
    values.remove(last)


def stream_gone(values):
    values[:] = [v for v in values if '"stream":"call:v1"' not in str(v.get("entry"))]


@pytest.mark.parametrize("change", [edited, dropped, cut_off, stream_gone])
def test_a_changed_export_is_refused_before_anything_is_computed(call, change):
    file = whole()
    values = lines(file)
    change(values)
    rewritten(file, values)

    with pytest.raises(ExportBroken):
        check_export(file, PublicKey.from_file(Path("data/audit.pub")))
    assert "call:v1" in run("audit", "figures", *DAY, "--export", str(file), ends=1).stderr


def test_a_torn_export_is_refused(call):
    file = whole()
    file.write_bytes(file.read_bytes()[:-100])

    assert "whole export" in run("audit", "figures", *DAY, "--export", str(file), ends=1).stderr


def test_checkpoints_of_another_key_are_refused(call):
    file = whole()
    with pytest.raises(ExportBroken):
        check_export(file, PublicKey(Ed25519PrivateKey.generate().public_key()))


def test_an_export_whose_checkpoints_were_taken_out_passes_for_no_signed_one(call):
    file = whole()
    rewritten(file, [value for value in lines(file) if "checkpoint" not in value])

    with pytest.raises(ExportBroken) as broken:
        check_export(file, PublicKey.from_file(Path("data/audit.pub")))
    assert broken.value.fault == Fault(CHECKPOINTS, 1, Tampering.CHECKPOINT_MISSING)
    refused = run("audit", "figures", *DAY, "--export", str(file), "--key", "data/audit.pub", ends=1)
    assert "no checkpoint" in refused.stderr


def test_an_export_of_one_establishment_is_checked_without_a_key(call):
    run("audit", "export", "hrd.jsonl", "--establishment", "hrd")

    assert counted("--export", "OFFICIAL-hrd.jsonl")["total"]["calls"] == 1  # type: ignore[index]


def test_an_export_of_another_database_knows_that_database_s_establishments(call, monkeypatch):
    url = load().database_url
    monkeypatch.setenv("BROKER_DATA_DIR", "elsewhere")
    run("audit", "export", "hrd.jsonl", "--establishment", "hrd", "--database", url)
    unknown = run("audit", "export", "x.jsonl", "--establishment", "xxx", "--database", url, ends=1)

    assert [place["code"] for place in lines(Path("OFFICIAL-hrd.jsonl"))[0]["places"]] == [PRISON]
    assert "establishment" in unknown.stderr
    assert not Path("elsewhere").exists()


def test_what_is_no_export_and_no_day_is_said_plainly(call):
    Path("x.jsonl").write_text("{}\n")

    assert "whole export" in run("audit", "figures", "--export", "x.jsonl", ends=1).stderr
    assert "2026-11-24" in run("audit", "figures", "--from", "soon", ends=1).stderr


@pytest.mark.feature("F98")
def test_the_table_and_the_csv_are_marked(call):
    shown = run("audit", "figures", "--from", "2026-11-24", "--to", "2026-11-24").output
    rows = run("audit", "figures", "--from", "2026-11-24", "--to", "2026-11-24", "--csv").output.splitlines()

    assert shown.startswith("OFFICIAL")
    assert rows[0] == "OFFICIAL"
    assert "total,,calls,1" in rows
    assert "estate,open,calls,1" in rows
