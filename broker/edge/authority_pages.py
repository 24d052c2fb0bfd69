"""The authorising officer's page of one visit: its call's risk tier with reasons, and the tier set by a person."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.call import Phase
from broker.domain.codes import Code, Refused
from broker.domain.kinds import offered
from broker.domain.risk import TIERS
from broker.edge.forms import FieldFault
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, permit
from broker.edge.visit_pages import VISIT_ID, page_of, posted_for, scope_of, staff_page
from broker.engine.registry import Entry
from broker.engine.visits import Booked

_FIELD: Final = {
    Code.TEXT_MISSING: "reason",
    Code.TEXT_TOO_LONG: "reason",
    Code.TEXT_CONTROLS: "reason",
    Code.UNKNOWN_TIER: "tier",
    Code.KIND_NOT_OFFERED: "kind",
}
PRIVILEGED: Final = tuple(kind.code for kind in offered() if kind.privileged)


async def show(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /visits/<id>/authority: the tier as it stands, and the form."""
    await permit(request, person, "call.set_tier")
    row = await services(request).visits.booked(scope_of(person, "call.set_tier"), request.match_info["visit_id"])
    return _page(request, person, row)


async def set_tier(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/tier, with a reason in words."""
    form, row = await posted_for(request, person, "call.set_tier")
    if form["tier"] not in {str(tier) for tier in TIERS}:
        return _page(request, person, row, FieldFault("tier", "refused.unknown_tier"))
    command = c.SetTier(actor_of(person), int(form["tier"]), form["reason"])
    return await _done(request, person, row, command)


async def make_privileged(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """POST /visits/<id>/privileged, with the kind that the call becomes. Never taken back."""
    form, row = await posted_for(request, person, "call.make_privileged")
    if form["sure"] != "yes":
        return _page(request, person, row, FieldFault("kind", "staff.authority.sure_missing"))
    return await _done(request, person, row, c.MakePrivileged(actor_of(person), form["kind"]))


async def _done(request: web.Request, person: SignedIn, row: Booked, command: c.Command) -> web.StreamResponse:
    try:
        await services(request).engine.send(row.visit.id, command)
    except Refused as refusal:
        if refusal.code not in _FIELD:
            raise
        return _page(request, person, row, FieldFault(_FIELD[refusal.code], f"refused.{refusal.code}"))
    raise web.HTTPSeeOther(f"/visits/{row.visit.id}/authority")


def actor_of(person: SignedIn) -> Actor:
    """Return who acts: with the post that the person holds at any socket, which no authority may be used from."""
    chair = person.chair
    return Actor(f"staff:{chair.number}", chair.staff.name, chair.number, asker=person.asker)


def _page(request: web.Request, person: SignedIn, row: Booked, *faults: FieldFault) -> web.Response:
    entry = services(request).engine.entry(row.visit.id)
    values = {"row": row, "call": _open(entry), "tiers": TIERS, "kinds": PRIVILEGED, "faults": faults}
    return page_of(request, person, "visit_authority.html", status=400 if faults else 200, **values)


def _open(entry: Entry | None) -> object:
    return None if entry is None or entry.actor.call.phase is Phase.ENDED else entry.actor.call


ROUTES: Final = (
    Route("GET", f"/visits/{{visit_id:{VISIT_ID}}}/authority", staff_page(show), "call.set_tier", STAFF),
    Route("POST", f"/visits/{{visit_id:{VISIT_ID}}}/tier", staff_page(set_tier), "call.set_tier", STAFF),
    Route(
        "POST",
        f"/visits/{{visit_id:{VISIT_ID}}}/privileged",
        staff_page(make_privileged),
        "call.make_privileged",
        STAFF,
    ),
)
