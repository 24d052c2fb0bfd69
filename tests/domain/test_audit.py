"""The audit chain: what is recorded can be checked, and any change to it is found (I13)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain import audit
from broker.domain.audit import Entry, Fault, Tampering, check_entries

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(min_size=1).filter(str.isprintable)


def stream(name: str, length: int) -> list[Entry]:
    entries: list[Entry] = []
    for seq in range(1, length + 1):
        last = entries[-1].hash if entries else audit.GENESIS
        at = NOON + timedelta(seconds=seq)
        entry = audit.seal(name, seq, last, id=f"e{seq}", type="call.paused", at=at, actor="S1", body={"n": seq})
        entries.append(entry)
    return entries


def rewritten(entries: Sequence[Entry], seq: int) -> list[Entry]:
    """Return the stream as an intruder would leave it who changes one body and then hashes all that follows anew."""
    made: list[Entry] = []
    for entry in entries:
        body = {"n": -1} if entry.seq == seq else audit.read(entry.stored)["body"]
        last = made[-1].hash if made else audit.GENESIS
        at = audit.instant(entry.at)
        made.append(
            audit.seal(entry.stream, entry.seq, last, id=entry.id, type=entry.type, at=at, actor=entry.actor, body=body)
        )
    return made


def known(*entries: Entry) -> dict[str, dict[int, str]]:
    stated: dict[str, dict[int, str]] = {}
    for entry in entries:
        stated.setdefault(entry.stream, {})[entry.seq] = entry.hash
    return stated


def test_a_record_left_alone_is_whole() -> None:
    entries = stream("call/1", 5) + stream("call/2", 3)

    outcome = check_entries(entries, known(entries[2], entries[4], entries[7]))

    assert (outcome.fault, outcome.records) == (None, 8)
    assert {name: head.seq for name, head in outcome.heads.items()} == {"call/1": 5, "call/2": 3}


@pytest.mark.feature("F102")
@pytest.mark.parametrize(
    ("tamper", "seq", "code"),
    [
        (lambda e: [e[0], *e[2:]], 2, Tampering.GAP),
        (lambda e: e[1:], 1, Tampering.GAP),
        (lambda e: [e[0], e[1], e[1], *e[2:]], 3, Tampering.GAP),
        (lambda e: [e[1], e[0], *e[2:]], 1, Tampering.GAP),
        (lambda e: [replace(e[1], seq=1), replace(e[0], seq=2), *e[2:]], 1, Tampering.BROKEN),
        (lambda e: [e[0], replace(e[1], stored=e[1].stored.replace(b'"n":2', b'"n":9')), *e[2:]], 2, Tampering.BROKEN),
        (lambda e: [e[0], replace(e[1], stored=b""), *e[2:]], 2, Tampering.BROKEN),
        (lambda e: [e[0], replace(e[1], hash=e[0].hash), *e[2:]], 2, Tampering.BROKEN),
        (lambda e: [e[0], replace(e[1], hash="no hash"), *e[2:]], 2, Tampering.BROKEN),
        (lambda e: [e[0], replace(e[1], id="e9"), *e[2:]], 2, Tampering.EDITED),
        (lambda e: [e[0], replace(e[1], type="call.resumed"), *e[2:]], 2, Tampering.EDITED),
        (lambda e: [e[0], replace(e[1], actor="S2"), *e[2:]], 2, Tampering.EDITED),
        (lambda e: [e[0], replace(e[1], at=e[0].at), *e[2:]], 2, Tampering.EDITED),
        (lambda e: [e[0], replace(e[1], stored=None), *e[2:]], 2, Tampering.EDITED),
        (lambda e: [e[0], replace(e[1], seq="2"), *e[2:]], 2, Tampering.EDITED),
        (lambda e: rewritten(e, 2), 5, Tampering.REWRITTEN),
        (lambda e: e[:3], 4, Tampering.TRUNCATED),
        (lambda e: [], 1, Tampering.REMOVED),
        (lambda e: [replace(entry, stream="call/9") for entry in e], 1, Tampering.EDITED),
    ],
)
def test_the_first_bad_entry_is_named(tamper: Callable[[list[Entry]], list[Entry]], seq: int, code: Tampering) -> None:
    entries = stream("call/1", 5)

    outcome = check_entries(tamper(entries), known(entries[4]))

    assert outcome.fault is not None
    assert (seq, code) == (outcome.fault.seq, outcome.fault.code)


def test_a_chain_rewritten_between_two_checkpoints_is_found_although_the_later_one_agrees() -> None:
    before = stream("call/1", 4)
    after = rewritten(stream("call/1", 6), 2)

    outcome = check_entries(after, known(before[3], after[5]))

    assert Fault("call/1", 4, Tampering.REWRITTEN) == outcome.fault


def test_an_entry_moved_to_another_stream_is_found() -> None:
    ours, theirs = stream("call/1", 2), stream("call/2", 2)

    outcome = check_entries([ours[0], theirs[1], *theirs], {})

    assert outcome.fault is not None


@settings(max_examples=30, deadline=None)
@given(stream_name=NAMES, id=NAMES, type=NAMES, actor=NAMES, body=st.dictionaries(st.text(), JSON, max_size=4))
def test_whatever_it_holds_an_entry_agrees_with_its_columns(
    stream_name: str, id: str, type: str, actor: str, body: dict[str, object]
) -> None:
    entry = audit.seal(stream_name, 1, audit.GENESIS, id=id, type=type, at=NOON, actor=actor, body=body)

    assert None is audit.follow(None, entry)
    assert body == audit.read(entry.stored)["body"]


@settings(max_examples=30, deadline=None)
@given(real=NAMES, claimed=st.text(), body=st.dictionaries(st.text(), JSON, max_size=3))
def test_no_body_can_make_another_column_look_true(real: str, claimed: str, body: dict[str, object]) -> None:
    body = {**body, "id": claimed, "z": f'"}},"id":"{claimed}","seq":1'}
    entry = audit.seal("call/1", 1, audit.GENESIS, id=real, type="t", at=NOON, actor="S1", body=body)

    found = audit.follow(None, replace(entry, id=claimed))

    assert (None if claimed == real else Tampering.EDITED) == found


def test_instants_sort_as_text() -> None:
    instants = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(seconds=1), NOON.replace(year=2031)]

    assert sorted(map(audit.text_of, instants)) == [audit.text_of(at) for at in instants]
    assert instants == [audit.instant(audit.text_of(at)) for at in instants]
