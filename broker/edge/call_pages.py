"""What the monitoring post fetches of a call over HTTP: photos on file for its checks, and the draft of an incident."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from broker.domain.call import Phase
from broker.domain.permissions import HeldPost, Subject, may
from broker.domain.records import Scope
from broker.edge.incident import draft
from broker.edge.rendering import render_staff
from broker.edge.routes import MONITOR, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, links_for, signed_in
from broker.edge.ws import PRESENTER
from broker.engine.actor import stream_of
from broker.engine.registry import Entry
from broker.ports import LogUnavailable
from broker.text import catalogue

_CHECKED_IN: Final = (Phase.LOBBY, Phase.READY, Phase.LIVE)  # a person who comes late is checked during the call


def held_by(request: web.Request, person: SignedIn) -> HeldPost | None:
    """Return the post that this person holds now, in this browser."""
    who = (person.chair.number, person.chair.session.profile)
    holders = services(request).engine.presence.holders
    return next((one.held for one in holders if (one.number, one.profile) == who), None)


async def call_for(request: web.Request, person: SignedIn, action: str) -> Entry:
    """Return the call of the path, if the person may do `action` to it from the post that they hold here.

    Raises:
        HTTPNotFound: There is no such call, or they may not, which is put on record: the two are answered alike.
    """
    found = services(request)
    entry = found.engine.entry(request.match_info["call_id"])
    asker = person.chair.asker(held_by(request, person))
    if entry is None:
        raise web.HTTPNotFound
    call = entry.actor.call
    refusal = may(asker, action, Subject(call.establishment, call.hall_id))
    if refusal is not None:
        await found.access.denials.person(asker, action, refusal, call.establishment)
        raise web.HTTPNotFound
    return entry


async def photo(request: web.Request) -> web.StreamResponse:
    """GET /calls/{call_id}/photos/{person}: a photo on file of somebody who is expected at a call in the lobby."""
    entry = await call_for(request, await signed_in(request), "photo.read")
    call, attendee = entry.actor.call, request.match_info["person"]
    expected = any(attendee in leg.people for leg in call.active)
    if call.phase not in _CHECKED_IN or not expected:
        raise web.HTTPNotFound
    found = await services(request).directory.photo(Scope(frozenset({call.establishment})), attendee)
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found.data, content_type=found.media_type)


async def incident(request: web.Request) -> web.StreamResponse:
    """GET /calls/{call_id}/incident: a draft of an incident's text, from the call's own record, to be copied."""
    person, found = await signed_in(request), services(request)
    entry = await call_for(request, person, "call.incident")
    try:
        records = await found.engine.streams.of(stream_of(entry.actor.call.id)).read()
    except LogUnavailable:
        raise web.HTTPServiceUnavailable from None
    named, words = request.app[PRESENTER].name_of, catalogue(found.config.language)
    text = draft(entry, records, named, words, ZoneInfo(found.config.zone), found.clock.now())
    links = links_for(request, person, "")
    return render_staff(request, "incident.html", person.chair, person.cookie, text=text, links=links)


ROUTES: Final = (
    Route("GET", "/calls/{call_id}/photos/{person}", photo, "photo.read", MONITOR),
    Route("GET", "/calls/{call_id}/incident", incident, "call.incident", MONITOR),
)
