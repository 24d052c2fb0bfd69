"""A supervised call, end to end: the main job of the product, whole and real. This test is never skipped or renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.domain.codes import EndReason
from broker.protocol import client
from broker.synthetic.caller import both
from broker.synthetic.stage import Ends, Stage, both_posts, ends_of, is_person, refused, shows, sounds
from broker.synthetic.talk import new_key, until
from tests.flows.support import live_call, stage_in

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]  # a guard against hanging on a busy machine

WITHIN_S = 15.0
LONG_ENOUGH_S = 1.0  # to see that nothing comes: 50 packets of sound a second would


@asynccontextmanager
async def watched_call(folder: Path) -> AsyncIterator[tuple[Stage, Ends]]:
    """A call that is live, watched by its monitor and heard, with its supervisor in the hall."""
    async with live_call(folder) as (stage, ends):
        await stage.monitor.focus(ends.booked.call_id)
        await heard_on_the_wall(stage, ends)
        yield stage, ends


async def heard_on_the_wall(stage: Stage, ends: Ends) -> None:
    legs = (ends.booked.prisoner_leg, ends.booked.family_leg)
    lines = [(kind, leg) for leg in legs for kind in ("audio", "video")]
    await until(
        lambda: all((line := stage.monitor.line_of(*at)) and line.packets for at in lines), WITHIN_S, "the wall"
    )


async def nothing_comes(stage: Stage, ends: Ends) -> bool:
    """Tell whether neither end nor the console receives a packet, although both ends go on sending."""
    await asyncio.sleep(0.3)
    receivers, sent = stage.receivers(ends), ends.sent()
    before = receivers.packets()
    await asyncio.sleep(LONG_ENOUGH_S)
    assert all(now > then for then, now in zip(sent, ends.sent(), strict=True))
    return receivers.packets() == before


@pytest.mark.feature("F13", "F34", "F44", "F46", "F52", "F53", "F114")
async def test_a_supervised_call(tmp_path: Path) -> None:
    async with watched_call(tmp_path) as (stage, ends):
        call_id, (prisoner, family) = ends.booked.call_id, ends.numbers
        await everyone_sees_and_hears_the_right_person(stage, ends, prisoner, family)

        hold_id, _ = await stage.monitor.pause(call_id)
        await until(lambda: ends.family.screen == ends.laptop.screen == "paused", WITHIN_S, "paused screens")
        assert ends.family.visit is not None
        assert ends.family.visit.pause == "staff"
        assert await nothing_comes(stage, ends)

        ends.mark()
        await stage.monitor.clear(call_id, hold_id)
        await ends.media("media after the pause")

        await stage.supervisor.end(call_id, EndReason.FINISHED_EARLY)
        await until(lambda: ends.family.screen == ends.laptop.screen == "ended", WITHIN_S, "ended screens")
        receivers = stage.receivers(ends)
        before = receivers.packets()
        await asyncio.sleep(LONG_ENOUGH_S)
        assert receivers.packets() == before
        again = client.LobbyEnter(key=new_key())
        assert await refused(ends.family, again) == "already_ended"


async def everyone_sees_and_hears_the_right_person(stage: Stage, ends: Ends, prisoner: int, family: int) -> None:
    legs = {ends.booked.prisoner_leg: prisoner, ends.booked.family_leg: family}
    at_family, at_laptop = ends.family.tap(), ends.laptop.tap()
    wall = {(kind, leg): stage.monitor.tap(kind, leg) for leg in legs for kind in ("audio", "video")}
    taps = [*at_family.values(), *at_laptop.values(), *wall.values()]
    await until(lambda: all(tap is not None and len(tap.frames) >= 30 for tap in taps), WITHIN_S, "frames to look at")
    assert await is_person(at_family, prisoner)
    assert await is_person(at_laptop, family)
    for leg, number in legs.items():
        assert await shows(wall["video", leg], number)
        assert await sounds(wall["audio", leg], number)


@pytest.mark.feature("F34")
async def test_no_call_starts_without_a_technical_supervisor(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage:
        await both_posts(stage)
        async with ends_of(stage, stage.cast.calls[0], 0) as ends:
            call_id, prisoner_leg = ends.booked.call_id, ends.booked.prisoner_leg
            stage.supervisor.verifies = stage.monitor.verifies = lambda call: False
            await both(ends.laptop, ends.family)
            await until(lambda: stage.supervisor.waits(call_id, prisoner_leg), WITHIN_S, "the prisoner at the seat")
            await stage.supervisor.verify(call_id, prisoner_leg)
            await stage.supervisor.leave_post()
            await stage.monitor.verify(call_id, ends.booked.family_leg)
            await stage.monitor.call_is(call_id, "ready")
            await asyncio.sleep(LONG_ENOUGH_S)
            assert (stage.monitor.phase(call_id), ends.packets()) == ("ready", 0)
            assert "supervisor" in stage.monitor.calls[call_id].missing
            await stage.supervisor.take_post(stage.cast.establishment, stage.cast.hall_id)
            await ends.media("media once the hall has its supervisor again")


@pytest.mark.feature("F13")
async def test_no_prisoner_is_seen_before_the_family_is_verified(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage:
        stage.monitor.verifies = lambda call: False
        await both_posts(stage)
        async with ends_of(stage, stage.cast.calls[0], 0) as ends:
            await both(ends.laptop, ends.family)
            call_id, family_leg = ends.booked.call_id, ends.booked.family_leg
            await until(lambda: stage.monitor.waits(call_id, family_leg), WITHIN_S, "the family in the lobby")
            await asyncio.sleep(LONG_ENOUGH_S)
            assert ends.packets() == 0
            await stage.monitor.verify(call_id, family_leg)
            await ends.media("media once the family is verified")


@pytest.mark.feature("F20")
async def test_a_reloaded_page_comes_back_to_the_same_call(tmp_path: Path) -> None:
    async with watched_call(tmp_path) as (_, ends):
        await ends.family.come_back()
        await until(lambda: ends.family.screen == "call", WITHIN_S, "the call on the reloaded page")
        ends.mark()
        await ends.media("media after the reload")


@pytest.mark.feature("F2")
async def test_a_link_opens_in_one_browser(tmp_path: Path) -> None:
    async with watched_call(tmp_path) as (stage, ends), ends_of(stage, ends.booked, 0) as others:
        with pytest.raises(Exception, match="link_elsewhere"):
            await others.family.connect_socket()
