"""The application: every route with its permission, one host a chair, and one error page for all that goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from broker.edge import (
    api_access,
    authority_pages,
    call_pages,
    duty_pages,
    enrol_pages,
    figures_pages,
    health,
    live_pages,
    record_pages,
    staff_pages,
    suspension_pages,
    training_pages,
    visit_pages,
    ws,
)
from broker.edge.answers import Answers
from broker.edge.assets import PREFIX
from broker.edge.credentials import Credentials
from broker.edge.headers import guard
from broker.edge.hosts import one_host_one_chair
from broker.edge.hub import Hub
from broker.edge.presenter import Presenter
from broker.edge.routes import ANY, Route, register
from broker.edge.services import SERVICES, Services
from broker.edge.session import Shared
from broker.engine.tasks import Tasks
from broker.text import catalogue

log = structlog.get_logger()

MAX_BODY_BYTES: Final = 64 * 1024
REQUEST_S: Final = 20.0
_STATIC: Final = PREFIX + "/{version:[0-9a-f]{16}}/{name:.+}"


def routes(found: Services) -> list[Route]:
    """Return every route of the broker."""
    static = Route("GET", _STATIC, found.assets.handler, "asset.read", ANY)
    parts: tuple[Iterable[Route], ...] = (
        health.ROUTES,
        live_pages.ROUTES,
        api_access.ROUTES,
        staff_pages.ROUTES,
        enrol_pages.ROUTES,
        visit_pages.ROUTES,
        figures_pages.ROUTES,
        record_pages.ROUTES,
        training_pages.ROUTES if found.config.training else (),
        authority_pages.ROUTES,
        suspension_pages.ROUTES,
        call_pages.ROUTES,
        duty_pages.ROUTES,
        ws.ROUTES,
    )
    return [static, *(route for part in parts for route in part)]


def make_app(found: Services, tasks: Tasks) -> web.Application:
    """Return the application. `tasks` outlive every socket: commands run in them.

    Raises:
        UndeclaredRoute: A route declares no permission.
    """
    app = web.Application(middlewares=[plain_errors, one_host_one_chair], client_max_size=MAX_BODY_BYTES)
    app[SERVICES] = found
    credentials = Credentials(found.engine, found.access.revocations, tasks)
    app[ws.HUB] = Hub(Shared(found, Answers(found.clock), credentials, tasks))
    app[ws.PRESENTER] = Presenter(found.engine)
    app[ws.VIOLATIONS] = Counter()
    register(app, routes(found))
    app.on_response_prepare.append(guard)
    return app


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever goes wrong with a code and one plain sentence; nothing of the inside is shown."""
    try:
        if request.path == "/ws":
            return await handler(request)
        async with asyncio.timeout(REQUEST_S):  # a body that only drips is not waited for
            return await handler(request)
    except TimeoutError:
        return _plain(request, 408, None)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _plain(request, error.status, error)
    except ConnectionError:
        raise
    except Exception:
        log.exception("request failed", method=request.method, route=_route_name(request))
        return _plain(request, 500, None)


def _plain(request: web.Request, status: int, error: web.HTTPException | None) -> web.Response:
    known = f"page.error.{status}"
    words = catalogue(request.app[SERVICES].config.language)
    headers = {"Allow": error.headers["Allow"]} if error is not None and "Allow" in error.headers else None
    if request.path.startswith("/api/"):
        return web.json_response({"code": f"http_{status}"}, status=status, headers=headers)
    text = words(known if known in words else "page.error.other")
    return web.Response(text=text, status=status, headers=headers)


def _route_name(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""
