"""The API of access: a link, a laptop's code, a cookie or a password in; a ticket for the socket out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aiohttp import web

from broker.config import CHAIRS
from broker.domain.codes import AlertCode, Refused
from broker.domain.permissions import STRANGER, Subject, may
from broker.domain.records import ConsoleDevice, Link
from broker.edge.forms import read_json, text_of
from broker.edge.hosts import CHAIR, cookie_name, read_cookie, set_cookie
from broker.edge.routes import ANY, FAMILY, LAPTOP, MONITOR, STAFF, Route
from broker.edge.services import services
from broker.engine.access import AccessRefused, Seated
from broker.engine.accounts import SESSION, SignInRefused
from broker.engine.chairs import StaffChair, synthetic_asker
from broker.engine.secrets import TooBusy, new_token
from broker.engine.synthetics import MOST_AT_ONCE, SyntheticCalls
from broker.ports import LogConflict, LogUnavailable

PROFILE_COOKIE: Final = "__Host-profile"
CONSOLE_COOKIE: Final = "__Host-console"  # on the monitor's host alone: a console is no credential of another page
YEAR_S: Final = 366 * 24 * 3600
_UNAVAILABLE = (LogUnavailable, LogConflict, TooBusy)


def refused(status: int, code: str) -> web.Response:
    """Return a refusal: a code, and nothing that tells more."""
    return web.json_response({"code": code}, status=status)


def profile_of(request: web.Request) -> tuple[str, bool]:
    """Return the browser profile's own id, and whether it is new. It outlives sessions (design README 18)."""
    known = request.cookies.get(PROFILE_COOKIE, "")
    return (known, False) if 40 <= len(known) <= 64 else (new_token(), True)


async def console_of(request: web.Request) -> ConsoleDevice | None:
    """Return what this browser is enrolled as, revoked or expired ones too. Raises LogUnavailable."""
    if request[CHAIR] != "monitor":
        return None
    return await services(request).console_devices.of(request.cookies.get(CONSOLE_COOKIE))


async def redeem_link(request: web.Request) -> web.Response:
    """POST /api/family/redeem: a family's link."""
    body = await read_json(request)
    try:
        seated = await services(request).access.redeem_link(text_of(body, "token"), read_cookie(request))
    except AccessRefused as refusal:
        if refusal.link is not None:
            _opened_elsewhere(request, refusal.link)
        return refused(403, refusal.code)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    until = int((seated.chair.until - services(request).clock.now()).total_seconds()) if seated.chair.until else None
    return _seated(request, seated, until)


def _opened_elsewhere(request: web.Request, link: Link) -> None:
    """Staff are alerted that a second browser holds the link; the first goes on undisturbed."""
    services(request).engine.alerts.raise_(
        AlertCode.LINK_ELSEWHERE, establishment=link.establishment, call_id=link.visit_id
    )


async def redeem_laptop(request: web.Request) -> web.Response:
    """POST /api/laptop/redeem: a laptop's one-time code."""
    body = await read_json(request)
    try:
        seated = await services(request).access.redeem_laptop(text_of(body, "token"))
    except AccessRefused as refusal:
        return refused(403, refusal.code)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    return _seated(request, seated, YEAR_S)


async def redeem_console(request: web.Request) -> web.Response:
    """POST /api/console/redeem: a console's one-time code, pressed in the browser that it enrols."""
    body = await read_json(request)
    former = request.cookies.get(CONSOLE_COOKIE)
    try:
        _, credential = await services(request).console_devices.redeem(text_of(body, "token"), former)
    except AccessRefused as refusal:
        return refused(403, refusal.code)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    response = web.json_response({})
    set_cookie(response, CONSOLE_COOKIE, credential, YEAR_S)
    return response


async def issue_ticket(request: web.Request) -> web.Response:
    """POST /api/tickets: a ticket for the chair whose cookie this host reads."""
    await read_json(request)
    access = services(request).access
    chair = request[CHAIR]
    cookie = read_cookie(request)
    try:
        if chair == "family":
            seated = await access.family_ticket(cookie)
        elif chair == "laptop":
            seated = await access.laptop_ticket(cookie)
        else:
            console = await console_of(request)
            seated = await access.staff_ticket(cookie, console)
    except AccessRefused as refusal:
        return refused(401, refusal.code)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    response = web.json_response({"ticket": seated.ticket})
    if isinstance(seated.chair, StaffChair) and seated.chair.console is not None:
        # Browsers keep no cookie for longer than some 400 days, and an assurance may be renewed for years.
        set_cookie(response, CONSOLE_COOKIE, request.cookies[CONSOLE_COOKIE], YEAR_S)
    return response


async def sign_in(request: web.Request) -> web.Response:
    """POST /api/sign-in: a named account, for programs; the page has a form of its own."""
    body = await read_json(request)
    found = services(request)
    profile, fresh = profile_of(request)
    try:
        signed = await found.accounts.sign_in(text_of(body, "username"), text_of(body, "password"), profile)
        chair = replace(signed.chair, console=await console_of(request))
    except SignInRefused as refusal:
        return refused(429 if refusal.code == "locked" else 403, refusal.code)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    response = web.json_response({"ticket": found.access.tickets.issue(chair)})
    set_cookie(response, cookie_name(request[CHAIR]), signed.token, int(SESSION.total_seconds()))
    if fresh:
        set_cookie(response, PROFILE_COOKIE, profile, YEAR_S)
    return response


async def make_synthetic(request: web.Request) -> web.Response:
    """POST /api/synthetic: calls for check-call, for the bearer of a synthetic establishment's credential."""
    body = await read_json(request)
    found = services(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        credential = await found.access.synthetic(token.strip() if scheme.lower() == "bearer" else None)
        asker = synthetic_asker(credential) if credential else STRANGER
        refusal = may(asker, "synthetic.create", Subject(credential.establishment if credential else None))
        if credential is None or refusal is not None:
            found.access.denials.stranger("credential_invalid")
            return refused(401, "credential_invalid")
        count = body.get("count")
        if type(count) is not int or not 1 <= count <= MOST_AT_ONCE:
            return refused(400, "bad_count")
        made = await found.synthetics.make(credential, count, str(body.get("kind", "social")))
    except Refused as refused_by_rule:
        return refused(409, refused_by_rule.code.value)
    except _UNAVAILABLE:
        return refused(503, "unavailable")
    origins = {chair: found.config.origin(chair) for chair in CHAIRS}
    return web.json_response({"chairs": origins, **_described(made)})


def _seated(request: web.Request, seated: Seated, max_age: int | None) -> web.Response:
    response = web.json_response({"ticket": seated.ticket})
    set_cookie(response, cookie_name(request[CHAIR]), seated.cookie, max_age)
    return response


def _described(made: SyntheticCalls) -> dict[str, object]:
    people = {"monitor": made.monitor, "supervisor": made.supervisor}
    return {
        "establishment": made.establishment,
        "hall_id": made.hall_id,
        "calls": [
            {
                "call_id": call.visit.id,
                "family_token": call.family_token,
                "laptop_token": call.laptop_token,
                "family_leg": f"{call.visit.id}.2",
                "prisoner_leg": f"{call.visit.id}.1",
            }
            for call in made.calls
        ],
        **{who: {"username": person.staff.username, "password": person.password} for who, person in people.items()},
        "console_token": made.console_code,
    }


ROUTES: Final = (
    Route("POST", "/api/family/redeem", redeem_link, "link.redeem", FAMILY),
    Route("POST", "/api/laptop/redeem", redeem_laptop, "laptop.redeem", LAPTOP),
    Route("POST", "/api/console/redeem", redeem_console, "console.redeem", MONITOR),
    Route("POST", "/api/tickets", issue_ticket, "ticket.issue", ANY),
    Route("POST", "/api/sign-in", sign_in, "staff.sign_in", STAFF),
    Route("POST", "/api/synthetic", make_synthetic, "synthetic.create", STAFF),
)
