"""The second clock: a call that is displayed and that nobody looks at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.attention import AttentionState, Candidate, another, begin, flows, limit_s, state_of
from broker.domain.codes import HoldKind, Post
from broker.domain.policy import DEFAULT
from tests.domain.support import NOON, SUPERVISOR, Scene, booked, live

pytestmark = pytest.mark.feature("F58")


def unlooked(tier: int = 2) -> Scene:
    """Return a live call whose monitor is proven all along and looks only when told to."""
    scene = live(booked(tier=tier))
    scene.attends = False
    return scene


def state(scene: Scene, offered: bool = False) -> AttentionState:
    limit = limit_s(scene.call, DEFAULT)
    assert limit is not None
    return state_of(scene.call, scene.attention, limit, offered, DEFAULT)


def of(scene: Scene, kind: type) -> list:
    return [event for event in scene.history if isinstance(event, kind)]


@pytest.mark.feature("F47")
@pytest.mark.parametrize(("tier", "limit"), [(1, 10), (2, 30), (3, 120)])
def test_a_call_that_nobody_looks_at_is_due_then_overdue_then_held(tier, limit):
    scene = unlooked(tier)
    scene.wait(limit * 0.7)
    assert state(scene) is AttentionState.FINE
    scene.wait(limit * 0.2)
    assert state(scene) is AttentionState.DUE
    scene.wait(limit * 0.2)
    assert (state(scene), state(scene, offered=True)) == (AttentionState.OVERDUE, AttentionState.OFFERED)
    (overdue,) = of(scene, e.AttentionOverdue)
    assert (overdue.tier, overdue.limit_s, overdue.number) == (tier, limit, "M1")
    assert scene.crosses

    scene.wait(limit * 0.9)
    assert state(scene) is AttentionState.HELD
    assert [hold.kind for hold in scene.call.holds] == [HoldKind.UNWATCHED]
    assert not scene.crosses


@pytest.mark.feature("F47")
def test_a_look_ends_the_hold_after_steady_seconds_and_the_minutes_are_credited():
    scene = unlooked()
    scene.wait(90)
    scene.look()
    scene.wait(DEFAULT.steady_s - 1)
    assert scene.call.holds
    scene.wait(2)
    assert scene.call.holds == ()
    assert scene.call.credited_s > 25
    (looked,) = of(scene, e.AttentionLooked)
    assert (looked.number, looked.limit_s, looked.within) == ("M1", 30, False)
    assert 59 <= looked.after_s <= 61, "in a hold nothing flows, and nothing counts"
    assert not scene.call.overdue


def test_a_look_in_time_is_on_record_as_within_its_limit():
    scene = unlooked()
    scene.wait(20)
    scene.look()
    scene.wait(20)
    (looked,) = of(scene, e.AttentionLooked)
    assert (looked.after_s, looked.within) == (20, True)
    assert of(scene, e.AttentionOverdue) == []


def test_one_long_look_is_one_record_and_a_second_monitor_may_hold_it():
    scene = unlooked(1)
    for second in range(60):
        scene.wait(1)
        scene.look("M1" if second < 30 else "M2")
    scene.wait(1)
    assert [event.number for event in of(scene, e.AttentionLooked)] == ["M1", "M2"]
    assert scene.crosses


def test_a_pause_costs_no_attention():
    scene = unlooked()
    scene.wait(20)
    scene.do(c.Pause(SUPERVISOR))
    scene.wait(300)
    assert 19 <= scene.attention.unwatched_s <= 21
    assert of(scene, e.AttentionOverdue) == []


def test_nothing_crosses_past_twice_the_limit_although_nobody_ticks():
    scene = unlooked()
    scene.wait(58)
    assert scene.plan.valid_for_s <= 2
    scene.now += timedelta(seconds=2)
    scene.both_proven()
    assert not scene.crosses


def test_the_proof_of_a_tile_is_never_a_look():
    scene = unlooked()
    scene.wait(61, proven=tuple(Post))
    assert HoldKind.UNWATCHED in {hold.kind for hold in scene.call.holds}


def test_what_the_record_says_is_counted_on_after_a_restart():
    scene = unlooked()
    scene.wait(20)
    scene.look()
    scene.wait(5)
    looked_at = scene.call.looked_at
    assert looked_at is not None and looked_at > NOON
    assert limit_s(live(booked(kind="legal")).call, DEFAULT) is None, "a privileged call is looked at by its own rules"


def test_a_hold_that_stood_as_the_broker_came_back_counts_as_no_time_without_a_look():
    scene = unlooked()
    scene.wait(20)
    scene.do(c.Pause(SUPERVISOR))
    scene.wait(300)
    assert begin(scene.call, scene.now).unwatched_s == 20
    again = begin(scene.call, scene.now).passed(scene.now + timedelta(seconds=9), flows(scene.call))
    assert again.unwatched_s == 20


def test_the_time_for_which_no_broker_ran_counts_as_time_without_a_look():
    scene = unlooked()
    scene.wait(20)
    assert begin(scene.call, scene.now + timedelta(seconds=7)).unwatched_s == 27


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([Candidate("a", "M1", 3, True)], None),  # whose it is
        ([Candidate("b", "M2", 3, False)], None),  # their wall does not show it
        ([Candidate("b", "M2", 16, True)], None),  # no room
        ([Candidate("b", "M2", 3, True), Candidate("c", "M3", 2, True)], "c"),
    ],
)
def test_an_overdue_call_is_offered_to_another_monitor_with_room(candidates, chosen):
    found = another(candidates, "M1", 16)
    assert (found.session if found else None) == chosen
