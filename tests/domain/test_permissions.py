"""The permission table against its golden copy, and the conditions under which a row grants."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from broker.domain.codes import Code, Post
from broker.domain.permissions import (
    ACTIONS,
    STRANGER,
    TABLE,
    Asker,
    HeldPost,
    Need,
    Subject,
    Who,
    may,
    staff_asker,
    where,
)
from broker.domain.records import NATIONAL_POOL, Grade, Role
from tests.domain.permissions_in_full import FULL_FILE, in_full

GOLDEN = Path(__file__).with_name("permissions.csv")
HERE = Subject("HRD", "h1", "v1.1")
FAMILY = Asker(Who.FAMILY, leg_id="v1.2", establishment="HRD")
LAPTOP = Asker(Who.LAPTOP, leg_id="v1.1", device_id="d1", establishment="HRD")
ON_MONITOR = HeldPost(Post.MONITOR, frozenset({"HRD"}))
ON_HALL = HeldPost(Post.SUPERVISOR, frozenset({"HRD"}), "h1")
ROLES = {who: Role(who.value) for who in Who if who.value in {role.value for role in Role}}


def asker_of(who: Who, held: HeldPost | None = None) -> Asker:
    """Return somebody of a column of the table, at HRD."""
    if who in ROLES:
        return staff_asker("1001", [(ROLES[who], "HRD")], held)
    return {
        Who.STRANGER: STRANGER,
        Who.FAMILY: FAMILY,
        Who.LAPTOP: LAPTOP,
        Who.SYNTHETIC: Asker(Who.SYNTHETIC, establishment="HRD"),
    }[who]


def test_the_table_is_the_golden_one():
    """A change of the table is a change of permissions.csv, and is reviewed there."""
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        golden = {
            (row["action"], Who(who)): Need(need)
            for row in csv.DictReader(file)
            for who, need in row.items()
            if who != "action" and need != "-"
        }

    assert dict(TABLE) == golden


def test_the_golden_copy_names_every_column_and_every_action_once():
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        actions = [row["action"] for row in reader]

    assert (reader.fieldnames, actions) == (["action", *Who], sorted(ACTIONS))


@pytest.mark.parametrize("who", Who)
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_what_the_table_does_not_grant_is_refused(action, who):
    """The whole product: with every post held in turn, a cell that is empty grants nothing."""
    held = [None, ON_MONITOR, ON_HALL]
    granted = any(may(asker_of(who, post), action, subject_of(who)) is None for post in held)

    assert granted == ((action, who) in TABLE)


def subject_of(who: Who) -> Subject:
    """Return a subject that is the column's own: its establishment, hall, leg and device."""
    asker = asker_of(who)
    return Subject("HRD", "h1", asker.leg_id, asker.device_id)


def test_an_action_without_a_row_is_refused_to_everybody():
    assert {may(asker_of(who), "call.record", HERE) for who in Who} == {Code.NOT_PERMITTED}


@pytest.mark.feature("F99")
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_family_and_staff_share_nothing_but_what_is_open_to_strangers(action):
    family = (action, Who.FAMILY) in TABLE
    staff = any((action, who) in TABLE for who in ROLES)

    assert not (family and staff) or (action, Who.STRANGER) in TABLE


@pytest.mark.parametrize(
    ("held", "subject", "code"),
    [
        (None, HERE, Code.NOT_ON_POST),
        (ON_MONITOR, HERE, None),
        (ON_MONITOR, Subject("SKB", "h9"), Code.NOT_YOUR_HALL),
        (ON_HALL, HERE, None),
        (ON_HALL, Subject("HRD", "h2"), Code.NOT_YOUR_HALL),
        (HeldPost(Post.MONITOR, frozenset({"SKB"})), Subject("SKB"), Code.NOT_GRANTED),
    ],
)
def test_a_call_is_paused_from_a_post_of_its_place_only(held, subject, code):
    both = staff_asker("1001", [(Role.MONITOR, "HRD"), (Role.SUPERVISOR, "HRD")], held)

    assert may(both, "call.pause", subject) == code


@pytest.mark.parametrize(
    ("held", "action"),
    [
        (ON_HALL, "hold.clear.security"),
        (ON_MONITOR, "hold.clear.technical"),
        (ON_HALL, "leg.verify.family"),
        (ON_MONITOR, "leg.verify.prisoner"),
        (ON_HALL, "call.listen"),
        (ON_HALL, "call.watch"),
        (ON_HALL, "call.warn"),
    ],
)
def test_neither_post_may_do_the_other_s_tasks_whatever_roles_the_person_has(held, action):
    both = staff_asker("1001", [(Role.MONITOR, "HRD"), (Role.SUPERVISOR, "HRD")], held)

    assert may(both, action, HERE) == Code.NOT_YOUR_POST


@pytest.mark.parametrize("action", ["hold.clear.unmonitored", "hold.clear.unsupervised", "hold.clear.interrupted"])
def test_nobody_clears_a_hold_that_clears_by_itself(action):
    assert all(may(asker_of(who, post), action, HERE) for who in Who for post in (ON_MONITOR, ON_HALL))


def test_a_leg_speaks_for_itself_alone():
    assert may(FAMILY, "lobby.enter", Subject("HRD", leg_id="v1.2")) is None
    assert may(FAMILY, "lobby.enter", Subject("HRD", leg_id="v2.2")) == Code.NOT_PERMITTED
    assert may(LAPTOP, "check.report", Subject("HRD", leg_id="v1.1", device_id="d2")) == Code.NOT_PERMITTED


def test_a_grant_is_good_at_its_establishment_only():
    clerk = staff_asker("1001", [(Role.BOOKING, "HRD"), (Role.AUDITOR, "SKB")])

    assert may(clerk, "visit.book", Subject("HRD")) is None
    assert may(clerk, "visit.book", Subject("SKB")) == Code.NOT_GRANTED
    assert (where(clerk, "visit.book"), where(clerk, "visit.list")) == ({"HRD"}, {"HRD", "SKB"})


def test_without_a_grant_there_is_no_scope():
    assert where(staff_asker("1001", []), "visit.list") == frozenset()
    assert where(STRANGER, "visit.list") == frozenset()


@pytest.mark.feature("F82", "F60")
def test_a_pool_monitor_s_scope_is_what_the_pool_monitors_now_and_only_for_what_a_post_may_do():
    grant = [(Role.NATIONAL_MONITOR, NATIONAL_POOL)]
    held = HeldPost(Post.MONITOR, frozenset({"HRD", "SKB"}), pool=True)

    assert where(staff_asker("N1", grant, held), "figures.read") == {"HRD", "SKB"}
    assert where(staff_asker("N1", grant, held), "visit.list") == {NATIONAL_POOL}
    assert where(staff_asker("N1", grant), "figures.read") == frozenset()
    assert where(staff_asker("N1", [(Role.MONITOR, "HRD")], held), "figures.read") == frozenset()


@pytest.mark.feature("F34", "F36", "F39")
def test_every_post_grade_action_and_scope_is_as_the_golden_enumeration_says():
    """After a change of the table: `python -m tests.domain.permissions_in_full`, and review what changed."""
    with FULL_FILE.open(newline="", encoding="utf-8") as file:
        golden = list(csv.DictReader(file))

    assert list(in_full()) == golden


def test_the_enumeration_grants_no_technical_task_below_prison_officer_and_nothing_beyond_a_scope():
    rows = list(in_full())
    below = [row for row in rows if row["post"] == "supervisor" and "yes" in (row["osg"], row["civilian"])]
    on_post = {action for action, _ in TABLE if any(TABLE.get((action, who)) is Need.ON_POST for who in Who)}
    beyond = [
        row
        for row in rows
        if row["action"] in on_post
        and row["scope"] in ("granted_elsewhere", "not_granted")
        and "yes" in (row[grade.value] for grade in Grade)
    ]

    assert (below, beyond) == ([], [])
