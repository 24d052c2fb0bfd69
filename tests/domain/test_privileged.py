"""Privileged calls: no sound to staff by construction, looks for seconds, patrols in their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.alerts import causes
from broker.domain.call import Phase
from broker.domain.codes import AlertCode, Code, PatrolReason, Post, Refused
from broker.domain.kinds import KINDS
from broker.domain.permissions import staff_asker
from broker.domain.plan import Media
from broker.domain.policy import DEFAULT
from broker.domain.records import Role
from tests.domain.support import FOUR_LEGS, MONITOR, PRISON, SUPERVISOR, Scene, booked, live, staff

PRIVILEGED = [kind.code for kind in KINDS.values() if kind.privileged]
LINES = (("v1.1", 0), ("v1.2", 1))
GOVERNOR = Actor("staff:G1", "G1", "G1", asker=staff_asker("G1", [(Role.DUTY_GOVERNOR, PRISON)]))
FAMILY = Actor("leg:v1.2")
RELIEF = staff("M2", Post.MONITOR)


def legal(kind: str = "legal") -> Scene:
    return live(booked(kind=kind, minutes=60))


def look(scene: Scene, actor: Actor = MONITOR) -> list[e.Event]:
    return scene.do(c.StartLook(actor, LINES))


def refused(scene: Scene, command: c.Command) -> Code:
    with pytest.raises(Refused) as refusal:
        scene.do(command)
    return refusal.value.code


def to_console(scene: Scene) -> set[tuple[str, Media]]:
    return {(route.source, route.kind) for route in scene.plan.routes if route.sink == MONITOR.session}


def standing(scene: Scene) -> set[AlertCode]:
    return {cause.code for cause in causes(scene.call, DEFAULT, scene.now)}


@pytest.mark.feature("F63", "F93")
@pytest.mark.parametrize("kind", PRIVILEGED)
def test_a_privileged_call_is_live_on_the_post_s_presence_and_no_console_is_on_it(kind):
    scene = legal(kind)

    assert (scene.call.phase, scene.crosses, scene.call.observers) == (Phase.LIVE, True, ())
    assert to_console(scene) == set()
    assert scene.plan.stills == frozenset()
    assert refused(scene, c.Observe(MONITOR, LINES)) == Code.PRIVILEGED
    assert refused(scene, c.Observe(MONITOR, LINES, focus=True)) == Code.PRIVILEGED


@pytest.mark.feature("F64")
def test_a_look_is_pictures_only_for_its_seconds_and_is_counted_and_recorded():
    scene = legal()
    [started] = look(scene)
    assert isinstance(started, e.LookStarted)
    assert to_console(scene) == {("v1.1", Media.VIDEO), ("v1.2", Media.VIDEO)}
    assert refused(scene, c.StartLook(RELIEF, LINES)) == Code.LOOK_RUNNING

    scene.wait(DEFAULT.look_max_s)
    assert to_console(scene) == set()
    assert (scene.call.privacy.look, scene.call.privacy.looks) == (None, 1)
    assert [type(event) for event in scene.history if isinstance(event, e.LookStarted | e.LookEnded)] == [
        e.LookStarted,
        e.LookEnded,
    ]


@pytest.mark.feature("F64")
def test_the_next_look_waits_for_the_gap():
    scene = legal()
    look(scene)
    scene.wait(5)
    scene.do(c.StopLook(MONITOR))
    assert refused(scene, c.StartLook(MONITOR, LINES)) == Code.LOOK_TOO_SOON

    scene.wait(DEFAULT.look_gap_s)
    look(scene)
    assert scene.call.privacy.looks == 2


def test_a_plan_with_a_look_lapses_soon_after_the_look_must_be_over_whoever_stands_still():
    scene = legal()
    look(scene)
    scene.now += timedelta(seconds=DEFAULT.look_max_s - 1)
    scene.both_proven()

    assert scene.plan.valid_for_s <= 2
    scene.now += timedelta(seconds=1)
    assert to_console(scene) == set()


@pytest.mark.feature("F64")
def test_a_look_for_the_identity_check_ends_as_the_call_starts_and_counts_for_no_gap():
    scene = Scene(booked(kind="legal"))
    for leg in scene.call.legs:
        scene.arrive(leg)
    look(scene)
    for leg in scene.call.legs:
        scene.verify(leg)
    scene.now += timedelta(seconds=1)
    scene.both_proven()
    scene.do(c.Tick(SYSTEM))

    assert (scene.call.phase, scene.call.privacy.look, to_console(scene)) == (Phase.LIVE, None, set())
    assert look(scene)


@pytest.mark.feature("F64")
def test_a_console_that_goes_ends_its_look():
    scene = legal()
    look(scene)
    scene.do(c.StopObserving(MONITOR))

    assert scene.call.privacy.look is None
    assert to_console(scene) == set()


@pytest.mark.parametrize(
    ("actor", "code"),
    [(SUPERVISOR, Code.NOT_YOUR_POST), (staff("M9", Post.MONITOR, "SKB"), Code.UNKNOWN_CALL)],
)
def test_nobody_but_the_monitor_of_the_place_looks(actor, code):
    assert refused(legal(), c.StartLook(actor, LINES)) == code


def test_a_call_that_is_not_privileged_has_no_looks():
    assert refused(live(), c.StartLook(MONITOR, LINES)) == Code.NOT_PRIVILEGED
    assert refused(live(), c.RefuseLooks(FAMILY, "v1.2")) == Code.NOT_PRIVILEGED


@pytest.mark.feature("F65")
def test_a_caller_who_refuses_is_looked_at_no_more_and_the_hall_walks_past():
    scene = legal()
    look(scene)
    scene.do(c.RefuseLooks(FAMILY, "v1.2"))
    assert to_console(scene) == set()
    assert refused(scene, c.StartLook(MONITOR, LINES)) == Code.LOOKS_REFUSED
    assert scene.call.privacy.patrol is PatrolReason.REFUSED

    scene.wait(DEFAULT.patrol_every_s + 1)
    assert AlertCode.PATROL_DUE in standing(scene)
    scene.wait(DEFAULT.patrol_late_s)
    assert AlertCode.PATROL_OVERDUE in standing(scene)

    scene.do(c.LogPatrol(SUPERVISOR))
    assert not {AlertCode.PATROL_DUE, AlertCode.PATROL_OVERDUE} & standing(scene)
    assert scene.crosses
    assert refused(scene, c.LogPatrol(MONITOR)) == Code.NOT_YOUR_POST


@pytest.mark.feature("F65")
def test_a_confidential_call_is_never_looked_at():
    scene = legal("confidential")

    assert refused(scene, c.StartLook(MONITOR, LINES)) == Code.LOOKS_NOT_ALLOWED
    scene.wait(1)
    assert scene.call.privacy.patrol is PatrolReason.KIND


@pytest.mark.feature("F65")
def test_a_lost_monitoring_post_makes_the_hall_walk_past_and_holds_nothing():
    scene = legal()
    for _ in range(60):
        scene.wait(1, proven=[Post.SUPERVISOR])
        assert scene.crosses, "a privileged call stopped for its monitor"
    assert scene.call.holds == ()
    assert scene.call.privacy.patrol is PatrolReason.POST_LOST
    assert AlertCode.PATROL_DUE in standing(scene)

    scene.wait(DEFAULT.steady_s + 1)
    assert scene.call.privacy.patrol is None
    assert AlertCode.PATROL_DUE not in standing(scene)


def test_a_lost_supervisor_holds_a_privileged_call_like_any_other():
    scene = legal()
    scene.wait(60, proven=[Post.MONITOR])

    assert not scene.crosses


@pytest.mark.feature("F65")
def test_without_the_monitoring_post_no_privileged_call_starts():
    scene = Scene(booked(kind="legal"))
    scene.everybody_ready()
    scene.wait(5, proven=[Post.SUPERVISOR])

    assert scene.call.phase is Phase.READY


@pytest.mark.feature("F63")
def test_a_call_that_becomes_privileged_loses_every_console_at_once_and_never_goes_back():
    scene = live()
    scene.do(c.Observe(MONITOR, LINES, focus=True))
    assert ("v1.2", Media.AUDIO) in to_console(scene)

    [changed] = scene.do(c.MakePrivileged(GOVERNOR, "legal"))
    assert isinstance(changed, e.KindChanged)
    assert (to_console(scene), scene.call.observers, scene.crosses) == (set(), (), True)
    assert refused(scene, c.MakePrivileged(GOVERNOR, "official")) == Code.ALREADY_PRIVILEGED


def test_a_call_that_becomes_privileged_is_no_longer_overdue_for_a_look():
    scene = live(booked(tier=2))
    scene.attends = False
    scene.wait(DEFAULT.attention_tier2_s + 1)
    assert AlertCode.UNWATCHED in standing(scene)

    scene.do(c.MakePrivileged(GOVERNOR, "legal"))
    assert AlertCode.UNWATCHED not in standing(scene)


@pytest.mark.parametrize(
    ("actor", "kind", "code"),
    [
        (MONITOR, "legal", Code.NOT_PERMITTED),
        (SUPERVISOR, "legal", Code.NOT_PERMITTED),
        (replace(GOVERNOR, asker=replace(GOVERNOR.asker, held=MONITOR.asker.held)), "legal", Code.NOT_YOUR_POST),
        (GOVERNOR, "social", Code.KIND_NOT_OFFERED),
        (GOVERNOR, "compassionate", Code.KIND_NOT_OFFERED),
        (GOVERNOR, "test", Code.KIND_NOT_OFFERED),
        (GOVERNOR, "nothing", Code.KIND_NOT_OFFERED),
    ],
)
def test_who_makes_a_call_privileged_and_of_which_kind(actor, kind, code):
    assert refused(live(), c.MakePrivileged(actor, kind)) == code


STEPS = st.lists(
    st.sampled_from(["look", "stop", "relief", "refuse", "focus", "watch", "tick", "wait", "alone", "patrol"]),
    max_size=25,
)


@pytest.mark.feature("F63")
@settings(max_examples=50, deadline=None)
@given(kind=st.sampled_from(PRIVILEGED), four=st.booleans(), late=st.booleans(), steps=STEPS)
def test_whatever_is_asked_no_sound_of_a_privileged_call_has_a_way_to_a_console(kind, four, late, steps):
    scene = live(booked(kind="social" if late else kind, legs=FOUR_LEGS if four else None, minutes=60))
    if late:
        scene.do(c.Observe(MONITOR, LINES, focus=True))
        scene.do(c.MakePrivileged(GOVERNOR, kind))
    asked: dict[str, c.Command] = {
        "look": c.StartLook(MONITOR, LINES),
        "stop": c.StopLook(MONITOR),
        "relief": c.StartLook(RELIEF, LINES),
        "refuse": c.RefuseLooks(FAMILY, "v1.2"),
        "focus": c.Observe(MONITOR, LINES, focus=True),
        "watch": c.Observe(RELIEF, LINES),
        "tick": c.Tick(SYSTEM),
        "patrol": c.LogPatrol(SUPERVISOR),
    }
    ends = {leg.id for leg in scene.call.legs}
    for step in steps:
        if step in asked:
            try:
                scene.do(asked[step])
            except Refused:
                pass
        else:
            scene.wait(10, proven=tuple(Post) if step == "wait" else (Post.SUPERVISOR,))
        outside = [route for route in scene.plan.routes if route.sink not in ends]
        assert all(route.kind is Media.VIDEO for route in outside)
        assert not outside or scene.call.privacy.look is not None
        assert scene.plan.stills == frozenset()
