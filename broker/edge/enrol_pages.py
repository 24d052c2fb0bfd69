"""The page that enrols a browser as a console: opened by a link, done by a press, and on to the sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from broker.domain.console_device import why_not
from broker.edge.api_access import console_of
from broker.edge.rendering import day_text, render
from broker.edge.routes import MONITOR, Route
from broker.edge.services import services
from broker.ports import LogUnavailable


async def show_enrol(request: web.Request) -> web.StreamResponse:
    """GET /enrol: what this browser is now, and the button. The code stands behind the `#`, so it is not sent here."""
    found = services(request)
    try:
        device = await console_of(request)
    except LogUnavailable:
        device = None
    stands = device is not None and why_not(device, {device.establishment}, found.clock.now()) is None
    console = None
    if device is not None and stands:
        last = (device.assured_until - timedelta(seconds=1)).astimezone(ZoneInfo(found.config.zone))
        until = day_text(last.date(), found.config.language)
        console = {"tag": device.asset_tag, "until": until}
    return render(request, "enrol.html", console=console, faults=[], me=None, links=[])


ROUTES: Final = (Route("GET", "/enrol", show_enrol, "page.enrol", MONITOR),)
