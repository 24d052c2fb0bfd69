"""The command line on a real database: what an operator types, what is said, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.config import load
from broker.engine.importer import PEOPLE_COLUMNS, VISIT_COLUMNS
from broker.office import open_office

pytestmark = pytest.mark.contract

PASSWORD = "correct horse battery\n"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to work in, without the machine's own settings."""
    for name in [name for name in os.environ if name.startswith("BROKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, typed: str = "", ends: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words), input=typed)
    assert result.exit_code == ends, result.output
    return result


TURN_SECRET = "kJ8w2Qz7vN4xT1bY6mR3cL9dF5gH0sPa"


def test_coturns_configuration_opens_the_relay_alone(monkeypatch):
    monkeypatch.setenv("BROKER_BASE_URL", "https://visits.example.org")
    monkeypatch.setenv("BROKER_MEDIA_HOST", "0.0.0.0")
    monkeypatch.setenv("BROKER_MEDIA_ADVERTISE", "203.0.113.7")
    monkeypatch.setenv("BROKER_TURN_URLS", "turn:turn.example.org:3479")
    monkeypatch.setenv("BROKER_TURN_SECRET", TURN_SECRET)
    lines = run("turn-config").output.splitlines()

    assert [line for line in lines if "peer" in line and not line.startswith("#")] == [
        "allowed-peer-ip=203.0.113.7",
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "no-multicast-peers",
    ]
    assert {"listening-port=3479", "realm=visits.example.org", f"static-auth-secret={TURN_SECRET}"} < set(lines)
    assert {"use-auth-secret", "no-tcp", "no-tls", "no-dtls", "no-tcp-relay", "no-cli"} < set(lines)


def test_a_relay_on_loopback_says_so_in_coturns_configuration(monkeypatch):
    monkeypatch.setenv("BROKER_TURN_URLS", "turn:127.0.0.1")
    monkeypatch.setenv("BROKER_TURN_SECRET", TURN_SECRET)

    assert "allow-loopback-peers" in run("turn-config").output.splitlines()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "turn_urls"),
        ({"TURN_URLS": "turn:a.example", "TURN_SECRET": "secret"}, "turn_secret"),
        (
            {"TURN_URLS": "turn:a.example", "TURN_SECRET": TURN_SECRET, "MEDIA_ADVERTISE": "a.example"},
            "media_advertise",
        ),
    ],
)
def test_coturn_is_not_set_up_from_half_a_configuration(monkeypatch, settings, said):
    for name, value in settings.items():
        monkeypatch.setenv(f"BROKER_{name}", value)

    assert said in run("turn-config", ends=1).output


@pytest.fixture
def prison() -> None:
    """An establishment with a hall of two seats."""
    run("establishment", "add", "HRD", "HMP Harrowdene")
    run("hall", "add", "HRD", "Main hall")
    run("seat", "add", "HRD", "Main hall", "1-2")


ANN = ("staff", "add", "ann.oak", "--number", "1001", "--name", "Ann Oak", "--grade", "osg", "--grant", "hrd:monitor")


def test_a_hall_is_set_up_from_nothing(prison):
    listed = run("establishment", "list").output

    assert "HMP Harrowdene" in listed
    assert "Main hall" in listed


def test_an_account_is_made_from_a_password_that_is_never_an_argument(prison):
    run(*ANN, typed=PASSWORD)
    listed = run("staff", "list").output

    assert all(word in listed for word in ("ann.oak", "1001", "HRD:monitor", "in use"))


def test_a_generated_password_is_shown_once(prison):
    made = run(*ANN, "--generate-password").output
    password = made.strip().splitlines()[-1]

    assert len(password) == 43
    assert password not in run("staff", "list").output
    assert password.encode() not in Path("data/broker.db").read_bytes()


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (ANN, "short\n", "12 characters"),
        ((*ANN[:-1], "hrd:king"), PASSWORD, "no role"),
        ((*ANN[:-1], "xxx:monitor"), PASSWORD, "no establishment"),
        (("staff", "disable", "nobody"), "", "no account"),
        (("laptop", "enrol", "HRD", "Main hall", "9", "LT-1"), "", "no seat"),
        (("console", "enrol", "XXX", "WS-1"), "", "no establishment"),
        (("console", "enrol", "HRD", "a tag"), "", "asset tag"),
        (("console", "enrol", "HRD", "WS-1", "--assured-until", "soon"), "", "YYYY-MM-DD"),
        (("console", "enrol", "HRD", "WS-1", "--assured-until", "2020-01-01"), "", "in the future"),
        (("console", "revoke", "HRD", "WS-1"), "", "no console"),
        (("hall", "add", "HRD", "Main hall"), "", "hall of that name already"),
        (("establishment", "add", "HRD", "Again"), "", "code already"),
        (("seat", "add", "HRD", "Main hall", "none"), "", "numbered"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_sentence(prison, words, typed, said):
    result = run(*words, typed=typed, ends=1)

    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_shut_account_is_listed_as_shut(prison):
    run(*ANN, typed=PASSWORD)
    run("staff", "disable", "ann.oak")

    assert "shut" in run("staff", "list").output
    run("staff", "enable", "ann.oak")
    assert "in use" in run("staff", "list").output


def test_a_forgotten_password_is_replaced(prison):
    run(*ANN, typed=PASSWORD)

    assert "another password" in run("staff", "password", "ann.oak", typed=PASSWORD).output
    assert "12 characters" in run("staff", "password", "ann.oak", typed="short\n", ends=1).stderr


def test_a_console_s_link_is_printed_once_and_its_state_is_listed(prison):
    said = run("console", "enrol", "hrd", "WS-1", "--assured-until", "2031-03-31").output
    link = said.strip().splitlines()[-1]
    code = link.partition("#")[2]
    assert link.startswith("http://monitor.localhost:8080/enrol#")
    assert "2031-03-31" in said
    assert code.encode() not in Path("data/broker.db").read_bytes()
    run("console", "enrol", "NATIONAL", "WS-2")
    run("console", "revoke", "NATIONAL", "WS-2")

    listed = run("console", "list").output
    assert re.search(r"HRD.*WS-1.*waits.*2031-03-31", listed)
    assert re.search(r"NATIONAL.*WS-2.*shut out", listed)


def test_a_laptop_s_link_is_printed_once_and_kept_nowhere(prison):
    link = run("laptop", "enrol", "HRD", "Main hall", "1", "LT-1").output.strip().splitlines()[-1]
    code = link.partition("#")[2]

    assert link.startswith("http://laptop.localhost:8080/laptop#")
    assert code.encode() not in Path("data/broker.db").read_bytes()


def write_files(folder: Path, visits: str) -> None:
    people = "prisoner,HRD,A2222BB,,Sam,Oak,,,,,,\ncontact,HRD,A2222BB,K1,Ann,Oak,1970-01-31,mother,,,,\n"
    (folder / "people.csv").write_text(f"{','.join(PEOPLE_COLUMNS)}\n{people}")
    (folder / "visits.csv").write_text(f"{','.join(VISIT_COLUMNS)}\n{visits}")


def test_an_import_is_taken_once_and_changes_nothing_the_second_time(prison, folder):
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    write_files(folder, f"R1,HRD,social,A2222BB,K1,Main hall,1,{day},10:00,10:30\n")

    first = run("import", "people.csv", "visits.csv").output
    second = run("import", "people.csv", "visits.csv").output

    assert "2 people" in first
    assert "1 visits" in first
    assert "0 people" in second
    assert "3 rows as they were" in second


def test_an_import_with_faults_names_every_line_and_takes_nothing(prison, folder):
    write_files(folder, "R1,HRD,social,A2222BB,K1,Main hall,9,2026-13-01,10:00,10:30\nR2,HRD,,,,,,,,\n")

    said = run("import", "people.csv", "visits.csv", ends=1).stderr

    assert "visits.csv, line 2:" in said
    assert "visits.csv, line 3:" in said
    assert "Nothing was taken: 2 faults." in said


def test_a_file_that_is_not_there_is_named(prison):
    assert "people.csv cannot be read" in run("import", "people.csv", "visits.csv", ends=1).stderr


def test_an_untouched_record_is_whole(prison):
    assert "The record is whole" in run("audit", "verify").output


def test_an_edited_record_is_found_and_named(prison):
    with sqlite3.connect("data/broker.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE events SET actor = 'somebody' WHERE stream = 'establishment:HRD' AND seq = 2")

    result = run("audit", "verify", "--database", "sqlite:///data/broker.db", ends=1)

    assert "establishment:HRD, number 2" in result.stderr


def test_a_database_that_is_not_there_is_no_whole_record():
    run("audit", "verify", "--database", "sqlite:///nowhere.db", ends=1)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BROKER_DEBUG": "true"}, "debug"),
        ({"BROKER_PEPPER": "changeme"}, "pepper"),
        ({"BROKER_HOST": "0.0.0.0"}, "plain http"),
        ({"BROKER_PORT": "many"}, "configuration"),
    ],
)
def test_serve_refuses_and_names_the_reason(monkeypatch, variables, said):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert said in run("serve", ends=1).stderr


@pytest.mark.parametrize(("maker", "said"), [("demo", "made by the demo"), ("training", "made by an exercise")])
def test_serve_refuses_a_database_that_is_made_up(maker, said):
    async def mark() -> None:
        async with open_office(load()) as office:
            await office.directory.set_fact("made_by", maker)

    asyncio.run(mark())

    assert said in run("serve", ends=1).stderr


def test_an_exercise_that_is_not_there_is_named_with_those_that_are(folder):
    assert "first-shift" in run("training", "--exercise", "nothing", "--data-dir", str(folder / "runs"), ends=1).stderr
    assert not (folder / "runs").exists()


def test_there_is_no_score_where_no_exercise_ran(folder):
    assert "no run" in run("audit", "training", "--data-dir", str(folder / "runs"), ends=1).stderr


def test_check_call_without_a_credential_says_how_to_make_one():
    assert "synthetic create" in run("check-call", ends=1).stderr


def test_a_synthetic_credential_is_kept_for_check_call_and_for_nobody_else(prison):
    shown = run("synthetic", "create", "ZZS", "--save").output
    file = Path("data/check-call.credential")

    assert file.read_text().strip() not in shown
    assert file.stat().st_mode & 0o777 == 0o600
    assert "real" in run("synthetic", "create", "HRD", ends=1).stderr


def test_the_files_in_the_manual_are_taken_as_they_stand(folder):
    manual = (Path(__file__).resolve().parents[2] / "docs" / "running-a-hall.md").read_text(encoding="utf-8")
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    files = dict(re.findall(r"```csv (\S+)\n(.*?)```", manual, re.DOTALL))
    for name, content in files.items():
        (folder / name).write_text(content.replace("2026-12-01", day), encoding="utf-8")
    (folder / "photos").mkdir()
    (folder / "photos" / "C-1.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    commands = [shlex.split(line, comments=True)[1:] for line in manual.splitlines() if line.startswith("broker ")]
    said = [run(*words, typed=PASSWORD).output for words in commands if words[0] not in {"check-call", "audit"}]

    assert "1 visits booked" in "".join(said)
    assert "6 rows as they were" in run("import", "people.csv", "visits.csv").output


def test_photos_are_taken_by_reference_and_two_files_of_one_reference_are_refused(prison, folder):
    write_files(folder, "")
    run("import", "people.csv", "visits.csv")
    jpeg = b"\xff\xd8\xff\xe0" + bytes(64)
    (folder / "photos").mkdir()
    for name in ("K1.jpg", "K1.png"):
        (folder / "photos" / name).write_bytes(jpeg)
    refused = run("import-photos", "hrd", "photos", ends=1).stderr
    assert "K1.jpg, K1.png" in refused

    (folder / "photos" / "K1.png").unlink()
    assert "1 photo taken" in run("import-photos", "hrd", "photos").output
