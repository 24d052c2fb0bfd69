"""What may be booked: the rules for one visit, as pure functions over the facts of its establishment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from broker.domain.codes import Code, Refused
from broker.domain.kinds import KINDS, Kind
from broker.domain.records import Contact, Establishment, Hall, Prisoner, Restriction, Seat, Visit

ADULT_YEARS = 18
SHORTEST = timedelta(minutes=5)
FURTHEST = timedelta(days=90)
"""How far ahead a visit may be booked."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the directory holds of the visit's establishment: nothing of another one is ever here.

    A row of another establishment is thus unknown, so real and synthetic people can never meet in a booking:
    which of the two an establishment is was set when it was made (design README 19).
    """

    establishment: Establishment
    halls: Sequence[Hall]
    seats: Sequence[Seat]
    prisoners: Sequence[Prisoner]
    contacts: Sequence[Contact]
    restrictions: Sequence[Restriction]
    visits: Sequence[Visit]  # every one that may overlap, cancelled or not


@dataclass(frozen=True, slots=True)
class Hours:
    """When a hall is open on one day."""

    opens_at: datetime
    closes_at: datetime


def hall_hours(hall: Hall, day: date, zone: tzinfo) -> Hours:
    """Return the hall's hours on `day`. Equal opening and closing times mean that it never closes."""
    opens, closes = _clock(hall.opens), _clock(hall.closes)
    start = datetime.combine(day, opens, zone)
    if opens == closes:
        return Hours(start - timedelta(days=1), start + timedelta(days=2))
    end = datetime.combine(day + timedelta(days=1) if closes < opens else day, closes, zone)
    return Hours(start, end)


def _clock(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


def check(visit: Visit, facts: Facts, now: datetime, zone: tzinfo) -> None:
    """Refuse a booking that the rules forbid.

    Raises:
        Refused: With the first reason in the order that helps the clerk most: what is wrong with the request,
            then who may not meet, then what is taken.
    """
    kind = _kind(visit.kind)
    _check_times(visit, kind, now)
    prisoner = next((row for row in facts.prisoners if row.number == visit.prisoner_number), None)
    if prisoner is None:
        raise Refused(Code.UNKNOWN_PRISONER)
    _check_place(visit, facts, zone)
    people = _people(visit, kind, facts, zone)
    if prisoner.no_contact_all or barred(people, facts.contacts, facts.restrictions, visit.starts_at.astimezone(zone)):
        raise Refused(Code.CONTACT_RESTRICTED)
    _check_free(visit, people, facts)


def barred(
    people: Iterable[Contact], contacts: Iterable[Contact], restrictions: Iterable[Restriction], on: datetime
) -> frozenset[str]:
    """Return the ids of those of `people` whom a restriction keeps from their prisoner on that day (local time).

    A restriction without a prisoner is global: it also covers the same person (name and date of birth)
    on another prisoner's list.
    """
    standing = [row for row in restrictions if _stands(row, on.date())]
    named = {(row.contact_id, row.prisoner_number) for row in standing}
    everywhere = {row.contact_id for row in standing if row.prisoner_number is None}
    persons = {_person(contact) for contact in contacts if contact.id in everywhere}
    return frozenset(
        contact.id
        for contact in people
        if (contact.id, contact.prisoner_number) in named or contact.id in everywhere or _person(contact) in persons
    )


def no_contact(restrictions: Iterable[Restriction]) -> list[Restriction]:
    """Return the restrictions that hold in a running call too: suspensions wait for the next join."""
    return [row for row in restrictions if row.reason is None]


def suspensions(
    people: Iterable[Contact], contacts: Iterable[Contact], restrictions: Iterable[Restriction], on: datetime
) -> list[tuple[Contact, Restriction]]:
    """Return who of `people` is suspended on that day (local time), each with the suspension that ends last."""
    known, standing = list(contacts), [row for row in restrictions if row.reason is not None]
    last_first = sorted(standing, key=lambda row: row.ends_on or date.max, reverse=True)
    found = (
        (person, next((row for row in last_first if barred([person], known, [row], on)), None)) for person in people
    )
    return [(person, row) for person, row in found if row is not None]


def is_adult(contact: Contact, on: date) -> bool:
    """Say whether the person is 18 on that day."""
    return years(contact.born, on) >= ADULT_YEARS


def years(born: date, on: date) -> int:
    """Return the age on a day, in whole years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def overlaps(one: Visit, other: Visit) -> bool:
    """Say whether two visits share an instant; one may begin as the other ends."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _kind(code: str) -> Kind:
    kind = KINDS.get(code)
    if kind is None or not kind.offered:
        raise Refused(Code.KIND_NOT_OFFERED)
    return kind


def _check_times(visit: Visit, kind: Kind, now: datetime) -> None:
    length = visit.ends_at - visit.starts_at
    if not SHORTEST <= length <= timedelta(minutes=kind.max_minutes):
        raise Refused(Code.BAD_TIMES)
    if visit.ends_at <= now or visit.starts_at > now + FURTHEST:
        raise Refused(Code.BAD_TIMES)


def _check_place(visit: Visit, facts: Facts, zone: tzinfo) -> None:
    seat = next((row for row in facts.seats if row.id == visit.seat_id), None)
    hall = next((row for row in facts.halls if row.id == visit.hall_id), None)
    if seat is None or hall is None or seat.hall_id != hall.id:
        raise Refused(Code.UNKNOWN_SEAT)
    if not seat.in_use:
        raise Refused(Code.SEAT_OUT_OF_USE)
    starts_on = visit.starts_at.astimezone(zone).date()
    hours = (hall_hours(hall, day, zone) for day in (starts_on, starts_on - timedelta(days=1)))
    if not any(open.opens_at <= visit.starts_at and visit.ends_at <= open.closes_at for open in hours):
        raise Refused(Code.HALL_CLOSED)


def _people(visit: Visit, kind: Kind, facts: Facts, zone: tzinfo) -> list[Contact]:
    """Return the visit's contacts, the main caller first."""
    ids = visit.contact_ids
    if len(ids) > kind.max_people:
        raise Refused(Code.TOO_MANY_PEOPLE)
    known = {row.id: row for row in facts.contacts if row.prisoner_number == visit.prisoner_number}
    if len(set(ids)) != len(ids) or any(id not in known for id in ids):
        raise Refused(Code.NOT_ON_VISITOR_LIST)
    people = [known[id] for id in ids]
    if not people or not is_adult(people[0], visit.starts_at.astimezone(zone).date()):
        raise Refused(Code.ADULT_MISSING)
    return people


def _check_free(visit: Visit, people: Sequence[Contact], facts: Facts) -> None:
    names = {row.id: _person(row) for row in facts.contacts}
    persons = {_person(contact) for contact in people}
    standing = [row for row in facts.visits if row.cancelled_at is None and row.id != visit.id]
    for other in (row for row in standing if overlaps(row, visit)):
        if other.prisoner_number == visit.prisoner_number:
            raise Refused(Code.PRISONER_BOOKED)
        if other.seat_id == visit.seat_id:
            raise Refused(Code.SEAT_BOOKED)
        theirs = {names[id] for id in other.contact_ids if id in names}
        if set(other.contact_ids) & set(visit.contact_ids) or theirs & persons:
            raise Refused(Code.CONTACT_BOOKED)


def _stands(restriction: Restriction, on: date) -> bool:
    return restriction.starts_on <= on and (restriction.ends_on is None or on <= restriction.ends_on)


def _person(contact: Contact) -> tuple[str, str, date]:
    """Return what makes two rows the same person: one may stand on the lists of several prisoners."""
    return (contact.first_name.casefold().strip(), contact.last_name.casefold().strip(), contact.born)
