"""Bookings: a visit is booked, cancelled, and given links, each on the establishment's record with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from broker.domain.bookings import Facts, barred, check, hall_hours
from broker.domain.codes import Code, Refused
from broker.domain.records import Contact, Establishment, Hall, Link, Prisoner, Row, Scope, Seat, Visit
from broker.engine.access import new_link
from broker.engine.revocations import Revocations
from broker.engine.secrets import Secrets, new_id
from broker.engine.stream import Change, Fact, Streams
from broker.ports import Clock, Directory

OPENS_BEFORE = timedelta(minutes=15)
CREDIT_LIMIT = timedelta(hours=1)
"""How long a link may outlive the booked end, for minutes given back; the hall's closing limits it too."""
_AROUND = timedelta(days=1)  # no visit is longer: what may overlap starts within a day


@dataclass(frozen=True, slots=True)
class Request:
    """A visit that somebody asks for. Instants are aware; the first contact is the main caller."""

    establishment: str
    kind: str
    prisoner_number: str
    contact_ids: tuple[str, ...]
    hall_id: str
    seat_id: str
    starts_at: datetime
    ends_at: datetime
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """A visit with what its ids stand for, for the staff pages."""

    visit: Visit
    establishment: Establishment
    hall: Hall
    seat: Seat
    prisoner: Prisoner
    contacts: tuple[Contact, ...]
    links: tuple[Link, ...] = field(default=())


class Visits:
    """The bookings of every establishment; each call names the scope that its asker may see."""

    def __init__(
        self,
        directory: Directory,
        streams: Streams,
        secrets: Secrets,
        revocations: Revocations,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._revocations = revocations
        self._clock = clock
        self.zone = zone

    async def book(self, scope: Scope, request: Request, actor: str) -> Visit:
        """Book a visit.

        Raises:
            Refused: By the rules of broker/domain/bookings.py, or `not_granted` outside the scope.
            LogUnavailable: It cannot be recorded.
        """
        if request.establishment not in scope:
            raise Refused(Code.NOT_GRANTED)
        now = self._clock.now()
        visit = visit_of(request, new_id("v"), actor)

        async def work() -> Change:
            check(visit, await self.facts(request.establishment, visit.starts_at), now, self.zone)
            return Change([booked_fact(visit)], [visit])

        await self._streams.establishment(visit.establishment).change(actor, work)
        return visit

    async def cancel(self, scope: Scope, visit_id: str, reason: str, actor: str) -> Visit:
        """Cancel a visit and void its links; whoever sits on one is told at once. Raises Refused."""
        visit = await self._visit(scope, visit_id)
        if visit.cancelled_at is not None:
            raise Refused(Code.ALREADY_CANCELLED)
        if visit.ends_at <= self._clock.now():
            raise Refused(Code.TOO_LATE)
        now = self._clock.now()
        cancelled = replace(visit, cancelled_at=now, cancel_reason=reason)
        links = [row for row in await self._directory.links(scope, visit_id) if row.revoked_at is None]
        rows: list[Row] = [cancelled, *(replace(link, revoked_at=now) for link in links)]
        self._revocations.revoke(f"visit:{visit_id}")
        body = {"visit_id": visit_id, "reason": reason, "link_ids": [link.id for link in links]}
        await self._streams.establishment(visit.establishment).insist("visit.cancelled", actor, body, rows)
        return cancelled

    async def issue_link(
        self, scope: Scope, visit_id: str, actor: str, contact_id: str | None = None
    ) -> tuple[Link, str]:
        """Give a contact of the visit (the main caller) a fresh link; the one they had is void.

        Returns the link and its token, which is shown once and kept nowhere.

        Raises:
            Refused: `already_cancelled`, `too_late`, `not_on_visitor_list`, `contact_restricted`, `unknown_call`.
        """
        visit = await self._visit(scope, visit_id)
        contact_id = contact_id or visit.contact_ids[0]
        if contact_id not in visit.contact_ids:
            raise Refused(Code.NOT_ON_VISITOR_LIST)
        now = self._clock.now()
        closes_at = await self._closing(visit)
        link, token = new_link(
            self._secrets, visit.establishment, visit_id, contact_id, visit.starts_at - OPENS_BEFORE, closes_at
        )
        old: list[Link] = []

        async def work() -> Change:
            current = await self._visit(scope, visit_id)
            if current.cancelled_at is not None:
                raise Refused(Code.ALREADY_CANCELLED)
            if closes_at <= now:
                raise Refused(Code.TOO_LATE)
            await self._refuse_barred(current)
            links = await self._directory.links(scope, visit_id)
            old[:] = [row for row in links if row.contact_id == contact_id and row.revoked_at is None]
            facts = [Fact("link.revoked", {"link_id": row.id, "visit_id": visit_id}) for row in old]
            facts.append(Fact("link.issued", {"link_id": link.id, "visit_id": visit_id, "contact_id": contact_id}))
            return Change(facts, [*(replace(row, revoked_at=now) for row in old), link])

        await self._streams.establishment(visit.establishment).change(actor, work)
        self._revocations.revoke(*(f"link:{row.id}" for row in old))
        return link, token

    async def revoke_link(self, scope: Scope, visit_id: str, link_id: str, actor: str) -> None:
        """Void a link; whoever sits on it is told at once. Voiding it again changes nothing. Raises Refused."""
        link = next((row for row in await self._directory.links(scope, visit_id) if row.id == link_id), None)
        if link is None:
            raise Refused(Code.UNKNOWN_CALL)
        self._revocations.revoke(f"link:{link_id}")
        if link.revoked_at is not None:
            return
        row = replace(link, revoked_at=self._clock.now())
        body = {"link_id": link_id, "visit_id": visit_id}
        await self._streams.establishment(link.establishment).insist("link.revoked", actor, body, [row])

    async def day(self, scope: Scope, on: date) -> list[Booked]:
        """Return the visits that start on a day (of the halls' time zone), by hall and start, cancelled ones too."""
        start = datetime.combine(on, time(0), self.zone)
        end = datetime.combine(on + timedelta(days=1), time(0), self.zone)
        visits = await self._directory.visits(scope, start.astimezone(UTC), end.astimezone(UTC))
        names = await self._names(scope)
        booked = [named for visit in visits if (named := names.of(visit)) is not None]
        with_links = [replace(row, links=tuple(await self._directory.links(scope, row.visit.id))) for row in booked]
        return sorted(
            with_links, key=lambda row: (row.establishment.code, row.hall.name, row.visit.starts_at, row.seat.number)
        )

    async def booked(self, scope: Scope, visit_id: str) -> Booked:
        """Return one visit with its names and links. Raises Refused `unknown_call`."""
        named = (await self._names(scope)).of(await self._visit(scope, visit_id))
        if named is None:
            raise Refused(Code.UNKNOWN_CALL)
        return replace(named, links=tuple(await self._directory.links(scope, visit_id)))

    async def facts(self, establishment: str, around: datetime) -> Facts:
        """Return what the rules need to know of an establishment, around an instant."""
        scope = Scope(frozenset({establishment}))
        found = await self._directory.establishments(scope)
        if not found:
            raise Refused(Code.NOT_GRANTED)
        return Facts(
            found[0],
            await self._directory.halls(scope),
            await self._directory.seats(scope),
            await self._directory.prisoners(scope),
            await self._directory.contacts(scope),
            await self._directory.restrictions(scope),
            await self._directory.visits(scope, around - _AROUND, around + _AROUND),
        )

    async def _refuse_barred(self, visit: Visit) -> None:
        """Refuse a link where a restriction has come to stand since the visit was booked."""
        facts = await self.facts(visit.establishment, visit.starts_at)
        people = [contact for contact in facts.contacts if contact.id in visit.contact_ids]
        prisoner = next((row for row in facts.prisoners if row.number == visit.prisoner_number), None)
        local = visit.starts_at.astimezone(self.zone)
        if prisoner is None or prisoner.no_contact_all or barred(people, facts.contacts, facts.restrictions, local):
            raise Refused(Code.CONTACT_RESTRICTED)

    async def _visit(self, scope: Scope, visit_id: str) -> Visit:
        visit = await self._directory.visit(scope, visit_id)
        if visit is None:
            raise Refused(Code.UNKNOWN_CALL)
        return visit

    async def _closing(self, visit: Visit) -> datetime:
        halls = await self._directory.halls(Scope(frozenset({visit.establishment})))
        hall = next(row for row in halls if row.id == visit.hall_id)
        closes = hall_hours(hall, visit.starts_at.astimezone(self.zone).date(), self.zone).closes_at
        return max(visit.ends_at, min(closes.astimezone(UTC), visit.ends_at + CREDIT_LIMIT))

    async def _names(self, scope: Scope) -> _Names:
        return _Names(
            await self._directory.establishments(scope),
            await self._directory.halls(scope),
            await self._directory.seats(scope),
            await self._directory.prisoners(scope),
            await self._directory.contacts(scope),
        )


class _Names:
    """The rows of a scope, by what visits call them."""

    def __init__(
        self,
        establishments: Sequence[Establishment],
        halls: Sequence[Hall],
        seats: Sequence[Seat],
        prisoners: Sequence[Prisoner],
        contacts: Sequence[Contact],
    ) -> None:
        self._establishments = {row.code: row for row in establishments}
        self._halls = {row.id: row for row in halls}
        self._seats = {row.id: row for row in seats}
        self._prisoners = {row.number: row for row in prisoners}
        self._contacts = {row.id: row for row in contacts}

    def of(self, visit: Visit) -> Booked | None:
        """Return the visit with its names, None where a row is missing."""
        try:
            return Booked(
                visit,
                self._establishments[visit.establishment],
                self._halls[visit.hall_id],
                self._seats[visit.seat_id],
                self._prisoners[visit.prisoner_number],
                tuple(self._contacts[contact_id] for contact_id in visit.contact_ids),
            )
        except KeyError:
            return None


def visit_of(request: Request, visit_id: str, actor: str) -> Visit:
    """Return the row that `request` asks for."""
    return Visit(
        visit_id,
        request.establishment,
        request.kind,
        request.prisoner_number,
        request.contact_ids,
        request.hall_id,
        request.seat_id,
        request.starts_at.astimezone(UTC),
        request.ends_at.astimezone(UTC),
        booked_by=actor,
        reference=request.reference,
    )


def booked_fact(visit: Visit) -> Fact:
    """Return what is recorded of a booking: ids and times, no names."""
    return Fact(
        "visit.booked",
        {
            "visit_id": visit.id,
            "kind": visit.kind,
            "prisoner_number": visit.prisoner_number,
            "contact_ids": list(visit.contact_ids),
            "seat_id": visit.seat_id,
            "starts_at": visit.starts_at.isoformat(),
            "ends_at": visit.ends_at.isoformat(),
        },
    )
