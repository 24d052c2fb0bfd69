"""The names that go with a call's ids: looked up once, when the call is opened; never on the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from broker.domain import events as e
from broker.domain.bookings import hall_hours, is_adult, years
from broker.domain.kinds import KINDS
from broker.domain.policy import Policy
from broker.domain.records import Contact, Establishment, Hall, Prisoner, Scope, Seat, Visit
from broker.domain.risk import Assessment
from broker.ports import Directory


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Who and where, in words, for the pages of staff and callers."""

    establishment: Establishment
    hall: Hall
    seat: Seat
    prisoner: Prisoner
    contacts: Mapping[str, Contact]
    day: date

    def name(self, person: str) -> str:
        """Return a person's full name; the id itself where nobody has it."""
        if person == self.prisoner.number:
            return f"{self.prisoner.first_name} {self.prisoner.last_name}"
        contact = self.contacts.get(person)
        return f"{contact.first_name} {contact.last_name}" if contact else person

    def first_name(self, person: str) -> str:
        """Return a person's first name, which is all that the other end reads."""
        if person == self.prisoner.number:
            return self.prisoner.first_name
        contact = self.contacts.get(person)
        return contact.first_name if contact else person

    def relationship(self, person: str) -> str:
        """Return what a contact is to the prisoner, as the visitor list says it."""
        contact = self.contacts.get(person)
        return contact.relationship if contact else ""

    def age(self, person: str) -> int | None:
        """Return a contact's age in whole years on the day of the visit; None for the prisoner."""
        contact = self.contacts.get(person)
        return None if contact is None else years(contact.born, self.day)


async def facts_of(directory: Directory, scope: Scope, visit: Visit) -> CallFacts:
    """Look up the names of a visit. Raises LookupError where a row is missing."""
    place = Scope(frozenset({visit.establishment}) & scope.establishments)
    establishments = {row.code: row for row in await directory.establishments(place)}
    halls = {row.id: row for row in await directory.halls(place)}
    seats = {row.id: row for row in await directory.seats(place)}
    prisoners = {row.number: row for row in await directory.prisoners(place)}
    contacts = {row.id: row for row in await directory.contacts(place, visit.prisoner_number)}
    return CallFacts(
        establishments[visit.establishment],
        halls[visit.hall_id],
        seats[visit.seat_id],
        prisoners[visit.prisoner_number],
        {contact_id: contacts[contact_id] for contact_id in visit.contact_ids},
        visit.starts_at.date(),
    )


def latest_end(visit: Visit, hall: Hall, others: list[Visit], zone: tzinfo) -> datetime:
    """Return the limit that no credit passes: the hall closes, or the seat is taken; never before the slot's end.

    `zone` is that of the halls' opening hours.
    """
    after = [
        other.starts_at
        for other in others
        if other.seat_id == visit.seat_id and other.id != visit.id and other.cancelled_at is None
        if other.starts_at >= visit.ends_at
    ]
    closes_at = hall_hours(hall, visit.starts_at.astimezone(zone).date(), zone).closes_at
    return max(visit.ends_at, min([closes_at.astimezone(visit.ends_at.tzinfo), *after]))


def scheduled(
    visit: Visit,
    facts: CallFacts,
    policy: Policy,
    limit: datetime,
    now: datetime,
    risk: Assessment,
    actor: str = "system",
) -> e.CallScheduled:
    """Return the first event of the visit's call: leg 1 the prisoner's, leg 2 the family's."""
    synthetic = facts.establishment.synthetic
    day = visit.starts_at.date()
    children = tuple(p for p in visit.contact_ids if not is_adult(facts.contacts[p], day))
    prisoner = e.LegSpec(f"{visit.id}.1", "prisoner", (visit.prisoner_number,), synthetic=synthetic)
    family = e.LegSpec(
        f"{visit.id}.2",
        "professional" if KINDS[visit.kind].privileged else "family",
        visit.contact_ids,
        children,
        visit.contact_ids[0],
        synthetic=synthetic,
    )
    return e.CallScheduled(
        now,
        actor,
        visit.id,
        visit.kind,
        visit.establishment,
        visit.hall_id,
        visit.seat_id,
        visit.starts_at,
        visit.ends_at,
        limit,
        policy.version,
        (prisoner, family),
        synthetic,
        risk.tier,
        risk.reasons,
    )


LOOK_BACK = timedelta(hours=16)  # a call never outlives its hall's day
