"""The national pool takes an establishment over and gives it back while a call runs, without a gap."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.demo.people import BOT_MONITOR
from broker.domain.records import NATIONAL_POOL, Grade, Role
from broker.domain.transfer import Reason, Side
from broker.engine.accounts import NewAccount
from broker.protocol import client
from broker.synthetic.caller import both
from broker.synthetic.staff import Monitor
from broker.synthetic.stage import ends_of
from broker.synthetic.talk import new_key, until
from tests.flows.prison import PLACE, a_prison
from tests.flows.support import WITHIN_S, console_code

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

POOL, PASSWORD = "NAT-1", "correct horse battery"


ACCOUNT = NewAccount("pool", POOL, "Petra Pool", Grade.OSG, PASSWORD, ((NATIONAL_POOL, Role.NATIONAL_MONITOR),))


@pytest.mark.feature("F60", "F43")
async def test_the_pool_takes_an_establishment_over_and_back_while_a_call_runs(tmp_path: Path) -> None:
    async with (
        a_prison(tmp_path, ACCOUNT) as prison,
        Monitor(
            prison.stage.site,
            prison.stage.pacer,
            "pool",
            PASSWORD,
            await console_code(prison.office, "WS-POOL", NATIONAL_POOL),
        ) as pool,
        ends_of(prison.stage, prison.stage.cast.calls[0], 0) as ends,
    ):
        call_id, local = ends.booked.call_id, prison.stage.monitor
        await both(ends.laptop, ends.family)
        await ends.media("media at both ends")
        await pool.sign_in()
        await pool.take_post(NATIONAL_POOL)
        await pool.connect_wall()
        assert call_id not in pool.calls  # the establishment has its own monitor

        await pass_to(pool, local, Side.POOL, Reason.SHORT_OF_STAFF)
        await until(lambda: call_id in pool.calls and call_id not in local.calls, WITHIN_S, "the pool has it")
        ends.mark()
        await ends.media("media under the pool")
        hold_id, _ = await pool.pause(call_id)
        await until(lambda: hold_id in pool.holds(call_id), WITHIN_S, "the pool's pause")
        await pool.clear(call_id, hold_id)

        await until(lambda: not local.holds_post, WITHIN_S, "the release of the establishment's monitor")
        await local.take_post(PLACE)
        await local.connect_wall()
        await pass_to(local, pool, Side.ESTABLISHMENT, Reason.END_OF_COVER)
        await until(lambda: call_id not in pool.calls, WITHIN_S, "given back")
        ends.mark()
        await ends.media("media under the establishment's own again")

        call = await prison.office.streams.of(f"call:{call_id}").read()
        assert [r.body["kind"] for r in call if r.type == "hold.placed"] == ["security"]
        covers = [r.body["number"] for r in call if r.type == "cover.changed" and r.body["post"] == "monitor"]
        assert POOL in covers
        assert covers[-1] == BOT_MONITOR.number
        assert None not in covers[covers.index(BOT_MONITOR.number) :]
        place = await prison.office.streams.establishment(PLACE).read()
        passed = [(r.body["to"], r.body["number"]) for r in place if r.type == "monitoring.transferred"]
        assert passed == [("pool", POOL), ("establishment", BOT_MONITOR.number)]


async def pass_to(new: Monitor, old: Monitor, to: Side, reason: Reason) -> None:
    """One side proposes that it monitors from now on, and the other agrees."""
    await new.command(client.MonitoringPropose(key=new_key(), establishment=PLACE, to=to, reason=reason))
    await old.command(client.MonitoringAccept(key=new_key(), establishment=PLACE))
