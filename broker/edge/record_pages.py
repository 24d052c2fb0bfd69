"""The pages *Record* (one call's entries, checked first) and *Shifts* (a monitor's hand-over report). Read only."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from broker.domain.codes import Outcome, Refused
from broker.domain.records import Scope
from broker.domain.shift import HandOver, Shift
from broker.domain.story import staff_of
from broker.edge.forms import FieldFault, day_of, read_form
from broker.edge.names import Names
from broker.edge.rendering import render_csv, render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, links_for, permit
from broker.edge.visit_pages import staff_page
from broker.ports import Record
from broker.text import catalogue

SHIFTS_BACK: Final = timedelta(days=31)
NOTE_FORM_CHARS: Final = 16_384  # beyond what a note may have, so that one too long is given back to be cut


def _zone(request: web.Request) -> ZoneInfo:
    return ZoneInfo(services(request).config.zone)


async def _names(request: web.Request, places: frozenset[str]) -> Names:
    found = services(request)
    return await Names.of(found.directory, Scope(places), catalogue(found.config.language))


def _page(
    request: web.Request, person: SignedIn, template: str, current: str, *faults: FieldFault, **values: object
) -> web.Response:
    zone = _zone(request)
    told: dict[str, object] = {"links": links_for(request, person, current), "second": lambda at: _second(at, zone)}
    return render_staff(
        request, template, person.chair, person.cookie, status=400 if faults else 200, faults=faults, **told, **values
    )


def _second(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


# --- the record of a call -------------------------------------------------------


async def list_calls(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /audit: the calls of a day that have a record."""
    return await _found(request, person, request.query.get("date"))


async def find(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /audit: those of a prisoner number or an outcome. A person's number stands in no address."""
    form = await read_form(request, person.cookie)
    return await _found(request, person, form["date"], form["prisoner"].upper()[:20], form["outcome"])


async def _found(
    request: web.Request, person: SignedIn, date: str | None, prisoner: str = "", outcome: str = ""
) -> web.Response:
    await permit(request, person, "audit.read")
    zone, places = _zone(request), person.where("audit.read")
    day = day_of(date, services(request).clock.now().astimezone(zone).date())
    start = datetime.combine(day, time.min, zone)
    rows = await services(request).inquiry.find(Scope(places), start, start + timedelta(days=1))
    shown = [
        (visit, story)
        for visit, story in rows
        if (not prisoner or visit.prisoner_number == prisoner) and (not outcome or story.call.outcome == outcome)
    ]
    values: dict[str, object] = {
        "on": day,
        "prisoner": prisoner,
        "outcome": outcome,
        "outcomes": list(Outcome),
        "rows": shown,
    }
    return _page(request, person, "record.html", "audit", names=await _names(request, places), **values)


async def show_call(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /audit/calls/<id>: every entry of a call, after the check of their chain; the opening is on record."""
    await permit(request, person, "audit.read")
    places = person.where("audit.read")
    file = await services(request).inquiry.open(
        Scope(places), request.match_info["call_id"], f"staff:{person.chair.number}"
    )
    names = await _names(request, places)
    actors = {number for record in (*file.records, *file.openings) if (number := staff_of(record.actor))}
    await names.learn(services(request).directory, actors)
    if request.path.endswith(".csv"):
        head = ("seq", "at", "actor", "type", "body", "hash")
        rows = [head, *(_row(record) for record in file.records)]
        return render_csv(f"record-{file.visit.id}", rows)
    entries = [(record, _who(record, names), _detail(record)) for record in file.records]
    openings = [(record, _who(record, names)) for record in file.openings]
    return _page(
        request, person, "record_call.html", "audit", file=file, entries=entries, openings=openings, names=names
    )


def _row(record: Record) -> tuple[str, ...]:
    return (str(record.seq), record.at.isoformat(), record.actor, record.type, _detail(record), record.hash)


def _who(record: Record, names: Names) -> str:
    number = staff_of(record.actor)
    return names.person(number) if number else record.actor


def _detail(record: Record) -> str:
    """Return an entry's body in short: its names and values, without what is empty."""
    return ", ".join(
        f"{name}: {_short(value)}" for name, value in record.body.items() if value not in (None, "", [], {})
    )


def _short(value: object) -> str:
    return " ".join(_short(part) for part in value) if isinstance(value, list) else str(value)


# --- shifts ---------------------------------------------------------------------


async def _own_or_all(request: web.Request, person: SignedIn) -> tuple[frozenset[str], list[Shift]]:
    """Return where this person may read shifts, and which: a monitor their own alone."""
    await permit(request, person, "shift.read")
    places = person.where("shift.read")
    since = services(request).clock.now() - SHIFTS_BACK
    reads = person.where("audit.read")
    found = await services(request).inquiry.shifts(places, since)
    return places, [shift for shift in found if shift.number == person.chair.number or shift.places & reads]


async def list_shifts(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /shifts: the shifts of the last month, the latest first."""
    places, rows = await _own_or_all(request, person)
    names = await _names(request, places)
    await names.learn(services(request).directory, {shift.number for shift in rows})
    return _page(request, person, "shifts.html", "shifts", rows=rows, names=names)


async def show_shift(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /shifts/<session>: the hand-over report of one shift."""
    return await _shift_page(request, person, *await _shift(request, person))


async def show_last_shift(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /shifts/last: the report of one's own newest shift, where the console leads after sign-off."""
    places, rows = await _own_or_all(request, person)
    own = next((shift for shift in rows if shift.number == person.chair.number), None)
    if own is None:
        return await list_shifts(request, person)
    return await _shift_page(request, person, places | own.told, own)


async def note_shift(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /shifts/<session>: a note on one's own shift, for whoever takes over."""
    form = await read_form(request, person.cookie, NOTE_FORM_CHARS)
    await permit(request, person, "shift.note")
    places, shift = await _shift(request, person)
    try:
        await services(request).engine.notes.add(shift, person.chair.number, form["note"])
    except Refused as refusal:
        fault = FieldFault("note", f"refused.{refusal.code}")
        return await _shift_page(request, person, places, shift, fault, note=form["note"])
    raise web.HTTPSeeOther(f"/shifts/{shift.session}")


async def _shift(request: web.Request, person: SignedIn) -> tuple[frozenset[str], Shift]:
    """Return the shift of the path, and how far its report reaches. Raises HTTPNotFound."""
    places, rows = await _own_or_all(request, person)
    shift = next((shift for shift in rows if shift.session == request.match_info["session"]), None)
    if shift is None:
        raise web.HTTPNotFound
    own = shift.number == person.chair.number  # whose own reach what they were for, a pool's monitor too
    return places | shift.told if own else places, shift


async def _shift_page(
    request: web.Request, person: SignedIn, places: frozenset[str], shift: Shift, *faults: FieldFault, note: str = ""
) -> web.Response:
    report: HandOver = await services(request).inquiry.hand_over(shift, places)
    if request.path.endswith(".csv"):
        return render_csv(f"shift-{shift.start:%Y%m%d-%H%M}", report.as_rows())
    names = await _names(request, places)
    await names.learn(services(request).directory, {shift.number})
    own = shift.number == person.chair.number
    values = {"shift": shift, "report": report, "names": names, "own": own, "note": note}
    return _page(request, person, "shift.html", "shifts", *faults, **values)


_ID: Final = "[A-Za-z0-9_-]{1,80}"
ROUTES: Final = (
    Route("GET", "/audit", staff_page(list_calls), "audit.read", STAFF),
    Route("POST", "/audit", staff_page(find), "audit.read", STAFF),
    Route("GET", f"/audit/calls/{{call_id:{_ID}}}", staff_page(show_call), "audit.read", STAFF),
    Route("GET", f"/audit/calls/{{call_id:{_ID}}}.csv", staff_page(show_call), "audit.read", STAFF),
    Route("GET", "/shifts", staff_page(list_shifts), "shift.read", STAFF),
    Route("GET", "/shifts/last", staff_page(show_last_shift), "shift.read", STAFF),
    Route("POST", f"/shifts/{{session:{_ID}}}", staff_page(note_shift), "shift.note", STAFF),
    Route("GET", f"/shifts/{{session:{_ID}}}", staff_page(show_shift), "shift.read", STAFF),
    Route("GET", f"/shifts/{{session:{_ID}}}.csv", staff_page(show_shift), "shift.read", STAFF),
)
