"""Pages made on the server: Jinja templates with GOV.UK's markup, every sentence from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_date
from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape

from broker.edge.forms import csrf_token
from broker.edge.headers import nonce
from broker.edge.hosts import CHAIR
from broker.edge.services import services
from broker.engine.chairs import StaffChair
from broker.engine.figures import as_csv
from broker.text import PSEUDO, SOURCE, catalogue


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Return the templates: ours, and GOV.UK's macros."""
    loader = ChoiceLoader([PackageLoader("broker.edge"), _Macros("govuk_frontend_jinja")])
    return Environment(
        loader=loader, autoescape=select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )


class _Macros(PackageLoader):
    """GOV.UK's macros under the path by which they name each other."""

    def get_source(self, environment: Environment, template: str) -> Any:
        return super().get_source(environment, template.removeprefix("govuk_frontend_jinja/"))


def render(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """Return the page that `template` makes of `values`."""
    found = services(request)
    language = found.config.language
    html = (
        templates()
        .get_template(template)
        .render(
            t=catalogue(language),
            language=SOURCE if language == PSEUDO else language,
            asset=found.assets.url,
            import_map=found.assets.import_map(),
            nonce=nonce(request),
            chair=request[CHAIR],
            demo=found.config.demo,
            training=found.config.training,
            **values,
        )
    )
    return web.Response(text=html, content_type="text/html", status=status)


def render_staff(
    request: web.Request, template: str, chair: StaffChair, cookie: str, *, status: int = 200, **values: object
) -> web.Response:
    """Return a page for a signed-in member of staff; its forms carry the token that goes with `cookie`."""
    return render(request, template, status=status, me=chair, csrf=csrf_token(request, cookie), **values)


def render_csv(name: str, rows: Iterable[Sequence[str]], nature: str = "") -> web.Response:
    """Return a table as a file to keep; its first line and its name carry the marking, and then its `nature`."""
    marking = " ".join(filter(None, (catalogue(SOURCE)("staff.official"), nature)))
    headers = {"Content-Disposition": f'attachment; filename="{marking.replace(" ", "-")}-{name}.csv"'}
    return web.Response(text=as_csv(rows, marking), content_type="text/csv", headers=headers)


def clock_text(instant: datetime, zone: ZoneInfo) -> str:
    """Return a time of day, `14:05`, in the halls' zone."""
    return f"{instant.astimezone(zone):%H:%M}"


def day_text(day: date, language: str) -> str:
    """Return a day in words, `Tuesday 24 November 2026`."""
    return format_date(day, "EEEE d MMMM y", locale=SOURCE if language == PSEUDO else language)
