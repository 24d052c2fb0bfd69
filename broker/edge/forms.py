"""Forms: what a page posts, the token that shows which page posted it, and faults that name their field."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aiohttp import web

from broker.edge.services import services

CSRF_FIELD: Final = "csrf"
MAX_JSON_BYTES: Final = 4096
MAX_FIELD_CHARS: Final = 500
MAX_FIELDS: Final = 64
FIRST_DAY: Final = date(2020, 3, 1)  # before any call of this kind was held
LAST_DAY: Final = date(2199, 12, 31)  # so that the day after it, in any zone, is one that can be reckoned


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with a form: the field, and the key of the sentence that says so."""

    field: str
    key: str


class Form:
    """What was posted: text only, every field of a bounded length."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        """Return a field's text without spaces around it, empty where there is none."""
        return self._values.get(name, [""])[0].strip()

    def all(self, name: str) -> list[str]:
        """Return every value of a field: the ticked boxes."""
        return self._values.get(name, [])

    def raw(self, name: str) -> str:
        """Return a field's text as it is: a password may begin with a space."""
        return self._values.get(name, [""])[0]


def csrf_token(request: web.Request, secret: str) -> str:
    """Return the token that goes with `secret`, the cookie of the page that holds the form."""
    return services(request).secrets.hash("csrf", secret)


async def read_form(request: web.Request, secret: str, most: int = MAX_FIELD_CHARS) -> Form:
    """Return the posted form.

    Raises:
        HTTPBadRequest: It is no form, or a field is longer than `most` characters.
        HTTPForbidden: Its token does not go with `secret`.
    """
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise web.HTTPUnsupportedMediaType
    try:
        posted = await request.post()
    except ValueError:
        raise web.HTTPBadRequest from None
    values: dict[str, list[str]] = {}
    for name, value in posted.items():
        if not isinstance(value, str) or len(value) > most or len(values) > MAX_FIELDS:
            raise web.HTTPBadRequest
        values.setdefault(name, []).append(value)
    form = Form(values)
    if not hmac.compare_digest(form[CSRF_FIELD].encode(), csrf_token(request, secret).encode()):
        raise web.HTTPForbidden
    return form


def known_day(text: str) -> date | None:
    """Return the day of an ISO 8601 text; None where it is none, or one of which no page can tell."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def day_of(text: str | None, otherwise: date) -> date:
    """Return the day of an ISO 8601 text, moved between FIRST_DAY and LAST_DAY; `otherwise` where it is none."""
    try:
        return min(max(FIRST_DAY, date.fromisoformat(text or "")), LAST_DAY)
    except ValueError:
        return otherwise


async def read_json(request: web.Request) -> Mapping[str, Any]:
    """Return the posted JSON object; an empty body is an empty object.

    Raises:
        HTTPUnsupportedMediaType: It does not say that it is JSON.
        HTTPBadRequest: It is none, no object, or larger than one of ours.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > MAX_JSON_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_JSON_BYTES, request.content_length or 0)
    body = await request.content.read(MAX_JSON_BYTES + 1)
    if len(body) > MAX_JSON_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_JSON_BYTES, len(body))
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest
    return value


def text_of(body: Mapping[str, Any], name: str) -> str:
    """Return a text of a JSON object, empty where it is missing or no text."""
    value = body.get(name)
    return value if isinstance(value, str) and len(value) <= MAX_FIELD_CHARS else ""
