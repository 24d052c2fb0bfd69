"""Exercises as data: those that come with the broker make sense, and a trainer's own is refused with what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.domain.codes import (
    AlertCode,
    AttendReason,
    BreachCategory,
    EndReason,
    NoteCode,
    PauseReason,
    Warning,
)
from broker.domain.training import IN_LOBBY, Misdeed
from broker.text import catalogue
from broker.training.exercise import MOST_CALLS, BadExercise, Exercise, load, names
from broker.training.seed import family_name, people_of

DETAILS = {
    "warn": Warning,
    "pause": PauseReason,
    "end": EndReason,
    "attend": AttendReason,
    "ack": AlertCode,
    "clear": AlertCode,
    "dismiss": AlertCode,
    "note": NoteCode,
    "breach": BreachCategory,
}


@pytest.fixture(params=names())
def exercise(request: pytest.FixtureRequest) -> Exercise:
    return load(request.param)


@pytest.mark.feature("F114")
def test_there_are_exercises_of_a_minute_of_five_and_of_ten() -> None:
    found = {name: (load(name).seconds, len(load(name).arrive_s)) for name in names()}

    assert {"first-shift": (300, 4), "busy": (600, 8)}.items() <= found.items()
    assert found["short"][0] <= 60


def test_every_act_that_is_due_or_forbidden_is_one_that_can_be_done(exercise: Exercise) -> None:
    keys = {key for cue in exercise.cues for key in (*cue.never, *(key for due in cue.due for key in due.one_of))}
    details = [key.split(".") for key in keys if "." in key]

    assert [key for key in details if key[1] not in list(DETAILS[key[0]])] == []
    assert all(f"training.act.{key.partition('.')[0]}" in catalogue("en") for key in keys)


def test_a_cue_can_still_be_answered_before_the_end_and_after_its_family_came(exercise: Exercise) -> None:
    for cue in exercise.cues:
        assert cue.at_s >= exercise.arrive_s[cue.call - 1]
        assert cue.at_s + max(due.late_s for due in cue.due) <= exercise.seconds


def test_nobody_is_told_before_the_hall_is_asked_that_it_will_not_answer() -> None:
    """A hall that does not answer is noticed only where it is asked: another cue at that call asks for it."""
    for cue in (cue for name in names() for cue in load(name).cues if cue.misdeed is Misdeed.NO_ANSWER):
        same = [one for name in names() for one in load(name).cues if one.call == cue.call and one is not cue]
        assert any("attend" in due.one_of for one in same for due in one.due)


def test_every_misdeed_has_its_words_and_what_it_asks_for(tmp_path: Path) -> None:
    for misdeed in Misdeed:
        assert f"training.misdeed.{misdeed}" in catalogue("en")
        own = tmp_path / "own.toml"
        own.write_text(f'seconds = 600\narrive = [0]\n[[cue]]\nat = 0\ncall = 1\ndoes = "{misdeed}"\n')
        cue = load(str(own)).cues[0]
        assert cue.due
        assert cue.in_lobby is (misdeed in IN_LOBBY)


def test_the_first_calls_of_an_exercise_keep_their_own_cues_alone() -> None:
    part = load("busy").first(3)

    assert len(part.arrive_s) == 3
    assert {cue.call for cue in part.cues} <= {1, 2, 3}
    assert part.cues


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seconds = 60\narrive = []", "calls"),
        ("arrive = [0]", "seconds"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 1\ncall = 2\ndoes = "hand"', "no call 2"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 30\ncall = 1\ndoes = "hand"', "after the end"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 1\ncall = 1\ndoes = "sing"', "sing"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 1\ncall = 1\ndoes = "hand"\nwho = "cat"', "who"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 1\ncall = 1\ndoes = "hand"\nnever = ["shoot"]', "shoot"),
        ('seconds = 60\narrive = [0]\n[[cue]]\nat = 1\ncall = 1\ndoes = "hand"\ndue = []', "nothing is due"),
        ("seconds = 60\narrive = 0", "own"),
        ("this is no TOML", "own"),
    ],
)
def test_an_exercise_that_makes_no_sense_is_refused_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.toml").write_text(text)

    with pytest.raises(BadExercise, match=said):
        load(str(tmp_path / "own.toml"))


@pytest.mark.parametrize("name", ["nothing", "expected", "../pyproject"])
def test_an_exercise_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(BadExercise):
        load(name)


def test_no_two_people_of_an_exercise_are_alike() -> None:
    calls = range(1, MOST_CALLS + 1)

    assert len({number for call in calls for number in people_of(call)}) == 2 * MOST_CALLS
    assert len({family_name(call) for call in calls}) == MOST_CALLS
