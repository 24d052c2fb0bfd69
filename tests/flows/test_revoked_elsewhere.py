"""What an operator's own process revokes ends at the running broker within seconds: sockets, and posts on a console."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from broker.config import Config
from broker.domain.records import Grade, Role, Scope
from broker.engine.accounts import NewAccount
from broker.synthetic.caller import both
from broker.synthetic.site import Browser, Denied, Site
from broker.synthetic.stage import ask_for_calls, both_posts, ends_of, staffed
from broker.synthetic.talk import Refused, Talk, until
from tests.flows.support import PLACE, WITHIN_S, Running, broker_in

pytestmark = pytest.mark.flow

PASSWORD = "correct horse battery"
PROMISED_S = 5.0
IN_FLIGHT_S = 0.5


async def operator(config: Config, *words: str) -> int:
    """Run a command in a process of its own, on the broker's data."""
    place = {"BROKER_DATA_DIR": str(config.data_dir), "BROKER_BASE_URL": config.base_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", *words, env={**os.environ, **place}, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


async def amy(broker: Running) -> dict[str, str]:
    """Make an account and return what it signs in with."""
    new = NewAccount("amy.moss", "1001", "Amy Moss", Grade.OSG, PASSWORD, ((PLACE, Role.MONITOR),))
    await broker.office.accounts.add(new, "operator")
    return {"username": "amy.moss", "password": PASSWORD}


async def test_an_account_that_is_shut_by_the_command_line_loses_its_socket_and_its_session(tmp_path: Path):
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        account = await amy(broker)
        browser = Browser("monitor")
        ticket = (await site.post(browser, "/api/sign-in", account))["ticket"]
        async with Talk(site, browser, ticket, lambda message: None) as talk:
            assert await operator(broker.config, "staff", "disable", "amy.moss") == 0
            await until(lambda: talk.closed, PROMISED_S, "the socket closes")

            assert talk.bye == "revoked"

        with pytest.raises(Denied) as denied:
            await site.post(browser, "/api/tickets", {})
        assert (denied.value.status, denied.value.code) == (401, "signed_out")


@pytest.mark.feature("F4")
async def test_a_visit_that_another_process_cancels_puts_the_family_off_its_call(tmp_path: Path):
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        [call] = (await ask_for_calls(site, broker.credential, 1)).calls
        browser = Browser("family")
        ticket = (await site.post(browser, "/api/family/redeem", {"token": call.family_token}))["ticket"]
        async with Talk(site, browser, ticket, lambda message: None) as talk:
            scope = Scope(frozenset({PLACE}))
            await broker.office.visits.cancel(scope, call.call_id, "ESTABLISHMENT_CANCELLED", "operator")
            await until(lambda: talk.closed, PROMISED_S, "the socket closes")

        with pytest.raises(Denied) as denied:
            await site.post(browser, "/api/family/redeem", {"token": call.family_token})
        assert denied.value.code == "link_invalid"


@pytest.mark.timeout(300)
async def test_a_console_that_another_process_revokes_loses_its_post_and_its_calls_are_held(tmp_path: Path):
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        cast = await ask_for_calls(site, broker.credential, 1)
        async with staffed(site, cast) as stage, ends_of(stage, cast.calls[0], 0) as ends:
            await both_posts(stage)
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            (console,) = await broker.office.directory.console_devices(Scope(frozenset({PLACE})))
            await broker.office.console_devices.revoke(PLACE, console.asset_tag, "operator")  # an office of its own
            await until(lambda: not stage.monitor.holds_post, PROMISED_S, "the post ends")
            held = stage.supervisor.calls
            await until(lambda: [h.kind for h in held[ends.booked.call_id].holds] == ["unmonitored"], WITHIN_S, "held")
            await asyncio.sleep(IN_FLIGHT_S)
            before = ends.packets()
            await asyncio.sleep(1.0)  # 50 packets of sound would have come
            assert ends.packets() == before
            with pytest.raises(Refused) as refused:
                await stage.monitor.take_post(PLACE)
            assert refused.value.code == "console_revoked"
