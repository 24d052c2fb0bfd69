"""What an operator's own process revokes ends at the running broker within five seconds, sockets and all."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from broker.config import Config
from broker.domain.records import Grade, Role, Scope
from broker.engine.accounts import NewAccount
from broker.synthetic.site import Browser, Denied, Site
from broker.synthetic.stage import ask_for_calls
from broker.synthetic.talk import Talk, until
from tests.flows.support import PLACE, Running, broker_in

pytestmark = pytest.mark.flow

PASSWORD = "correct horse battery"
PROMISED_S = 5.0


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
