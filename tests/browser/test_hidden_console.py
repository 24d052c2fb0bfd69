"""A console that somebody hides behind another tab: what it displayed is no longer proven, and its calls are held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.domain.records import Grade, Role
from broker.engine.accounts import NewAccount
from broker.synthetic.caller import both
from broker.synthetic.site import Site
from broker.synthetic.stage import Stage, ask_for_calls, both_posts, ends_of, staffed
from broker.synthetic.talk import until
from tests.browser.headed import Tab, window
from tests.flows.support import PLACE, broker_in, console_code

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

WITHIN_S = 60.0
NUMBER, USERNAME, PASSWORD = "SYN-SHOWN", "shown", "correct horse battery"


def holds(stage: Stage, call_id: str) -> list[str]:
    """Return the kinds of the holds that the hall sees."""
    return [hold.kind for hold in stage.supervisor.calls[call_id].holds]


async def sign_on(console: Tab, origin: str, code: str) -> None:
    """Enrol the browser, sign in, agree to the guidance, and take the post."""
    await console.go(f"{origin}/enrol#{code}")
    await console.becomes("document.querySelector('#enrol')?.hidden === false")
    await console.run("document.querySelector('#enrol').click()")
    await console.becomes("!!document.querySelector('input[name=password]')")
    for field, value in (("username", USERNAME), ("password", PASSWORD)):
        await console.run(f"document.querySelector('input[name={field}]').value = {json.dumps(value)}")
    await console.run("document.querySelector('main form button').click()")
    await console.becomes("!!document.querySelector('input[name=guidance]')")
    await console.run("document.querySelector('input[name=guidance]').click()")
    await console.becomes("!document.querySelector('main#main form button[type=submit]').disabled")
    await console.run("document.querySelector('main#main form button[type=submit]').click()")
    await console.becomes("!!document.querySelector('.topbar')")


@pytest.mark.feature("F40", "F44", "F48")
async def test_a_call_whose_console_is_hidden_behind_another_tab_is_held_and_goes_on_once_it_is_seen_again(
    chromium_path: str, tmp_path: Path
) -> None:
    async with (
        broker_in(tmp_path) as broker,
        Site(broker.url) as site,
        window(chromium_path, tmp_path) as browser,
    ):
        account = NewAccount(USERNAME, NUMBER, "Sian Shown", Grade.OSG, PASSWORD, ((PLACE, Role.MONITOR),))
        await broker.office.accounts.add(account, "test")
        cast = await ask_for_calls(site, broker.credential, 1)
        async with staffed(site, cast) as stage, ends_of(stage, cast.calls[0], 0) as ends:
            call_id = ends.booked.call_id
            await both_posts(stage)
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            console = await browser.tab()
            await sign_on(console, site.origin("monitor").text, await console_code(broker.office, "WS-2"))
            await until(lambda: stage.monitor.may_relieve(NUMBER), WITHIN_S, "the page proves what it displays")
            await stage.monitor.leave_post()
            ends.mark()
            await ends.media("media while the page is looked at")

            other = await browser.tab()
            await console.becomes("document.visibilityState === 'hidden'")
            await until(lambda: holds(stage, call_id) == ["unmonitored"], WITHIN_S, "the hold, as the hall sees it")
            await until(lambda: ends.family.screen == ends.laptop.screen == "paused", WITHIN_S, "paused screens")

            ends.mark()
            await other.close()
            await console.to_front()
            await ends.media("media again, by itself", WITHIN_S)
            assert holds(stage, call_id) == []
