"""Killed at any moment: what was acknowledged is there, and the record is whole (I6, X14)."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from broker.storage.database import Database
from broker.storage.eventlog import SqlEventLog
from broker.storage.journal import FileJournal
from broker.storage.keys import PublicKey
from broker.storage.verify import verify_database

pytestmark = pytest.mark.contract

ROOT = Path(__file__).resolve().parents[2]
KILLS = 8


def promises_until_killed(*arguments: object, promises: int) -> list[list[str]]:
    """Run the child, kill it without warning after so many promises, and return all that it made."""
    command = [sys.executable, "-m", "tests.contract.storage_child", *map(str, arguments)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(promises)]
    child.kill()
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait(10)
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


@pytest.mark.feature("F102")
async def test_every_acknowledged_event_survives_a_kill(database_url: str, tmp_path: Path) -> None:
    dice = random.Random(14)
    promised: dict[tuple[str, int], str] = {}

    for _ in range(KILLS):
        made = promises_until_killed("log", database_url, tmp_path, promises=dice.randint(1, 60))
        promised |= {(stream, int(seq)): name for stream, seq, name in made}

        database = Database(database_url)
        log = SqlEventLog(database)
        kept = {(r.stream, r.seq): r.id for stream in await log.streams("call/") for r in await log.read(stream)}
        await database.close()
        assert promised.items() <= kept.items()
        public = PublicKey.from_file(tmp_path / "audit.pub")
        assert verify_database(database_url, public, tmp_path / "anchors.jsonl").fault is None


def test_every_acknowledged_journal_entry_survives_a_kill_in_its_order(tmp_path: Path) -> None:
    dice = random.Random(15)
    path = tmp_path / "journal"
    waiting: list[str] = []

    for _ in range(KILLS):
        made = promises_until_killed("journal", path, promises=dice.randint(1, 60))
        taking: list[str] = []
        for word, *names in made:
            if word == "put":
                waiting += names
            elif word == "taking":
                taking = names
            else:
                waiting = [name for name in waiting if name not in names]
                taking = []
        journal = FileJournal(path)
        kept = [events[0].id for _, events in journal.waiting()]
        journal.close()

        # Being taken, they may be gone or not; one that was never acknowledged may be there, at the end.
        possible = (waiting, waiting[len(taking) :])
        assert any(kept[: len(base)] == base and len(kept) - len(base) <= 1 for base in possible)
        waiting = kept
