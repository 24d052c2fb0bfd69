"""Sign-in and sign-out of staff, and what every staff page asks first: who is it, and may they."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from broker.domain.permissions import ANYTHING, Asker, HeldPost, Subject, may, where
from broker.edge.api_access import PROFILE_COOKIE, YEAR_S, profile_of
from broker.edge.forms import FieldFault, csrf_token, read_form
from broker.edge.hosts import CHAIR, cookie_name, forget_cookie, read_cookie, set_cookie
from broker.edge.rendering import render, render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.engine.accounts import SESSION, SignInRefused
from broker.engine.chairs import StaffChair
from broker.engine.secrets import TooBusy
from broker.ports import LogConflict, LogUnavailable

_HOME: Final = {"monitor": "/monitor", "hall": "/hall", "base": "/visits"}
_PAGE_ACTIONS: Final = (
    ("/monitor", "page.monitor"),
    ("/hall", "page.hall"),
    ("/visits", "visit.list"),
    ("/duty", "duty.read"),
    ("/figures", "figures.read"),
    ("/audit", "audit.read"),
    ("/shifts", "shift.read"),
    ("/training", "training.read"),
)


class Denied(Exception):
    """A signed-in person may not do this; `page` says so, and the denial is on record."""

    def __init__(self, page: web.Response) -> None:
        super().__init__()
        self.page = page


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at the page, the cookie that its forms' tokens go with, and the post that they hold at a live page."""

    chair: StaffChair
    cookie: str
    held: HeldPost | None = None

    @property
    def asker(self) -> Asker:
        """Who asks, with the post that they hold."""
        return self.chair.asker(self.held)

    def where(self, action: str) -> frozenset[str]:
        """Return the establishments at which this person may do `action`."""
        return where(self.asker, action)


async def signed_in(request: web.Request) -> SignedIn:
    """Return who is signed in on this host. Raises HTTPSeeOther to the sign-in page where nobody is."""
    cookie = read_cookie(request)
    chair = await services(request).accounts.chair(cookie)
    if chair is None or cookie is None:
        raise web.HTTPSeeOther("/sign-in")
    holders = services(request).engine.presence.holders
    held = (holder.held for holder in holders if holder.number == chair.number)
    return SignedIn(chair, cookie, next(held, None))


async def permit(request: web.Request, person: SignedIn, action: str, subject: Subject = ANYTHING) -> None:
    """Ask the permission table. Raises Denied, after putting the denial on record."""
    asker = person.asker
    refusal = may(asker, action, subject)
    if refusal is None:
        return
    await services(request).access.denials.person(asker, action, refusal, subject.establishment)
    values = {"code": refusal.value, "links": _links(request, person)}
    raise Denied(render_staff(request, "denied.html", person.chair, person.cookie, status=403, **values))


def links_for(request: web.Request, person: SignedIn, current: str) -> list[dict[str, object]]:
    """Return the navigation that this person has, with the current page marked."""
    return [{**link, "current": link["key"] == current} for link in _links(request, person)]


def _links(request: web.Request, person: SignedIn) -> list[dict[str, object]]:
    config, here = services(request).config, request[CHAIR]
    homes = {"/monitor": "monitor", "/hall": "hall"}
    return [
        {"key": path.strip("/"), "href": path if homes.get(path, here) == here else config.origin(homes[path]) + path}
        for path, action in _PAGE_ACTIONS
        if may(person.asker, action) is None and (path != "/training" or config.training)
    ]


async def home(request: web.Request) -> web.StreamResponse:
    """GET /: the page of this host's post, or another that the person has."""
    person = await signed_in(request)
    wanted = _HOME[request[CHAIR]]
    paths = [path for path, action in _PAGE_ACTIONS if may(person.chair.asker(), action) is None]
    local = [path for path in paths if path in {wanted, "/visits"}]
    raise web.HTTPSeeOther(wanted if wanted in local else "/visits")


async def show_sign_in(request: web.Request) -> web.StreamResponse:
    """GET /sign-in."""
    return _sign_in_page(request, [], "")


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in: a named account."""
    profile, fresh = profile_of(request)
    if fresh:  # no page of ours was open in this browser: its form has no token that could be right
        raise web.HTTPSeeOther("/sign-in")
    form = await read_form(request, profile)
    faults = [
        FieldFault(field, f"staff.sign_in.{field}_missing") for field in ("username", "password") if not form[field]
    ]
    if faults:
        return _sign_in_page(request, faults, form["username"], status=400)
    try:
        signed = await services(request).accounts.sign_in(form["username"], form.raw("password"), profile)
    except SignInRefused as refusal:
        faults = [FieldFault("username", f"staff.sign_in.{refusal.code}")]
        return _sign_in_page(request, faults, form["username"], status=429 if refusal.code == "locked" else 403)
    except (LogUnavailable, LogConflict, TooBusy):
        faults = [FieldFault("username", "staff.sign_in.unavailable")]
        return _sign_in_page(request, faults, form["username"], status=503)
    response = _redirect("/")
    set_cookie(response, cookie_name(request[CHAIR]), signed.token, int(SESSION.total_seconds()))
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /sign-out: the session ends, with every socket of it."""
    person = await signed_in(request)
    await read_form(request, person.cookie)
    await services(request).accounts.sign_out(person.chair)
    response = _redirect("/sign-in")
    forget_cookie(response, cookie_name(request[CHAIR]))
    return response


def _redirect(path: str) -> web.Response:
    """Return a redirect that can carry a cookie."""
    return web.Response(status=303, headers={"Location": path})


def _sign_in_page(
    request: web.Request, faults: list[FieldFault], username: str, *, status: int = 200
) -> web.StreamResponse:
    profile, fresh = profile_of(request)
    values = {"csrf": csrf_token(request, profile), "faults": faults, "username": username, "me": None, "links": []}
    response = render(request, "sign_in.html", status=status, **values)
    if fresh:
        set_cookie(response, PROFILE_COOKIE, profile, YEAR_S)
    return response


ROUTES: Final = (
    Route("GET", "/", home, "page.sign_in", STAFF),
    Route("GET", "/sign-in", show_sign_in, "page.sign_in", STAFF),
    Route("POST", "/sign-in", sign_in, "staff.sign_in", STAFF),
    Route("POST", "/sign-out", sign_out, "staff.sign_out", STAFF),
)
