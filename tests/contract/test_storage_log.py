"""The contract of the event log: what every kind of storage promises the engine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from broker.domain import audit
from broker.domain.records import Establishment
from broker.ports import LogConflict, NewEvent, RowClash
from tests.contract.conftest import Storage
from tests.contract.storage_support import NOON, event, scope, staff

pytestmark = pytest.mark.contract


async def test_what_was_appended_is_read_back_in_order(storage: Storage) -> None:
    first = await storage.log.append("call/1", 0, [event("a", n=1), event("b", n=2)])
    second = await storage.log.append("call/1", 2, [event("c", n=3)])

    assert first + second == await storage.log.read("call/1")
    assert [(record.id, record.seq, record.body) for record in first + second] == [
        ("a", 1, {"n": 1}),
        ("b", 2, {"n": 2}),
        ("c", 3, {"n": 3}),
    ]
    assert second == await storage.log.read("call/1", after_seq=2)
    assert await storage.log.head("call/1") == 3


async def test_a_record_says_who_did_what_and_when(storage: Storage) -> None:
    [record] = await storage.log.append("call/1", 0, [event("a", reason="welfare", holds=["security"])])

    assert (record.stream, record.type, record.at, record.actor) == ("call/1", "call.paused", NOON, "S1234")
    assert record.body == {"reason": "welfare", "holds": ["security"]}


@pytest.mark.feature("F102")
async def test_each_record_is_chained_to_the_one_before(storage: Storage) -> None:
    first, second = await storage.log.append("call/1", 0, [event("a"), event("b")])
    [third] = await storage.log.append("call/1", 2, [event("c")])

    sealed = audit.GENESIS
    for record in (first, second, third):
        entry = audit.seal(
            record.stream, record.seq, sealed,
            id=record.id, type=record.type, at=record.at, actor=record.actor, body=record.body,
        )  # fmt: skip
        assert entry.hash == record.hash
        sealed = entry.hash


async def test_a_stale_writer_is_refused_and_writes_nothing(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")])

    for stale in (0, 2):
        with pytest.raises(LogConflict):
            await storage.log.append("call/1", stale, [event("late")])

    assert [record.id for record in await storage.log.read("call/1")] == ["a"]


async def test_of_two_writers_at_once_one_wins(storage: Storage) -> None:
    outcomes = await asyncio.gather(
        *(storage.log.append("call/1", 0, [event(f"writer-{number}")]) for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(outcome, LogConflict) for outcome in outcomes) == 7
    assert await storage.log.head("call/1") == 1


async def test_a_replay_is_answered_with_what_stands_and_adds_nothing(storage: Storage) -> None:
    first = await storage.log.append("call/1", 0, [event("a", n=1), event("b", n=2)])
    await storage.log.append("call/1", 2, [event("c")])

    assert first == await storage.log.append("call/1", 0, [event("a", n=1), event("b", n=2)])
    assert await storage.log.head("call/1") == 3


async def test_a_replay_with_something_new_adds_only_that(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")])

    records = await storage.log.append("call/1", 0, [event("a"), event("b")])

    assert [(record.id, record.seq) for record in records] == [("a", 1), ("b", 2)]


async def test_the_same_id_in_two_streams_is_two_events(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")])
    await storage.log.append("call/2", 0, [event("a")])

    assert await storage.log.head("call/2") == 1


async def test_streams_are_found_by_their_prefix_to_the_letter(storage: Storage) -> None:
    for name in ("call/2", "call/1", "Call/3", "call_1", "establishment/EXA"):
        await storage.log.append(name, 0, [event("a")])

    assert await storage.log.heads("call/") == {
        "call/1": await storage.log.head("call/1"),
        "call/2": await storage.log.head("call/2"),
    }
    assert await storage.log.streams("call/") == ["call/1", "call/2"]
    assert await storage.log.streams("call%") == []
    assert len(await storage.log.streams("")) == 5


async def test_an_unknown_stream_is_empty(storage: Storage) -> None:
    assert await storage.log.read("call/none") == []
    assert await storage.log.head("call/none") == 0


async def test_rows_are_saved_with_the_events(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")], rows=[Establishment("EXA", "HMP Example"), staff()])

    assert [Establishment("EXA", "HMP Example")] == await storage.directory.establishments(scope("EXA"))
    assert staff() == await storage.directory.staff("s.one")


async def test_where_the_event_is_refused_its_rows_are_too(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")])

    with pytest.raises(LogConflict):
        await storage.log.append("call/1", 0, [event("late")], rows=[Establishment("EXA", "HMP Example")])

    assert await storage.directory.establishments(scope("EXA")) == []


async def test_where_a_row_clashes_the_event_is_not_recorded(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")], rows=[staff("S1", "one")])

    with pytest.raises(RowClash):
        await storage.log.append("call/1", 1, [event("b")], rows=[staff("S1", "two")])

    assert await storage.log.head("call/1") == 1
    assert None is await storage.directory.staff("two")


async def test_a_refused_append_leaves_the_others_of_its_commit_alone(storage: Storage) -> None:
    await storage.log.append("call/1", 0, [event("a")])

    outcomes = await asyncio.gather(
        storage.log.append("call/2", 0, [event("x")]),
        storage.log.append("call/1", 0, [event("late")]),
        storage.log.append("call/3", 0, [NewEvent("bad", "call.paused", NOON, "S1", {"n": object()})]),
        storage.log.append("call/4", 0, [event("y")]),
        return_exceptions=True,
    )

    assert [list, LogConflict, TypeError, list] == [type(outcome) for outcome in outcomes]
    assert await storage.log.streams("call/") == ["call/1", "call/2", "call/4"]


@pytest.mark.parametrize("text", ["\ud800 alone", "nul \x00 within", "Ó Brádaigh 😀", '"},"id":"x"', "\u2028"])
async def test_whatever_a_person_typed_is_recorded_as_it_was(storage: Storage, text: str) -> None:
    await storage.log.append("call/1", 0, [event("a", note=text)])

    assert [{"note": text}] == [record.body for record in await storage.log.read("call/1")]


@pytest.mark.parametrize(
    "bad",
    [
        NewEvent("a", "t", NOON, "S1", {"n": float("nan")}),
        NewEvent("a", "t", NOON, "S1\x00", {}),
        NewEvent("a", "t", datetime(2026, 3, 4), "S1", {}),  # noqa: DTZ001 - a naive one, to be refused
    ],
)
async def test_what_cannot_be_recorded_exactly_is_refused(storage: Storage, bad: NewEvent) -> None:
    with pytest.raises(ValueError):
        await storage.log.append("call/1", 0, [bad])

    assert await storage.log.head("call/1") == 0


async def test_instants_are_recorded_in_utc_to_the_microsecond(storage: Storage) -> None:
    at = datetime(2026, 6, 1, 13, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))

    [record] = await storage.log.append("call/1", 0, [NewEvent("a", "t", at, "S1", {})])

    assert datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC) == record.at
    assert record.at.tzinfo == UTC


async def test_a_renewal_is_remembered_and_never_goes_back(storage: Storage) -> None:
    await storage.renewals.renew("node-1", NOON)
    await storage.renewals.renew("node-1", NOON - timedelta(seconds=1))

    assert await storage.renewals.last("node-1") == NOON
    assert None is await storage.renewals.last("node-2")
