"""The shells of the live pages: family, laptop, monitoring console and hall. The modules do the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aiohttp import web
from markupsafe import Markup

from broker.edge.forms import csrf_token
from broker.edge.rendering import render
from broker.edge.routes import FAMILY, HALL, LAPTOP, MONITOR, Route
from broker.edge.services import services
from broker.edge.staff_pages import Denied, permit, signed_in
from broker.text import as_json


@dataclass(frozen=True, slots=True)
class Shell:
    """One live page: its title's key, its style sheets and its main module, by their names in the static tree."""

    page: str
    title: str
    styles: tuple[str, ...]
    module: str
    marking: str | None = None  # key of the marking that staff pages carry in their title


SHELLS: Final = {
    "family": Shell("family", "family.name", ("web/styles/base.css", "web/styles/family.css"), "web/family/main.js"),
    "laptop": Shell("laptop", "laptop.name", ("web/styles/base.css", "web/styles/laptop.css"), "web/laptop/main.js"),
    "monitor": Shell(
        "monitor",
        "monitor.title",
        (
            "supervisor_console/styles/console.css",
            "supervisor_console/styles/posts.css",
            "supervisor_console/styles/monitor.css",
            "supervisor_console/styles/privileged.css",
            "supervisor_console/styles/tasks.css",
            "supervisor_console/styles/alerts.css",
            "supervisor_console/styles/attention.css",
        ),
        "supervisor_console/monitor/main.js",
        "console.official",
    ),
    "hall": Shell(
        "technical",
        "hall.title",
        (
            "supervisor_console/styles/console.css",
            "supervisor_console/styles/posts.css",
            "supervisor_console/styles/hall.css",
            "supervisor_console/styles/tasks.css",
        ),
        "supervisor_console/technical/main.js",
        "console.official",
    ),
}


_FOR_CALLERS: Final = frozenset({"common", "family", "laptop", "wait", "warning"})
"""The areas of the catalogue that a family's or a laptop's page says; no other word of staff reaches it."""
_NOT_FOR_STAFF: Final = frozenset(
    {"check", "cli", "demo", "duty", "enrol", "family", "figures", "laptop", "record", "shift", "start", "training"}
)


@lru_cache(maxsize=8)
def words_for(language: str, audience: str) -> dict[str, object]:
    """Return the catalogue as a page for `audience` (caller or staff) carries it."""
    words: dict[str, object] = json.loads(as_json(language))
    messages = words["messages"]
    assert isinstance(messages, dict)
    return {
        **words,
        "messages": {key: text for key, text in messages.items() if _says(audience, key.partition(".")[0])},
    }


def _says(audience: str, area: str) -> bool:
    return area in _FOR_CALLERS if audience == "caller" else area not in _NOT_FOR_STAFF


def shell_config(request: web.Request, shell: Shell, csrf: str | None = None) -> Markup:
    """
    Return what the page's modules read of their shell: JSON that cannot end the element it stands in.

    `csrf` goes with the form that signs a member of staff out.
    """
    config, page = services(request).config, shell.page
    words = words_for(config.language, "staff" if shell.marking else "caller")
    found = {"page": page, "lang": config.language, "demo": config.demo, "time_zone": config.zone, "text": words}
    found["training"] = config.training
    if csrf is not None:
        found["csrf"] = csrf
    text = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return Markup(text)


def show(request: web.Request, name: str, csrf: str | None = None) -> web.Response:
    """Return the shell called `name`."""
    shell = SHELLS[name]
    return render(request, "live.html", shell=shell, shell_config=shell_config(request, shell, csrf))


async def family(request: web.Request) -> web.StreamResponse:
    """GET /visit."""
    return show(request, "family")


async def laptop(request: web.Request) -> web.StreamResponse:
    """GET /laptop."""
    return show(request, "laptop")


async def monitor(request: web.Request) -> web.StreamResponse:
    """GET /monitor, for whoever may take a monitoring post."""
    return await _for_staff(request, "monitor", "page.monitor")


async def hall(request: web.Request) -> web.StreamResponse:
    """GET /hall, for whoever may take a technical post."""
    return await _for_staff(request, "hall", "page.hall")


async def _for_staff(request: web.Request, name: str, action: str) -> web.StreamResponse:
    person = await signed_in(request)
    try:
        await permit(request, person, action)
    except Denied as denied:
        return denied.page
    return show(request, name, csrf_token(request, person.cookie))


ROUTES: Final = (
    Route("GET", "/visit", family, "page.family", FAMILY),
    Route("GET", "/laptop", laptop, "page.laptop", LAPTOP),
    Route("GET", "/monitor", monitor, "page.monitor", MONITOR),
    Route("GET", "/hall", hall, "page.hall", HALL),
)
