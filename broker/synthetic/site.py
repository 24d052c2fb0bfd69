"""A running broker as its callers see it: one origin a chair, and JSON posts with cookies kept by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

TIMEOUT_S = 10.0


class Unreachable(ConnectionError):
    """No broker answers at the address."""


class Denied(Exception):
    """The broker said no to a request: the status, and its code where it gave one."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Origin:
    """One chair's address. `connect_to` is where its packets go: names under localhost need no resolver."""

    scheme: str
    netloc: str

    @property
    def text(self) -> str:
        """The origin as a browser writes it."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def port(self) -> int:
        return urlsplit(self.text).port or (443 if self.scheme == "https" else 80)

    @property
    def connect_to(self) -> str:
        host = urlsplit(self.text).hostname or ""
        return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host


class Site:
    """The broker at `url`; each chair's host is `<chair>.<host of url>` unless `chairs` names its origin."""

    def __init__(self, url: str, chairs: dict[str, str] | None = None) -> None:
        self._base = urlsplit(url)
        self._chairs = chairs or {}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    def origin(self, chair: str) -> Origin:
        """Return the origin of `chair` (family, laptop, monitor, hall), or of the whole for "base"."""
        if chair in self._chairs:
            parts = urlsplit(self._chairs[chair])
            return Origin(parts.scheme, parts.netloc)
        netloc = self._base.netloc if chair == "base" else f"{chair}.{self._base.netloc}"
        return Origin(self._base.scheme, netloc)

    def name_chairs(self, chairs: dict[str, str]) -> None:
        """Take the chairs' origins from now on."""
        self._chairs = {**self._chairs, **chairs}

    async def post(self, browser: Browser, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """
        Post JSON as `browser` and return the JSON of the answer.

        Raises:
            Unreachable: Nothing answers there.
            Denied: The answer is not 2xx.
        """
        assert self._http is not None
        origin = self.origin(browser.chair)
        url = f"{origin.scheme}://{origin.connect_to}:{origin.port}{path}"
        sent = {"Host": origin.netloc, "Origin": origin.text, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        if browser.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        try:
            async with self._http.post(url, json=body, headers=sent, allow_redirects=False) as answer:
                browser.keep(answer.headers.getall("Set-Cookie", []))
                found = await _json(answer)
                if not 200 <= answer.status < 300:
                    raise Denied(answer.status, str(found.get("code", "")) if isinstance(found, dict) else "")
                return found
        except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.InvalidURL, OSError) as error:
            raise Unreachable(str(error) or "no answer in time") from None


@dataclass(slots=True)
class Browser:
    """One browser profile on one chair's origin: its cookies."""

    chair: str
    cookies: dict[str, str] = field(default_factory=dict)

    def keep(self, headers: list[str]) -> None:
        """Keep what `Set-Cookie` headers say; an empty value forgets."""
        for header in headers:
            try:
                parsed = SimpleCookie(header)
            except CookieError:
                continue
            for name, morsel in parsed.items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)


async def _json(answer: aiohttp.ClientResponse) -> Any:
    if "json" not in answer.headers.get("Content-Type", ""):
        return {}
    try:
        return await answer.json()
    except ValueError:
        return {}
