"""Every route: its permission, its hosts, and the headers of whatever it answers."""

from __future__ import annotations

import re

import pytest
from aiohttp import web

from broker.config import CHAIRS
from broker.domain.permissions import ACTIONS
from broker.domain.records import Role
from broker.edge.app import routes
from broker.edge.assets import FACE_WORKER
from broker.edge.routes import ANY, ROUTE, Route, UndeclaredRoute, checked, register
from broker.edge.services import SERVICES
from tests.edge.wire import Wire, wire

EVERY_ANSWER = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


async def _nothing(request: web.Request) -> web.StreamResponse:
    return web.Response()


def every_route(w: Wire) -> list[Route]:
    return routes(w.app[SERVICES])


SAMPLES = {
    "session": "c-none",
    "version": "0" * 16,
    "name": "web/nothing.js",
    "visit_id": "v" + "a" * 20,
    "link_id": "l" + "a" * 20,
}
SAMPLES |= {"call_id": "v" + "a" * 20, "person": "c" + "a" * 20}


def a_path(w: Wire, route: Route) -> str:
    """Return an address that the route answers: nothing is behind it."""
    canonical = next(path for (_, path), known in w.app[ROUTE].items() if known == route)
    return canonical.format(**SAMPLES)


@pytest.mark.parametrize("action", ["", "nobody.knows"])
def test_a_route_that_declares_no_permission_stops_the_start(action: str) -> None:
    with pytest.raises(UndeclaredRoute):
        register(web.Application(), [Route("GET", "/new", _nothing, action, ANY)])


@pytest.mark.parametrize("chairs", [frozenset(), frozenset({"office"})])
def test_a_route_on_no_chairs_host_stops_the_start(chairs: frozenset[str]) -> None:
    with pytest.raises(UndeclaredRoute):
        checked([Route("GET", "/new", _nothing, "health.read", chairs)])


async def test_every_address_that_is_served_is_a_declared_route() -> None:
    async with wire() as w:
        declared = {(route.method, route.path) for route in every_route(w)}
        served = {
            (route.method, resource.canonical)
            for resource in w.app.router.resources()
            for route in resource
            if route.method != "HEAD"
        }

        assert len(served) == len(declared)
        assert {route.action for route in w.app[ROUTE].values()} <= ACTIONS


async def test_every_answer_carries_the_headers_that_guard_it() -> None:
    async with wire() as w:
        for route in every_route(w):
            if route.path == "/ws":
                continue
            for chair in sorted(route.chairs):
                page = await w.browser._ask(route.method, chair, a_path(w, route), {})
                missing = {name for name, value in EVERY_ANSWER.items() if page.headers.get(name) != value}
                assert (route.path, chair, missing) == (route.path, chair, set())
                policy = page.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert "unsafe" not in policy


async def test_only_the_worker_that_counts_faces_may_compile_and_no_page_may() -> None:
    async with wire() as w:
        own = (await w.browser.get("monitor", f"/static/{'0' * 16}/{FACE_WORKER}")).headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in own and "'wasm-unsafe-eval'" in own
        for path in (f"/{FACE_WORKER}", f"/static/{'0' * 16}/supervisor_console/monitor/main.js", "/monitor"):
            assert "unsafe" not in (await w.browser.get("monitor", path)).headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing"])
async def test_an_error_carries_them_too_and_shows_nothing_of_the_inside(path: str) -> None:
    async with wire() as w:
        page = await w.browser.get("base", path)

        assert page.status == 404
        assert {name: page.headers.get(name) for name in EVERY_ANSWER} == EVERY_ANSWER
        assert "aiohttp" not in page.text + str(page.headers).lower()


async def test_a_nonce_is_never_used_twice() -> None:
    async with wire() as w:
        nonces = set()
        for _ in range(3):
            page = await w.browser.get("family", "/visit")
            found = re.search(r"'nonce-([\w-]+)'", page.headers["Content-Security-Policy"])
            assert found is not None
            assert page.text.count(f'nonce="{found[1]}"') == 2
            nonces.add(found[1])

        assert len(nonces) == 3


async def test_only_pages_of_callers_may_open_a_camera() -> None:
    async with wire() as w:
        open_pages = {("family", "/visit"), ("laptop", "/laptop")}
        for chair, path in (*open_pages, ("base", "/sign-in"), ("monitor", "/sign-in"), ("family", "/healthz")):
            policy = (await w.browser.get(chair, path)).headers["Permissions-Policy"]
            own = "(self)" if (chair, path) in open_pages else "()"
            assert policy.startswith(f"camera={own}, microphone={own}, ")
            assert "display-capture=()" in policy


@pytest.mark.parametrize(("scheme", "asked"), [("http", False), ("https", True)])
async def test_https_is_asked_for_where_the_service_has_it(scheme: str, asked: bool) -> None:
    async with wire(base_url=f"{scheme}://broker.test") as w:
        assert ("Strict-Transport-Security" in (await w.browser.get("family", "/visit")).headers) is asked


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "broker.test.evil.test", "family.broker.test:81", ""])
async def test_an_unknown_host_is_misdirected(host: str) -> None:
    async with wire() as w:
        page = await w.browser._ask("GET", "base", "/sign-in", {"Host": host})

        assert page.status in {400, 421}


async def test_health_answers_under_any_name() -> None:
    async with wire() as w:
        for path in ("/healthz", "/readyz"):
            page = await w.browser._ask("GET", "base", path, {"Host": "10.0.0.1:8080"})
            assert (page.status, page.text) == (200, "ok")


async def test_a_node_without_its_lease_is_not_ready() -> None:
    async with wire() as w:
        w.desk.clock.turn(60)

        assert (await w.browser.get("base", "/readyz")).status == 503
        assert (await w.browser.get("base", "/healthz")).status == 200


async def test_each_chairs_pages_answer_on_its_own_host_alone() -> None:
    async with wire() as w:
        for route in every_route(w):
            if route.path == "/ws" or route.any_host:
                continue
            for chair in set(CHAIRS) - route.chairs:
                page = await w.browser._ask(
                    route.method, chair, a_path(w, route), {"Origin": w.browser.config.origin(chair)}
                )
                assert (route.method, route.path, chair, page.status) == (route.method, route.path, chair, 404)


@pytest.mark.parametrize(
    "origin", [{}, {"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_nothing_is_written_for_another_sites_page(origin: dict[str, str]) -> None:
    async with wire() as w:
        for route in every_route(w):
            if route.method != "POST" or route.action == "synthetic.create":
                continue
            chair = min(route.chairs)
            page = await w.browser._ask("POST", chair, a_path(w, route), origin, json={})
            assert (route.path, page.status) == (route.path, 403)


async def test_a_cookie_of_staff_is_never_read_on_a_callers_host() -> None:
    async with wire() as w:
        await w.desk.person("mona", "HRD-1", Role.MONITOR)
        await w.browser.sign_in("monitor", "mona")
        cookies = w.browser.cookies["monitor.broker.test"]
        w.browser.cookies["family.broker.test"] = w.browser.cookies["laptop.broker.test"] = dict(cookies)

        assert (await w.browser.json("monitor", "/api/tickets", {})).status == 200
        for chair in ("family", "laptop"):
            assert (await w.browser.json(chair, "/api/tickets", {})).status == 401


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites() -> None:
    async with wire() as w:
        visit, token = await w.desk.visit_with_link()
        w.desk.clock.turn((visit.starts_at - w.desk.clock.now()).total_seconds())
        page = await w.browser.json("family", "/api/family/redeem", {"token": token})

        set_cookie = page.headers["Set-Cookie"]
        assert set_cookie.startswith("__Host-family=")
        for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert part in set_cookie
        assert "Domain" not in set_cookie


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with wire() as w:
        page = await w.browser.json("family", "/api/family/redeem", {"token": "x" * 70_000})

        assert page.status == 413


async def test_metrics_hold_counts_and_no_names() -> None:
    async with wire() as w:
        await w.live_call()
        page = await w.browser.get("base", "/metrics")

        assert 'broker_calls{phase="live"} 1.0' in page.text
        for word in ("Mary", "Ash", "A1234BC", "HRD"):
            assert word not in page.text


async def test_metrics_are_not_for_those_who_come_through_a_proxy() -> None:
    async with wire() as w:
        page = await w.browser.get("base", "/metrics", **{"X-Forwarded-For": "192.0.2.1"})

        assert page.status == 404


async def test_a_callers_page_carries_no_words_of_staff() -> None:
    async with wire() as w:
        for chair, path in (("family", "/visit"), ("laptop", "/laptop")):
            text = (await w.browser.get(chair, path)).text
            for area in ("staff.", "monitor.", "hall.", "console.", "cli."):
                assert f'"{area}' not in text
