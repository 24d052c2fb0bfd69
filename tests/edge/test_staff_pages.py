"""Staff pages, asked as a browser asks: signing in, the day's visits, booking, links, and who may not."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest

from broker.domain.records import Link, Role, Visit
from broker.engine.accounts import TRIES
from tests.edge.support import Browser, pages
from tests.office import HRD, PASSWORD, TWO, Desk

FORM = {
    "prisoner": "A1234BC",
    "seat": "t1-HRD",
    "date": "2026-11-24",
    "start": "14:00",
    "length": "30",
    "kind": "social",
    "main": "c1-HRD",
    "others": "c2-HRD",
    "step": "book",
}


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.person("ruth", "3001", Role.BOOKING)
    await desk.person("lucy", "3002", Role.BOOKING, "SKB")
    await desk.person("amy", "1001", Role.MONITOR)
    await desk.person("ian", "5001", Role.AUDITOR)
    await desk.person("sue", "9001", Role.STAFF_ADMIN)
    return desk


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with pages(desk) as browser:
        yield browser


@pytest.fixture
async def clerk(browser: Browser) -> Browser:
    await browser.sign_in("base", "ruth")
    return browser


def links(desk: Desk) -> list[Link]:
    return [row for row in desk.directory.rows.values() if isinstance(row, Link)]


def visits(desk: Desk) -> list[Visit]:
    return [row for row in desk.directory.rows.values() if isinstance(row, Visit)]


async def booked(clerk: Browser, **changes: str) -> str:
    """Book a visit through the form and return its address."""
    page = await clerk.get("base", "/visits/new")
    answer = await clerk.post("base", "/visits", {**FORM, "csrf": page.csrf, **changes})
    assert answer.status == 303, answer.text
    assert answer.goes_to is not None
    return answer.goes_to


# --- signing in ---------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/visits", "/visits/new", "/visits/print", "/visits/v1"])
async def test_without_a_session_every_staff_page_leads_to_the_sign_in(browser, path):
    page = await browser.get("base", path)

    assert (page.status, page.goes_to) == (303, "/sign-in")


async def test_a_person_signs_in_and_comes_to_the_page_of_the_host(browser):
    answer = await browser.sign_in("base", "ruth")
    home = await browser.get("base", "/")

    assert (answer.status, answer.goes_to, home.goes_to) == (303, "/", "/visits")


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    answer = await browser.sign_in("base", "ruth")

    [cookie] = [value for value in answer.headers.getall("Set-Cookie") if value.startswith("__Host-staff=")]

    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


async def test_a_wrong_password_and_a_wrong_name_give_the_same_page(browser):
    wrong = await browser.sign_in("base", "ruth", "wrong password")
    unknown = await browser.sign_in("base", "nobody", "wrong password")

    assert (wrong.status, unknown.status) == (403, 403)
    assert "There is a problem" in wrong.text
    assert same(wrong.text).replace("ruth", "nobody") == same(unknown.text)


def same(text: str) -> str:
    """Return a page without what is fresh in each answer."""
    return re.sub(r'nonce="[^"]*"|value="[0-9a-f]{64}"', "", text)


async def test_a_locked_account_says_how_long_to_wait(browser):
    for _ in range(TRIES - 1):
        await browser.sign_in("base", "ruth", "wrong password")
    page = await browser.sign_in("base", "ruth", "wrong password")

    assert page.status == 429
    assert "15 minutes" in page.text


async def test_a_sign_in_form_of_another_browser_is_refused(desk, browser):
    page = await browser.get("base", "/sign-in")
    other = Browser(browser.client, browser.config)
    await other.get("base", "/sign-in")

    answer = await other.post("base", "/sign-in", {"csrf": page.csrf, "username": "ruth", "password": PASSWORD})

    assert answer.status == 403
    assert "__Host-staff" not in other.cookies["broker.test"]


async def test_empty_fields_are_named(browser):
    page = await browser.sign_in("base", "", "")

    assert page.status == 400
    assert 'href="#username"' in page.text
    assert 'href="#password"' in page.text


async def test_signing_out_ends_the_session(clerk, desk):
    page = await clerk.get("base", "/visits")
    kept = dict(clerk.cookies["broker.test"])
    await clerk.post("base", "/sign-out", {"csrf": page.csrf})
    clerk.cookies["broker.test"] = kept  # somebody who copied the cookie

    assert (await clerk.get("base", "/visits")).goes_to == "/sign-in"
    assert desk.types("system")[-1] == "session.revoked"


async def test_nobody_can_sign_in_while_the_record_is_down(browser, desk):
    await browser.get("base", "/sign-in")
    desk.log.down = True

    assert (await browser.sign_in("base", "ruth")).status == 503


# --- the day --------------------------------------------------------------------


async def test_the_day_shows_the_visits_of_the_clerk_s_own_establishment(clerk, desk):
    await desk.visit_with_link()
    await desk.visit_with_link("SKB", "B")

    page = await clerk.get("base", "/visits?date=2026-11-24")

    assert all(word in page.text for word in ("JohnHRD", "MaryHRD", "14:00 to 14:30", "Link given", "HMP Harrowdene"))
    assert not any(word in page.text for word in ("SKB", "Stoke Barrow"))


@pytest.mark.parametrize("query", ["", "?date=", "?date=yesterday", "?date=2026-02-31", "?date=" + "9" * 400])
async def test_without_a_day_that_exists_it_is_today(clerk, query):
    page = await clerk.get("base", f"/visits{query}")

    assert page.status == 200
    assert "Tuesday 24 November 2026" in page.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("path", ["/visits", "/visits/print", "/visits/new"])
async def test_a_day_beyond_every_calendar_is_a_page_all_the_same(clerk, path, day):
    assert (await clerk.get("base", f"{path}?date={day}")).status == 200


@pytest.mark.feature("F98")
@pytest.mark.parametrize("path", ["/sign-in", "/visits", "/visits/new", "/visits/print"])
async def test_every_staff_page_is_marked_official_at_top_and_bottom_and_in_its_title(clerk, path):
    page = await clerk.get("base", path)

    assert page.text.count('<p class="marking">OFFICIAL</p>') == 2
    assert re.search(r"<title>[^<]*OFFICIAL</title>", page.text)


async def test_the_sheet_to_print_leaves_out_what_is_cancelled(clerk, desk):
    visit, _ = await desk.visit_with_link()
    shown = await clerk.get("base", "/visits/print?date=2026-11-24")
    await desk.office.visits.cancel(HRD, visit.id, "VISITOR_CANCELLED", "staff:1")
    hidden = await clerk.get("base", "/visits/print?date=2026-11-24")

    assert ("MaryHRD" in shown.text, "(under 18)" in shown.text, "MaryHRD" in hidden.text) == (True, True, False)


async def test_what_people_are_called_is_never_taken_for_markup(clerk, desk):
    from dataclasses import replace

    rows = {row.id: row for row in await desk.directory.contacts(HRD)}
    desk.directory.take([replace(rows["c1-HRD"], first_name="<script>alert(1)</script>", last_name='"><img src=x>')])
    await desk.visit_with_link()
    visit = visits(desk)[0]

    for path in ("/visits?date=2026-11-24", f"/visits/{visit.id}", "/visits/print?date=2026-11-24"):
        page = await clerk.get("base", path)
        assert "<script>alert" not in page.text
        assert "<img src=x>" not in page.text


# --- booking ----------------------------------------------------------------------


async def test_the_prisoner_s_visitors_are_found_before_they_are_chosen(clerk):
    page = await clerk.get("base", "/visits/new")
    found = await clerk.post("base", "/visits", {"csrf": page.csrf, "prisoner": "a1234bc", "step": "find"})

    assert found.status == 200
    assert all(word in found.text for word in ("MaryHRD", "TimHRD", "wife"))
    assert "EveHRD" not in found.text


async def test_a_child_is_not_offered_as_the_main_caller(clerk):
    page = await clerk.get("base", "/visits/new")
    found = await clerk.post("base", "/visits", {**FORM, "csrf": page.csrf, "step": "find"})

    assert 'name="main" type="radio" value="c1-HRD"' in found.text
    assert 'name="main" type="radio" value="c2-HRD"' not in found.text


async def test_a_visit_is_booked_and_shown(clerk, desk):
    address = await booked(clerk)
    page = await clerk.get("base", address)

    assert [visit.contact_ids for visit in visits(desk)] == [("c1-HRD", "c2-HRD")]
    assert visits(desk)[0].booked_by == "staff:3001"
    assert visits(desk)[0].starts_at == TWO
    assert "Booked, no link yet" in page.text


@pytest.mark.feature("F106")
async def test_a_taken_seat_is_told_at_the_field_and_nothing_is_booked(clerk, desk):
    await booked(clerk)
    page = await clerk.get("base", "/visits/new")
    answer = await clerk.post(
        "base",
        "/visits",
        {**FORM, "csrf": page.csrf, "prisoner": "A5678DE", "main": "c3-HRD", "others": ""},
    )

    assert (answer.status, len(visits(desk))) == (409, 1)
    assert 'href="#seat"' in answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prisoner": ""}, "prisoner"),
        ({"prisoner": "Z9999ZZ"}, "prisoner"),
        ({"seat": ""}, "seat"),
        ({"seat": "t1-SKB"}, "seat"),
        ({"date": "soon"}, "date"),
        ({"date": "0001-01-01"}, "date"),
        ({"date": "9999-12-31", "start": "23:45"}, "date"),
        ({"start": "2pm"}, "start"),
        ({"start": "23:00"}, "start"),
        ({"length": "45"}, "length"),
        ({"kind": "interpreted"}, "kind"),
        ({"main": ""}, "main"),
        ({"main": "c3-HRD"}, "main"),
        ({"main": "c2-HRD", "others": ""}, "main"),
    ],
)
async def test_what_is_wrong_with_a_booking_is_told_at_its_field(clerk, desk, changes, field):
    page = await clerk.get("base", "/visits/new")
    answer = await clerk.post("base", "/visits", {**FORM, "csrf": page.csrf, **changes})

    assert answer.status in {400, 409}
    assert "There is a problem" in answer.text
    assert f'href="#{field}"' in answer.text
    assert visits(desk) == []


async def test_every_error_leads_to_a_field_that_is_there(clerk):
    page = await clerk.get("base", "/visits/new")
    answer = await clerk.post(
        "base", "/visits", {"csrf": page.csrf, "prisoner": "A1234BC", "length": "1", "kind": "x", "step": "book"}
    )
    wanted = re.findall(
        r'<a href="#([a-z]+)"', answer.text.partition("govuk-error-summary__list")[2].partition("</ul>")[0]
    )

    assert {"seat", "date", "start", "length", "kind", "main"} <= set(wanted)
    assert [field for field in wanted if f'id="{field}"' not in answer.text] == []


async def test_a_booking_that_can_not_be_recorded_is_told_plainly(clerk, desk):
    page = await clerk.get("base", "/visits/new")
    desk.log.down = True

    answer = await clerk.post("base", "/visits", {**FORM, "csrf": page.csrf})

    assert (answer.status, visits(desk)) == (503, [])


# --- links --------------------------------------------------------------------------


async def test_a_link_is_shown_once_with_its_picture(clerk, desk):
    address = await booked(clerk)
    page = await clerk.get("base", address)
    shown = await clerk.post("base", f"{address}/link", {"csrf": page.csrf})
    token = re.search(r"http://family\.broker\.test/visit#([A-Za-z0-9_-]{43})", html.unescape(shown.text))
    after = await clerk.get("base", address)

    assert token is not None
    assert 'src="data:image/svg+xml' in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert token[1] not in after.text
    assert token[1] not in repr(desk.directory.rows)


@pytest.mark.feature("F4")
async def test_a_link_is_revoked_from_the_visit_s_page(clerk, desk):
    address = await booked(clerk)
    page = await clerk.get("base", address)
    await clerk.post("base", f"{address}/link", {"csrf": page.csrf})
    [link] = links(desk)

    answer = await clerk.post(
        "base", f"/visits/links/{link.id}/revoke", {"csrf": page.csrf, "visit_id": address.removeprefix("/visits/")}
    )

    assert (answer.status, answer.goes_to) == (303, address)
    assert [row.revoked_at is not None for row in links(desk)] == [True]
    assert "Revoked" in (await clerk.get("base", address)).text


async def test_a_visit_is_cancelled_for_a_reason_that_is_shown(clerk, desk):
    address = await booked(clerk)
    page = await clerk.get("base", address)
    without = await clerk.post("base", f"{address}/cancel", {"csrf": page.csrf})
    answer = await clerk.post("base", f"{address}/cancel", {"csrf": page.csrf, "reason": "VISITOR_CANCELLED"})
    after = await clerk.get("base", address)

    assert (without.status, answer.status) == (400, 303)
    assert 'href="#reason"' in without.text
    assert visits(desk)[0].cancel_reason == "VISITOR_CANCELLED"
    assert "/cancel" not in after.text


# --- who may not ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "allowed"),
    [
        ("ruth", {"/visits", "/visits/new", "/visits/print"}),
        ("amy", {"/visits", "/visits/print"}),
        ("ian", {"/visits"}),
        ("sue", set()),
    ],
)
async def test_pages_follow_the_permission_table(browser, desk, username, allowed):
    await browser.sign_in("base", username)
    paths = ["/visits", "/visits/new", "/visits/print"]

    statuses = {path: (await browser.get("base", path)).status for path in paths}

    assert statuses == {path: 200 if path in allowed else 403 for path in paths}
    assert desk.types("establishment:HRD").count("denied") == len(set(paths) - allowed)


async def test_a_monitor_may_revoke_a_link_but_not_give_one(browser, desk):
    visit, _ = await desk.visit_with_link()
    await browser.sign_in("base", "amy")
    page = await browser.get("base", f"/visits/{visit.id}")
    [link] = links(desk)

    refused = await browser.post("base", f"/visits/{visit.id}/link", {"csrf": page.csrf})
    revoked = await browser.post("base", f"/visits/links/{link.id}/revoke", {"csrf": page.csrf, "visit_id": visit.id})

    assert (refused.status, revoked.status, len(links(desk))) == (403, 303, 1)


async def test_the_other_establishment_finds_nothing_and_changes_nothing(browser, desk):
    visit, _ = await desk.visit_with_link()
    [link] = links(desk)
    before = (visits(desk), links(desk))
    await browser.sign_in("base", "lucy")
    csrf = (await browser.get("base", "/visits")).csrf

    answers = [
        await browser.get("base", f"/visits/{visit.id}"),
        await browser.post("base", f"/visits/{visit.id}/link", {"csrf": csrf}),
        await browser.post("base", f"/visits/{visit.id}/cancel", {"csrf": csrf, "reason": "VISITOR_CANCELLED"}),
        await browser.post("base", f"/visits/links/{link.id}/revoke", {"csrf": csrf, "visit_id": visit.id}),
        await browser.post("base", "/visits", {**FORM, "csrf": csrf}),
        await browser.get("base", "/visits?date=2026-11-24"),
        await browser.get("base", "/visits/print?date=2026-11-24"),
        await browser.get("base", "/visits/new"),
    ]

    assert [answer.status for answer in answers] == [404, 404, 404, 404, 400, 200, 200, 200]
    assert not any("HRD" in answer.text.replace(FORM["seat"], "").replace("c1-HRD", "") for answer in answers)
    assert (visits(desk), links(desk)) == before


@pytest.mark.parametrize(
    "path", ["/visits", "/visits/v1/cancel", "/visits/v1/link", "/visits/links/l1/revoke", "/sign-out"]
)
async def test_a_form_without_its_token_or_from_another_site_does_nothing(clerk, path):
    page = await clerk.get("base", "/visits")

    missing = await clerk.post("base", path, {"visit_id": "v1"})
    foreign = await clerk.post("base", path, {"csrf": page.csrf, "visit_id": "v1"}, Origin="http://evil.test")
    sibling = await clerk.post(
        "base", path, {"csrf": page.csrf, "visit_id": "v1"}, Origin=clerk.config.origin("family")
    )

    assert (missing.status, foreign.status, sibling.status) == (403, 403, 403)


@pytest.mark.feature("F99")
@pytest.mark.parametrize("chair", ["family", "laptop"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/visits", "/visits/new", "/monitor", "/hall"])
async def test_staff_pages_are_not_there_on_the_hosts_of_callers(clerk, chair, path):
    clerk.cookies[clerk.config.chair_host(chair)] = dict(clerk.cookies["broker.test"])

    assert (await clerk.get(chair, path)).status == 404


@pytest.mark.parametrize("body", [b"", b"%%%", b"csrf", b"a=" + b"x" * 2000, b"&".join([b"a=1"] * 200)])
async def test_a_hostile_form_is_refused_and_nothing_breaks(clerk, desk, body):
    answer = await clerk.post("base", "/visits", body, **{"Content-Type": "application/x-www-form-urlencoded"})

    assert answer.status in {400, 403}
    assert (await clerk.get("base", "/visits")).status == 200


async def test_every_sentence_comes_from_the_catalogue(desk):
    async with pages(desk, language="en-XA") as browser:
        await browser.sign_in("base", "ruth")
        visit, _ = await desk.visit_with_link()
        for path in ("/visits?date=2026-11-24", f"/visits/{visit.id}", "/visits/new", "/visits/print?date=2026-11-24"):
            page = await browser.get("base", path)
            assert page.status == 200
            assert plain_words(page.text) == []


NAMES = re.compile(r"HRD|HMP|Harrowdene|Main hall|A\d{4}[A-Z]{2}|wife|son|2026|November|Tuesday|Moss|Ruth|\d")


def plain_words(text: str) -> list[str]:
    """Return what a reader sees that is neither marked as translated nor a name of the tests."""
    body = re.sub(r"(?s)<(script|style|datalist).*?</\1>|<head>.*?</head>|<[^>]+>", "\n", text)
    unmarked = re.sub(r"(?s)⟦.*?⟧+", "", html.unescape(body))
    return [line.strip() for line in unmarked.split("\n") if re.search("[A-Za-z]{3}", line) and not NAMES.search(line)]
