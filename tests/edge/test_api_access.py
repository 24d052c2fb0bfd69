"""The API of access, host by host: what each secret opens on its own host, and that it opens nothing elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from broker.domain.records import Role
from broker.engine.accounts import TRIES
from broker.engine.chairs import FamilyChair, LaptopChair, StaffChair
from tests.edge.support import Browser, Page, pages
from tests.office import ENROL_CODE, PASSWORD, SYNTHETIC_TOKEN, Desk


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.person("amy", "1001", Role.MONITOR)
    return desk


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with pages(desk) as browser:
        yield browser


async def open_link(desk: Desk) -> str:
    """Return the token of a link whose call is about to start."""
    _, token = await desk.visit_with_link()
    desk.clock.turn(2 * 3600 - 60)
    return token


def code(page: Page) -> tuple[int, str]:
    return page.status, json.loads(page.text)["code"]


@pytest.mark.feature("F2")
async def test_a_link_gives_a_ticket_and_a_cookie_for_the_next(desk, browser):
    token = await open_link(desk)

    first = await browser.json("family", "/api/family/redeem", {"token": token})
    again = await browser.json("family", "/api/tickets", {})

    chairs = [await desk.office.access.take(json.loads(page.text)["ticket"]) for page in (first, again)]
    assert [type(chair) for chair in chairs] == [FamilyChair, FamilyChair]
    assert list(browser.cookies["family.broker.test"]) == ["__Host-family"]


@pytest.mark.feature("F2")
async def test_a_forwarded_link_is_told_apart_from_a_wrong_one(desk, browser):
    token = await open_link(desk)
    await browser.json("family", "/api/family/redeem", {"token": token})
    other = Browser(browser.client, browser.config)

    assert code(await other.json("family", "/api/family/redeem", {"token": token})) == (403, "link_elsewhere")
    assert code(await other.json("family", "/api/family/redeem", {"token": "x" * 43})) == (403, "link_invalid")


@pytest.mark.parametrize("early", [True, False])
async def test_a_link_out_of_its_time_says_no_more_than_a_wrong_one(desk, browser, early):
    _, token = await desk.visit_with_link()
    desk.clock.turn(60 if early else 6 * 3600)

    answers = [
        await browser.json("family", "/api/family/redeem", {"token": value})
        for value in (token, "x" * 43, 17, None, [])
    ]

    assert {(answer.status, answer.text) for answer in answers} == {(403, '{"code": "link_invalid"}')}


async def test_a_laptop_is_enrolled_once_and_then_known(desk, browser):
    first = await browser.json("laptop", "/api/laptop/redeem", {"token": "HRD" + ENROL_CODE})
    second = await Browser(browser.client, browser.config).json(
        "laptop", "/api/laptop/redeem", {"token": "HRD" + ENROL_CODE}
    )
    ticket = json.loads((await browser.json("laptop", "/api/tickets", {})).text)["ticket"]

    assert (first.status, code(second)) == (200, (403, "laptop_unknown"))
    assert isinstance(await desk.office.access.take(ticket), LaptopChair)


async def test_a_program_signs_in_as_staff_and_gets_a_ticket(desk, browser):
    page = await browser.json("monitor", "/api/sign-in", {"username": "amy", "password": PASSWORD})
    chair = await desk.office.access.take(json.loads(page.text)["ticket"])

    assert isinstance(chair, StaffChair)
    assert {"__Host-staff", "__Host-profile"} == set(browser.cookies["monitor.broker.test"])
    assert len(chair.session.profile) == 43


async def test_one_browser_keeps_its_profile_from_sign_in_to_sign_in(desk, browser):
    profiles = []
    for _ in range(2):
        page = await browser.json("monitor", "/api/sign-in", {"username": "amy", "password": PASSWORD})
        profiles.append((await desk.office.access.take(json.loads(page.text)["ticket"])).session.profile)

    assert len(set(profiles)) == 1


async def test_failures_are_told_by_code_alone_and_lock(browser):
    answers = [
        code(await browser.json("monitor", "/api/sign-in", {"username": "amy", "password": "wrong"}))
        for _ in range(TRIES)
    ]

    assert answers == [(403, "sign_in_failed")] * (TRIES - 1) + [(429, "locked")]


@pytest.mark.parametrize("chair", ["family", "laptop", "monitor", "hall", "base"])
async def test_without_a_cookie_there_is_no_ticket(browser, chair):
    assert code(await browser.json(chair, "/api/tickets", {})) == (401, "signed_out")


@pytest.mark.feature("F99")
@pytest.mark.parametrize(
    ("chair", "path"),
    [
        ("monitor", "/api/family/redeem"),
        ("hall", "/api/family/redeem"),
        ("laptop", "/api/family/redeem"),
        ("family", "/api/laptop/redeem"),
        ("monitor", "/api/laptop/redeem"),
        ("family", "/api/sign-in"),
        ("laptop", "/api/sign-in"),
        ("family", "/api/synthetic"),
    ],
)
async def test_a_secret_is_not_even_heard_on_another_chair_s_host(desk, browser, chair, path):
    token = await open_link(desk)

    page = await browser.json(chair, path, {"token": token, "username": "amy", "password": PASSWORD, "count": 1})

    assert page.status == 404


@pytest.mark.feature("F99")
async def test_a_cookie_of_one_chair_gives_no_ticket_of_another(desk, browser):
    token = await open_link(desk)
    await browser.json("family", "/api/family/redeem", {"token": token})
    await browser.json("monitor", "/api/sign-in", {"username": "amy", "password": PASSWORD})
    family = browser.cookies["family.broker.test"]["__Host-family"]
    staff = browser.cookies["monitor.broker.test"]["__Host-staff"]
    for chair, value in (("family", staff), ("monitor", family), ("hall", family), ("laptop", staff)):
        every = dict.fromkeys(("__Host-family", "__Host-laptop", "__Host-staff"), value)
        browser.cookies[browser.config.chair_host(chair)] = every

        assert code(await browser.json(chair, "/api/tickets", {})) == (401, "signed_out")


@pytest.mark.parametrize("path", ["/api/family/redeem", "/api/tickets"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://monitor.broker.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_only_a_page_of_the_same_host_is_answered(browser, path, headers, status):
    assert (await browser.json("family", path, {}, **headers)).status == status


@pytest.mark.parametrize("body", [b"{", b"[]", b"17", b'"x"', b"\xff", b"[" * 3000, b'{"token": "' + b"x" * 5000])
async def test_hostile_json_is_refused_and_counted_as_nothing(desk, browser, body):
    headers = {"Content-Type": "application/json"}

    page = await browser.post("family", "/api/family/redeem", body, **headers)

    assert page.status in {400, 413}
    assert desk.office.denials.strangers["link_invalid"] == 0


async def test_while_the_record_is_down_nobody_comes_in_and_nothing_breaks(desk, browser):
    token = await open_link(desk)
    desk.log.down = True

    answers = [
        await browser.json("family", "/api/family/redeem", {"token": token}),
        await browser.json("laptop", "/api/laptop/redeem", {"token": "HRD" + ENROL_CODE}),
        await browser.json("monitor", "/api/sign-in", {"username": "amy", "password": PASSWORD}),
    ]

    assert [code(answer) for answer in answers] == [(503, "unavailable")] * 3
    desk.log.down = False
    assert (await browser.json("family", "/api/family/redeem", {"token": token})).status == 200


async def test_a_synthetic_credential_makes_calls_at_its_establishment(desk, browser):
    page = await browser.json("base", "/api/synthetic", {"count": 2}, Authorization=f"Bearer {SYNTHETIC_TOKEN}")
    made = json.loads(page.text)

    assert (made["establishment"], len(made["calls"])) == ("ZZS", 2)
    assert {tuple(sorted(call)) for call in made["calls"]} == {
        ("call_id", "family_leg", "family_token", "laptop_token", "prisoner_leg")
    }
    call = made["calls"][0]
    assert (await browser.json("family", "/api/family/redeem", {"token": call["family_token"]})).status == 200
    assert (await browser.json("laptop", "/api/laptop/redeem", {"token": call["laptop_token"]})).status == 200
    for who in ("monitor", "supervisor"):
        assert (await browser.json("monitor", "/api/sign-in", made[who])).status == 200


@pytest.mark.parametrize(
    "header",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {SYNTHETIC_TOKEN}"}],
)
async def test_without_a_synthetic_credential_nothing_is_made(desk, browser, header):
    rows = len(desk.directory.rows)

    page = await browser.json("base", "/api/synthetic", {"count": 1}, **header)

    assert (code(page), len(desk.directory.rows)) == ((401, "credential_invalid"), rows)


@pytest.mark.parametrize("count", [0, 251, -1, 1.5, "1", None, True])
async def test_a_count_of_calls_that_makes_no_sense_is_refused(browser, count):
    page = await browser.json("base", "/api/synthetic", {"count": count}, Authorization=f"Bearer {SYNTHETIC_TOKEN}")

    assert code(page) == (400, "bad_count")
