"""What the monitoring post fetches of a call over HTTP: photos on file while it checks who is in the lobby."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from broker.domain.call import Phase
from broker.domain.permissions import HeldPost, Subject, may
from broker.domain.records import Scope
from broker.edge.routes import MONITOR, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, signed_in
from broker.engine.registry import Entry

_CHECKED_IN: Final = (Phase.LOBBY, Phase.READY, Phase.LIVE)  # a person who comes late is checked during the call


def held_by(request: web.Request, person: SignedIn) -> HeldPost | None:
    """Return the post that this person holds now, in this browser."""
    for holder in services(request).engine.presence.holders:
        if (holder.number, holder.profile) == (person.chair.number, person.chair.session.profile):
            return HeldPost(holder.post, holder.scope, holder.hall_id)
    return None


async def call_for(request: web.Request, action: str) -> Entry:
    """Return the call of the path, for whoever may do `action` to it from the post that they hold.

    Raises:
        HTTPSeeOther: Nobody is signed in.
        HTTPNotFound: There is no such call within reach; a call elsewhere is answered alike. The denial is on record.
    """
    person, found = await signed_in(request), services(request)
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
    entry = await call_for(request, "photo.read")
    call, person = entry.actor.call, request.match_info["person"]
    expected = any(person in leg.people for leg in call.active)
    if call.phase not in _CHECKED_IN or not expected:
        raise web.HTTPNotFound
    found = await services(request).directory.photo(Scope(frozenset({call.establishment})), person)
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found.data, content_type=found.media_type)


ROUTES: Final = (Route("GET", "/calls/{call_id}/photos/{person}", photo, "photo.read", MONITOR),)
