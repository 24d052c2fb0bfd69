"""Relief of the monitoring post through real sockets and media: nothing stops, and the record has both names."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.domain.records import Grade, Role
from broker.engine.accounts import NewAccount
from broker.synthetic.caller import both
from broker.synthetic.site import Site
from broker.synthetic.staff import Monitor
from broker.synthetic.stage import ask_for_calls, both_posts, ends_of, staffed
from broker.synthetic.talk import until
from tests.flows.support import PLACE, WITHIN_S, Running, broker_in, console_code

pytestmark = pytest.mark.flow

RELIEF = "SYN-RELIEF"
PASSWORD = "correct horse battery"


async def add_relief(broker: Running) -> str:
    """Make the account, and return what enrols its browser."""
    account = NewAccount("relief", RELIEF, "Rita Relief", Grade.OSG, PASSWORD, ((PLACE, Role.MONITOR),))
    await broker.office.accounts.add(account, "test")
    return await console_code(broker.office, "WS-2")


@pytest.mark.feature("F42", "F43")
async def test_a_monitor_is_relieved_while_a_call_runs_without_a_second_unwatched(tmp_path: Path) -> None:
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        code = await add_relief(broker)
        cast = await ask_for_calls(site, broker.credential, 1)
        async with staffed(site, cast) as stage, Monitor(site, stage.pacer, "relief", PASSWORD, code) as relief:
            await both_posts(stage)
            async with ends_of(stage, cast.calls[0], 0) as ends:
                call_id = ends.booked.call_id
                await both(ends.laptop, ends.family)
                await ends.media("media at both ends")
                await relief.sign_in()
                await relief.take_post(PLACE)
                await relief.connect_wall()
                await until(lambda: stage.monitor.may_relieve(RELIEF), WITHIN_S, "the relief's pictures")

                await stage.monitor.hand_over_to(RELIEF)
                await until(lambda: relief.relief is not None and relief.relief.handover is not None, WITHIN_S, "offer")
                await relief.take_over()
                await until(lambda: not stage.monitor.holds_post, WITHIN_S, "the release of the one going off")
                ends.mark()
                await ends.media("media after the handover")
                await relief.pause(call_id)

        call = await broker.office.streams.of(f"call:{call_id}").read()
        covers = [r.body["number"] for r in call if r.type == "cover.changed" and r.body["post"] == "monitor"]
        assert covers[-1] == RELIEF or RELIEF in covers
        assert None not in covers[covers.index(RELIEF) - 1 : covers.index(RELIEF) + 1]
        started = next(r.at for r in call if r.type == "call.started")
        paused = next(r.at for r in call if r.type == "hold.placed")
        assert [r.type for r in call if started <= r.at < paused and r.type in ("alarm.raised", "hold.placed")] == []
        place = await broker.office.streams.establishment(PLACE).read()
        steps = [(r.body["from"], r.body["to"]) for r in place if r.type in ("handover.offered", "handover.accepted")]
        assert steps == [(steps[0][0], RELIEF)] * 2
