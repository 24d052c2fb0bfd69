"""The pages over an office in memory, asked as a browser asks: by host name, with cookies and an origin."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from broker.config import Config
from broker.edge.app import make_app
from broker.edge.assets import Assets, find_root
from broker.edge.services import Services
from broker.engine.alerts import Alerts
from broker.engine.board import Board
from broker.engine.engine import Engine
from broker.engine.exercises import Exercises
from broker.engine.figures import Figures
from broker.engine.inquiry import Inquiry
from broker.engine.stream import Streams
from broker.engine.tasks import Tasks
from tests.office import PASSWORD, ZONE, Desk

BASE = "broker.test"


@lru_cache(maxsize=1)
def assets() -> Assets:
    """Return the static tree, read once."""
    return Assets(find_root())


@dataclass
class Browser:
    """One browser profile: cookies by host, kept by hand because the test server is plain http."""

    client: TestClient[Any, Any]
    config: Config
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    async def get(self, chair: str, path: str, **headers: str) -> Page:
        """Open a page."""
        return await self._ask("GET", chair, path, headers)

    async def post(
        self, chair: str, path: str, form: Mapping[str, Any] | list[tuple[str, str]], **headers: str
    ) -> Page:
        """Send a form from this chair's own page."""
        return await self._ask("POST", chair, path, {"Origin": self.config.origin(chair), **headers}, data=form)

    async def json(self, chair: str, path: str, body: object, **headers: str) -> Page:
        """Send JSON from this chair's own page."""
        return await self._ask("POST", chair, path, {"Origin": self.config.origin(chair), **headers}, json=body)

    async def sign_in(self, chair: str, username: str, password: str = PASSWORD) -> Page:
        """Sign in with the form, as a person does."""
        page = await self.get(chair, "/sign-in")
        form = {"csrf": page.csrf, "username": username, "password": password}
        return await self.post(chair, "/sign-in", form)

    async def _ask(self, method: str, chair: str, path: str, headers: Mapping[str, str], **body: Any) -> Page:
        host = self.config.chair_host(chair)
        jar = self.cookies.setdefault(host, {})
        sent = {"Host": host, **({"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())} if jar else {}), **headers}
        async with self.client.request(method, path, headers=sent, allow_redirects=False, **body) as response:
            for name, morsel in response.cookies.items():
                if morsel["max-age"] == "0":
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value
            return Page(response, await response.text())


@dataclass
class Page:
    """An answer, read."""

    response: ClientResponse
    text: str

    @property
    def status(self) -> int:
        """Return the status."""
        return self.response.status

    @property
    def goes_to(self) -> str | None:
        """Return where a redirect leads."""
        return self.response.headers.get("Location")

    @property
    def csrf(self) -> str:
        """Return the token of the page's forms."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.text)
        assert found, self.text
        return found[1]

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers."""
        return self.response.headers


def application(desk: Desk, config: Config, tasks: Tasks, engine: Engine | None = None) -> web.Application:
    """Return the pages of `desk`; without an engine no call is ever open."""
    office = desk.office
    streams = Streams(desk.log, desk.clock, desk.journal)
    alerts = Alerts(streams, Board(), desk.clock, ZONE, tasks)
    figures = Figures(desk.log, desk.directory, desk.clock, ZONE)
    found = Services(
        config=config,
        clock=desk.clock,
        directory=desk.directory,
        engine=engine
        or cast(
            Engine, SimpleNamespace(alerts=alerts, entry=lambda call_id: None, presence=SimpleNamespace(holders=()))
        ),
        access=office.access,
        accounts=office.accounts,
        console_devices=office.console_devices,
        visits=office.visits,
        suspensions=office.suspensions,
        secrets=office.secrets,
        synthetics=office.synthetics,
        assets=assets(),
        figures=figures,
        inquiry=Inquiry(figures, office.streams, desk.directory, desk.clock),
        exercises=Exercises(desk.log, desk.clock),
    )
    return make_app(found, tasks)


@asynccontextmanager
async def pages(desk: Desk, engine: Engine | None = None, **config: Any) -> AsyncIterator[Browser]:
    """Serve the pages of `desk` to a browser that is played by hand."""
    settings, tasks = Config(base_url=f"http://{BASE}", **config), Tasks()
    async with TestClient(
        TestServer(application(desk, settings, tasks, engine)), cookie_jar=DummyCookieJar()
    ) as client:
        yield Browser(client, settings)
    await tasks.close()


@asynccontextmanager
async def served(desk: Desk, **config: Any) -> AsyncIterator[str]:
    """Serve the pages of `desk` to a real browser on this machine; give the base address."""
    port, tasks = unused_port(), Tasks()
    settings = Config(port=port, base_url=f"http://localhost:{port}", **config)
    async with TestServer(application(desk, settings, tasks), host="127.0.0.1", port=port):
        yield settings.base_url
    await tasks.close()
