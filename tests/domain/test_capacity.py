"""The weighted cap: who may start, who waits, and that nothing live is ever stopped for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.call import Call, Phase
from broker.domain.capacity import room_for, weight
from broker.domain.codes import Post
from broker.domain.decide import decide
from broker.domain.gate import Evidence
from broker.domain.policy import DEFAULT
from broker.domain.posts import Holder
from broker.domain.records import Grade
from broker.domain.settle import missing
from tests.domain.support import HALL, NOON, PRISON, Scene, booked, live


def monitor(number: str, *scope: str) -> Holder:
    places = frozenset(scope or (PRISON,))
    return Holder(Post.MONITOR, places, None, number, number, Grade.OSG, f"p-{number}", f"s-{number}", NOON)


def running(count: int, tier: int = 3, place: str = PRISON, phase: Phase = Phase.LIVE) -> list[Call]:
    call = replace(live().call, tier=tier, establishment=place, phase=phase)
    return [replace(call, id=f"{place}-{phase}-{tier}-{n}") for n in range(count)]


def room(calls: list[Call], *monitors: Holder, tier: int = 3, place: str = PRISON, minutes: int = 0) -> int:
    new = replace(ready().call, id="new", tier=tier, establishment=place, starts_at=NOON + timedelta(minutes=minutes))
    return room_for(new, monitors, calls, DEFAULT, NOON)


def ready() -> Scene:
    scene = Scene(booked())
    scene.everybody_ready()
    return scene


@pytest.mark.feature("F57")
def test_calls_weigh_by_their_tier_against_a_cap_for_each_monitor():
    assert room(running(15), monitor("M1")) == 1
    assert room([*running(3, tier=1), *running(1, tier=2)], monitor("M1")) == 2
    assert room(running(16), monitor("M1")) == 0
    assert room(running(16), monitor("M1"), monitor("M2")) == 16
    assert room([], monitor("M1", "SKB")) == 0


def test_a_monitor_of_two_places_has_one_cap_for_both():
    both = monitor("M1", PRISON, "SKB")

    assert room(running(15, place="SKB"), both) == 1
    assert room(running(15, place="SKB"), both, monitor("M2", "SKB")) == 16
    assert room(running(15), both, monitor("M2", "SKB")) == 1


def test_of_those_that_wait_the_higher_tier_then_the_earlier_slot_comes_first():
    waiting = [replace(call, supervisor="T1") for call in running(1, tier=1, phase=Phase.READY)]

    assert room([*running(13), *waiting], monitor("M1")) == -1
    assert room([*running(12), *waiting], monitor("M1"), tier=1, minutes=-5) == 4
    idle = [replace(call, barred=frozenset({"c1"})) for call in waiting]
    assert room([*running(13), *idle], monitor("M1")) == 3


@pytest.mark.feature("F57")
@pytest.mark.parametrize(("left", "waits"), [(0, True), (1, False)])
def test_beyond_the_cap_a_call_waits_and_starts_when_there_is_room(left, waits):
    scene = ready()
    scene.both_proven()
    evidence = replace(scene.evidence, room=lambda: left)

    assert ("capacity" in missing(scene.call, evidence, DEFAULT, scene.now)) is waits


def test_where_nobody_monitors_it_is_the_monitor_that_is_missing():
    scene = ready()
    nobody = Evidence(None, None, scene.lease_until, room=lambda: 0)

    assert "capacity" not in missing(scene.call, nobody, DEFAULT, scene.now)


def test_a_live_call_is_never_stopped_for_a_tier_that_rises():
    scene = live()
    scene.do(c.AssessRisk(SYSTEM, 1, ()))
    scene.wait(20)

    assert (scene.call.tier, scene.crosses, scene.call.holds) == (1, True, ())
    assert weight(scene.call, DEFAULT) == 4
    assert scene.call.hall_id == HALL


def test_the_cap_is_counted_only_for_a_call_that_nothing_else_keeps_from_starting():
    counted = []

    def room() -> int:
        counted.append(1)
        return 16

    scene = Scene(booked())
    evidence = replace(scene.evidence, room=room)
    scene.everybody_ready()
    waits = scene.call
    for call in (replace(waits, phase=Phase.LOBBY), waits):
        decide(call, c.Tick(SYSTEM), evidence, DEFAULT, scene.now)
    assert counted == []

    scene.both_proven()
    decide(waits, c.Tick(SYSTEM), replace(scene.evidence, room=room), DEFAULT, scene.now)
    assert len(counted) == 1
