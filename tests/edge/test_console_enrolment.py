"""A console over the wire: enrolled by a press, shown before the post is taken, wanted for it, and missed when gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL, Grade, Role
from tests.edge.post_pages import signed_in
from tests.edge.support import Browser, Page
from tests.edge.wire import Talk, Wire, wire
from tests.office import PASSWORD

POST = {"post": "monitor", "scope": ["HRD"], "guidance": DEFAULT.version}


async def code_for(w: Wire, place: str = "HRD", days: int = 100) -> str:
    until = w.desk.clock.now() + timedelta(days=days)
    _, code = await w.desk.office.console_devices.enrol(place, "WS-1", "operator", until)
    return code


async def press(browser: Browser, code: str, chair: str = "monitor", **headers: str) -> Page:
    return await browser.json(chair, "/api/console/redeem", {"token": code}, **headers)


def jar(w: Wire) -> dict[str, str]:
    return w.browser.cookies.setdefault(w.browser.config.chair_host("monitor"), {})


async def mona(w: Wire) -> None:
    await w.desk.person("mona", "HRD-mona", Role.MONITOR, "HRD", Grade.OSG)


async def at_the_page(w: Wire) -> Talk:
    """Open the socket of the page in the browser, signed in or not enrolled as it is."""
    ticket = await w.browser.json("monitor", "/api/tickets", {})
    assert ticket.status == 200, ticket.text
    talk = await w.socket("monitor", (await ticket.response.json())["ticket"])
    await talk.of_type("snapshot")
    return talk


async def shown(talk: Talk) -> dict[str, object]:
    told = await talk.now("stations", lambda message: True)
    return dict(told["console"])


async def test_a_link_that_is_opened_spends_nothing_and_a_press_enrols_once() -> None:
    async with wire() as w:
        code = await code_for(w)
        for _ in range(2):
            page = await w.browser.get("monitor", "/enrol")
            assert (page.status, "OFFICIAL" in page.text) == (200, True)
            assert "__Host-console" not in jar(w)

        first = await press(w.browser, code)
        assert first.status == 200
        (cookie,) = [value for value in first.response.headers.getall("Set-Cookie") if "__Host-console" in value]
        assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "WS-1" in (await w.browser.get("monitor", "/enrol")).text
        again = await press(w.browser, code)
        assert (again.status, await again.response.json()) == (403, {"code": "console_unknown"})


@pytest.mark.parametrize("chair", ["family", "laptop", "hall", "base"])
async def test_consoles_are_enrolled_on_the_monitors_host_alone(chair: str) -> None:
    async with wire() as w:
        code = await code_for(w)
        assert (await w.browser.get(chair, "/enrol")).status == 404
        assert (await press(w.browser, code, chair)).status == 404
        assert (await press(w.browser, code, Origin=w.browser.config.origin(chair))).status == 403
        assert (await press(w.browser, code)).status == 200


async def test_a_browser_that_is_not_enrolled_signs_in_and_is_refused_the_post_on_record() -> None:
    async with wire() as w:
        await mona(w)
        await signed_in(w, "mona")
        talk = await at_the_page(w)
        assert (await shown(talk))["code"] == "console_not_enrolled"

        refused = await talk.ask("post.sign_on", **POST)
        assert refused["code"] == "console_not_enrolled"
        unmet = [check for check in refused["checks"] if not check["met"]]
        assert unmet == [{"name": "device", "met": False, "needed": "HRD", "held": None}]
        (denied,) = [entry for entry in await w.desk.log.read("establishment:HRD") if entry.type == "denied"]
        assert (denied.actor, denied.body["action"]) == ("staff:HRD-mona", "post.sign_on.monitor")
        assert denied.body["code"] == "console_not_enrolled"

        assert (await press(w.browser, await code_for(w))).status == 200
        talk = await at_the_page(w)
        assert (await shown(talk)) == {
            "establishment": "HRD",
            "asset_tag": "WS-1",
            "assured_until": (w.desk.clock.now() + timedelta(days=100)).isoformat().replace("+00:00", "Z"),
            "code": None,
            "renew": False,
        }
        await talk.done("post.sign_on", **POST)


async def test_a_copied_session_takes_no_post_in_another_browser() -> None:
    async with wire() as w:
        await mona(w)
        await signed_in(w, "mona")
        await press(w.browser, await code_for(w))
        for copied in (["__Host-staff"], ["__Host-staff", "__Host-profile"]):
            own = dict(jar(w))
            jar(w).clear()
            jar(w).update({name: own[name] for name in copied})
            talk = await at_the_page(w)
            assert await talk.refusal("post.sign_on", **POST) == "console_not_enrolled"
            jar(w).update(own)
        await (await at_the_page(w)).done("post.sign_on", **POST)


async def test_another_establishments_console_is_refused_and_a_national_one_serves_all() -> None:
    async with wire() as w:
        await mona(w)
        for place, code in (("SKB", "console_elsewhere"), (NATIONAL_POOL, None), ("HRD", None)):
            talk = await w.staff("mona", console=place)
            answer = await talk.ask("post.sign_on", **POST)
            assert answer.get("code") == code
            if code is None:
                await talk.done("post.sign_off")


async def test_a_console_that_is_revoked_on_post_is_told_why_and_may_not_come_back_on_it() -> None:
    async with wire() as w:
        await mona(w)
        await signed_in(w, "mona")
        await press(w.browser, await code_for(w))
        talk = await at_the_page(w)
        await talk.done("post.sign_on", **POST)

        await w.desk.office.console_devices.revoke("HRD", "WS-1", "operator")
        assert (await talk.of_type("post.left"))["why"] == "console_revoked"
        assert (await talk.of_type("snapshot"))["you_hold"] is None
        await talk.now("stations", lambda message: message["console"]["code"] == "console_revoked")
        assert await talk.refusal("post.sign_on", **POST) == "console_revoked"

        reloaded = await at_the_page(w)  # the sign-in goes on: the device fell, not the person
        assert await reloaded.refusal("post.sign_on", **POST) == "console_revoked"


async def test_another_process_revokes_a_console_within_one_poll() -> None:
    async with wire() as w:
        await mona(w)
        await w.desk.office.revocations.start()
        talk = await w.staff("mona", console="HRD")
        await talk.done("post.sign_on", **POST)
        await w.desk.open().console_devices.revoke("HRD", "WS-1", "operator")
        await w.desk.office.revocations.poll()
        assert (await talk.of_type("post.left"))["why"] == "console_revoked"


async def test_an_assurance_that_ends_soon_is_said_and_one_that_is_over_ends_the_post() -> None:
    async with wire() as w:
        await mona(w)
        await signed_in(w, "mona")
        await press(w.browser, await code_for(w, days=15))
        assert (await shown(await at_the_page(w)))["renew"] is False
        w.desk.clock.turn(24 * 3600)
        await signed_in_again(w)
        talk = await at_the_page(w)
        assert (await shown(talk))["renew"] is True
        await talk.done("post.sign_on", **POST)

        w.desk.clock.turn(14 * 24 * 3600)
        await w.engine.second()
        assert (await talk.of_type("post.left"))["why"] == "console_expired"


async def signed_in_again(w: Wire) -> None:
    """Sign in anew in the same browser: a session is a shift long."""
    await w.browser.get("monitor", "/sign-in")
    assert (await w.browser.sign_in("monitor", "mona", PASSWORD)).status == 303


async def test_programs_sign_in_at_their_console_too() -> None:
    async with wire() as w:
        await mona(w)
        await press(w.browser, await code_for(w))
        answer = await w.browser.json("monitor", "/api/sign-in", {"username": "mona", "password": PASSWORD})
        talk = await w.socket("monitor", (await answer.response.json())["ticket"])
        await talk.of_type("snapshot")
        await talk.done("post.sign_on", **POST)


async def test_without_storage_nobody_is_enrolled_and_the_code_stands() -> None:
    async with wire() as w:
        code = await code_for(w)
        w.desk.down()
        assert (await press(w.browser, code)).status == 503
        assert (await w.browser.get("monitor", "/enrol")).status == 200
        w.desk.down(down=False)
        assert (await press(w.browser, code)).status == 200
