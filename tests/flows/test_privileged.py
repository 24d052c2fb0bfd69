"""A legal call over real sockets and media: no sound to the console, looks that end by themselves, refusal, patrols."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from broker.protocol import client
from broker.synthetic.caller import both
from broker.synthetic.stage import Stage, both_posts, ends_of, refused
from broker.synthetic.talk import new_key, until
from tests.flows.support import stage_in

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 25.0


def packets(stage: Stage, kind: str) -> int:
    """Return how many packets of a kind the console's connections have received, on whatever line."""
    lines = (line for peer in stage.monitor.peers.values() for (of, _), line in peer.lines.items() if of == kind)
    return sum(line.packets for line in lines)


@pytest.mark.feature("F63", "F64", "F65", "F66", "F93")
async def test_a_legal_call_is_never_heard_seen_in_looks_and_walked_past_once_refused(tmp_path: Path) -> None:
    async with stage_in(tmp_path, kind="legal") as stage:
        await both_posts(stage)
        async with ends_of(stage, stage.cast.calls[0], 0) as ends:
            call_id = ends.booked.call_id
            monitor, family, laptop = stage.monitor, ends.family, ends.laptop
            await both(laptop, family)
            await ends.media("media at both ends")
            assert packets(stage, "video") == packets(stage, "audio") == 0
            assert await refused(monitor, client.WallFocus(key=new_key(), call_id=call_id)) == "privileged"

            await monitor.look(call_id)
            await until(lambda: all(end.visit.privileged.looking for end in (family, laptop)), WITHIN_S, "both told")
            await until(lambda: packets(stage, "video") > 0, WITHIN_S, "the look's pictures")
            await until(lambda: monitor.calls[call_id].privileged.until is None, WITHIN_S, "the end of the look")
            await asyncio.sleep(0.5)
            seen = packets(stage, "video")
            await asyncio.sleep(1.0)  # to see that nothing comes
            assert (packets(stage, "video"), packets(stage, "audio")) == (seen, 0)
            again = client.LookStart(key=new_key(), call_id=call_id)
            assert await refused(monitor, again) == "look_too_soon"

            await family.command(client.LookRefuse(key=new_key()))
            await until(lambda: monitor.calls[call_id].privileged.patrol == "refused", WITHIN_S, "patrol mode")
            assert await refused(monitor, client.LookStart(key=new_key(), call_id=call_id)) == "looks_refused"
            await stage.supervisor.log_patrol(call_id)
            assert (monitor.phase(call_id), packets(stage, "audio")) == ("live", 0)
