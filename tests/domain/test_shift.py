"""A shift as the record tells it: of several establishments, after a broken connection, of the national pool."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.records import NATIONAL_POOL
from broker.domain.shift import CARRIED_ON, hand_over, shifts
from tests.domain.stories import Rec
from tests.domain.support import NOON

pytestmark = pytest.mark.feature("F43")


def rec(place: str, second: int, kind: str, number: str = "M1", session: str = "s1", **body: object) -> Rec:
    said = {"post": "monitor", "session": session, **body}
    return Rec(f"establishment:{place}", second, kind, NOON + timedelta(seconds=second), f"staff:{number}", said)


def on(place: str, second: int, *scope: str, session: str = "s1", number: str = "M1") -> Rec:
    return rec(place, second, "post.signed_on", number, session, scope=list(scope))


def off(place: str, second: int, why: str, session: str = "s1") -> Rec:
    return rec(place, second, "post.signed_off", session=session, why=why)


def told(*records: Rec) -> list[tuple[str, int, bool, set[str], str | None]]:
    found = shifts(records, NOON + timedelta(hours=8))
    return [
        (shift.session, int((shift.until - NOON).total_seconds()), shift.over, set(shift.places), shift.why)
        for shift in found
    ]


def test_a_shift_that_loses_one_of_its_establishments_goes_on_at_the_other():
    both = [on("HRD", 0, "HRD", "SKB"), on("SKB", 0, "HRD", "SKB"), off("SKB", 60, "transferred")]
    assert told(*both) == [("s1", 8 * 3600, False, {"HRD", "SKB"}, None)]
    assert told(*both, off("HRD", 90, "signed_off")) == [("s1", 90, True, {"HRD", "SKB"}, "signed_off")]


def test_what_comes_to_a_shift_counts_to_it():
    records = [on("HRD", 0, "HRD"), on("SKB", 30, "HRD", "SKB"), off("HRD", 60, "lost"), off("SKB", 61, "lost")]
    assert told(*records) == [("s1", 61, True, {"HRD", "SKB"}, "lost")]


def test_a_shift_of_the_pool_is_for_what_the_pool_took_over_and_ends_with_its_post():
    begun = on(NATIONAL_POOL, 0)
    assert told(begun) == [("s1", 8 * 3600, False, set(), None)]
    took = [on("HRD", 60, "HRD"), on(NATIONAL_POOL, 60, "HRD"), off("HRD", 90, "transferred")]
    assert told(begun, *took) == [("s1", 8 * 3600, False, {"HRD"}, None)]
    assert told(begun, *took, off(NATIONAL_POOL, 99, "signed_off")) == [("s1", 99, True, {"HRD"}, "signed_off")]


def test_who_comes_back_after_a_break_of_the_connection_carries_on_in_a_new_shift_and_is_counted_once():
    records = [
        on("HRD", 0, "HRD", "SKB"),
        on("SKB", 0, "HRD", "SKB"),
        on("HRD", 20, "HRD", "SKB", session="s2"),
        on("SKB", 21, "HRD", "SKB", session="s2"),
        on("HRD", 30, "HRD", session="s3", number="M2"),
    ]
    running = 8 * 3600
    assert told(*records) == [
        ("s3", running, False, {"HRD"}, None),
        ("s2", running, False, {"HRD", "SKB"}, None),
        ("s1", 20, True, {"HRD", "SKB"}, CARRIED_ON),
    ]
    assert told(*records, off("HRD", 40, "lost"))[-1] == ("s1", 20, True, {"HRD", "SKB"}, CARRIED_ON)


def test_a_break_of_a_scope_of_two_establishments_is_one_break_and_one_that_was_put_off_is_another():
    def due(place: str, second: int, snoozed: int) -> Rec:
        return rec(place, second, "break.due", snoozed=snoozed)

    records = [
        on("HRD", 0, "HRD", "SKB"),
        on("SKB", 0, "HRD", "SKB"),
        *(due(place, second, 0) for place, second in (("HRD", 3600), ("SKB", 3601))),
        *(due(place, second, 1) for place, second in (("HRD", 4200), ("SKB", 4200))),
    ]
    said = [Rec(r.stream, r.seq, r.type, r.at, r.actor, {**r.body, "number": "M1"}) for r in records]
    (shift,) = shifts(records, NOON + timedelta(hours=8))
    assert hand_over(shift, [], said).breaks == 2
