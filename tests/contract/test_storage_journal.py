"""The journal: what a restrictive command left there while the log was down comes out again, in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.ports import Journal, NewEvent
from broker.storage.journal import FileJournal
from tests.contract.storage_support import NOON, event
from tests.fakes_storage import FakeJournal

pytestmark = pytest.mark.contract

MAKERS: dict[str, Callable[[Path], Journal]] = {"fake": lambda _: FakeJournal(), "file": FileJournal}


@pytest.fixture(params=sorted(MAKERS))
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    return MAKERS[request.param](tmp_path / "journal")


def ids(journal: Journal) -> list[str]:
    return [event.id for _, events in journal.waiting() for event in events]


def reopened(journal: FileJournal, path: Path) -> FileJournal:
    journal.close()
    return FileJournal(path)


def test_entries_wait_in_the_order_in_which_they_came(journal: Journal) -> None:
    journal.put("call/1", [event("a", note="Ó\x00\ud800"), event("b")])
    journal.put("call/2", [event("c")])

    assert journal.waiting() == [
        ("call/1", [event("a", note="Ó\x00\ud800"), event("b")]),
        ("call/2", [event("c")]),
    ]


def test_what_was_taken_is_forgotten_and_the_rest_waits_on(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        journal.put("call/1", [event(name)])

    journal.taken(2)
    journal.put("call/1", [event("d")])

    assert ids(journal) == ["c", "d"]
    journal.taken(2)
    assert ids(journal) == []
    journal.put("call/1", [event("e")])
    assert ids(journal) == ["e"]


def test_the_journal_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    for name in ("a", "b", "c"):
        journal.put("call/1", [event(name, note="Ó\x00\ud800", at=1.5)])
    journal.taken(1)
    before = journal.waiting()

    journal = reopened(journal, path)
    assert journal.waiting() == before
    journal.taken(1)
    journal.put("call/2", [event("d")])

    journal = reopened(journal, path)
    assert ids(journal) == ["c", "d"]
    journal.taken(2)
    journal = reopened(journal, path)
    assert ids(journal) == []
    journal.close()


def test_a_torn_last_line_is_left_out_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.put("call/1", [event("a")])
    whole = len(path.read_bytes().rstrip(b"\0"))
    journal.put("call/1", [event("b")])
    journal.close()
    written = path.read_bytes().rstrip(b"\0")

    for end in range(whole, len(written)):
        path.write_bytes(written[:end] + bytes(100))
        journal = FileJournal(path, reserve_bytes=4096)
        assert ids(journal) == ["a"]
        assert journal.damaged == 0
        assert len(path.read_bytes().rstrip(b"\0")) == whole
        journal.put("call/1", [event("c")])
        journal = reopened(journal, path)
        assert ids(journal) == ["a", "c"]
        journal.close()


def test_a_damaged_line_in_the_midst_is_counted_kept_aside_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    for name in ("a", "b", "c"):
        journal.put("call/1", [event(name)])
    journal.close()
    path.write_bytes(path.read_bytes().replace(b'"id":"b"', b'"id":"x"'))

    journal = FileJournal(path)

    assert ids(journal) == ["a", "c"]
    assert journal.damaged == 1
    assert b'"id":"x"' in (tmp_path / "journal.damaged").read_bytes()
    journal.close()


def test_where_even_the_journal_cannot_write_it_says_so_and_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.put("call/1", [event("a")])
    pwrite = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        if data.strip(b"\0"):
            pwrite(file, data[:10], offset)
            raise OSError(28, "No space left on device")
        return pwrite(file, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            journal.put("call/1", [event("lost")])
    assert path.read_bytes().rstrip(b"\0").endswith(b"\n")
    journal.put("call/1", [event("b")])

    assert ids(journal) == ["a", "b"]
    assert ids(reopened(journal, path)) == ["a", "b"]


def test_an_entry_that_arrived_whole_and_was_refused_all_the_same_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.put("call/1", [event("a")])
    fsync, failures = os.fsync, [OSError(5, "Input/output error")]

    def fails_once(file: int) -> None:
        if failures:
            raise failures.pop()
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails_once)
        with pytest.raises(OSError, match="Input/output"):
            journal.put("call/1", [event("lost")])

    journal = reopened(journal, path)
    assert ids(journal) == ["a"]
    journal.close()


def test_its_space_is_held_before_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path, reserve_bytes=1 << 16)
    before = path.stat()

    for number in range(20):
        journal.put("call/1", [event(f"e{number}")])

    assert path.stat().st_size == before.st_size == 1 << 16
    assert path.stat().st_blocks == before.st_blocks
    journal.close()


def test_two_processes_never_hold_one_journal(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal")

    with pytest.raises(BlockingIOError):
        FileJournal(tmp_path / "journal")

    journal.close()


@pytest.mark.parametrize(
    "bad",
    [
        NewEvent("a", "t", NOON, "S1", {"n": object()}),
        NewEvent("a", "t", NOON.replace(tzinfo=None), "S1", {}),
    ],
)
def test_what_the_log_would_refuse_the_journal_refuses(journal: Journal, bad: NewEvent) -> None:
    with pytest.raises((TypeError, ValueError)):
        journal.put("call/1", [bad])

    assert journal.waiting() == []
