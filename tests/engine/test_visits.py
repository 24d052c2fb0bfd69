"""Bookings on the record: what is taken, what is refused, and that two at once never both win."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.codes import Code, Refused
from broker.domain.records import Restriction, Scope, Visit
from broker.ports import LogUnavailable
from tests.office import BOTH, HRD, SKB, TWO, Desk, request


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def refusal(work) -> Code:
    with pytest.raises(Refused) as refused:
        await work
    return refused.value.code


async def test_a_booking_is_a_row_and_an_event(desk):
    visit = await desk.office.visits.book(HRD, request(), "staff:1")

    [record] = await desk.log.read("establishment:HRD")

    assert await desk.directory.visit(HRD, visit.id) == visit
    assert (record.type, record.actor, record.body["visit_id"]) == ("visit.booked", "staff:1", visit.id)


async def test_a_booking_that_can_not_be_recorded_is_none(desk):
    desk.log.down = True

    with pytest.raises(LogUnavailable):
        await desk.office.visits.book(HRD, request(), "staff:1")

    assert not [row for row in desk.directory.rows.values() if isinstance(row, Visit)]


@pytest.mark.feature("F106")
async def test_of_many_bookings_of_one_seat_at_once_one_wins(desk, monkeypatch):
    read = desk.directory.visits

    async def read_and_let_others_act(*args):
        rows = await read(*args)
        await asyncio.sleep(0)
        return rows

    monkeypatch.setattr(desk.directory, "visits", read_and_let_others_act)
    others = desk.open()  # another process on the same storage
    wanted = [request(), request(prisoner_number="A5678DE", contact_ids=("c3-HRD",))] * 4

    answers = await asyncio.gather(
        *((others if n % 2 else desk.office).visits.book(HRD, want, f"staff:{n}") for n, want in enumerate(wanted)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Visit) for answer in answers) == 1
    assert len([row for row in desk.directory.rows.values() if isinstance(row, Visit)]) == 1


async def test_a_booking_outside_the_scope_is_refused_as_not_granted(desk):
    assert await refusal(desk.office.visits.book(SKB, request(), "staff:1")) == Code.NOT_GRANTED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prisoner_number": "B1234BC", "contact_ids": ("c1-SKB",)}, Code.UNKNOWN_PRISONER),
        ({"seat_id": "t1-SKB", "hall_id": "h-SKB"}, Code.UNKNOWN_SEAT),
        ({"contact_ids": ("c1-SKB",)}, Code.NOT_ON_VISITOR_LIST),
    ],
)
async def test_a_booking_joins_nobody_and_nothing_of_another_establishment(desk, changes, code):
    assert await refusal(desk.office.visits.book(BOTH, request(**changes), "staff:1")) == code


async def test_cancelling_twice_is_refused_the_second_time(desk):
    visit, _ = await desk.visit_with_link()
    await desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")

    assert await refusal(desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")) == (
        Code.ALREADY_CANCELLED
    )


async def test_a_cancelled_visit_frees_its_seat_and_its_people(desk):
    visit = await desk.office.visits.book(HRD, request(), "staff:1")
    await desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")

    assert (await desk.office.visits.book(HRD, request(), "staff:1")).id != visit.id


async def test_a_visit_that_is_over_is_not_cancelled(desk):
    visit = await desk.office.visits.book(HRD, request(), "staff:1")
    desk.clock.turn(3 * 3600)

    assert await refusal(desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")) == Code.TOO_LATE


async def test_cancelling_acts_while_the_record_is_down(desk):
    visit, _ = await desk.visit_with_link()
    desk.log.down = True

    await desk.office.visits.cancel(HRD, visit.id, "ESTABLISHMENT_CANCELLED", "staff:1")

    assert [events[0].type for _, events in desk.journal.waiting()] == ["visit.cancelled"]


async def test_no_link_is_given_for_a_cancelled_visit_or_one_that_is_over(desk):
    gone = await desk.office.visits.book(HRD, request(), "staff:1")
    await desk.office.visits.cancel(HRD, gone.id, "VISITOR_CANCELLED", "staff:1")
    over = await desk.office.visits.book(HRD, request(), "staff:1")

    assert await refusal(desk.office.visits.issue_link(HRD, gone.id, "staff:1")) == Code.ALREADY_CANCELLED
    desk.clock.turn(5 * 3600)
    assert await refusal(desk.office.visits.issue_link(HRD, over.id, "staff:1")) == Code.TOO_LATE


@pytest.mark.feature("F108")
async def test_no_link_is_given_where_a_restriction_has_come_to_stand(desk):
    visit = await desk.office.visits.book(HRD, request(), "staff:1")
    desk.directory.take([Restriction("r1", "HRD", "c2-HRD", None, "NONCON", TWO.date())])

    assert await refusal(desk.office.visits.issue_link(HRD, visit.id, "staff:1")) == Code.CONTACT_RESTRICTED


async def test_a_link_is_given_to_somebody_of_the_visit_only(desk):
    visit = await desk.office.visits.book(HRD, request(), "staff:1")

    assert await refusal(desk.office.visits.issue_link(HRD, visit.id, "staff:1", "c3-HRD")) == Code.NOT_ON_VISITOR_LIST


@pytest.mark.parametrize("scope", [SKB, Scope(frozenset())])
async def test_a_visit_out_of_scope_is_unknown_to_every_command(desk, scope):
    visit, _ = await desk.visit_with_link()
    [link] = await desk.directory.links(HRD, visit.id)
    visits = desk.office.visits

    assert [
        await refusal(work)
        for work in (
            visits.cancel(scope, visit.id, "VISITOR_CANCELLED", "staff:9"),
            visits.issue_link(scope, visit.id, "staff:9"),
            visits.revoke_link(scope, visit.id, link.id, "staff:9"),
            visits.booked(scope, visit.id),
        )
    ] == [Code.UNKNOWN_CALL] * 4
    assert await visits.day(scope, TWO.date()) == []


async def test_a_day_is_that_of_the_halls_clocks(desk):
    summer = TWO.replace(year=2026, month=11, day=25)
    booked = await desk.office.visits.book(
        HRD, request(starts_at=summer, ends_at=summer + timedelta(minutes=30)), "staff:1"
    )

    assert [row.visit.id for row in await desk.office.visits.day(HRD, summer.date())] == [booked.id]
    assert await desk.office.visits.day(HRD, TWO.date()) == []


async def test_a_day_is_listed_by_hall_and_time(desk):
    late = await desk.office.visits.book(HRD, request(), "staff:1")
    early = await desk.office.visits.book(
        HRD, request(starts_at=TWO - timedelta(hours=1), ends_at=TWO - timedelta(minutes=30)), "staff:1"
    )
    there = await desk.office.visits.book(SKB, request("SKB", "B"), "staff:1")

    rows = await desk.office.visits.day(BOTH, TWO.date())

    assert [row.visit.id for row in rows] == [early.id, late.id, there.id]


async def test_synthetic_calls_are_made_with_what_opens_every_chair(desk):
    credential = next(row for row in desk.directory.rows.values() if type(row).__name__ == "SynthCredential")

    made = await desk.office.synthetics.make(credential, 3)

    assert len({call.visit.seat_id for call in made.calls}) == 3
    assert (await desk.office.access.redeem_link(made.calls[0].family_token, None)).chair.call_id == made.calls[
        0
    ].visit.id
    laptop = (await desk.office.access.redeem_laptop(made.calls[0].laptop_token)).chair
    assert laptop.device.seat_id == made.calls[0].visit.seat_id
    for person in (made.monitor, made.supervisor):
        signed = await desk.office.accounts.sign_in(person.staff.username, person.password, "profile")
        assert [grant.establishment for grant in signed.chair.grants] == ["ZZS"]


async def test_synthetic_calls_take_no_seat_that_is_in_use(desk):
    credential = next(row for row in desk.directory.rows.values() if type(row).__name__ == "SynthCredential")
    first = await desk.office.synthetics.make(credential, 2)
    second = await desk.office.synthetics.make(credential, 2)
    desk.clock.turn(31 * 60)
    third = await desk.office.synthetics.make(credential, 2)

    seats = [{call.visit.seat_id for call in made.calls} for made in (first, second, third)]

    assert (seats[0] & seats[1], seats[0]) == (set(), seats[2])


async def test_a_credential_never_makes_anything_at_a_real_establishment(desk):
    credential = next(row for row in desk.directory.rows.values() if type(row).__name__ == "SynthCredential")

    assert await refusal(desk.office.synthetics.make(replace(credential, establishment="HRD"), 1)) == Code.NOT_PERMITTED
    assert not [row for row in desk.directory.rows.values() if isinstance(row, Visit)]


@pytest.mark.parametrize("count", [0, -1, 251])
async def test_synthetic_calls_are_capped(desk, count):
    credential = next(row for row in desk.directory.rows.values() if type(row).__name__ == "SynthCredential")

    assert await refusal(desk.office.synthetics.make(credential, count)) == Code.NOT_PERMITTED
