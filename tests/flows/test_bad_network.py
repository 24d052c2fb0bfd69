"""A call over a bad line: sound goes on, nobody is held for nothing, and who was cut off comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.domain.codes import HoldKind
from broker.synthetic.caller import both
from broker.synthetic.line import Line
from broker.synthetic.stage import Ends, Stage, both_posts, ends_of
from broker.synthetic.talk import until
from broker.synthetic.tasks import Tasks
from tests.flows.support import stage_in
from tests.network.bots import SystemHolds
from tests.network.impairment import CLEAR, Conditions, Loss
from tests.network.impairment import Path as NetworkPath
from tests.network.profiles import PROFILES
from tests.network.proxy import UdpProxy

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]

WITHIN_S = 20.0
ENOUGH = 150  # packets of sound: three seconds
NOTHING = NetworkPath.steady(Conditions(loss=Loss.bursts(1.0)))
BURST = NetworkPath.steady(Conditions(loss=Loss.bursts(0.2, 3), delay_s=0.03))


@asynccontextmanager
async def call_over(folder: Path) -> AsyncIterator[tuple[Stage, Ends, UdpProxy, SystemHolds]]:
    """A live call whose family sits behind a line that can be made bad."""
    async with stage_in(folder) as stage:
        await both_posts(stage)
        holds, tasks = SystemHolds(stage.monitor), Tasks()
        async with ends_of(stage, stage.cast.calls[0], 0) as ends, UdpProxy(seed=1) as proxy:
            ends.family.via = proxy.rewrite
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            tasks.start(holds.watch())
            yield stage, ends, proxy, holds
        await tasks.close()


def sounds(ends: Ends) -> list[Line]:
    return [line for end in ends.all_of() for line in end.lines if line.kind == "audio"]


async def more_sound(ends: Ends, packets: int) -> None:
    """Wait until both ends have received so many more packets of sound."""
    wanted = {line.ssrc: line.packets + packets for line in sounds(ends)}
    await until(lambda: all(line.packets >= wanted[line.ssrc] for line in sounds(ends)), WITHIN_S, "more sound")


@pytest.mark.feature("F23")
async def test_sound_goes_on_at_five_percent_loss_and_nobody_is_held(tmp_path: Path) -> None:
    async with call_over(tmp_path) as (stage, ends, proxy, holds):
        profile = PROFILES["5 % loss"]
        proxy.impair(profile.up, profile.down)
        await more_sound(ends, ENOUGH)
        assert proxy.up.lost
        assert proxy.down.lost
        assert holds.of([ends.booked.call_id]) == []
        assert stage.monitor.phase(ends.booked.call_id) == "live"


@pytest.mark.feature("F23")
async def test_sound_survives_a_burst_of_loss(tmp_path: Path) -> None:
    async with call_over(tmp_path) as (_, ends, proxy, holds):
        proxy.impair(BURST, BURST)
        before = [(line.packets, line.expected) for line in sounds(ends)]
        await more_sound(ends, ENOUGH)
        for line, (packets, expected) in zip(sounds(ends), before, strict=True):
            assert (line.packets - packets) / (line.expected - expected) > 0.5
        proxy.impair(CLEAR, CLEAR)
        await more_sound(ends, ENOUGH // 10)  # what was on its way during the burst is through
        lost = [line.lost for line in sounds(ends)]
        await more_sound(ends, ENOUGH // 3)
        assert [line.lost for line in sounds(ends)] == lost
        assert holds.of([ends.booked.call_id]) == []


@pytest.mark.feature("F20")
async def test_who_was_cut_off_comes_back_to_the_same_seat_by_itself(tmp_path: Path) -> None:
    async with call_over(tmp_path) as (stage, ends, proxy, holds):
        call_id, peers = ends.booked.call_id, [end.peer for end in ends.all_of()]
        proxy.impair(NOTHING, NOTHING)
        await until(lambda: bool(stage.monitor.holds(call_id)), WITHIN_S, "the hold of an interrupted call")
        proxy.impair(CLEAR, CLEAR)
        ends.mark()
        await ends.media("media after the blackout", WITHIN_S)
        await until(lambda: not stage.monitor.holds(call_id), WITHIN_S, "the hold cleared by itself")
        assert [hold.kind for hold in holds.of([call_id])] == [HoldKind.INTERRUPTED]
        assert [end.peer for end in ends.all_of()] == peers
        assert all(leg.verified for leg in stage.monitor.calls[call_id].legs)
