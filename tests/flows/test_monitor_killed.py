"""Scenario 2 through real sockets and media: the monitor's browser dies, and the report says what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from broker.synthetic.caller import both
from broker.synthetic.staff import Monitor
from broker.synthetic.stage import ends_of
from broker.synthetic.talk import until
from tests.flows.prison import PLACE, Prison, a_prison

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 40.0
IN_FLIGHT_S = 0.5


@pytest.mark.feature("F40", "F43", "F53")
async def test_the_call_of_a_dead_console_is_held_comes_back_and_no_second_of_it_was_unwatched(tmp_path: Path) -> None:
    async with a_prison(tmp_path) as prison, ends_of(prison.stage, prison.stage.cast.calls[0], 0) as ends:
        stage, call_id = prison.stage, ends.booked.call_id
        await both(ends.laptop, ends.family)
        await ends.media("media at both ends")

        await stage.monitor.go()
        await until(lambda: stage.supervisor.calls[call_id].alarm == "unmonitored", WITHIN_S, "the alarm in the hall")
        await until(lambda: holds(prison, call_id) == ["unmonitored"], WITHIN_S, "the hold")
        await until(lambda: ends.family.screen == ends.laptop.screen == "paused", WITHIN_S, "paused screens")
        assert ends.family.visit is not None
        assert ends.family.visit.pause == "no_officer"
        await asyncio.sleep(IN_FLIGHT_S)
        before = ends.packets()
        await asyncio.sleep(1.5)  # 75 packets of sound would have come; and more than a second to credit
        assert ends.packets() == before

        async with Monitor(stage.site, stage.pacer, *stage.cast.monitor, stage.monitor.browser) as again:
            ends.mark()
            await again.sign_in()
            await again.take_post(PLACE)
            await again.connect_wall()
            await ends.media("media again, by itself", WITHIN_S)
            assert holds(prison, call_id) == []
            found = await figures(prison)
            await again.end(call_id)

        total = found["total"]
        assert total["calls"] == 1
        assert total["unwatched_beyond_policy_s"] == 0
        assert total["credited_s"] >= 1
        gap = next(gap for gap in found["gaps"] if gap["post"] == "monitor")
        assert (gap["establishment"], gap["calls"]) == (PLACE, [call_id])


def holds(prison: Prison, call_id: str) -> list[str]:
    """Return the kinds of the holds that the hall sees."""
    return [hold.kind for hold in prison.stage.supervisor.calls[call_id].holds]


async def figures(prison: Prison) -> dict[str, Any]:
    """Return what an inspector's command line computes from the record, while the broker runs."""
    place = {"BROKER_DATA_DIR": str(prison.config.data_dir), "BROKER_DATABASE_URL": prison.config.database_url}
    words = ("-m", "broker", "audit", "figures", "--json", "--establishment", PLACE)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, env={**os.environ, **place}, stdout=PIPE)
    told, _ = await process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(told)
    return found
