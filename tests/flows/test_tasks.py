"""Scenarios 3 and 6 through real sockets and real media: whose task it is, and an unlisted person who is dealt with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from broker.domain.codes import AttendOutcome, AttendReason, BreachCategory, BreachOutcome, EndReason, Warning
from broker.protocol import client
from broker.synthetic.stage import refused
from broker.synthetic.talk import new_key, until
from tests.flows.support import live_call

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 15.0


@pytest.mark.feature("F39", "F54")
async def test_a_supervisor_who_would_clear_a_security_pause_is_refused_and_the_monitor_sees_it(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):
        call_id = ends.booked.call_id
        hold_id, _ = await stage.monitor.pause(call_id)
        await until(lambda: hold_id in stage.supervisor.holds(call_id), WITHIN_S, "the pause in the hall")
        version = stage.supervisor.calls[call_id].seq
        clear = client.HoldClear(key=new_key(), call_id=call_id, hold_id=hold_id, version=version)

        assert await refused(stage.supervisor, clear) == "not_your_post"
        await until(lambda: any(one.code == "denied_attempt" for one in stage.monitor.alerts), WITHIN_S, "the alert")
        assert stage.monitor.holds(call_id) == [hold_id]
        ends.mark()
        await asyncio.sleep(0.5)  # 25 packets of sound would have come
        assert ends.decodable_at() is None


@pytest.mark.feature("F13", "F51", "F53", "F54", "F69", "F83", "F17")
async def test_an_unlisted_adult_is_warned_of_paused_attended_and_the_call_ended_with_a_plain_reason(
    tmp_path: Path,
) -> None:
    async with live_call(tmp_path) as (stage, ends):
        monitor, supervisor, call_id = stage.monitor, stage.supervisor, ends.booked.call_id
        assert {one.document for one in monitor.entries(call_id, "identity")[0].people} == {"passport"}

        await monitor.warn(call_id, Warning.UNLISTED_PERSON)
        legs = {ends.booked.family_leg, ends.booked.prisoner_leg}
        await until(lambda: any(set(one.shown_by) == legs for one in monitor.warnings.values()), WITHIN_S, "receipts")

        await monitor.pause(call_id)
        await until(lambda: ends.family.screen == ends.laptop.screen == "paused", WITHIN_S, "paused screens")
        await monitor.ask_to_attend(call_id, AttendReason.UNLISTED_PERSON)
        await until(lambda: bool(supervisor.entries(call_id, "attend")), WITHIN_S, "the bell in the hall")
        attend = supervisor.entries(call_id, "attend")[0].id
        await supervisor.acknowledge(call_id, attend)
        await until(lambda: monitor.entries(call_id, "attend")[0].acknowledged_at is not None, WITHIN_S, "the answer")

        await monitor.end(call_id, EndReason.UNLISTED_PERSON)
        await until(lambda: ends.family.screen == "ended", WITHIN_S, "the end at the family")
        assert ends.family.visit is not None
        assert (ends.family.visit.end, ends.family.visit.end_reason) == ("staff", "unlisted_person")
        await monitor.record_breach(call_id, BreachCategory.UNLISTED_PERSON, BreachOutcome.ENDED)
        await supervisor.close(call_id, attend, AttendOutcome.SETTLED)
        await until(lambda: monitor.entries(call_id, "attend")[0].outcome == "settled", WITHIN_S, "the outcome")
        assert len(monitor.entries(call_id, "breach")) == 1
        assert [one.code for one in monitor.alerts if one.code == "attend_escalated"] == []


@pytest.mark.feature("F51")
async def test_a_page_that_does_not_show_a_warning_is_told_to_the_monitor_within_seconds(tmp_path: Path) -> None:
    async with live_call(tmp_path) as (stage, ends):
        monitor, call_id, family = stage.monitor, ends.booked.call_id, ends.booked.family_leg
        ends.family.shows_warnings = False
        await monitor.warn(call_id, Warning.LANGUAGE)

        def states() -> dict[str, str]:
            return {leg.leg_id: leg.state for one in monitor.warnings.values() for leg in one.legs}

        await until(lambda: states().get(family) == "missed", WITHIN_S, "not shown")
        assert states()[ends.booked.prisoner_leg] == "shown"
        ends.family.shows_warnings = True
        await monitor.warn(call_id, Warning.LANGUAGE, family)
        await until(lambda: any(one.shown_by == [family] for one in monitor.warnings.values()), WITHIN_S, "shown again")
