"""The import: people and visits of one establishment from two CSV files, checked whole before any row is taken.

people.csv has the columns of PEOPLE_COLUMNS; a row is of one type:
  prisoner     prisoner_number, first_name, last_name
  contact      reference (the establishment's own key), prisoner_number, first_name, last_name, date_of_birth
  restriction  reference (of a contact), restriction (its code), starts_on, ends_on (may be empty);
               prisoner_number, or empty: the contact may see no prisoner at all
visits.csv has those of VISIT_COLUMNS: `contacts` are references with a semicolon between, the main caller first;
`hall` is the hall's name, `seat` its number; times are local.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from broker.domain.bookings import Facts, check
from broker.domain.codes import Refused
from broker.domain.records import Contact, Prisoner, Restriction, Row, Scope, Visit
from broker.engine.csvlines import Fault, Line, LineFault, read_lines
from broker.engine.secrets import derived_id
from broker.engine.stream import Change, Streams
from broker.engine.stream import Fact as RecordedFact
from broker.engine.visits import Request, Visits, booked_fact, visit_of
from broker.ports import Clock, Directory

_PEOPLE = (
    "type establishment prisoner_number reference first_name last_name date_of_birth relationship email restriction "
    "starts_on ends_on"
)
_VISITS = "reference establishment kind prisoner_number contacts hall seat date start end"
PEOPLE_COLUMNS: Final = tuple(_PEOPLE.split())
VISIT_COLUMNS: Final = tuple(_VISITS.split())
TYPES: Final = ("prisoner", "contact", "restriction")  # in the order in which they lean on each other
PRISONER_NUMBER = re.compile(r"[A-Z]\d{4}[A-Z]{2}")
REFERENCE = re.compile(r"[A-Za-z0-9._/-]{1,40}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CODE = re.compile(r"[A-Z0-9_-]{2,20}")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Result:
    """What an import did: nothing at all where there are faults."""

    faults: tuple[Fault, ...] = ()
    people: int = 0  # rows new or changed
    visits: int = 0  # booked
    unchanged: int = 0


@dataclass(slots=True)
class _Draft:
    """The establishment as it will be, and what that takes."""

    facts: Facts
    prisoners: dict[str, Prisoner]
    contacts: dict[str, Contact]
    restrictions: dict[str, Restriction]
    references: dict[str, Visit]
    days: dict[date, list[Visit]]
    rows: list[Row] = field(default_factory=list)
    booked: list[Visit] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def once(self, kind: str, key: str, column: str) -> None:
        """Refuse a key that an earlier line of the same file had."""
        if (kind, key) in self.seen:
            raise LineFault("twice", column)
        self.seen.add((kind, key))

    def take(self, row: Row, held: Row | None) -> None:
        """Note what becomes of a row: new, changed, or as it was."""
        if row == held:
            self.unchanged += 1
        else:
            self.rows.append(row)

    @contextmanager
    def noting(self, line: Line) -> Iterator[None]:
        """Note what is wrong with a line, and go on."""
        try:
            yield
        except LineFault as fault:
            self.faults.append(line.fault(fault.code, fault.column))
        except Refused as refusal:
            self.faults.append(line.fault(f"refused.{refusal.code}"))


class Importer:
    """Takes two files whole, or not at all."""

    def __init__(self, directory: Directory, streams: Streams, visits: Visits, clock: Clock) -> None:
        self._directory = directory
        self._streams = streams
        self._visits = visits
        self._clock = clock

    async def take(self, people: tuple[str, bytes], visits: tuple[str, bytes], actor: str) -> Result:
        """Check both files (name, content) and take every row, or none. Run twice, it changes nothing.

        Raises:
            LogUnavailable: It cannot be recorded; nothing was taken.
        """
        people_lines, people_faults = read_lines(*people, PEOPLE_COLUMNS)
        visit_lines, visit_faults = read_lines(*visits, VISIT_COLUMNS)
        lines = [*people_lines, *visit_lines]
        faults = [*people_faults, *visit_faults, *await place_faults(self._directory, lines)]
        if faults or not lines:
            return Result(tuple(in_order(faults, people[0])))
        place = lines[0]["establishment"]
        outcome: list[_Draft] = []

        async def work() -> Change:
            draft = await self._draft(place, people_lines, visit_lines, actor)
            outcome[:] = [draft]
            if draft.faults or not (draft.rows or draft.booked):
                return Change([])
            summary = RecordedFact("import.taken", {"people": len(draft.rows), "visits": len(draft.booked)})
            return Change([summary, *map(booked_fact, draft.booked)], [*draft.rows, *draft.booked])

        await self._streams.establishment(place).change(actor, work)
        draft = outcome[0]
        if draft.faults:
            return Result(tuple(in_order(draft.faults, people[0])))
        return Result((), len(draft.rows), len(draft.booked), draft.unchanged)

    async def _draft(self, place: str, people: Sequence[Line], visits: Sequence[Line], actor: str) -> _Draft:
        draft = await self._as_it_is(place)
        known = [line for line in people if line["type"] in TYPES]
        draft.faults += [line.fault("unknown_type", "type") for line in people if line["type"] not in TYPES]
        for line in sorted(known, key=lambda line: TYPES.index(line["type"])):
            with draft.noting(line):
                await self._person(draft, line)
        for line in visits:
            with draft.noting(line):
                self._visit(draft, line, actor)
        return draft

    async def _as_it_is(self, place: str) -> _Draft:
        facts = await self._visits.facts(place, self._clock.now())
        ever = await self._directory.visits(Scope(frozenset({place})), _FIRST, _LAST)
        days: dict[date, list[Visit]] = defaultdict(list)
        for visit in ever:
            days[visit.starts_at.date()].append(visit)
        return _Draft(
            facts,
            {row.number: row for row in facts.prisoners},
            {row.id: row for row in facts.contacts},
            {row.id: row for row in facts.restrictions},
            {row.reference: row for row in ever if row.reference is not None},
            days,
        )

    async def _person(self, draft: _Draft, line: Line) -> None:
        match line["type"]:
            case "prisoner":
                await self._prisoner(draft, line)
            case "contact":
                _contact(draft, line)
            case _:
                _restriction(draft, line)

    async def _prisoner(self, draft: _Draft, line: Line) -> None:
        number = line.matching("prisoner_number", PRISONER_NUMBER)
        draft.once("prisoner", number, "prisoner_number")
        held = draft.prisoners.get(number)
        if held is None and any(
            row.number == number for row in await self._directory.prisoners(await self._directory.all_establishments())
        ):
            raise LineFault("held_elsewhere", "prisoner_number")
        row = Prisoner(
            number,
            line["establishment"],
            line.need("first_name"),
            line.need("last_name"),
            held.no_contact_all if held else False,
        )
        draft.prisoners[number] = row
        draft.take(row, held)

    def _visit(self, draft: _Draft, line: Line, actor: str) -> None:
        reference = line.matching("reference", REFERENCE)
        draft.once("visit", reference, "reference")
        request = self._request(draft, line, reference)
        held = draft.references.get(reference)
        if held is not None:
            if visit_of(request, held.id, held.booked_by) != replace(held, cancelled_at=None, cancel_reason=None):
                raise LineFault("visit_changed", "reference")
            draft.unchanged += 1
            return
        visit = visit_of(request, derived_id("v", line["establishment"], reference), actor)
        day = visit.starts_at.date()
        around = [row for step in (-1, 0, 1) for row in draft.days.get(day + timedelta(days=step), ())]
        facts = replace(
            draft.facts,
            prisoners=list(draft.prisoners.values()),
            contacts=list(draft.contacts.values()),
            restrictions=list(draft.restrictions.values()),
            visits=around,
        )
        check(visit, facts, self._clock.now(), self._visits.zone)
        draft.days[day].append(visit)
        draft.booked.append(visit)

    def _request(self, draft: _Draft, line: Line, reference: str) -> Request:
        place = line["establishment"]
        hall = next((row for row in draft.facts.halls if row.name == line.need("hall")), None)
        if hall is None:
            raise LineFault("unknown_hall", "hall")
        seats = [row for row in draft.facts.seats if row.hall_id == hall.id]
        seat = next((row for row in seats if str(row.number) == line.need("seat")), None)
        if seat is None:
            raise LineFault("unknown_seat", "seat")
        day, start, end = line.date("date"), line.time("start"), line.time("end")
        references = [part.strip() for part in line.need("contacts").split(";")]
        return Request(
            place,
            line.need("kind"),
            line.matching("prisoner_number", PRISONER_NUMBER),
            tuple(contact_id(place, reference) for reference in references),
            hall.id,
            seat.id,
            datetime.combine(day, start, self._visits.zone),
            datetime.combine(day, end, self._visits.zone),
            reference,
        )


async def place_faults(directory: Directory, lines: Sequence[Line]) -> list[Fault]:
    """Return what is wrong with the establishments named: there must be one, known and real."""
    if not lines:
        return []
    place = next((line["establishment"] for line in lines if line["establishment"]), "")
    faults = []
    for line in lines:
        if not line["establishment"]:
            faults.append(line.fault("missing", "establishment"))
        elif line["establishment"] != place:
            faults.append(line.fault("other_establishment", "establishment"))
    if faults:
        return faults
    found = await directory.establishments(Scope(frozenset({place})))
    if not found:
        return [lines[0].fault("unknown_establishment", "establishment")]
    return [lines[0].fault("synthetic_establishment", "establishment")] if found[0].synthetic else []


def _contact(draft: _Draft, line: Line) -> None:
    key = contact_id(line["establishment"], line.matching("reference", REFERENCE))
    draft.once("contact", key, "reference")
    number = line.matching("prisoner_number", PRISONER_NUMBER)
    if number not in draft.prisoners:
        raise LineFault("unknown_prisoner", "prisoner_number")
    row = Contact(
        key,
        line["establishment"],
        number,
        line.need("first_name"),
        line.need("last_name"),
        line.date("date_of_birth"),
        line["relationship"],
        line.matching("email", _EMAIL) if line["email"] else None,
    )
    held = draft.contacts.get(key)
    draft.contacts[key] = row
    draft.take(row, held)


def _restriction(draft: _Draft, line: Line) -> None:
    place = line["establishment"]
    contact = contact_id(place, line.matching("reference", REFERENCE))
    if contact not in draft.contacts:
        raise LineFault("unknown_contact", "reference")
    number = line["prisoner_number"] or None
    if number is not None and number not in draft.prisoners:
        raise LineFault("unknown_prisoner", "prisoner_number")
    code, (starts_on, ends_on) = line.matching("restriction", _CODE), line.span()
    key = derived_id("r", place, contact, number or "", code, starts_on.isoformat())
    draft.once("restriction", key, "reference")
    row = Restriction(key, place, contact, number, code, starts_on, ends_on)
    held = draft.restrictions.get(key)
    draft.restrictions[key] = row
    draft.take(row, held)


def contact_id(place: str, reference: str) -> str:
    """Return the id of the contact whom an establishment knows by that reference."""
    return derived_id("c", place, reference)


def in_order(faults: Sequence[Fault], first_file: str) -> list[Fault]:
    """Return faults by file and line, the named file first."""
    return sorted(faults, key=lambda fault: (fault.file != first_file, fault.line))
