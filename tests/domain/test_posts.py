"""Posts: what a scope reaches, and who may take which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost, Subject, may, staff_asker
from broker.domain.posts import Holder, sign_on
from broker.domain.records import Grade, Grant, Role
from tests.domain.support import NOON

TWO = frozenset({"HRD", "SKB"})
GRANTS = tuple(Grant("M1", place, role) for place in sorted(TWO) for role in (Role.MONITOR, Role.SUPERVISOR))
AT_THE_WALL = Holder(Post.MONITOR, TWO, None, "M1", "Imani Clarke", Grade.OSG, "p-1", "c-1", NOON)
IN_THE_HALL = replace(AT_THE_WALL, post=Post.SUPERVISOR, scope=frozenset({"HRD"}), hall_id="HRD-A", session="s-1")


def refusal(holder, grants=GRANTS, held=(), today=()):
    with pytest.raises(Refused) as refused:
        sign_on(holder, grants, held, None, today)
    return refused.value.code


def test_one_monitor_reaches_every_hall_of_several_establishments_and_nothing_else():
    held = HeldPost(Post.MONITOR, TWO)
    asker = staff_asker("M1", [(Role.MONITOR, place) for place in TWO], held)

    assert [may(asker, "call.pause", Subject(place, "any")) for place in ("HRD", "SKB")] == [None, None]
    assert may(asker, "call.pause", Subject("WXC", "any")) is Code.NOT_YOUR_HALL


def test_a_scope_is_granted_whole_or_not_at_all():
    sign_on(AT_THE_WALL, GRANTS, (), None)

    assert refusal(AT_THE_WALL, GRANTS[:2]) is Code.NOT_GRANTED
    assert refusal(replace(AT_THE_WALL, scope=frozenset())) is Code.NOT_GRANTED


def test_a_technical_post_is_of_one_hall_of_one_establishment():
    officer = replace(IN_THE_HALL, grade=Grade.PRISON_OFFICER)
    sign_on(officer, GRANTS, (), None)

    assert refusal(replace(officer, scope=TWO)) is Code.NOT_YOUR_HALL


@pytest.mark.feature("F35")
def test_whoever_supervises_anywhere_monitors_nowhere_that_day():
    far = replace(IN_THE_HALL, scope=frozenset({"WXC"}), hall_id="WXC-A")

    assert refusal(AT_THE_WALL, held=[far]) is Code.OTHER_POST_HELD
    assert refusal(AT_THE_WALL, today=[("M1", Post.SUPERVISOR)]) is Code.OTHER_POST_HELD
