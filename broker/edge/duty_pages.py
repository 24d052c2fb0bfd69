"""The page *Duty*: what must reach the duty governor at once, on no post and wherever they are (domain.md 8.1, 2).

The page asks anew every two seconds. It shows urgent alerts and how the posts stand, and no picture, name or number of
anybody in a call; it acts on nothing. A duty governor acts on a call from a post, like anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from broker.domain.alerts import Alert
from broker.domain.call import Call, Phase
from broker.domain.codes import AlertLevel
from broker.domain.records import Scope
from broker.edge.names import Names
from broker.edge.rendering import render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, links_for, permit
from broker.edge.visit_pages import staff_page
from broker.edge.ws import PRESENTER
from broker.protocol.posts import PostPart
from broker.text import catalogue


async def show(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /duty: the page, with what stands now: it is whole without a script, and then asks for itself every 10 s."""
    await permit(request, person, "duty.read")
    links, duty = links_for(request, person, "duty"), await _now(request, person)
    return render_staff(request, "duty.html", person.chair, person.cookie, links=links, duty=duty)


async def now(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /duty/now: the same as JSON, in words."""
    await permit(request, person, "duty.read")
    return web.json_response(await _now(request, person))


async def _now(request: web.Request, person: SignedIn) -> dict[str, Any]:
    """Return what stands: `urgent` alerts, the newest first, and each of `places` with its posts and counts."""
    found = services(request)
    places = person.where("duty.read")
    names = await Names.of(found.directory, Scope(places), catalogue(found.config.language))
    at = found.clock.now()
    alerts = [
        alert
        for alert in found.engine.alerts.all()
        if alert.key.establishment in places and alert.stands and alert.level is AlertLevel.URGENT
    ]
    duty = _Duty(request, names, at)
    return {
        "now": duty.time(at),
        "urgent": [duty.alert(alert) for alert in sorted(alerts, key=lambda one: one.at, reverse=True)],
        "places": [await duty.place(code) for code in sorted(places, key=names.place)],
    }


class _Duty:
    """The words of one answer."""

    def __init__(self, request: web.Request, names: Names, at: datetime) -> None:
        self._engine = services(request).engine
        self._directory = services(request).directory
        self._presenter = request.app[PRESENTER]
        self._zone = ZoneInfo(services(request).config.zone)
        self._names, self._words, self._at = names, names.words, at

    def time(self, at: datetime) -> str:
        """Return a time of day to the second, in the halls' zone."""
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def alert(self, alert: Alert) -> dict[str, str]:
        """Return an alert: what, where, since when, and who is on it."""
        taker = self._presenter.name_of(alert.acked_by)
        return {
            "id": alert.id,
            "what": self._words(f"alert.{alert.code}"),
            "where": self._where(alert),
            "since": self.time(alert.at),
            "who": self._words("duty.taken", name=taker) if taker else self._words("duty.open"),
        }

    def _where(self, alert: Alert) -> str:
        place = self._names.place(alert.key.establishment)
        entry = self._engine.entry(alert.key.call_id) if alert.key.call_id is not None else None
        if entry is not None:
            seat = entry.facts.seat.number
            return self._words("duty.seat", place=place, hall=entry.facts.hall.name, seat=seat)
        hall = self._names.halls.get(alert.hall_id or "")
        return self._words("duty.hall", place=place, hall=hall) if hall else place

    async def place(self, code: str) -> dict[str, Any]:
        """Return an establishment: its posts, and how many calls it has in which state."""
        halls = [(code, row.id) for row in await self._directory.halls(Scope(frozenset({code})))]
        posts = self._presenter.posts([code], halls, "", self._at)
        calls = [entry.actor.call for entry in self._engine.entries(code)]
        return {
            "name": self._names.place(code),
            "posts": [self._post(part) for part in posts],
            "calls": self._words("duty.calls", **_counts(calls)),
        }

    def _post(self, part: PostPart) -> dict[str, str]:
        hall = self._names.halls.get(part.hall_id or "", "")
        what = self._words(f"post.{part.post}")
        return {
            "what": self._words("duty.post_in", post=what, hall=hall) if hall else what,
            "state": part.state,
            "words": self._words(f"duty.post.{part.state}", name=part.name or ""),
        }


def _counts(calls: Iterable[Call]) -> dict[str, int]:
    """Return how many calls are live, held and waiting."""
    counts = {"live": 0, "held": 0, "lobby": 0}
    for call in calls:
        if call.phase is Phase.LIVE:
            counts["held" if call.holds else "live"] += 1
        elif call.phase in (Phase.LOBBY, Phase.READY):
            counts["lobby"] += 1
    return counts


ROUTES: Final = (
    Route("GET", "/duty", staff_page(show), "duty.read", STAFF),
    Route("GET", "/duty/now", staff_page(now), "duty.read", STAFF),
)
