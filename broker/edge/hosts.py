"""Hosts: each chair has its own name, and its pages and tokens work on that name only."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from broker.config import STAFF_CHAIRS
from broker.edge.routes import Route, route_of
from broker.edge.services import services

CHAIR: Final = web.RequestKey("chair", str)
_COOKIES: Final = {"family": "__Host-family", "laptop": "__Host-laptop", **dict.fromkeys(STAFF_CHAIRS, "__Host-staff")}
_WRITES: Final = {"POST", "PUT", "PATCH", "DELETE"}


def chair_of(request: web.Request) -> str:
    """Return the chair whose host the request names. Raises HTTPMisdirectedRequest for a name that is not ours."""
    chair = services(request).config.chairs.get(request.host.lower())
    if chair is None:
        raise web.HTTPMisdirectedRequest
    return chair


def cookie_name(chair: str) -> str:
    """Return the name of the one cookie that is read on this chair's host."""
    return _COOKIES[chair]


def read_cookie(request: web.Request) -> str | None:
    """Return the cookie of this host's chair: a staff cookie is never read on a family's host, nor the reverse."""
    return request.cookies.get(cookie_name(request[CHAIR]))


def set_cookie(response: web.StreamResponse, name: str, value: str, max_age: int | None = None) -> None:
    """Set a cookie that scripts cannot read and no other site can send (`__Host-`). `max_age` in seconds."""
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Strict")


def forget_cookie(response: web.StreamResponse, name: str) -> None:
    """Take a cookie back."""
    response.set_cookie(name, "", max_age=0, path="/", secure=True, httponly=True, samesite="Strict")


def from_own_page(request: web.Request, chair: str) -> bool:
    """Say whether a browser's own page of this chair sent the request (Fetch Metadata, or an exact `Origin`)."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin == services(request).config.origin(chair)
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


@web.middleware
async def one_host_one_chair(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse unknown hosts (421), another chair's routes (404) and posts from elsewhere (403)."""
    route = route_of(request)
    if route is not None and route.any_host:
        return await handler(request)
    chair = chair_of(request)
    request[CHAIR] = chair
    if route is not None and chair not in route.chairs:
        raise web.HTTPNotFound
    if route is not None and request.method in _WRITES:
        _refuse_forged(request, route, chair)
    return await handler(request)


def _refuse_forged(request: web.Request, route: Route, chair: str) -> None:
    if "Authorization" in request.headers and route.action == "synthetic.create":
        return  # a credential in a header is never sent by a browser on its own
    if not from_own_page(request, chair):
        raise web.HTTPForbidden
