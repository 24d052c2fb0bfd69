"""What a monitor does over the wire is what the figures count."""

from __future__ import annotations

import pytest

from broker.domain.records import Role
from tests.edge.wire import wire


@pytest.mark.feature("F83")
async def test_a_breach_an_attend_request_and_an_end_over_the_wire_are_in_the_figures() -> None:
    async with wire() as w:
        live = await w.live_call()
        call = {"call_id": live.visit.id}
        await live.monitor.done("wall.focus", **call)
        await live.monitor.done("call.breach", **call, category="dress", outcome="warned", text="Seen.")
        await live.monitor.done("attend.request", **call, reason="conduct")
        w.desk.clock.turn(2)
        await live.monitor.done("call.end", **call, reason="conduct")
        await w.desk.person("grace", "7001", Role.DUTY_GOVERNOR)
        await w.browser.sign_in("base", "grace")
        table = await w.browser.get("base", "/figures.csv?from=2026-11-24&to=2026-11-24")
        record = await w.browser.get("base", f"/audit/calls/{live.visit.id}")

        assert {
            "total,,breached_per_1000,1000.0",
            "total,,attend_per_1000,1000.0",
            "total,,end_per_1000,1000.0",
        } <= set(table.text.splitlines())
        assert "breach.recorded" in record.text
