"""The promises of alerts: every code has a rule, and a cause stands exactly as long as it is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain import commands as c
from broker.domain.actors import SYSTEM, Actor
from broker.domain.alerts import ADVICE, OF_A_CALL, RULES, Clears, advice_stands, causes, detectors_on, faces_expected
from broker.domain.codes import AlertCode, AlertLevel, Post
from broker.domain.policy import DEFAULT
from tests.domain.support import MONITOR, NOON, SUPERVISOR, Scene, booked, live

S = timedelta(seconds=1)


def standing(scene: Scene) -> dict[AlertCode, Post | None]:
    return {cause.code: cause.post for cause in causes(scene.call, DEFAULT, scene.now)}


@pytest.mark.feature("F74")
def test_every_code_has_a_rule_and_only_what_threatens_the_watch_is_urgent():
    assert set(RULES) == set(AlertCode)
    urgent = {code for code, rule in RULES.items() if rule.level is AlertLevel.URGENT}
    assert {AlertCode.UNMONITORED, AlertCode.UNSUPERVISED, AlertCode.UNWATCHED, AlertCode.WATCH_LIST} <= urgent
    assert not urgent & set(ADVICE)


@pytest.mark.feature("F78")
def test_advice_may_always_be_called_a_false_alarm():
    assert {RULES[code].clears for code in ADVICE} == {Clears.EITHER}
    assert not OF_A_CALL & set(ADVICE)


@pytest.mark.feature("F74")
def test_what_a_call_s_state_raises_is_never_left_to_a_person_alone():
    """Closed by a person it would be raised anew at the next look: its cause stands on."""
    assert {code for code in OF_A_CALL if RULES[code].clears is Clears.PERSON} == set()


@pytest.mark.feature("F74")
def test_a_call_that_became_privileged_asks_nobody_to_watch_it():
    call = replace(live().call, overdue=True)
    watched, unseen = (causes(replace(call, kind=kind), DEFAULT, NOON) for kind in ("social", "legal"))
    assert AlertCode.UNWATCHED in {cause.code for cause in watched}
    assert AlertCode.UNWATCHED not in {cause.code for cause in unseen}


@pytest.mark.feature("F79")
@pytest.mark.parametrize(("away_s", "raised"), [(15, False), (19, False), (25, True)])
def test_a_child_out_of_the_picture_for_15_s_is_nothing_and_for_25_s_a_low_alert(away_s, raised):
    now = Scene().now
    assert advice_stands(AlertCode.FACES_FEWER, now - away_s * S, DEFAULT, now) is raised
    assert RULES[AlertCode.FACES_FEWER].level is AlertLevel.LOW


@pytest.mark.feature("F74")
def test_a_lost_leg_is_an_alert_after_some_seconds_and_none_once_it_is_back():
    scene = live()
    scene.do(c.LoseMedia(SYSTEM, "v1.2"))
    scene.wait(4)
    assert AlertCode.DISCONNECTED not in standing(scene)
    scene.wait(1)
    assert AlertCode.DISCONNECTED in standing(scene)
    scene.do(c.ConnectMedia(SYSTEM, "v1.2"))
    assert AlertCode.DISCONNECTED not in standing(scene)


@pytest.mark.feature("F74")
def test_who_has_not_come_minutes_after_the_start_is_the_hall_s_at_the_seat_and_the_monitor_s_at_home():
    scene = Scene()
    scene.arrive(scene.call.legs[0])
    scene.now += timedelta(minutes=4)
    assert AlertCode.NO_SHOW not in standing(scene)
    scene.now += timedelta(minutes=1)
    assert standing(scene)[AlertCode.NO_SHOW] is Post.MONITOR
    scene.arrive(scene.call.legs[1])
    assert AlertCode.NO_SHOW not in standing(scene)


@pytest.mark.feature("F74")
def test_the_end_is_told_five_minutes_before_and_one_and_never_both():
    scene = live(booked(minutes=10))
    told = []
    for _ in range(10):
        scene.wait(59)
        told.append(set(standing(scene)) & {AlertCode.ENDING_FIVE, AlertCode.ENDING_ONE})
    assert told[3:5] == [set(), set()]
    assert told[5:8] == [{AlertCode.ENDING_FIVE}] * 3
    assert told[9] == {AlertCode.ENDING_ONE}


@pytest.mark.feature("F9")
@pytest.mark.feature("F7")
@pytest.mark.parametrize(
    ("camera", "code"), [("blocked", AlertCode.MEDIA_BLOCKED), ("none", AlertCode.SELF_TEST_FAILED)]
)
def test_a_failed_check_is_an_alert_opens_no_lobby_and_goes_with_a_good_one(camera, code):
    scene = Scene()
    own, leg = Actor("leg:v1.2"), scene.call.legs[1]
    scene.do(c.ArriveLeg(own, leg.id, scene.call.latest_end, "d"))
    scene.do(c.AcceptConsent(own, leg.id, DEFAULT.notice_version))
    scene.do(c.ReportCheck(own, leg.id, camera, "ok"))
    assert standing(scene) == {code: Post.MONITOR}
    assert not scene.call.legs[1].checked
    scene.do(c.ReportCheck(own, leg.id, "ok", "ok"))
    assert standing(scene) == {}


@pytest.mark.feature("F9")
def test_a_camera_that_is_blocked_in_a_call_is_told_and_takes_nobody_out_of_it():
    scene = live()
    scene.do(c.ReportCheck(Actor("leg:v1.2"), "v1.2", "blocked", "ok"))
    assert AlertCode.MEDIA_BLOCKED in standing(scene)
    assert scene.crosses


def test_who_raised_a_hand_may_do_so_again_once_somebody_has_dealt_with_it():
    scene = live()
    for leg, code, actor in (("v1.1", AlertCode.HELP, SUPERVISOR), ("v1.2", AlertCode.HAND, MONITOR)):
        own = Actor(f"leg:{leg}")
        assert scene.do(c.AskHelp(own, leg)) and not scene.do(c.AskHelp(own, leg))
        assert code in standing(scene)
        scene.do(c.GiveHelp(actor, leg))
        assert code not in standing(scene)
        assert scene.do(c.AskHelp(own, leg))


def test_whoever_asked_may_take_it_back_and_nobody_is_asked_for_twice_or_for_nothing():
    scene = live()
    own = Actor("leg:v1.2")
    assert not scene.do(c.AskHelp(own, "v1.2", raised=False))
    scene.do(c.AskHelp(own, "v1.2"))
    assert AlertCode.HAND in standing(scene)
    assert scene.do(c.AskHelp(own, "v1.2", raised=False))
    assert AlertCode.HAND not in standing(scene)


def test_a_call_that_is_over_has_no_causes():
    scene = live()
    scene.do(c.AskHelp(Actor("leg:v1.1"), "v1.1"))
    scene.do(c.LeaveLeg(Actor("leg:v1.2"), "v1.2"))
    assert standing(scene) == {}


@pytest.mark.feature("F78")
@pytest.mark.parametrize(
    ("kind", "may"), [("social", True), ("compassionate", True), ("legal", False), ("confidential", False)]
)
def test_no_detector_looks_into_a_privileged_call(kind, may):
    call = replace(live().call, kind=kind)
    assert detectors_on(call, DEFAULT) is may
    assert not detectors_on(call, replace(DEFAULT, detectors=False))


@pytest.mark.feature("F78")
def test_as_many_faces_are_expected_as_people_were_verified_and_one_at_the_seat():
    call = live().call
    prisoner, family = call.legs
    assert faces_expected(call, prisoner, DEFAULT) == 1
    assert faces_expected(call, replace(family, verified=("c1", "k1")), DEFAULT) == 2
    assert faces_expected(call, replace(family, verified=()), DEFAULT) is None


@pytest.mark.feature("F78")
@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, replace(DEFAULT, faces=False)),
        ({}, replace(DEFAULT, detectors=False)),
        ({"synthetic": True}, DEFAULT),
        ({"kind": "legal"}, DEFAULT),
    ],
)
def test_no_faces_are_counted_where_policy_has_it_off_nor_of_bots_nor_in_a_privileged_call(changed, rules):
    call = replace(live().call, **changed)
    assert [faces_expected(call, leg, rules) for leg in call.legs] == [None, None]
