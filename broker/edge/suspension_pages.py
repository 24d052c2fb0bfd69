"""The duty governor's page of one visit's people: who is suspended, the form that suspends, and the one that lifts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from aiohttp import web

from broker.domain.codes import Code, Refused, SuspensionReason
from broker.domain.policy import DEFAULT
from broker.edge.forms import FieldFault, Form, known_day
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, permit
from broker.edge.visit_pages import VISIT_ID, page_of, posted_for, scope_of, staff_page, today
from broker.engine.suspensions import Decision
from broker.engine.visits import Booked
from broker.text import catalogue

ACTION: Final = "contact.suspend"
USUAL: Final = timedelta(days=28)
_FIELD: Final = {
    Code.NOT_ON_VISITOR_LIST: "contact",
    Code.ALREADY_SUSPENDED: "contact",
    Code.BAD_END: "until",
    Code.TEXT_MISSING: "appeal",
    Code.TEXT_TOO_LONG: "appeal",
    Code.TEXT_CONTROLS: "appeal",
}


async def show(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits/<id>/suspension: who of the visit is suspended, and the form."""
    await permit(request, person, ACTION)
    row = await services(request).visits.booked(scope_of(person, ACTION), request.match_info["visit_id"])
    return await _page(request, person, row)


async def suspend(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/suspension: who, why, until when, and how to appeal."""
    form, row = await posted_for(request, person, ACTION)
    until = known_day(form["until"])
    faults = [
        FieldFault(field, key)
        for field, key, wrong in (
            ("contact", "staff.suspension.contact_missing", not form["contact"]),
            ("reason", "staff.suspension.reason_missing", form["reason"] not in list(SuspensionReason)),
            ("until", "refused.bad_end", until is None),
        )
        if wrong
    ]
    if faults or until is None:
        return await _page(request, person, row, form, *faults)
    decision = Decision(form["contact"], SuspensionReason(form["reason"]), until, form["appeal"])
    try:
        await services(request).suspensions.suspend(row.visit, decision, f"staff:{person.chair.number}")
    except Refused as refusal:
        if refusal.code not in _FIELD:
            raise
        return await _page(request, person, row, form, FieldFault(_FIELD[refusal.code], f"refused.{refusal.code}"))
    raise web.HTTPSeeOther(f"/visits/{row.visit.id}/suspension")


async def lift(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/suspension/lift, with why."""
    form, row = await posted_for(request, person, ACTION)
    try:
        actor = f"staff:{person.chair.number}"
        await services(request).suspensions.lift(row.visit, form["suspension"], form["why"], actor)
    except Refused as refusal:
        if refusal.code not in _FIELD:
            raise
        return await _page(request, person, row, None, FieldFault("why", f"refused.{refusal.code}"))
    raise web.HTTPSeeOther(f"/visits/{row.visit.id}/suspension")


async def _page(
    request: web.Request, person: SignedIn, row: Booked, form: Form | None = None, *faults: FieldFault
) -> web.Response:
    found, now = services(request), today(request)
    words = catalogue(found.config.language)
    usual: Mapping[str, str] = {
        "until": (now + USUAL).isoformat(),
        "appeal": words("staff.suspension.appeal_usual", place=row.establishment.name),
    }
    typed = {name: form[name] for name in ("contact", "reason", "until", "appeal")} if form is not None else usual
    standing = await found.suspensions.of(row.visit.establishment, row.visit.contact_ids)
    values = {
        "row": row,
        "standing": standing,
        "typed": typed,
        "reasons": list(SuspensionReason),
        "latest": now + timedelta(days=DEFAULT.suspension_most_days),
        "faults": faults,
    }
    return page_of(request, person, "visit_suspension.html", status=400 if faults else 200, **values)


ROUTES: Final = (
    Route("GET", f"/visits/{{visit_id:{VISIT_ID}}}/suspension", staff_page(show), ACTION, STAFF),
    Route("POST", f"/visits/{{visit_id:{VISIT_ID}}}/suspension", staff_page(suspend), ACTION, STAFF),
    Route("POST", f"/visits/{{visit_id:{VISIT_ID}}}/suspension/lift", staff_page(lift), ACTION, STAFF),
)
