"""Routes: each names its action in the permission table and the chairs on whose hosts it answers.

A route that names no action of the table stops the start (design reliability.md 4; issue "The call").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from broker.config import CHAIRS, STAFF_CHAIRS
from broker.domain.permissions import ACTIONS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANY = frozenset(CHAIRS)
FAMILY = frozenset({"family"})
LAPTOP = frozenset({"laptop"})
STAFF = frozenset(STAFF_CHAIRS)
MONITOR = frozenset({"monitor"})
HALL = frozenset({"hall"})


class UndeclaredRoute(Exception):
    """A route names no action of the permission table, or a chair that does not exist."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `chairs` are those of the configuration: base, family, laptop, monitor, hall."""

    method: str
    path: str
    handler: Handler
    action: str
    chairs: frozenset[str]
    any_host: bool = False  # answers whatever `Host` says: health checks, which tell nothing


ROUTE: web.AppKey[dict[tuple[str, str], Route]] = web.AppKey("routes", dict)


def checked(routes: Iterable[Route]) -> list[Route]:
    """Return `routes`. Raises UndeclaredRoute where one declares no permission."""
    found = list(routes)
    for route in found:
        if route.action not in ACTIONS:
            raise UndeclaredRoute(f"{route.method} {route.path}: no action {route.action!r} in the permission table")
        if not route.chairs or not route.chairs <= ANY:
            raise UndeclaredRoute(f"{route.method} {route.path}: no such chair in {sorted(route.chairs)}")
    return found


def register(app: web.Application, routes: Iterable[Route]) -> None:
    """Add `routes` to `app`. Raises UndeclaredRoute."""
    known = app[ROUTE] = {}
    for route in checked(routes):
        added = app.router.add_route(route.method, route.path, route.handler)
        resource = added.resource
        assert resource is not None
        known[(route.method, resource.canonical)] = route


def route_of(request: web.Request) -> Route | None:
    """Return the route that answers `request`; None where nothing does (404, 405)."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = "GET" if request.method == "HEAD" else request.method
    return request.app[ROUTE].get((method, resource.canonical))
