"""An exercise scored from its record: each verdict, what is nobody's cue, and nothing told before it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from broker.domain import commands as c
from broker.domain.codes import AttendReason, EndReason, PauseReason, Post, Warning
from broker.domain.codes import Outcome as CallOutcome
from broker.domain.task_commands import RequestAttend
from broker.domain.training import Cue, Due, Misdeed, Score, Verdict, score
from tests.domain.stories import Rec, stream_of
from tests.domain.support import MONITOR, SUPERVISOR, Scene, booked, live

S = timedelta(seconds=1)
WARN = Due(("warn.stay_in_view", "pause"), 20, 40)
DEALT = Due(("clear.covered",), 60, 90)
HOLD_BACK = Due((), 25, 25)


class Exercise:
    """A live call, and an exercise that began with it."""

    def __init__(self) -> None:
        self.first = booked()
        self.scene: Scene = live(self.first)
        self.scene.wait(1)
        self.began = self.scene.now
        self.facts: list[tuple[str, datetime, str, dict[str, Any]]] = []
        self.fact("training.began", exercise="short", seconds=60)
        self.fact("training.call", call_id="v1")

    def fact(self, kind: str, actor: str = "training", **body: Any) -> None:
        self.facts.append((kind, self.scene.now, actor, body))

    def cue(self, *due: Due, misdeed: Misdeed = Misdeed.COVERED, never: tuple[str, ...] = ("end",)) -> None:
        n = sum(kind == "training.cue" for kind, *_ in self.facts)
        self.fact("training.cue", **Cue(n, self.scene.now, misdeed, "v1", "v1.2", 10.0, due, never).body())

    def after(self, seconds: float, *commands: c.Command) -> None:
        self.scene.wait(seconds)
        for command in commands:
            self.scene.do(command)

    def over(self, seconds: float) -> None:
        self.scene.wait(seconds)
        self.fact("training.over")

    def streams(self) -> list[list[Rec]]:
        place = [
            Rec("establishment:TRN", n, kind, at, actor, body)
            for n, (kind, at, actor, body) in enumerate(self.facts, 1)
        ]
        return [place, stream_of(self.scene, self.first)]

    def score(self) -> Score:
        found = score(self.streams(), self.scene.now)
        assert found is not None
        return found

    def verdicts(self) -> list[Verdict]:
        return [answer.verdict for answer in self.score().answers]


@pytest.mark.feature("F114")
@pytest.mark.parametrize(("waits", "verdict"), [(12, Verdict.MET), (20, Verdict.MET), (21, Verdict.LATE)])
def test_an_answer_is_met_within_its_limit_and_late_after(waits: int, verdict: Verdict) -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(waits, c.Warn(MONITOR, Warning.STAY_IN_VIEW))
    answer = exercise.score().answers[0]

    assert (answer.verdict, answer.after_s, answer.deed.key if answer.deed else "") == (
        verdict,
        waits,
        "warn.stay_in_view",
    )


@pytest.mark.feature("F114")
def test_what_nobody_answers_is_open_until_it_can_no_longer_come_and_missed_then() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(40)
    assert exercise.verdicts() == [Verdict.OPEN]
    assert exercise.score().closed == ()
    assert not [row for row in exercise.score().as_rows() if "covered" in row]
    exercise.after(1)
    assert exercise.verdicts() == [Verdict.MISSED]
    assert [row[7] for row in exercise.score().as_rows() if "covered" in row] == ["missed"]


def test_what_comes_long_after_is_missed_and_an_act_for_nothing() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(41, c.Pause(MONITOR))

    assert exercise.verdicts() == [Verdict.MISSED]
    assert [deed.key for deed in exercise.score().false_alarms] == ["pause"]


@pytest.mark.feature("F114")
def test_a_call_ended_where_a_warning_was_due_is_wrong() -> None:
    exercise = Exercise()
    exercise.cue(WARN, DEALT)
    exercise.after(5, c.End(MONITOR, EndReason.CONDUCT))
    found = exercise.score()

    assert [answer.verdict for answer in found.answers] == [Verdict.WRONG, Verdict.WRONG]
    assert found.answers[0].deed is not None
    assert found.answers[0].deed.key == "end.conduct"
    assert found.false_alarms == ()


def test_a_right_answer_that_goes_too_far_is_wrong_at_its_last_step() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(5, c.Warn(MONITOR, Warning.STAY_IN_VIEW))
    exercise.after(5, c.End(MONITOR, EndReason.CONDUCT))

    assert exercise.verdicts() == [Verdict.WRONG]


@pytest.mark.feature("F114")
def test_an_intervention_without_a_cue_is_a_false_alarm_and_a_note_is_none() -> None:
    exercise = Exercise()
    exercise.after(5, c.Warn(MONITOR, Warning.DRESS), RequestAttend(MONITOR, AttendReason.WELFARE))
    exercise.fact("alert.raised", id="a1", code="hand", call_id="v1", post="monitor")
    exercise.fact("alert.acknowledged", "staff:M1", id="a1", number="M1")

    assert [deed.key for deed in exercise.score().false_alarms] == ["attend.welfare", "warn.dress"]


def test_a_pause_that_was_undone_at_once_is_neither_an_answer_nor_a_false_alarm() -> None:
    exercise = Exercise()
    exercise.after(5, c.Pause(MONITOR))
    exercise.after(2, c.Undo(MONITOR, exercise.scene.call.holds[0].id))

    assert exercise.score().false_alarms == ()


def test_a_pause_is_known_by_the_reason_that_is_given_after_it() -> None:
    exercise = Exercise()
    exercise.cue(Due(("pause.unlisted_person",), 20, 40), misdeed=Misdeed.UNLISTED)
    exercise.after(5, c.Pause(MONITOR))
    hold = exercise.scene.call.holds[0].id
    exercise.after(3, c.GiveReason(MONITOR, hold, PauseReason.UNLISTED_PERSON))

    assert exercise.score().answers[0].after_s == 5


def test_what_the_hall_does_is_no_answer_of_the_monitor() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(5, c.Pause(SUPERVISOR))

    assert exercise.verdicts() == [Verdict.OPEN]
    assert exercise.score().false_alarms == ()


@pytest.mark.feature("F114")
def test_an_alert_is_an_answer_by_how_it_was_closed() -> None:
    exercise = Exercise()
    exercise.cue(WARN, DEALT, never=("end", "dismiss.covered"))
    exercise.fact("alert.raised", id="a1", code="covered", call_id="v1", post="monitor")
    exercise.after(30, c.Warn(MONITOR, Warning.STAY_IN_VIEW))
    exercise.after(1)
    exercise.fact("alert.cleared", "staff:M1", id="a1", number="M1", outcome="dealt")
    assert exercise.verdicts() == [Verdict.LATE, Verdict.MET]
    exercise.facts[-1] = (*exercise.facts[-1][:3], {"id": "a1", "number": "M1", "outcome": "no_issue"})
    assert exercise.verdicts() == [Verdict.LATE, Verdict.WRONG]
    exercise.facts[-1] = (*exercise.facts[-1][:3], {"id": "a1", "number": None, "outcome": "itself"})
    assert exercise.verdicts() == [Verdict.LATE, Verdict.OPEN]


@pytest.mark.feature("F114")
@pytest.mark.parametrize(("acts", "verdict"), [(False, Verdict.MET), (True, Verdict.WRONG)])
def test_to_hold_back_is_an_answer_too(acts: bool, verdict: Verdict) -> None:
    exercise = Exercise()
    exercise.cue(HOLD_BACK, misdeed=Misdeed.NO_DOCUMENT, never=("warn",))
    exercise.after(20)
    assert exercise.verdicts() == [Verdict.OPEN]
    exercise.after(0 if acts else 6, c.Warn(MONITOR, Warning.LANGUAGE))

    assert exercise.verdicts() == [verdict]


def test_one_act_answers_one_cue_and_the_one_that_waited_longest() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.after(5)
    exercise.cue(WARN, misdeed=Misdeed.EMPTY)
    exercise.after(5, c.Warn(MONITOR, Warning.STAY_IN_VIEW))

    assert exercise.verdicts() == [Verdict.MET, Verdict.OPEN]


def test_the_end_of_the_exercise_closes_what_is_open_and_nothing_after_counts() -> None:
    exercise = Exercise()
    exercise.cue(WARN)
    exercise.cue(HOLD_BACK, misdeed=Misdeed.NO_DOCUMENT, never=("admit",))
    exercise.over(10)
    exercise.after(5, c.Warn(MONITOR, Warning.STAY_IN_VIEW))
    found = exercise.score()

    assert found.over
    assert (found.elapsed_s, found.count(Verdict.MISSED), found.count(Verdict.MET)) == (10, 1, 1)
    assert found.false_alarms == ()


def test_a_cue_that_was_not_given_is_told_at_the_end_alone() -> None:
    exercise = Exercise()
    exercise.fact("training.left_out", n=4, misdeed="hand", call_id="v1", why="not_live")
    assert not [row for row in exercise.score().as_rows() if row[:1] == ("left_out",)]
    exercise.over(10)
    assert [row[4] for row in exercise.score().as_rows() if row[:1] == ("left_out",)] == ["hand"]


def test_looks_count_as_they_do_in_the_figures() -> None:
    exercise = Exercise()
    exercise.after(3)
    streams = exercise.streams()
    began = exercise.began.isoformat()
    looked = {"number": "M1", "since": began, "after_s": 20, "limit_s": 30, "within": True}
    late = replace(streams[1][-1], type="attention.looked", at=exercise.began + 2 * S, body={**looked, "within": False})
    streams[1] += [replace(late, at=exercise.began + 1 * S, body=looked), late]
    streams[1].sort(key=lambda record: record.at)
    found = score(streams, exercise.scene.now)

    assert found is not None
    assert (found.looks_in_time, found.looks_due) == (1, 2)


def test_a_refusal_at_the_identity_check_and_an_admission_are_told_apart() -> None:
    exercise = Exercise()
    first = booked()
    exercise.first, exercise.scene = first, Scene(first)
    exercise.facts.clear()
    exercise.fact("training.began", exercise="short", seconds=60)
    exercise.scene.both_proven()
    exercise.scene.arrive(exercise.scene.call.legs[1])
    exercise.cue(Due(("refuse",), 60, 90), misdeed=Misdeed.WRONG_PERSON, never=("admit",))
    exercise.after(10, c.RefuseLeg(MONITOR, "v1.2"))

    assert exercise.scene.call.outcome is CallOutcome.VISITOR_FAILED_SECURITY_CHECKS
    assert exercise.verdicts() == [Verdict.MET]


def test_nothing_is_scored_where_no_exercise_began() -> None:
    scene = live(booked())
    scene.wait(5, proven=[Post.MONITOR, Post.SUPERVISOR])

    assert score([stream_of(scene, booked())], scene.now) is None
