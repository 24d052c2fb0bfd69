"""A sweep over every route: what staff read is marked OFFICIAL, what families read never is, and no chair's secret
opens another's door. The routes come from the router, so that a new page is swept before anybody remembers to.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from broker.config import CHAIRS, STAFF_CHAIRS
from broker.demo.portraits import portrait
from broker.domain.records import Photo, Role
from broker.edge.routes import ANY, ROUTE, Route
from broker.engine.secrets import new_token
from tests.edge.post_pages import on_post, signed_in
from tests.edge.support import Browser, Page
from tests.edge.wire import Live, Wire, wire

NO_PAGES: Final = {"/ws", "/static/{version}/{name}", "/healthz", "/readyz", "/metrics"}
"""What is no page: a socket, files that hold no data of a call, health for machines."""
WITHIN: Final = {"/calls/{call_id}/photos/{person}", "/duty/now"}
"""What stands within a page that is marked: a picture, and the JSON by which a page keeps itself up to date."""
OPEN: Final = {"/sign-in", "/enrol"}
"""Pages of staff that anybody may open: they hold nothing."""
ROLES: Final = (Role.SUPERVISOR, Role.BOOKING, Role.DUTY_GOVERNOR, Role.AUDITOR, Role.ANALYST, Role.STAFF_ADMIN)
FORM: Final = {
    "step": "find",
    "prisoner": "A1234BC",
    "date": "2026-11-24",
    "reason": "",
    "tier": "9",
    "kind": "legal",
    "username": "",
}
"""A form that every page refuses or answers with another page; none of it is done."""


def of_staff(w: Wire, method: str) -> list[tuple[str, str, Route]]:
    """Return each page of staff with a chair that has it: path, chair, route."""
    found = w.app[ROUTE].items()
    pages = [(path, route) for (verb, path), route in found if verb == method and path not in NO_PAGES]
    return [
        (path, chair, route)
        for path, route in pages
        if not path.startswith("/api/")
        for chair in sorted(route.chairs & frozenset(STAFF_CHAIRS))
    ]


async def everybody(w: Wire) -> tuple[Live, dict[str, str]]:
    """A live call, one person who may read everything, signed in at each chair; and what stands in the paths."""
    live = await w.live_call()
    w.desk.directory.take([Photo("c1-HRD", "HRD", "image/png", portrait("c1-HRD"))])
    await w.desk.person("rita", "HRD-rita", Role.MONITOR)
    await w.desk.office.accounts.grant("rita", [("HRD", role) for role in ROLES], "operator")
    await on_post(w, "rita", Role.MONITOR)
    for chair in ("base", "hall"):
        assert (await w.browser.sign_in(chair, "rita")).status == 303
    links = await w.desk.directory.links(await w.desk.directory.all_establishments(), live.visit.id)
    shifts = await w.browser.get("base", "/shifts")
    session = re.findall(r'href="/shifts/([^"]+)"', shifts.text)[0]
    ids = {"visit_id": live.visit.id, "call_id": live.visit.id, "link_id": links[0].id, "person": "c1-HRD"}
    return live, {**ids, "session": session}


def is_marked(page: Page) -> bool:
    """Say whether a page or a file of staff carries the marking wherever it must."""
    if page.headers["Content-Type"].startswith("text/csv"):
        named = 'filename="OFFICIAL-' in page.headers["Content-Disposition"]
        return named and page.text.startswith("OFFICIAL") and page.status == 200
    live = 'id="app"' in page.text  # its modules draw the two lines of the body (supervisor_console/lib/marking.js)
    title = re.search(r"<title>[^<]*OFFICIAL</title>", page.text) is not None
    return title and (live or page.text.count('<p class="marking">OFFICIAL</p>') == 2)


@pytest.mark.feature("F98")
async def test_every_page_and_every_file_of_staff_is_marked() -> None:
    async with wire() as w:
        _, ids = await everybody(w)
        seen = 0
        for path, chair, _ in of_staff(w, "GET"):
            if path in WITHIN:
                continue
            page = await w.browser.get(chair, path.format(**ids))
            if path == "/":
                assert page.status == 303
                continue
            assert (path, chair, page.status, is_marked(page)) == (path, chair, 200, True)
            seen += 1
        assert seen > 40


@pytest.mark.feature("F98")
async def test_every_answer_to_a_form_of_staff_is_marked_or_leads_to_a_page_that_is() -> None:
    async with wire() as w:
        _, ids = await everybody(w)
        posts = sorted(of_staff(w, "POST"), key=lambda one: one[0] == "/sign-out")
        for path, chair, _ in posts:
            form = {**FORM, "csrf": (await w.browser.get(chair, "/visits")).csrf, "visit_id": ids["visit_id"]}
            page = await w.browser.post(chair, path.format(**ids), form)
            assert (path, page.status in {200, 303, 400, 403, 409}) == (path, True)
            if page.headers.get("Content-Type", "").startswith("text/html"):
                assert (path, chair, is_marked(page)) == (path, chair, True)


@pytest.mark.feature("F98")
async def test_a_page_that_says_no_is_marked_too() -> None:
    async with wire() as w:
        await w.desk.person("sue", "HRD-sue", Role.STAFF_ADMIN)
        await signed_in(w, "sue", "base")
        for path in ("/visits", "/figures", "/audit", "/shifts"):
            page = await w.browser.get("base", path)
            assert (path, page.status, is_marked(page)) == (path, 403, True)


@pytest.mark.feature("F98")
async def test_the_page_that_a_training_broker_has_besides_is_marked() -> None:
    async with wire(training=True) as w:
        await w.desk.person("grace", "HRD-grace", Role.DUTY_GOVERNOR)
        await signed_in(w, "grace", "base")
        for chair in STAFF_CHAIRS:
            await w.browser.sign_in(chair, "grace")
            page = await w.browser.get(chair, "/training")
            assert (chair, page.status, is_marked(page)) == (chair, 200, True)


@pytest.mark.feature("F98")
async def test_nothing_that_a_caller_reads_carries_the_marking() -> None:
    async with wire() as w:
        live, _ = await everybody(w)
        for (method, path), route in w.app[ROUTE].items():
            for chair in sorted(route.chairs & {"family", "laptop"}):
                if method == "GET" and path not in NO_PAGES:
                    page = await w.browser.get(chair, path)
                    assert (path, page.status, "OFFICIAL" in page.text) == (path, 200, False)
        for chair in ("family", "laptop"):
            assert "OFFICIAL" not in (await w.browser.get(chair, "/nothing")).text
        assert "OFFICIAL" not in str(live.family.heard) + str(live.laptop.heard)


@pytest.mark.feature("F99")
async def test_a_route_answers_on_the_hosts_of_its_own_chairs_alone() -> None:
    async with wire() as w:
        _, ids = await everybody(w)
        values = {**ids, "version": "0" * 16, "name": "web/none.js"}
        for (method, path), route in w.app[ROUTE].items():
            for chair in sorted(frozenset(CHAIRS) - route.chairs):
                origin = {"Origin": w.browser.config.origin(chair)}
                page = await w.browser._ask(method, chair, path.format(**values), origin)
                assert (method, path, chair, page.status) == (method, path, chair, 404)


@pytest.mark.feature("F99")
async def test_a_familys_or_a_laptops_secret_opens_no_page_of_staff() -> None:
    async with wire() as w:
        _, ids = await everybody(w)
        token = new_token()
        for path, chair, route in of_staff(w, "GET") + of_staff(w, "POST"):
            if path in OPEN:
                continue
            thief = Browser(w.browser.client, w.browser.config)
            for name in ("__Host-family", "__Host-laptop", "__Host-staff"):
                thief.cookies.setdefault(thief.config.chair_host(chair), {})[name] = token
            for secret in ("", f"?token={token}"):
                origin = {"Origin": thief.config.origin(chair)}
                page = await thief._ask(route.method, chair, path.format(**ids) + secret, origin)
                assert (path, chair, page.status, page.goes_to) == (path, chair, 303, "/sign-in")


@pytest.mark.feature("F99")
async def test_a_secret_of_one_chair_gives_no_ticket_at_another() -> None:
    async with wire() as w:
        await everybody(w)
        staff = w.browser.cookies[w.browser.config.chair_host("base")]["__Host-staff"]
        for chair in ("family", "laptop"):
            thief = Browser(w.browser.client, w.browser.config)
            names = ("__Host-family", "__Host-laptop", "__Host-staff")
            thief.cookies[thief.config.chair_host(chair)] = dict.fromkeys(names, staff)
            assert (await thief.json(chair, "/api/tickets", {})).status == 401
            assert (await thief.json(chair, f"/api/{chair}/redeem", {"token": staff})).status == 403
            assert (await thief.get(chair, "/monitor")).status == 404


@pytest.mark.feature("F99")
async def test_what_is_given_to_a_family_leads_to_the_familys_host_and_nowhere_else() -> None:
    async with wire() as w:
        _, ids = await everybody(w)
        csrf = (await w.browser.get("base", "/visits")).csrf
        page = await w.browser.post("base", f"/visits/{ids['visit_id']}/link", {"csrf": csrf})
        given = re.findall(r"https?://[^\s\"<]+#[^\s\"<]+", page.text)

        family = w.browser.config.origin("family")
        assert given
        assert all(re.fullmatch(re.escape(family) + r"/visit#[A-Za-z0-9_-]+", address) for address in given)


async def test_the_sweep_sees_every_route() -> None:
    async with wire() as w:
        swept = {path for method in ("GET", "POST") for path, _, _ in of_staff(w, method)}
        callers = {path for (_, path), route in w.app[ROUTE].items() if route.chairs <= {"family", "laptop"}}
        rest = {path for (_, path), route in w.app[ROUTE].items()} - swept - callers
        assert {path for path in rest if not path.startswith("/api/")} == NO_PAGES
        assert all(w.app[ROUTE][("GET", path)].chairs == ANY for path in NO_PAGES)
