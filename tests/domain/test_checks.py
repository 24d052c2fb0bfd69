"""The attention check: when it rings, what answers it, how it rises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.checks import LETTERS, Check, CheckStage, due_after, may_ask, pick
from broker.domain.policy import DEFAULT
from tests.domain.support import NOON

pytestmark = pytest.mark.feature("F58")
CHECK = Check("c1", "v1", "K", NOON)


@pytest.mark.parametrize(
    ("waited", "stage"),
    [
        (0, CheckStage.RING),
        (14.9, CheckStage.RING),
        (15, CheckStage.TONE),
        (30, CheckStage.MISSED),
        (119, CheckStage.MISSED),
        (120, CheckStage.UNATTENDED),
    ],
)
def test_a_check_without_an_answer_rises(waited, stage):
    assert CHECK.stage(NOON + timedelta(seconds=waited), DEFAULT) is stage


@pytest.mark.parametrize(
    ("call_id", "letter", "takes"),
    [("v1", None, True), (None, "k", True), ("v2", None, False), (None, "J", False), (None, None, False)],
)
def test_only_that_tile_or_its_letter_is_the_answer(call_id, letter, takes):
    assert CHECK.takes(call_id, letter) is takes


def test_its_time_is_between_three_and_six_minutes():
    assert due_after(NOON, 0.0, DEFAULT) == NOON + timedelta(seconds=180)
    assert NOON + timedelta(seconds=359) < due_after(NOON, 0.999, DEFAULT) < NOON + timedelta(seconds=360)


def test_it_waits_for_a_person_who_is_busy_and_not_for_long():
    assert may_ask(NOON, NOON, busy=False, policy=DEFAULT)
    assert not may_ask(NOON, NOON + timedelta(seconds=59), busy=True, policy=DEFAULT)
    assert may_ask(NOON, NOON + timedelta(seconds=60), busy=True, policy=DEFAULT)


def test_every_tile_and_letter_may_be_drawn():
    assert [pick(LETTERS, number / len(LETTERS)) for number in range(len(LETTERS))] == list(LETTERS)
    assert pick(["v1", "v2"], 0.99999) == "v2"
