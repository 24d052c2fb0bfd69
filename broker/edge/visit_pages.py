"""The page *Visits*: the day's list by hall, a new visit, one visit with its links, and the sheet to print."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from functools import wraps
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import segno
from aiohttp import web

from broker.domain.bookings import is_adult
from broker.domain.codes import Code, Outcome, Refused
from broker.domain.kinds import offered
from broker.domain.permissions import Subject
from broker.domain.records import Link, Scope
from broker.edge.forms import FieldFault, Form, day_of, read_form
from broker.edge.rendering import clock_text, day_text, render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import Denied, SignedIn, links_for, permit, signed_in
from broker.edge.visit_form import FIELD_OF, LENGTHS, SeatChoice, VisitForm
from broker.engine.visits import Booked
from broker.ports import LogConflict, LogUnavailable

REASONS: Final = (
    Outcome.VISITOR_CANCELLED,
    Outcome.PRISONER_CANCELLED,
    Outcome.ESTABLISHMENT_CANCELLED,
    Outcome.ADMINISTRATIVE_ERROR,
)
"""Why a visit may be cancelled, in the words of the visit scheduler (features F105)."""

Page = Callable[[web.Request, SignedIn], Awaitable[web.StreamResponse]]


def staff_page(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler of a page for signed-in staff: denials and an unavailable record become pages too."""

    @wraps(page)
    async def handler(request: web.Request) -> web.StreamResponse:
        person = await signed_in(request)
        try:
            return await page(request, person)
        except Denied as denied:
            return denied.page
        except Refused as refusal:
            status = 404 if refusal.code is Code.UNKNOWN_CALL else 409
            return _told(request, person, f"refused.{refusal.code}", status)
        except (LogUnavailable, LogConflict):
            return _told(request, person, "refused.unavailable", 503)

    return handler


def _told(request: web.Request, person: SignedIn, key: str, status: int) -> web.Response:
    return page_of(request, person, "told.html", status=status, key=key)


def page_of(
    request: web.Request, person: SignedIn, template: str, *, status: int = 200, **values: object
) -> web.Response:
    """Return a page about visits, with what its template asks."""
    found = services(request)
    zone = ZoneInfo(found.config.zone)
    return render_staff(
        request,
        template,
        person.chair,
        person.cookie,
        status=status,
        links=links_for(request, person, "visits"),
        clock=lambda instant: clock_text(instant, zone),
        day=lambda value: day_text(value, found.config.language),
        local=lambda instant: instant.astimezone(zone).date(),
        may_at=lambda action, place: place in person.where(action),
        adult=is_adult,
        state=lambda row: _state(row, request),
        now=found.clock.now(),
        **values,
    )


def scope_of(person: SignedIn, action: str) -> Scope:
    """Return the establishments at which the person may do `action`."""
    return Scope(person.where(action))


def today(request: web.Request) -> date:
    """Return the day that it is in the halls' zone."""
    found = services(request)
    return found.clock.now().astimezone(ZoneInfo(found.config.zone)).date()


def _day(request: web.Request) -> date:
    """Return the day asked for, or today."""
    return day_of(request.query.get("date"), today(request))


async def list_visits(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits: the visits of a day, by hall."""
    await permit(request, person, "visit.list")
    day = _day(request)
    rows = await services(request).visits.day(scope_of(person, "visit.list"), day)
    may_book = bool(person.where("visit.book"))
    may_print = bool(person.where("visit.print"))
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    return page_of(
        request,
        person,
        "visits.html",
        halls=_by_hall(rows),
        on=day,
        before=before,
        after=after,
        may_book=may_book,
        may_print=may_print,
    )


async def print_visits(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits/print: the day's sheet, for the wall and for a bad day."""
    await permit(request, person, "visit.print")
    day = _day(request)
    rows = await services(request).visits.day(scope_of(person, "visit.print"), day)
    standing = [row for row in rows if row.visit.cancelled_at is None]
    return page_of(request, person, "visits_print.html", on=day, halls=_by_hall(standing))


async def show_visit(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits/<id>: one visit, its links, and what may be done."""
    await permit(request, person, "visit.list")
    row = await services(request).visits.booked(scope_of(person, "visit.list"), request.match_info["visit_id"])
    return _visit_page(request, person, row)


def _visit_page(
    request: web.Request, person: SignedIn, row: Booked, faults: Sequence[FieldFault] = (), status: int = 200
) -> web.Response:
    links = [(link, _link_state(link, row, request)) for link in row.links]
    values = {"row": row, "row_links": links, "reasons": REASONS, "faults": faults}
    return page_of(request, person, "visit.html", status=status, **values)


async def new_visit(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits/new: an empty form."""
    await permit(request, person, "visit.book")
    return await _form_page(request, person, VisitForm(date=_day(request).isoformat()))


async def book_visit(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits: find a prisoner's visitors (`step` = find), or book."""
    posted = await read_form(request, person.cookie)
    await permit(request, person, "visit.book")
    found = services(request)
    form = VisitForm.of(posted)
    scope = scope_of(person, "visit.book")
    seats = await _seats(request, scope)
    choice = next((known for known in seats if known.seat.id == form.seat), None)
    here = scope if choice is None else Scope(frozenset({choice.seat.establishment}))
    form.people = await found.directory.contacts(here, form.prisoner) if form.prisoner else []
    if form.prisoner and not form.people:
        known = {prisoner.number for prisoner in await found.directory.prisoners(here)}
        form.fault("prisoner", "staff.new.no_visitors" if form.prisoner in known else "refused.unknown_prisoner")
    if posted["step"] == "find" and form.prisoner:
        return await _form_page(request, person, form, status=400 if form.faults else 200)
    wanted = form.request(seats, ZoneInfo(found.config.zone))
    if wanted is None:
        return await _form_page(request, person, form, status=400)
    try:
        await permit(request, person, "visit.book", Subject(wanted.establishment))
        visit = await found.visits.book(scope, wanted, f"staff:{person.chair.number}")
    except Refused as refusal:
        form.fault(FIELD_OF.get(refusal.code, "main"), f"refused.{refusal.code}")
        return await _form_page(request, person, form, status=409)
    raise web.HTTPSeeOther(f"/visits/{visit.id}")


async def _form_page(request: web.Request, person: SignedIn, form: VisitForm, status: int = 200) -> web.Response:
    scope = scope_of(person, "visit.book")
    values = {
        "form": form,
        "faults": form.faults,
        "seats": await _seats(request, scope),
        "prisoners": await services(request).directory.prisoners(scope),
        "places": {row.code: row.name for row in await services(request).directory.establishments(scope)},
        "kinds": offered(),
        "lengths": LENGTHS,
    }
    return page_of(request, person, "visits_new.html", status=status, **values)


async def _seats(request: web.Request, scope: Scope) -> list[SeatChoice]:
    directory = services(request).directory
    halls = {row.id: row for row in await directory.halls(scope)}
    seats = [row for row in await directory.seats(scope) if row.in_use and row.hall_id in halls]
    choices = [SeatChoice(row, halls[row.hall_id]) for row in seats]
    return sorted(choices, key=lambda found: (found.hall.establishment, found.hall.name, found.seat.number))


async def cancel_visit(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/cancel, with a reason."""
    form, row = await posted_for(request, person, "visit.cancel")
    if form["reason"] not in {reason.value for reason in REASONS}:
        faults = [FieldFault("reason", "staff.visit.reason_missing")]
        return _visit_page(request, person, row, faults, status=400)
    scope = scope_of(person, "visit.cancel")
    await services(request).visits.cancel(scope, row.visit.id, form["reason"], f"staff:{person.chair.number}")
    raise web.HTTPSeeOther(f"/visits/{row.visit.id}")


async def issue_link(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/link: a fresh link, shown on this page alone."""
    _, row = await posted_for(request, person, "link.issue")
    found = services(request)
    link, token = await found.visits.issue_link(
        scope_of(person, "link.issue"), row.visit.id, f"staff:{person.chair.number}"
    )
    address = f"{found.config.origin('family')}/visit#{token}"
    picture = segno.make(address, micro=False).svg_data_uri(scale=4, border=4, dark="#0b0c0c", light="#ffffff")
    return page_of(request, person, "visit_link.html", row=row, link=link, address=address, picture=picture)


async def revoke_link(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/links/<id>/revoke; the form names the visit."""
    form = await read_form(request, person.cookie)
    scope = scope_of(person, "visit.list")
    row = await services(request).visits.booked(scope, form["visit_id"])
    await permit(request, person, "link.revoke", Subject(row.visit.establishment))
    actor = f"staff:{person.chair.number}"
    await services(request).visits.revoke_link(scope, row.visit.id, request.match_info["link_id"], actor)
    raise web.HTTPSeeOther(f"/visits/{row.visit.id}")


async def posted_for(request: web.Request, person: SignedIn, action: str) -> tuple[Form, Booked]:
    """Return the posted form and its visit, which the person may see and do `action` to."""
    form = await read_form(request, person.cookie)
    await permit(request, person, action)
    row = await services(request).visits.booked(scope_of(person, "visit.list"), request.match_info["visit_id"])
    await permit(request, person, action, Subject(row.visit.establishment))
    return form, row


def _by_hall(rows: Sequence[Booked]) -> list[tuple[Booked, list[Booked]]]:
    """Return the rows of each hall, each group with its first row for the names."""
    groups = (list(group) for _, group in groupby(rows, key=lambda row: (row.establishment.code, row.hall.id)))
    return [(group[0], group) for group in groups]


def _state(row: Booked, request: web.Request) -> str:
    """Return the state of a visit, `staff.state.<state>`."""
    if row.visit.cancelled_at is not None:
        return "cancelled"
    if row.visit.ends_at <= services(request).clock.now():
        return "over"
    standing = [link for link in row.links if link.revoked_at is None]
    if any(link.bound_hash for link in standing):
        return "opened"
    return "issued" if standing else "booked"


def _link_state(link: Link, row: Booked, request: web.Request) -> str:
    """Return the state of a link, `staff.link.state.<state>`."""
    if link.revoked_at is not None:
        return "revoked"
    if link.closes_at <= services(request).clock.now():
        return "expired"
    return "opened" if link.bound_hash else "issued"


VISIT_ID: Final = "[A-Za-z0-9._-]{1,80}"
ROUTES: Final = (
    Route("GET", "/visits", staff_page(list_visits), "visit.list", STAFF),
    Route("GET", "/visits/new", staff_page(new_visit), "visit.book", STAFF),
    Route("GET", "/visits/print", staff_page(print_visits), "visit.print", STAFF),
    Route("POST", "/visits", staff_page(book_visit), "visit.book", STAFF),
    Route("GET", f"/visits/{{visit_id:{VISIT_ID}}}", staff_page(show_visit), "visit.list", STAFF),
    Route("POST", f"/visits/{{visit_id:{VISIT_ID}}}/cancel", staff_page(cancel_visit), "visit.cancel", STAFF),
    Route("POST", f"/visits/{{visit_id:{VISIT_ID}}}/link", staff_page(issue_link), "link.issue", STAFF),
    Route("POST", f"/visits/links/{{link_id:{VISIT_ID}}}/revoke", staff_page(revoke_link), "link.revoke", STAFF),
)
