"""Headers that every answer carries (design reliability.md 4, "Web")."""

from __future__ import annotations

import secrets
from typing import Final

from aiohttp import web

from broker.edge.assets import FACE_WORKER, PREFIX
from broker.edge.routes import route_of
from broker.edge.services import services

NONCE: Final = web.RequestKey("nonce", str)
_DEVICES: Final = {"page.family", "page.laptop"}  # the only pages that may open a camera
_HSTS: Final = "max-age=63072000; includeSubDomains"


def nonce(request: web.Request) -> str:
    """Return the nonce of this answer's scripts, fresh for each answer."""
    if NONCE not in request:
        request[NONCE] = secrets.token_urlsafe(16)
    return request[NONCE]


def content_policy(word: str, path: str = "/") -> str:
    """Return the content security policy (W3C CSP 3) whose scripts carry the nonce `word`.

    A worker has the policy of its own script's answer, not its page's (CSP 3 §4.2): so the one at `path` that counts
    faces may compile WebAssembly, and no page may.
    """
    compiles = " 'wasm-unsafe-eval'" if path.startswith(f"{PREFIX}/") and path.endswith(f"/{FACE_WORKER}") else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{word}'{compiles}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "media-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def device_policy(action: str | None) -> str:
    """Return the Permissions-Policy of an answer: camera and microphone for family and laptop pages alone."""
    own = "(self)" if action in _DEVICES else "()"
    rest = ("display-capture", "geolocation", "payment", "usb", "midi", "serial", "hid")
    shut = ", ".join(f"{name}=()" for name in rest)
    return f"camera={own}, microphone={own}, autoplay=(self), screen-wake-lock=(self), fullscreen=(self), {shut}"


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers of one answer; a signal of aiohttp, so that errors have them too."""
    route = route_of(request)
    headers = response.headers
    headers["Content-Security-Policy"] = content_policy(nonce(request), request.path)
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = device_policy(route.action if route else None)
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    if not (request.path.startswith(f"{PREFIX}/") and response.status == 200):
        headers["Cache-Control"] = "no-store"
    if services(request).config.scheme == "https":
        headers["Strict-Transport-Security"] = _HSTS
    headers.pop("Server", None)
