"""The promises of a call's state machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import Phase, begin, evolve
from broker.domain.codec import body_of, event_from, name_of
from broker.domain.codes import Code, EndReason, HoldKind, Outcome, PauseReason, Post, Refused, Step, Warning
from broker.domain.gate import GATE, failing
from broker.domain.plan import Media, Quality
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade
from tests.domain.support import FOUR_LEGS, HALL, MONITOR, NOON, SUPERVISOR, Scene, booked, live, staff, ticks

FAMILY = Actor("leg:v1.2")


def refused(scene: Scene, command: c.Command) -> Code:
    with pytest.raises(Refused) as refusal:
        scene.do(command)
    return refusal.value.code


# --- coming together -----------------------------------------------------------


@pytest.mark.feature("F34")
def test_a_call_starts_only_when_both_posts_are_proven_and_then_with_full_minutes():
    scene = Scene()
    scene.everybody_ready()
    scene.now += timedelta(minutes=4)
    scene.prove(Post.SUPERVISOR)
    scene.do(c.Tick(SYSTEM))
    assert scene.call.phase is Phase.READY
    assert not scene.crosses

    scene.prove(Post.MONITOR)
    scene.do(c.Tick(SYSTEM))

    assert scene.call.phase is Phase.LIVE
    assert scene.crosses
    assert scene.call.ends_at == scene.now + timedelta(minutes=30)


@pytest.mark.feature("F12")
def test_minutes_do_not_count_before_both_ends_are_live():
    scene = Scene()
    scene.both_proven()
    scene.arrive(scene.call.legs[1])
    scene.wait(300)
    assert scene.call.started_at is None
    scene.arrive(scene.call.legs[0])
    scene.verify(scene.call.legs[0])
    scene.verify(scene.call.legs[1])
    assert scene.now == scene.call.started_at
    assert scene.call.ends_at == scene.now + timedelta(minutes=30)


@pytest.mark.feature("F13")
def test_no_picture_of_the_prisoner_goes_anywhere_before_the_family_was_verified():
    scene = Scene()
    scene.both_proven()
    for leg in scene.call.legs:
        scene.arrive(leg)
    scene.verify(scene.call.legs[0])
    scene.do(c.Observe(MONITOR, (("v1.1", 0), ("v1.2", 1))))

    assert scene.call.phase is Phase.LOBBY
    assert {route.sink for route in scene.plan.routes} == {MONITOR.session}
    scene.verify(scene.call.legs[1])
    assert scene.call.phase is Phase.LIVE


@pytest.mark.feature("F10")
def test_the_lobby_opens_only_after_the_notice_was_accepted_in_its_present_version():
    scene = Scene()
    scene.do(c.ArriveLeg(FAMILY, "v1.2", scene.call.latest_end, "d"))
    assert refused(scene, c.ReportCheck(FAMILY, "v1.2", "ok", "ok")) is Code.CONSENT_MISSING
    assert refused(scene, c.AcceptConsent(FAMILY, "v1.2", "1999-1")) is Code.STALE_VERSION
    scene.do(c.AcceptConsent(FAMILY, "v1.2", DEFAULT.notice_version))
    assert refused(scene, c.EnterLobby(FAMILY, "v1.2")) is Code.CHECK_MISSING
    assert scene.call.legs[1].consented == DEFAULT.notice_version


@pytest.mark.feature("F2")
def test_a_link_opens_the_lobby_fifteen_minutes_before_the_slot_and_no_earlier():
    scene = Scene(booked(starts_at=NOON + timedelta(minutes=16)))
    arrive = c.ArriveLeg(FAMILY, "v1.2", scene.call.latest_end, "d")
    assert refused(scene, arrive) is Code.TOO_EARLY
    scene.now += timedelta(minutes=1)
    scene.do(arrive)
    assert scene.call.phase is Phase.LOBBY


@pytest.mark.feature("F14")
def test_a_family_is_admitted_with_its_main_caller_or_not_at_all():
    scene = Scene()
    scene.arrive(scene.call.legs[1])
    verify = c.Verify(MONITOR, "v1.2", frozenset({"c2"}), scene.call.seq)
    assert refused(scene, verify) is Code.ADULT_MISSING
    assert refused(scene, replace(verify, people=frozenset({"c1", "stranger"}))) is Code.NOT_EVERYONE_VERIFIED
    scene.do(replace(verify, people=frozenset({"c1"}), checks=ticks(scene.call.legs[1], {"c1"})))
    assert scene.call.legs[1].verified == {"c1"}


@pytest.mark.feature("F39")
def test_each_post_verifies_its_own_end_only():
    scene = Scene()
    for leg in scene.call.legs:
        scene.arrive(leg)
    family = c.Verify(SUPERVISOR, "v1.2", frozenset({"c1", "c2"}), scene.call.seq)
    prisoner = c.Verify(MONITOR, "v1.1", frozenset({"A1234BC"}), scene.call.seq)
    assert refused(scene, family) is Code.NOT_YOUR_POST
    assert refused(scene, prisoner) is Code.NOT_YOUR_POST


@pytest.mark.feature("F108")
def test_a_restricted_person_is_neither_admitted_nor_left_in_a_live_call():
    scene = Scene()
    scene.arrive(scene.call.legs[1])
    scene.do(c.Bar(SYSTEM, frozenset({"c2"})))
    verify = c.Verify(MONITOR, "v1.2", frozenset({"c1"}), scene.call.seq)
    assert refused(scene, verify) is Code.PERSON_BARRED

    running = live()
    assert running.crosses
    running.do(c.Bar(SYSTEM, frozenset({"c2"})))
    assert not running.crosses


def test_a_lifted_restriction_reopens_nothing_until_the_monitoring_post_clears_the_hold():
    scene = live()
    scene.do(c.Bar(SYSTEM, frozenset({"c2"})))
    hold = scene.call.holds[0]
    scene.do(c.Clear(MONITOR, hold.id, scene.call.seq))
    assert not scene.crosses, "still restricted: held again"
    scene.do(c.Unbar(SYSTEM, frozenset({"c2"})))
    assert not scene.crosses
    scene.do(c.Clear(MONITOR, scene.call.holds[0].id, scene.call.seq))
    assert scene.crosses


@pytest.mark.feature("F76")
def test_staff_see_how_far_a_leg_has_come_and_a_page_cannot_claim_to_be_connected():
    scene = Scene()
    scene.do(c.ArriveLeg(FAMILY, "v1.2", scene.call.latest_end, "d"))
    assert scene.call.legs[1].step is Step.LINK_OPENED
    scene.do(c.Progress(FAMILY, "v1.2", Step.CONNECTED))
    assert scene.call.legs[1].step is Step.LINK_OPENED
    scene.do(c.Progress(FAMILY, "v1.2", Step.CONNECTING))
    assert scene.call.legs[1].step is Step.CONNECTING


# --- holds -----------------------------------------------------------------------


@pytest.mark.feature("F52")
@pytest.mark.parametrize("actor", [MONITOR, SUPERVISOR])
def test_a_pause_of_either_post_silences_every_route_at_once(actor):
    scene = live()
    assert scene.crosses
    scene.do(c.Pause(actor))
    assert scene.plan.routes == frozenset()
    assert scene.call.holds[0].kind is HoldKind.SECURITY


def test_pauses_commute_and_media_returns_only_when_the_last_is_cleared():
    scene = live()
    scene.do(c.Pause(MONITOR))
    scene.do(c.Pause(SUPERVISOR))
    one, other = scene.call.holds
    scene.do(c.Clear(MONITOR, one.id, scene.call.seq))
    assert not scene.crosses
    scene.do(c.Clear(MONITOR, other.id, scene.call.seq))
    assert scene.crosses


@pytest.mark.feature("F39")
def test_a_security_pause_is_the_monitoring_posts_to_clear_whoever_made_it():
    scene = live()
    scene.do(c.Pause(SUPERVISOR))
    hold = scene.call.holds[0]
    assert refused(scene, c.Clear(SUPERVISOR, hold.id, scene.call.seq)) is Code.NOT_YOUR_POST
    relief = staff("M2", Post.MONITOR)
    scene.do(c.Clear(relief, hold.id, scene.call.seq))
    assert scene.call.holds == ()


def test_a_technical_hold_is_the_technical_posts_to_clear():
    scene = live()
    scene.do(c.Pause(MONITOR))
    hold = scene.call.holds[0]
    scene.do(c.Relabel(MONITOR, hold.id))
    assert refused(scene, c.Clear(MONITOR, hold.id, scene.call.seq)) is Code.NOT_YOUR_POST
    scene.do(c.Clear(SUPERVISOR, hold.id, scene.call.seq))
    assert scene.crosses


def test_only_its_maker_may_undo_a_pause_and_only_within_five_seconds():
    scene = live()
    scene.do(c.Pause(MONITOR))
    hold = scene.call.holds[0]
    assert refused(scene, c.Undo(SUPERVISOR, hold.id)) is Code.NOT_YOUR_HOLD
    scene.wait(5)
    scene.do(c.Undo(MONITOR, hold.id))
    assert scene.crosses
    scene.do(c.Pause(MONITOR))
    scene.wait(6)
    assert refused(scene, c.Undo(MONITOR, scene.call.holds[0].id)) is Code.UNDO_EXPIRED


def test_a_pause_may_be_relabelled_within_sixty_seconds_by_its_maker():
    scene = live()
    scene.do(c.Pause(MONITOR))
    hold = scene.call.holds[0]
    assert refused(scene, c.Relabel(staff("M2", Post.MONITOR), hold.id)) is Code.NOT_YOUR_HOLD
    scene.wait(61)
    assert refused(scene, c.Relabel(MONITOR, hold.id)) is Code.RELABEL_EXPIRED


@pytest.mark.feature("F54")
def test_the_reason_of_a_pause_is_asked_after_it_acted_and_is_on_the_record():
    scene = live()
    scene.do(c.Pause(MONITOR))
    hold = scene.call.holds[0]
    assert hold.reason is None
    assert refused(scene, c.GiveReason(SUPERVISOR, hold.id, PauseReason.DRESS)) is Code.NOT_YOUR_HOLD
    (event,) = scene.do(c.GiveReason(MONITOR, hold.id, PauseReason.CONDUCT))
    assert event == e.HoldReasoned(scene.now, MONITOR.id, hold.id, PauseReason.CONDUCT)


def test_clearing_a_hold_needs_the_calls_version_and_pausing_needs_none():
    scene = live()
    seen = scene.call.seq
    scene.do(c.Pause(MONITOR))
    hold = scene.call.holds[0]
    assert refused(scene, c.Clear(MONITOR, hold.id, seen)) is Code.STALE_VERSION
    scene.do(c.Pause(MONITOR))
    assert len(scene.call.holds) == 2


@pytest.mark.feature("F67")
def test_a_supervisor_pauses_and_ends_calls_of_the_own_hall_only():
    scene = live()
    elsewhere = staff("T2", Post.SUPERVISOR, hall="HRD-B")
    assert refused(scene, c.Pause(elsewhere)) is Code.NOT_YOUR_HALL
    assert refused(scene, c.End(elsewhere, EndReason.CONDUCT)) is Code.NOT_YOUR_HALL
    scene.do(c.Pause(staff("T3", Post.SUPERVISOR, hall=HALL)))
    assert not scene.crosses


def test_another_establishments_staff_learn_nothing_of_a_call():
    scene = live()
    stranger = staff("M9", Post.MONITOR, prison="XYZ")
    assert refused(scene, c.Pause(stranger)) is Code.UNKNOWN_CALL
    assert refused(scene, c.Warn(stranger, Warning.DRESS)) is Code.UNKNOWN_CALL


def test_nobody_acts_on_a_call_who_is_on_no_post():
    scene = live()
    idle = replace(staff("M1", None), asker=replace(staff("M1", None).asker, establishment="HRD"))
    assert refused(scene, c.Pause(idle)) is Code.NOT_ON_POST


# --- the posts' proof ----------------------------------------------------------------


@pytest.mark.feature("F40")
def test_a_lost_monitor_is_alarmed_after_five_seconds_and_held_after_fifteen():
    scene = live()
    scene.wait(6, proven=[Post.SUPERVISOR])
    assert scene.call.alarms == {Post.MONITOR}
    assert scene.crosses
    scene.wait(10, proven=[Post.SUPERVISOR])
    assert scene.call.held_by(HoldKind.UNMONITORED) is not None
    assert not scene.crosses


def test_nothing_crosses_past_fifteen_seconds_of_no_proof_even_when_nobody_ticks():
    scene = live()
    scene.prove(Post.SUPERVISOR)
    scene.now += timedelta(seconds=14.9)
    assert scene.plan.valid_for_s <= 0.1 + 1e-6
    scene.now += timedelta(seconds=0.1)
    assert scene.plan.routes == frozenset()


def test_an_unmonitored_hold_clears_by_itself_after_three_seconds_of_steady_proof():
    scene = live()
    scene.wait(16, proven=[Post.SUPERVISOR])
    scene.wait(2)
    assert not scene.crosses
    scene.wait(2)
    assert scene.call.holds == ()
    assert scene.crosses


@pytest.mark.feature("F41")
def test_a_lost_supervisor_blocks_new_starts_and_holds_live_calls_after_forty_five_seconds():
    scene = live()
    scene.wait(44, proven=[Post.MONITOR])
    assert Post.SUPERVISOR in scene.call.alarms
    assert scene.crosses
    scene.wait(2, proven=[Post.MONITOR])
    assert scene.call.held_by(HoldKind.UNSUPERVISED) is not None

    waiting = Scene()
    waiting.everybody_ready()
    waiting.wait(3, proven=[Post.MONITOR])
    assert waiting.call.phase is Phase.READY


@pytest.mark.feature("F35")
def test_one_person_on_both_posts_opens_nothing():
    scene = Scene()
    scene.everybody_ready()
    scene.prove(Post.MONITOR, "M1")
    scene.prove(Post.SUPERVISOR, "M1")
    scene.do(c.Tick(SYSTEM))
    assert scene.call.phase is Phase.READY

    running = live()
    running.prove(Post.SUPERVISOR, "M1")
    assert not running.crosses


@pytest.mark.feature("F36")
def test_a_post_held_below_its_grade_opens_nothing():
    scene = live()
    scene.prove(Post.SUPERVISOR, grade=Grade.OSG)
    assert not scene.crosses
    scene.prove(Post.SUPERVISOR, grade=Grade.PRISON_OFFICER)
    scene.prove(Post.MONITOR, grade=Grade.OSG)
    assert scene.crosses


@pytest.mark.feature("F37")
def test_the_two_post_rule_stands_in_the_gate_of_every_call_and_no_row_of_a_call_turns_it_off():
    names = {condition.name for condition in GATE}
    assert {"monitored", "supervised", "two_people", "grades"} <= names
    scene = live()
    scene.monitor = None
    assert "monitored" in failing(scene.call, scene.evidence, DEFAULT, scene.now)


# --- the clock ------------------------------------------------------------------------


def test_a_security_pause_costs_the_callers_their_minutes():
    scene = live()
    ends_at = scene.call.ends_at
    scene.do(c.Pause(MONITOR))
    scene.wait(60)
    scene.do(c.Clear(MONITOR, scene.call.holds[0].id, scene.call.seq))
    assert scene.call.ends_at == ends_at


def test_minutes_lost_to_a_technical_hold_move_the_end_and_never_past_the_limit():
    scene = live(booked(latest_end=NOON + timedelta(minutes=31)))
    ends_at = scene.call.ends_at
    scene.do(c.Pause(SUPERVISOR))
    scene.do(c.Relabel(SUPERVISOR, scene.call.holds[0].id))
    scene.wait(100)
    scene.do(c.Clear(SUPERVISOR, scene.call.holds[0].id, scene.call.seq))
    assert scene.call.ends_at == ends_at + timedelta(seconds=60)
    assert (scene.call.credited_s, scene.call.rebook_s) == (60, 40)


def test_a_security_pause_on_top_of_a_technical_hold_starts_the_clock_again():
    scene = live()
    scene.do(c.Pause(SUPERVISOR))
    scene.do(c.Relabel(SUPERVISOR, scene.call.holds[0].id))
    scene.wait(30)
    scene.do(c.Pause(MONITOR))
    scene.wait(30)
    assert scene.call.credited_s == 30
    assert scene.call.clock_stopped_at is None


@pytest.mark.feature("F19")
def test_a_call_ends_at_its_end():
    scene = live()
    scene.wait(30 * 60)
    assert scene.call.phase is Phase.ENDED
    assert scene.call.outcome is Outcome.COMPLETED_NORMALLY
    assert not scene.crosses


@pytest.mark.feature("F105")
def test_a_call_held_by_a_fault_until_its_limit_ends_as_a_technical_failure_with_all_of_it_owed():
    scene = live(booked(latest_end=NOON + timedelta(minutes=30)))
    scene.do(c.LoseMedia(SYSTEM, "v1.2"))
    scene.wait(30 * 60)
    assert scene.call.outcome is Outcome.TECHNICAL_FAILURE
    assert scene.call.rebook_s == 30 * 60


@pytest.mark.feature("F105")
@pytest.mark.parametrize(
    ("who", "outcome"),
    [("family", Outcome.VISITOR_COMPLETED_EARLY), ("prisoner", Outcome.PRISONER_COMPLETED_EARLY)],
)
def test_the_outcome_names_the_side_that_left_early(who, outcome):
    scene = live()
    leg = scene.call.legs[0 if who == "prisoner" else 1]
    scene.do(c.LeaveLeg(Actor(f"leg:{leg.id}"), leg.id))
    assert scene.call.outcome is outcome


@pytest.mark.feature("F105")
def test_a_family_that_never_came_is_a_no_show_at_the_end_of_the_slot():
    scene = Scene()
    scene.arrive(scene.call.legs[0])
    scene.wait(30 * 60)
    assert scene.call.outcome is Outcome.VISITOR_DID_NOT_ARRIVE


@pytest.mark.feature("F16")
def test_a_family_that_waits_for_staff_waits_past_the_slot_and_is_not_cancelled():
    scene = Scene()
    scene.everybody_ready()
    scene.wait(31 * 60, proven=[])
    assert scene.call.phase is Phase.READY


# --- the end ------------------------------------------------------------------------


@pytest.mark.feature("F53")
@pytest.mark.parametrize("actor", [MONITOR, SUPERVISOR])
def test_the_end_is_final_and_carries_its_reason(actor):
    scene = live()
    scene.do(c.End(actor, EndReason.CONDUCT))
    assert scene.call.outcome is Outcome.TERMINATED_BY_STAFF
    assert scene.call.end_reason is EndReason.CONDUCT
    for command in (c.Pause(MONITOR), c.End(SUPERVISOR, EndReason.CONDUCT), c.Clear(MONITOR, "h1", 99)):
        assert refused(scene, command) is Code.ALREADY_ENDED
    assert scene.do(c.Tick(SYSTEM)) == []
    assert scene.plan.routes == frozenset()


# --- a leg drops -----------------------------------------------------------------------


@pytest.mark.feature("F20")
def test_a_leg_that_drops_holds_the_call_and_comes_back_without_a_new_identity_check():
    scene = live()
    scene.do(c.LoseMedia(SYSTEM, "v1.2"))
    assert scene.call.held_by(HoldKind.INTERRUPTED) is not None
    scene.wait(20)
    scene.do(c.ConnectMedia(SYSTEM, "v1.2"))
    assert scene.crosses
    assert scene.call.credited_s == 20


@pytest.mark.feature("F20")
def test_a_leg_away_for_longer_than_the_grace_is_verified_anew():
    scene = live()
    scene.do(c.LoseMedia(SYSTEM, "v1.2"))
    scene.wait(62)
    scene.do(c.ConnectMedia(SYSTEM, "v1.2"))
    assert not scene.crosses
    scene.verify(scene.call.legs[1])
    scene.do(c.Tick(SYSTEM))
    assert scene.crosses


@pytest.mark.feature("F4")
def test_a_revoked_link_silences_the_call_and_a_new_one_needs_a_new_identity_check():
    scene = live()
    scene.do(c.Revoke(SYSTEM, "v1.2"))
    assert not scene.crosses
    scene.do(c.ArriveLeg(FAMILY, "v1.2", scene.call.latest_end, "another"))
    scene.do(c.ConnectMedia(SYSTEM, "v1.2"))
    assert not scene.crosses


# --- the console ---------------------------------------------------------------------------


@pytest.mark.feature("F46")
def test_a_console_hears_only_the_call_in_focus():
    scene = live()
    lines = (("v1.1", 0), ("v1.2", 1))
    assert not [r for r in scene.plan.routes if r.sink == MONITOR.session and r.kind is Media.AUDIO]
    scene.do(c.Observe(MONITOR, lines, focus=True))
    heard = {r.source for r in scene.plan.routes if r.sink == MONITOR.session and r.kind is Media.AUDIO}
    assert heard == {"v1.1", "v1.2"}


@pytest.mark.feature("F45")
@pytest.mark.parametrize(("focus", "quality"), [(False, Quality.LOW), (True, Quality.BEST)])
def test_a_wall_takes_the_small_picture_and_the_focus_the_best(focus, quality):
    scene = live()
    lines = (("v1.1", 0), ("v1.2", 1))
    scene.do(c.Observe(MONITOR, lines, focus=focus))
    shown = {route for route in scene.plan.routes if route.sink == MONITOR.session and route.kind is Media.VIDEO}
    assert {route.quality for route in shown} == {quality}


@pytest.mark.feature("F48")
def test_what_a_console_shows_and_hears_is_on_the_record_with_its_time():
    scene = live()
    (event,) = scene.do(c.Observe(MONITOR, (("v1.1", 0), ("v1.2", 1)), focus=True))
    assert isinstance(event, e.ObservationStarted)
    assert (event.number, event.focus, event.at) == ("M1", True, scene.now)
    (gone,) = scene.do(c.StopObserving(MONITOR))
    assert gone == e.ObservationEnded(scene.now, MONITOR.id, MONITOR.session, "M1")


def test_the_technical_post_gets_no_picture_and_no_sound():
    scene = live()
    assert refused(scene, c.Observe(SUPERVISOR, (("v1.1", 0),))) is Code.NOT_YOUR_POST


def test_only_the_monitoring_post_warns_and_each_page_says_that_it_showed_it():
    scene = live()
    assert refused(scene, c.Warn(SUPERVISOR, Warning.DRESS)) is Code.NOT_YOUR_POST
    scene.do(c.Warn(MONITOR, Warning.DRESS))
    scene.do(c.ShowWarning(FAMILY, "v1.2", scene.call.warnings[0].id))
    assert scene.call.warnings[0].shown_by == ("v1.2",)


# --- recovery ------------------------------------------------------------------------------


@pytest.mark.feature("F103")
def test_a_recovered_call_waits_for_its_legs_and_after_a_long_gap_for_a_monitors_word():
    scene = live()
    scene.do(c.Recover(SYSTEM, 3.0))
    assert not scene.crosses
    for leg in scene.call.legs:
        scene.do(c.ConnectMedia(SYSTEM, leg.id))
    scene.both_proven()
    scene.do(c.Tick(SYSTEM))
    assert scene.crosses
    assert scene.call.epoch == 2

    scene.do(c.Recover(SYSTEM, 8.0))
    for leg in scene.call.legs:
        scene.do(c.ConnectMedia(SYSTEM, leg.id))
    scene.wait(4)
    hold = scene.call.held_by(HoldKind.RECOVERED)
    assert hold is not None
    assert not scene.crosses
    scene.do(c.Clear(MONITOR, hold.id, scene.call.seq))
    assert scene.crosses
    assert scene.call.credited_s >= 3 + 8


# --- four legs, one voice only -----------------------------------------------------------------


def test_a_call_of_four_legs_one_voice_only_goes_live_with_every_route():
    scene = live(booked(legs=FOUR_LEGS))
    assert scene.crosses
    between = [r for r in scene.plan.routes if r.sink != MONITOR.session]
    assert len([r for r in between if r.kind is Media.AUDIO]) == 12
    assert len([r for r in between if r.kind is Media.VIDEO]) == 9
    for sink in {r.sink for r in between}:
        lines = [(r.kind, r.line) for r in between if r.sink == sink]
        assert len(lines) == len(set(lines)), "two sources never share a line"


def test_a_call_of_four_legs_goes_on_when_the_interpreter_leaves_and_ends_with_the_prisoner():
    scene = live(booked(legs=FOUR_LEGS))
    scene.do(c.LeaveLeg(Actor("leg:v1.4"), "v1.4"))
    assert scene.crosses
    assert "v1.4" not in {r.source for r in scene.plan.routes}
    scene.do(c.LeaveLeg(Actor("leg:v1.1"), "v1.1"))
    assert scene.call.phase is Phase.ENDED


def test_a_synthetic_leg_never_meets_a_real_one():
    mixed = (FOUR_LEGS[0], replace(FOUR_LEGS[1], synthetic=True))
    scene = Scene(booked(legs=mixed))
    scene.everybody_ready()
    scene.both_proven()
    scene.do(c.Tick(SYSTEM))
    assert not scene.crosses


# --- the record -------------------------------------------------------------------------------


@pytest.mark.feature("F54")
def test_replaying_the_record_rebuilds_the_call():
    scene = live()
    scene.do(c.Pause(MONITOR))
    scene.do(c.Relabel(MONITOR, scene.call.holds[0].id))
    scene.do(c.Warn(MONITOR, Warning.LANGUAGE))
    scene.wait(20, proven=[Post.SUPERVISOR])
    scene.do(c.End(SUPERVISOR, EndReason.EQUIPMENT))
    stored = [(name_of(x), x.at, x.actor, body_of(x)) for x in (booked(), *scene.history)]

    events = [event_from(*record) for record in stored]

    assert events[1:] == scene.history
    assert reduce(evolve, events[1:], begin(events[0])) == scene.call


@pytest.mark.feature("F103")
def test_a_call_that_got_another_relay_waits_for_a_younger_proof_and_no_hold_follows_from_that():
    scene = live()
    scene.moved_at = scene.now
    scene.do(c.Tick(SYSTEM))
    assert not scene.crosses
    assert failing(scene.call, scene.evidence, DEFAULT, scene.now) == ["monitored"]
    scene.wait(1, proven=[Post.SUPERVISOR])
    assert not scene.crosses
    assert scene.call.holds == ()
    scene.prove(Post.MONITOR)
    assert scene.crosses
