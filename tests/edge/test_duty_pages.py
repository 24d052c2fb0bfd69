"""The duty governor's page: what is urgent at their prisons, in words, and nothing of who is in a call."""

from __future__ import annotations

import json

import pytest

from broker.domain.alerts import AlertCode
from broker.domain.records import Role
from tests.edge.wire import Wire, wire


async def governor(w: Wire, code: str = "HRD") -> None:
    await w.desk.person("grace", "7001", Role.DUTY_GOVERNOR, code)
    await w.browser.sign_in("base", "grace")


async def told(w: Wire) -> dict:
    found: dict = json.loads((await w.browser.get("base", "/duty/now")).text)
    return found


@pytest.mark.feature("F40", "F74")
async def test_a_call_whose_monitor_is_lost_is_urgent_and_names_no_one_in_the_call() -> None:
    async with wire() as w:
        live = await w.live_call()
        await governor(w)
        assert (await told(w))["urgent"] == []

        w.engine.lost(next(one.session for one in w.engine.presence.holders if one.post == "monitor"))
        w.desk.clock.turn(6)
        await w.tick()
        w.engine.causes.look()
        found = await told(w)
        page = (await w.browser.get("base", "/duty")).text

    (alert,) = found["urgent"]
    assert alert["what"] == "The call is not proven to be monitored."
    assert alert["who"] == "Nobody has taken it yet"
    assert alert["where"].endswith("seat 1")
    (place,) = found["places"]
    assert [post["state"] for post in place["posts"]] == ["lost", "on"]
    assert place["calls"] == "1 live, 0 held, 0 waiting"
    assert alert["what"] in page
    for secret in (live.visit.prisoner_number, live.visit.id, "Smith"):
        assert secret not in page
        assert secret not in json.dumps(found)


async def test_what_is_not_urgent_or_is_over_or_is_elsewhere_is_not_there() -> None:
    async with wire() as w:
        live = await w.live_call()
        await governor(w)
        w.engine.alerts.raise_(AlertCode.NO_SHOW, establishment="HRD", call_id=live.visit.id)
        w.engine.alerts.raise_(AlertCode.UNATTENDED, establishment="ELSEWHERE")
        w.engine.alerts.raise_(AlertCode.UNATTENDED, establishment="HRD")
        assert len((await told(w))["urgent"]) == 1
        w.engine.alerts.clear(AlertCode.UNATTENDED, establishment="HRD")
        assert (await told(w))["urgent"] == []


async def test_nobody_but_a_duty_governor_reads_it() -> None:
    async with wire() as w:
        await w.desk.person("ian", "5001", Role.AUDITOR)
        await w.browser.sign_in("base", "ian")
        assert [(await w.browser.get("base", path)).status for path in ("/duty", "/duty/now")] == [403, 403]
