"""A family that is refused at the identity check: why, for whom, and what the record and the figures keep of it."""

from __future__ import annotations

import pytest

from broker.domain.codes import IdentityReason
from broker.domain.records import Role
from tests.edge.wire import wire

TODAY = "from=2026-11-24&to=2026-11-24"


@pytest.mark.feature("F13", "F19")
@pytest.mark.parametrize("reason", [*IdentityReason, None])
async def test_the_family_alone_reads_why_and_the_record_and_the_figures_keep_it(reason: IdentityReason | None) -> None:
    async with wire() as w:
        visit = await w.visit()
        monitor = await w.on_post("mona", Role.MONITOR)
        laptop, family = await w.laptop(), await w.family(visit)
        await w.to_lobby(laptop, f"{visit.id}.1", consents=False)
        await w.to_lobby(family, f"{visit.id}.2", consents=True)
        await monitor.done("leg.refuse", call_id=visit.id, leg_id=f"{visit.id}.2", reason=reason)

        ended = await family.of_type("visit", screen="ended")
        assert (ended["end"], ended["identity"]) == ("identity", reason)
        other = await laptop.of_type("visit", screen="ended")
        assert (other["end"], other["identity"]) == ("not_started", None)
        (over,) = [e for e in await w.desk.log.read(f"call:{visit.id}") if e.type == "call.ended"]
        assert over.body["identity"] == reason

        await w.desk.person("grace", "7001", Role.DUTY_GOVERNOR)
        await w.browser.sign_in("base", "grace")
        table = (await w.browser.get("base", f"/figures.csv?{TODAY}")).text.splitlines()
        assert "total,,identity_refused,1" in table
        assert [f"total,,refused_{one},{int(one == reason)}" in table for one in IdentityReason] == [True] * 8
        assert (await w.browser.get("base", f"/figures?{TODAY}")).status == 200


async def test_a_reason_that_is_not_on_the_list_is_no_message_of_ours() -> None:
    async with wire() as w:
        visit = await w.visit()
        monitor = await w.on_post("mona", Role.MONITOR)
        await monitor.say("leg.refuse", key="0123456789", call_id=visit.id, leg_id=f"{visit.id}.2", reason="ugly")
        assert await monitor.closed() == 4400
