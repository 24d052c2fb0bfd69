"""The kinds' promises."""

from __future__ import annotations

import pytest

from broker.domain.kinds import KINDS, Observation, offered

PRIVILEGED = ("legal", "confidential", "official", "clinical")


@pytest.mark.feature("F86", "F93")
@pytest.mark.parametrize("code", PRIVILEGED)
def test_staff_never_hear_a_privileged_call_and_nobody_records_it(code):
    kind = KINDS[code]

    assert (kind.audio_to_staff, kind.records, kind.observation is Observation.FULL) == (False, False, False)


def test_what_has_a_prisoner_needs_both_posts():
    assert all(kind.needs_posts for kind in KINDS.values() if kind.has_prisoner)


@pytest.mark.feature("F86")
def test_nothing_is_recorded_before_there_is_a_recorder():
    assert not any(kind.recorded for kind in KINDS.values())


@pytest.mark.feature("F14")
def test_a_social_call_takes_four_people():
    assert KINDS["social"].max_people == 4


def test_social_compassionate_and_privileged_calls_are_offered():
    assert [kind.code for kind in offered()] == ["social", "compassionate", *PRIVILEGED]
    assert {kind.code for kind in KINDS.values() if kind.privileged} == set(PRIVILEGED)
