"""What may be booked, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from broker.domain.bookings import Facts, barred, check, hall_hours, is_adult
from broker.domain.codes import Code, Refused
from broker.domain.records import Contact, Establishment, Hall, Prisoner, Restriction, Seat, Visit

ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TWO = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
HALL = Hall("h1", "HRD", "Main hall", "08:00", "20:00")
SEATS = (Seat("t1", "HRD", "h1", 1), Seat("t2", "HRD", "h1", 2), Seat("t3", "HRD", "h1", 3, in_use=False))
PRISONERS = (Prisoner("A1234BC", "HRD", "John", "Ash"), Prisoner("A5678DE", "HRD", "Paul", "Birch"))
MARY = Contact("c1", "HRD", "A1234BC", "Mary", "Ash", date(1980, 5, 1))
TIM = Contact("c2", "HRD", "A1234BC", "Tim", "Ash", date(2015, 5, 1))
EXTRA = [Contact(f"x{n}", "HRD", "A1234BC", "Extra", f"Number{n}", date(1990, 1, n + 1)) for n in range(5)]
PAULA = Contact("c3", "HRD", "A5678DE", "Paula", "Birch", date(1985, 5, 1))
MARY_TOO = Contact("c4", "HRD", "A5678DE", " mary", "ASH", date(1980, 5, 1))
CONTACTS = (MARY, TIM, PAULA, MARY_TOO, *EXTRA)
VISIT = Visit("v1", "HRD", "social", "A1234BC", ("c1", "c2"), "h1", "t1", TWO, TWO + timedelta(minutes=30), "staff:1")
OTHER = replace(VISIT, id="v2", prisoner_number="A5678DE", contact_ids=("c3",), seat_id="t2")
FACTS = Facts(Establishment("HRD", "HMP Harrowdene"), (HALL,), SEATS, PRISONERS, CONTACTS, (), ())


def refusal(visit: Visit, facts: Facts = FACTS, now: datetime = NOW) -> Code | None:
    """Return why the booking is refused, None where it is not."""
    try:
        check(visit, facts, now, ZONE)
    except Refused as refused:
        return refused.code
    return None


def test_a_visit_that_breaks_no_rule_may_be_booked():
    assert refusal(VISIT) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "interpreted"}, Code.KIND_NOT_OFFERED),
        ({"kind": "party"}, Code.KIND_NOT_OFFERED),
        ({"ends_at": TWO}, Code.BAD_TIMES),
        ({"ends_at": TWO - timedelta(hours=1)}, Code.BAD_TIMES),
        ({"ends_at": TWO + timedelta(minutes=61)}, Code.BAD_TIMES),
        ({"starts_at": TWO - timedelta(hours=6), "ends_at": TWO - timedelta(hours=5, minutes=30)}, Code.BAD_TIMES),
        ({"prisoner_number": "Z9999ZZ"}, Code.UNKNOWN_PRISONER),
        ({"seat_id": "t9"}, Code.UNKNOWN_SEAT),
        ({"hall_id": "h9"}, Code.UNKNOWN_SEAT),
        ({"seat_id": "t3"}, Code.SEAT_OUT_OF_USE),
        ({"starts_at": TWO + timedelta(hours=6), "ends_at": TWO + timedelta(hours=6, minutes=5)}, Code.HALL_CLOSED),
        ({"contact_ids": ()}, Code.ADULT_MISSING),
        ({"contact_ids": ("c2",)}, Code.ADULT_MISSING),
        ({"contact_ids": ("c2", "c1")}, Code.ADULT_MISSING),
        ({"contact_ids": ("c3",)}, Code.NOT_ON_VISITOR_LIST),
        ({"contact_ids": ("c1", "nobody")}, Code.NOT_ON_VISITOR_LIST),
        ({"contact_ids": ("c1", "c1")}, Code.NOT_ON_VISITOR_LIST),
    ],
)
def test_what_a_rule_forbids_can_not_be_booked(changes, code):
    assert refusal(replace(VISIT, **changes)) == code


@pytest.mark.feature("F14")
def test_a_fifth_person_is_refused_and_the_fourth_is_not():
    four = ("c1", "x0", "x1", "x2")

    assert refusal(replace(VISIT, contact_ids=four)) is None
    assert refusal(replace(VISIT, contact_ids=(*four, "x3"))) == Code.TOO_MANY_PEOPLE


@pytest.mark.feature("F106")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prisoner_number": "A1234BC", "contact_ids": ("x0",)}, Code.PRISONER_BOOKED),
        ({"seat_id": "t1"}, Code.SEAT_BOOKED),
        ({"contact_ids": ("c4",)}, Code.CONTACT_BOOKED),  # the same person, on another prisoner's list
    ],
)
def test_nobody_and_no_seat_is_booked_twice_at_once(changes, code):
    facts = replace(FACTS, visits=(replace(OTHER, **changes),))

    assert refusal(VISIT, facts) == code


def test_a_visit_may_begin_as_another_ends():
    before = replace(VISIT, id="v0", starts_at=TWO - timedelta(minutes=30), ends_at=TWO)

    assert refusal(VISIT, replace(FACTS, visits=(before,))) is None


def test_a_cancelled_visit_holds_nothing():
    cancelled = replace(VISIT, id="v0", cancelled_at=NOW)

    assert refusal(VISIT, replace(FACTS, visits=(cancelled,))) is None


@pytest.mark.feature("F108")
@pytest.mark.parametrize(
    ("contact", "prisoner"),
    [("c1", "A1234BC"), ("c1", None), ("c2", "A1234BC"), ("c4", None)],
    ids=["this prisoner", "every prisoner", "an extra person", "known from another list"],
)
def test_a_restricted_person_is_never_booked_not_even_as_an_extra(contact, prisoner):
    standing = Restriction("r1", "HRD", contact, prisoner, "NONCON", date(2026, 1, 1))

    assert refusal(VISIT, replace(FACTS, restrictions=(standing,))) == Code.CONTACT_RESTRICTED


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "stands"),
    [
        (date(2026, 11, 24), None, True),
        (date(2026, 11, 25), None, False),
        (date(2026, 1, 1), date(2026, 11, 24), True),
        (date(2026, 1, 1), date(2026, 11, 23), False),
    ],
)
def test_a_restriction_stands_from_its_first_day_to_its_last(starts_on, ends_on, stands):
    standing = Restriction("r1", "HRD", "c1", "A1234BC", "BAN", starts_on, ends_on)

    assert barred([MARY], CONTACTS, [standing], TWO) == (frozenset({"c1"}) if stands else frozenset())


def test_a_restriction_to_one_prisoner_leaves_the_others():
    standing = Restriction("r1", "HRD", "c1", "A1234BC", "NONCON", date(2026, 1, 1))

    assert barred([MARY_TOO], CONTACTS, [standing], TWO) == frozenset()


@pytest.mark.feature("F108")
def test_a_prisoner_who_may_have_no_contact_is_never_booked():
    shut = replace(PRISONERS[0], no_contact_all=True)

    assert refusal(VISIT, replace(FACTS, prisoners=(shut,))) == Code.CONTACT_RESTRICTED


def test_eighteen_counts_from_the_birthday():
    child = replace(MARY, born=date(2008, 11, 25))

    assert (is_adult(child, date(2026, 11, 24)), is_adult(child, date(2026, 11, 25))) == (False, True)


def test_hours_follow_the_clocks_of_the_hall():
    summer = hall_hours(HALL, date(2026, 7, 1), ZONE)

    assert summer.opens_at.astimezone(UTC) == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)


def test_a_hall_with_equal_hours_never_closes():
    always = replace(FACTS, halls=(replace(HALL, opens="00:00", closes="00:00"),))
    late = replace(VISIT, starts_at=TWO + timedelta(hours=9, minutes=45), ends_at=TWO + timedelta(hours=10, minutes=15))

    assert refusal(late, always) is None


def test_a_hall_may_close_after_midnight():
    night = replace(FACTS, halls=(replace(HALL, opens="18:00", closes="02:00"),))
    late = replace(VISIT, starts_at=TWO + timedelta(hours=11), ends_at=TWO + timedelta(hours=11, minutes=30))

    assert refusal(late, night) is None
    assert refusal(VISIT, night) == Code.HALL_CLOSED
