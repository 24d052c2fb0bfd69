"""The tasks of one post: what is written, marked, checked and asked for, when it counts and when it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain import commands as c
from broker.domain import task_commands as t
from broker.domain import task_events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call_record import Attend, Breach, Note
from broker.domain.codec import body_of, event_from, name_of
from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    Code,
    Document,
    EndReason,
    HoldKind,
    NoteCode,
    Post,
    Refused,
    Warning,
)
from broker.domain.free_text import kept_text
from broker.domain.policy import DEFAULT
from broker.domain.tasks import clock_s
from tests.domain.support import MONITOR, SUPERVISOR, Scene, live, staff, ticks

FAMILY = Actor("leg:v1.2")
RELIEF = staff("M2", Post.MONITOR)


def refused(scene: Scene, command: c.Command) -> Code:
    """Return why `command` is refused; nothing happens."""
    before = scene.call
    with pytest.raises(Refused) as why:
        scene.do(command)
    assert scene.call == before
    return why.value.code


# --- what people write --------------------------------------------------------


@pytest.mark.feature("F49")
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> & <b>bold</b>", "Mae’n siarad Cymraeg.", "one\r\ntwo\rthree"]
)
def test_a_note_is_kept_as_it_is_written_with_its_line_ends_made_one(text):
    assert kept_text(f"  {text} ", 2000) == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.feature("F49")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 10_000, Code.TEXT_TOO_LONG),
        ("x" * 2001, Code.TEXT_TOO_LONG),
        ("safe \u202egnihton\u202c", Code.TEXT_CONTROLS),
        ("a\u2066b", Code.TEXT_CONTROLS),
        ("bell \x07", Code.TEXT_CONTROLS),
        ("nothing \x00", Code.TEXT_CONTROLS),
        ("half \ud800", Code.TEXT_CONTROLS),
        (" \n\t ", Code.TEXT_MISSING),
    ],
)
def test_what_is_no_plain_text_is_refused_and_never_mended(text, code):
    with pytest.raises(Refused) as why:
        kept_text(text, DEFAULT.text_most_chars)
    assert why.value.code is code


@pytest.mark.feature("F49", "F50")
def test_a_note_and_a_bookmark_carry_the_calls_own_clock_which_stands_while_minutes_are_credited():
    scene = live()
    scene.wait(10)
    [hold] = [one for one in scene.do(c.Pause(MONITOR)) if hasattr(one, "hold_id")]
    scene.do(c.Relabel(MONITOR, hold.hold_id))  # a technical hold stops the clock
    scene.wait(20)
    scene.do(t.AddNote(MONITOR, NoteCode.WELFARE, "Both calm."))
    scene.do(c.Clear(SUPERVISOR, hold.hold_id, scene.call.seq))
    scene.wait(5)
    scene.do(t.AddBookmark(MONITOR))
    note, mark = scene.call.record.entries[-2:]
    assert (note.clock_s, mark.clock_s) == (10, 15)
    assert clock_s(Scene().call, scene.now) is None


@pytest.mark.feature("F50")
def test_a_bookmark_pressed_twice_at_once_is_one():
    scene = live()
    assert scene.do(t.AddBookmark(MONITOR))
    assert scene.do(t.AddBookmark(MONITOR)) == []
    scene.wait(1)
    assert scene.do(t.AddBookmark(MONITOR))


# --- breaches -------------------------------------------------------------------


def breaches(scene: Scene) -> list[Breach]:
    """Return the breaches of a call's record; what is withdrawn counts in no figure (test_figures)."""
    return [entry for entry in scene.call.record.entries if isinstance(entry, Breach)]


@pytest.mark.feature("F83")
def test_a_call_with_two_breaches_counts_once_and_one_that_was_withdrawn_counts_not_at_all():
    scene = live()
    for category in (BreachCategory.UNLISTED_PERSON, BreachCategory.DRESS):
        scene.do(t.RecordBreach(MONITOR, category, BreachOutcome.WARNED))
    first, second = (entry.id for entry in breaches(scene))
    scene.do(t.WithdrawBreach(MONITOR, first))
    assert [one.withdrawn for one in breaches(scene)] == [True, False]
    assert scene.do(t.WithdrawBreach(MONITOR, first)) == []
    scene.do(t.WithdrawBreach(MONITOR, second))
    assert [one.withdrawn for one in breaches(scene)] == [True, True]


@pytest.mark.feature("F83")
def test_a_breach_is_withdrawn_by_its_maker_within_its_time_only():
    scene = live()
    scene.do(t.RecordBreach(MONITOR, BreachCategory.DRESS, BreachOutcome.NO_ACTION))
    breach = scene.call.record.entries[-1].id
    assert refused(scene, t.WithdrawBreach(RELIEF, breach)) is Code.UNKNOWN_BREACH
    assert refused(scene, t.WithdrawBreach(MONITOR, "x999")) is Code.UNKNOWN_BREACH
    scene.wait(DEFAULT.breach_withdraw_s + 1)
    assert refused(scene, t.WithdrawBreach(MONITOR, breach)) is Code.WITHDRAW_EXPIRED


@pytest.mark.feature("F49", "F83")
def test_a_note_and_a_breach_may_be_written_after_the_end_and_a_bookmark_may_not():
    scene = live()
    scene.do(c.End(MONITOR, EndReason.UNLISTED_PERSON))
    scene.do(t.RecordBreach(MONITOR, BreachCategory.UNLISTED_PERSON, BreachOutcome.ENDED, "A man at the window."))
    scene.do(t.AddNote(MONITOR, NoteCode.PEOPLE, "Left when asked."))
    assert [type(entry) for entry in scene.call.record.entries[-2:]] == [Breach, Note]
    assert refused(scene, t.AddBookmark(MONITOR)) is Code.ALREADY_ENDED


# --- identity ---------------------------------------------------------------------


def at_the_door() -> tuple[Scene, c.Verify]:
    """Return a family in the lobby, and its check with every tick."""
    scene = Scene()
    family = scene.call.legs[1]
    scene.arrive(family)
    return scene, c.Verify(MONITOR, family.id, frozenset(family.people), scene.call.seq, ticks(family))


@pytest.mark.feature("F13")
@pytest.mark.parametrize("missing", [{"name": False}, {"photo": False}, {"document": None}])
def test_one_missing_tick_keeps_the_whole_family_out(missing):
    scene, verify = at_the_door()
    one, other = verify.checks
    assert refused(scene, replace(verify, checks=(replace(one, **missing), other))) is Code.IDENTITY_INCOMPLETE
    assert refused(scene, replace(verify, checks=(one, replace(other, **missing)))) is Code.IDENTITY_INCOMPLETE
    assert refused(scene, replace(verify, checks=(one,))) is Code.IDENTITY_INCOMPLETE
    assert refused(scene, replace(verify, checks=(one, one))) is Code.IDENTITY_INCOMPLETE


@pytest.mark.feature("F13")
def test_an_adult_is_never_admitted_on_the_word_of_another():
    scene, verify = at_the_door()
    one, other = verify.checks
    assert refused(scene, replace(verify, checks=(replace(one, document=Document.WITH_ADULT), other))) is (
        Code.IDENTITY_INCOMPLETE
    )


@pytest.mark.feature("F13", "F14")
def test_who_is_absent_is_left_out_on_record_and_may_be_admitted_when_they_come():
    scene, verify = at_the_door()
    family = scene.call.legs[1]
    alone = replace(verify, people=frozenset({"c1"}), checks=ticks(family, {"c1"}))
    checked = [event for event in scene.do(alone) if isinstance(event, e.IdentityChecked)]
    assert [(event.absent, [check.id for check in event.people]) for event in checked] == [(("c2",), ["c1"])]
    assert scene.call.legs[1].verified == {"c1"}
    late = replace(verify, version=scene.call.seq, checks=ticks(family, {"c2"}))
    assert refused(scene, replace(late, checks=())) is Code.IDENTITY_INCOMPLETE
    scene.do(late)
    assert scene.call.legs[1].verified == {"c1", "c2"}
    assert scene.do(late) == []


@pytest.mark.feature("F14")
def test_a_child_is_never_admitted_without_a_listed_adult():
    scene, verify = at_the_door()
    child = replace(verify, people=frozenset({"c2"}), checks=ticks(scene.call.legs[1], {"c2"}))
    assert refused(scene, child) is Code.ADULT_MISSING


# --- warnings ---------------------------------------------------------------------


def warned(scene: Scene, *legs: str) -> str:
    """Give a warning and return its id."""
    [given] = [event for event in scene.do(c.Warn(MONITOR, Warning.LANGUAGE, legs)) if hasattr(event, "warning")]
    return given.warning_id


def missed(scene: Scene) -> list[tuple[str, str]]:
    """Return what was missed so far: warning and leg."""
    return [(event.warning_id, event.leg_id) for event in scene.history if isinstance(event, e.WarningMissed)]


@pytest.mark.feature("F51")
def test_a_leg_that_presents_a_warning_in_time_has_not_missed_it_and_the_other_has_once():
    scene = live()
    warning = warned(scene)
    scene.wait(2)
    scene.do(c.ShowWarning(FAMILY, "v1.2", warning))
    scene.wait(10)
    assert missed(scene) == [(warning, "v1.1")]


@pytest.mark.feature("F51")
def test_a_late_receipt_is_recorded_as_late_and_a_replayed_one_not_at_all():
    scene = live()
    warning = warned(scene)
    scene.wait(5)
    scene.do(c.ShowWarning(FAMILY, "v1.2", warning))
    given = scene.call.warnings[-1]
    assert (given.shown_by, given.missed_by) == (("v1.2",), ("v1.1", "v1.2"))
    assert scene.do(c.ShowWarning(FAMILY, "v1.2", warning)) == []
    assert scene.do(c.ShowWarning(FAMILY, "v1.2", "w999")) == []


@pytest.mark.feature("F51")
def test_a_warning_given_again_to_one_leg_asks_nothing_of_the_other():
    scene = live()
    warned(scene)
    again = warned(scene, "v1.1")
    assert scene.do(c.ShowWarning(FAMILY, "v1.2", again)) == []
    scene.wait(4)
    assert (again, "v1.1") in missed(scene)
    assert (again, "v1.2") not in missed(scene)
    assert refused(scene, c.Warn(MONITOR, Warning.LANGUAGE, ("v9.1",))) is Code.UNKNOWN_LEG


# --- the hall is asked to attend ------------------------------------------------------


def asked(scene: Scene) -> Attend:
    """Ask the hall to attend, and return the request."""
    scene.do(t.RequestAttend(MONITOR, AttendReason.UNLISTED_PERSON))
    attend = scene.call.record.attending
    assert attend is not None
    return attend


@pytest.mark.feature("F69")
def test_a_request_that_is_answered_in_time_is_not_escalated_and_is_closed_with_an_outcome():
    scene = live()
    attend = asked(scene)
    assert scene.do(t.RequestAttend(MONITOR, AttendReason.CONDUCT)) == []
    assert refused(scene, t.CloseAttend(SUPERVISOR, attend.id, AttendOutcome.SETTLED)) is Code.NOT_ACKNOWLEDGED
    scene.wait(14)
    scene.do(t.AcknowledgeAttend(SUPERVISOR, attend.id))
    assert scene.do(t.AcknowledgeAttend(SUPERVISOR, attend.id)) == []
    scene.wait(60)
    scene.do(t.CloseAttend(SUPERVISOR, attend.id, AttendOutcome.SETTLED))
    closed = scene.call.record.attend(attend.id)
    assert closed is not None
    assert (closed.escalated_at, closed.outcome, scene.call.record.attending) == (None, "settled", None)


@pytest.mark.feature("F69")
def test_a_request_that_nobody_answers_goes_to_the_orderly_officer_once_and_may_still_be_answered():
    scene = live()
    attend = asked(scene)
    scene.wait(14)
    assert scene.call.record.attending is not None
    assert scene.call.record.attending.waits
    scene.wait(30)
    escalated = [event for event in scene.history if isinstance(event, e.AttendEscalated)]
    assert [(event.number, event.actor, event.at - attend.at) for event in escalated] == [
        (None, "system", timedelta(seconds=15))
    ]
    scene.do(t.AcknowledgeAttend(SUPERVISOR, attend.id))
    scene.do(t.CloseAttend(SUPERVISOR, attend.id, AttendOutcome.HANDED_OVER))
    assert scene.call.record.attending is None


@pytest.mark.feature("F69")
def test_a_request_outlives_its_call_and_is_escalated_after_the_end_too():
    scene = live()
    attend = asked(scene)
    scene.do(c.End(SUPERVISOR, EndReason.SECURITY))
    scene.wait(20)
    assert scene.call.record.attend(attend.id).escalated_at is not None
    scene.do(t.AcknowledgeAttend(SUPERVISOR, attend.id))
    assert refused(scene, t.RequestAttend(MONITOR, AttendReason.OTHER)) is Code.ALREADY_ENDED


# --- whose task it is -------------------------------------------------------------------

MONITORS_ALONE = [
    t.AddNote(SUPERVISOR, NoteCode.OTHER, "x"),
    t.AddBookmark(SUPERVISOR),
    t.RecordBreach(SUPERVISOR, BreachCategory.DRESS, BreachOutcome.WARNED),
    t.WithdrawBreach(SUPERVISOR, "x1"),
    t.RequestAttend(SUPERVISOR, AttendReason.OTHER),
    c.Warn(SUPERVISOR, Warning.FINAL),
    c.Verify(SUPERVISOR, "v1.2", frozenset({"c1"}), 999),
    c.RefuseLeg(SUPERVISOR, "v1.2"),
]
SUPERVISORS_ALONE = [
    t.AcknowledgeAttend(MONITOR, "a1"),
    t.EscalateAttend(MONITOR, "a1"),
    t.CloseAttend(MONITOR, "a1", AttendOutcome.SETTLED),
    c.Verify(MONITOR, "v1.1", frozenset({"A1234BC"}), 999),
    c.RefuseLeg(MONITOR, "v1.1"),
]


@pytest.mark.feature("F39")
@pytest.mark.parametrize("command", [*MONITORS_ALONE, *SUPERVISORS_ALONE], ids=lambda one: type(one).__name__)
def test_the_other_posts_tasks_are_refused(command):
    assert refused(live(), command) is Code.NOT_YOUR_POST


@pytest.mark.feature("F71")
def test_both_posts_write_on_the_line_between_them():
    scene = live()
    for actor in (MONITOR, SUPERVISOR):
        scene.do(t.SayLine(actor, "Seat 5 is clear."))
    assert [entry.post for entry in scene.call.record.entries[-2:]] == [Post.MONITOR, Post.SUPERVISOR]
    assert refused(scene, t.SayLine(MONITOR, "x" * 501)) is Code.TEXT_TOO_LONG


# --- two monitors ------------------------------------------------------------------------


@pytest.mark.feature("F54")
def test_of_two_monitors_who_decide_at_once_the_more_restrictive_wins_and_the_other_is_told():
    scene = live()
    scene.do(c.Pause(MONITOR))
    first = scene.call.held_by(HoldKind.SECURITY)
    seen = scene.call.seq
    scene.do(c.Pause(RELIEF))
    assert refused(scene, c.Clear(MONITOR, first.id, seen)) is Code.STALE_VERSION
    scene.do(c.Clear(MONITOR, first.id, scene.call.seq))
    assert not scene.crosses
    scene.do(c.End(RELIEF, EndReason.CONDUCT))
    assert refused(scene, c.Pause(MONITOR)) is Code.ALREADY_ENDED


def test_every_event_of_a_task_comes_back_from_the_record_as_it_was():
    scene, verify = at_the_door()
    scene.do(verify)
    scene.do(t.AddNote(MONITOR, NoteCode.CHILD, "Asleep."))
    scene.do(t.RecordBreach(MONITOR, BreachCategory.DRESS, BreachOutcome.WARNED, "Seen."))
    attend = asked(scene)
    scene.do(t.EscalateAttend(SUPERVISOR, attend.id))
    scene.do(t.CloseAttend(SUPERVISOR, attend.id, AttendOutcome.MOVED))
    scene.do(t.SayLine(SUPERVISOR, "Done."))
    scene.do(c.Warn(MONITOR, Warning.FINAL, ("v1.2",)))
    scene.do(c.Tick(SYSTEM))
    for event in scene.history:
        assert event_from(name_of(event), event.at, event.actor, body_of(event)) == event
