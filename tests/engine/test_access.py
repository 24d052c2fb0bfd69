"""Access: what a link, a laptop's code, a cookie and a ticket open, and when they open nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.domain.records import Device, Link, Restriction, Role, Visit
from broker.engine.access import AccessRefused
from broker.engine.chairs import FamilyChair, LaptopChair, StaffChair
from broker.ports import LogUnavailable
from tests.office import BOTH, ENROL_CODE, HRD, PASSWORD, SYNTHETIC_TOKEN, TWO, Desk, secrets

QUARTER = 15 * 60


@pytest.fixture
def desk() -> Desk:
    return Desk()


def at(desk: Desk, seconds_to_two: float) -> None:
    """Turn the clock to so many seconds before two o'clock, when the visit starts."""
    desk.clock.turn((TWO - desk.clock.now()).total_seconds() - seconds_to_two)


async def refused(work) -> str:
    with pytest.raises(AccessRefused) as refusal:
        await work
    return refusal.value.code


@pytest.mark.feature("F2")
async def test_a_link_seats_the_family_at_its_one_call(desk):
    visit, token = await desk.visit_with_link()
    at(desk, QUARTER)

    seated = await desk.office.access.redeem_link(token, None)

    assert isinstance(seated.chair, FamilyChair)
    assert (seated.chair.call_id, seated.chair.leg_id) == (visit.id, f"{visit.id}.2")


@pytest.mark.feature("F2")
@pytest.mark.parametrize(
    ("seconds_to_start", "opens"),
    [(QUARTER + 1, False), (QUARTER, True), (-29 * 60, True), (-90 * 60, False)],
)
async def test_a_link_opens_a_quarter_of_an_hour_before_and_closes_after_the_call(desk, seconds_to_start, opens):
    _, token = await desk.visit_with_link()
    at(desk, seconds_to_start)

    if opens:
        assert (await desk.office.access.redeem_link(token, None)).ticket
    else:
        assert await refused(desk.office.access.redeem_link(token, None)) == "link_invalid"


async def test_a_link_never_outlives_its_hall_or_an_hour_of_credit(desk):
    await desk.visit_with_link()

    [link] = [row for row in desk.directory.rows.values() if isinstance(row, Link)]

    assert link.closes_at == TWO + timedelta(minutes=30) + timedelta(hours=1)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 10_000, "\ud800", "ü" * 43, "../../etc/passwd"])
async def test_a_wrong_link_is_refused_in_the_same_words_as_an_old_one(desk, token):
    assert await refused(desk.office.access.redeem_link(token, None)) == "link_invalid"


@pytest.mark.feature("F2")
async def test_a_forwarded_link_is_refused_and_the_first_browser_goes_on(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    first = await desk.office.access.redeem_link(token, None)

    assert await refused(desk.office.access.redeem_link(token, None)) == "link_elsewhere"
    assert (await desk.office.access.redeem_link(token, first.cookie)).chair == first.chair
    assert (await desk.office.access.family_ticket(first.cookie)).chair == first.chair


async def test_of_many_browsers_at_once_one_has_the_link(desk, monkeypatch):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    read = desk.directory.link_by_hash

    async def read_and_let_others_act(token_hash):
        row = await read(token_hash)
        await asyncio.sleep(0)
        return row

    monkeypatch.setattr(desk.directory, "link_by_hash", read_and_let_others_act)
    offices = [desk.office, desk.open()]

    answers = await asyncio.gather(
        *(offices[n % 2].access.redeem_link(token, None) for n in range(8)), return_exceptions=True
    )

    assert [getattr(answer, "code", "seated") for answer in answers].count("seated") == 1


async def test_a_browser_that_has_one_link_may_open_another(desk):
    _, here = await desk.visit_with_link()
    _, there = await desk.visit_with_link("SKB", "B")
    at(desk, 60)
    first = await desk.office.access.redeem_link(here, None)
    second = await desk.office.access.redeem_link(there, first.cookie)

    assert (await desk.office.access.redeem_link(here, second.cookie)).chair == first.chair


@pytest.mark.feature("F4")
async def test_a_revoked_link_opens_nothing_and_whoever_sits_on_it_is_told(desk):
    visit, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)
    told = []
    desk.office.revocations.on(seated.chair, lambda: told.append("gone"))

    await desk.office.visits.revoke_link(HRD, visit.id, seated.chair.link.id, "staff:1")

    assert told == ["gone"]
    assert await refused(desk.office.access.redeem_link(token, seated.cookie)) == "link_invalid"
    assert await desk.office.access.take(seated.ticket) is None


async def test_a_cancelled_visit_has_no_link(desk):
    visit, token = await desk.visit_with_link()
    await desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")
    at(desk, 60)

    assert await refused(desk.office.access.redeem_link(token, None)) == "link_invalid"


async def test_a_fresh_link_voids_the_one_before(desk):
    visit, old = await desk.visit_with_link()
    _, new = await desk.office.visits.issue_link(HRD, visit.id, "staff:1")
    at(desk, 60)

    assert await refused(desk.office.access.redeem_link(old, None)) == "link_invalid"
    assert (await desk.office.access.redeem_link(new, None)).ticket


@pytest.mark.feature("F108")
async def test_a_restriction_that_comes_after_the_booking_shuts_the_link(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    desk.directory.take([Restriction("r1", "HRD", "c1-HRD", None, "BAN", date(2026, 11, 24))])

    assert await refused(desk.office.access.redeem_link(token, None)) == "link_invalid"


async def test_a_link_is_not_bound_where_that_can_not_be_recorded(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    desk.log.down = True

    with pytest.raises(LogUnavailable):
        await desk.office.access.redeem_link(token, None)


async def test_no_token_is_kept_anywhere(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)

    kept = repr(desk.directory.rows) + repr(desk.log.entries)

    assert not any(secret in kept for secret in (token, seated.ticket, *seated.cookie.split("~")))


async def test_the_record_holds_no_names(desk):
    await desk.visit_with_link()

    assert not any(name in repr(desk.log.entries) for name in ("Mary", "John", "Ash"))


async def test_a_ticket_is_good_once(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)

    assert await desk.office.access.take(seated.ticket) == seated.chair
    assert await desk.office.access.take(seated.ticket) is None


async def test_a_ticket_is_good_for_a_minute(desk):
    seated = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)
    other = desk.office.access.tickets.issue(seated.chair)
    desk.clock.turn(60)

    assert await desk.office.access.take(other) is None


async def test_a_flood_of_tickets_fills_no_memory(desk):
    seated = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)
    first = seated.ticket
    for _ in range(10_000):
        last = desk.office.access.tickets.issue(seated.chair)

    assert await desk.office.access.take(first) is None
    assert await desk.office.access.take(last) == seated.chair


async def test_an_enrolment_code_works_once_and_gives_a_credential_that_lasts(desk):
    seated = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)

    assert isinstance(seated.chair, LaptopChair)
    assert await refused(desk.office.access.redeem_laptop("HRD" + ENROL_CODE)) == "laptop_unknown"
    assert (await desk.office.access.laptop_ticket(seated.cookie)).chair == seated.chair


@pytest.mark.parametrize("change", [{"revoked": True}, {"assured": True}])
async def test_a_laptop_that_is_revoked_or_no_longer_assured_is_shut_out(desk, change):
    seated = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)
    row = next(row for row in desk.directory.rows.values() if isinstance(row, Device) and row.establishment == "HRD")
    past = desk.clock.now() - timedelta(seconds=1)
    changed = replace(row, revoked_at=past) if change.get("revoked") else replace(row, assured_until=past)
    desk.directory.take([changed])

    assert await refused(desk.office.access.laptop_ticket(seated.cookie)) == "signed_out"
    assert await desk.office.access.take(seated.ticket) is None


async def test_enrolling_again_voids_the_credential_of_before(desk):
    first = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)
    told = []
    desk.office.revocations.on(first.chair, lambda: told.append("gone"))
    _, code = await desk.office.places.enrol_laptop("HRD", "Main hall", 2, "HRD-1", "operator")

    second = await desk.office.access.redeem_laptop(code)

    assert (told, second.chair.device.seat_id) == (["gone"], "t2-HRD")
    assert await refused(desk.office.access.laptop_ticket(first.cookie)) == "signed_out"


async def test_a_secret_of_one_chair_opens_no_other(desk):
    _, token = await desk.visit_with_link()
    await desk.person("amy", "1001", Role.MONITOR)
    signed = await desk.office.accounts.sign_in("amy", PASSWORD, "profile")
    laptop = await desk.office.access.redeem_laptop("HRD" + ENROL_CODE)
    at(desk, 60)

    assert await refused(desk.office.access.redeem_link(signed.token, None)) == "link_invalid"
    assert await refused(desk.office.access.redeem_link(laptop.cookie, None)) == "link_invalid"
    assert await refused(desk.office.access.laptop_ticket(token)) == "signed_out"
    assert await refused(desk.office.access.staff_ticket(token)) == "signed_out"
    assert await desk.office.access.synthetic(token) is None


async def test_a_synthetic_credential_opens_its_establishment_until_it_expires(desk):
    found = await desk.office.access.synthetic(SYNTHETIC_TOKEN)
    assert found is not None
    assert found.establishment == "ZZS"

    desk.clock.turn(24 * 3600)

    assert await desk.office.access.synthetic(SYNTHETIC_TOKEN) is None


async def test_what_another_process_revokes_is_told_at_the_next_poll(desk):
    visit, token = await desk.visit_with_link()
    at(desk, 60)
    await desk.office.revocations.start()
    seated = await desk.office.access.redeem_link(token, None)
    told = []
    desk.office.revocations.on(seated.chair, lambda: told.append("gone"))
    await desk.office.revocations.poll()
    assert told == []

    await desk.open().visits.cancel(HRD, visit.id, "ESTABLISHMENT_CANCELLED", "operator")
    await desk.office.revocations.poll()

    assert told == ["gone"]


async def test_a_chair_that_runs_out_is_told_so(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)
    told = []
    desk.office.revocations.on(seated.chair, lambda: told.append("gone"))
    desk.clock.turn(2 * 3600)

    await desk.office.revocations.poll()

    assert told == ["gone"]


async def test_nobody_is_told_after_leaving(desk):
    _, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)
    told = []
    leave = desk.office.revocations.on(seated.chair, lambda: told.append("gone"))
    leave()

    desk.office.revocations.revoke(f"link:{seated.chair.link.id}")

    assert told == []


@pytest.mark.feature("F4")
async def test_a_link_is_revoked_at_once_while_the_record_is_down_and_stays_so_after_a_restart(desk):
    visit, token = await desk.visit_with_link()
    at(desk, 60)
    seated = await desk.office.access.redeem_link(token, None)
    told = []
    desk.office.revocations.on(seated.chair, lambda: told.append("gone"))
    desk.log.down = True

    await desk.office.visits.revoke_link(HRD, visit.id, seated.chair.link.id, "staff:1")

    assert told == ["gone"]
    desk.log.down = False
    assert await refused(desk.office.access.redeem_link(token, seated.cookie)) == "link_invalid"

    again = desk.open()  # the process died before the row was saved; the journal is taken up after the start
    await again.revocations.start()
    for stream, events in desk.journal.waiting():
        await desk.log.append(stream, await desk.log.head(stream), events)
    await again.revocations.poll()

    assert await refused(again.access.redeem_link(token, seated.cookie)) == "link_invalid"
    assert [row.revoked_at is not None for row in await desk.directory.links(HRD, visit.id)] == [True]


async def test_the_rows_of_a_journalled_revocation_are_saved_with_the_next_event(desk):
    visit, _ = await desk.visit_with_link()
    [link] = await desk.directory.links(HRD, visit.id)
    desk.log.down = True
    await desk.office.visits.revoke_link(HRD, visit.id, link.id, "staff:1")
    desk.log.down = False

    await desk.office.streams.establishment("HRD").append("post.signed_on", "staff:1", {})

    assert [row.revoked_at is not None for row in await desk.directory.links(HRD, visit.id)] == [True]


async def test_staff_are_read_again_when_their_ticket_is_used(desk):
    await desk.person("amy", "1001", Role.MONITOR)
    signed = await desk.office.accounts.sign_in("amy", PASSWORD, "profile")
    seated = await desk.office.access.staff_ticket(signed.token)
    assert isinstance(seated.chair, StaffChair)

    await desk.open().accounts.disable("amy", "operator")

    assert await desk.office.access.take(seated.ticket) is None


async def test_a_stranger_is_counted_and_never_recorded(desk):
    before = repr(desk.log.entries)
    for _ in range(3):
        await refused(desk.office.access.redeem_link("a" * 43, None))

    assert (desk.office.denials.strangers["link_invalid"], repr(desk.log.entries)) == (3, before)


async def test_two_establishments_share_no_link(desk):
    here, _ = await desk.visit_with_link()
    there, _ = await desk.visit_with_link("SKB", "B")
    links = [row for row in desk.directory.rows.values() if isinstance(row, Link)]
    visits = [row for row in desk.directory.rows.values() if isinstance(row, Visit)]

    assert {row.visit_id: row.establishment for row in links} == {here.id: "HRD", there.id: "SKB"}
    assert len(visits) == 2
    assert {secrets().hash("link", "x")} & {row.token_hash for row in links} == set()
    assert [row.visit.id for row in await desk.office.visits.day(BOTH, TWO.date())] == [here.id, there.id]
