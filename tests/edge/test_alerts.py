"""Alerts over the wire: what closing one does to the call that raised it."""

from __future__ import annotations

import pytest

from tests.edge.wire import Live, Said, wire


async def hand(live: Live) -> Said:
    """Raise the family's hand and return its alert as the wall hears of it."""
    await live.family.done("leg.help")
    return await live.monitor.of_type("alert", code="hand", state="open")


@pytest.mark.feature("F56")
async def test_a_click_on_an_alert_that_is_over_lowers_no_hand_that_was_raised_since() -> None:
    async with wire() as w:
        live = await w.live_call()
        first = await hand(live)
        dealt = {"alert_id": first["id"], "outcome": "dealt"}
        await live.monitor.done("alert.clear", **dealt)
        second = await hand(live)
        await live.monitor.done("alert.clear", **dealt)

        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        assert second["id"] != first["id"]
        assert entry.actor.call.leg(live.legs[1]).raised


@pytest.mark.feature("F56")
async def test_a_click_on_an_alert_that_ended_with_its_call_is_done_and_no_refusal() -> None:
    async with wire() as w:
        live = await w.live_call()
        raised = await hand(live)
        await live.monitor.done("call.end", call_id=live.visit.id, reason="conduct")
        await live.monitor.now("alert", lambda m: (m["id"], m["state"]) == (raised["id"], "cleared"))
        before = w.desk.types("establishment:HRD").count("denied")
        await live.monitor.done("alert.clear", alert_id=raised["id"], outcome="dealt")
        assert w.desk.types("establishment:HRD").count("denied") == before
