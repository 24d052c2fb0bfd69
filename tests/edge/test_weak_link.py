"""A leg whose link is too weak for a picture: who is told, and that monitoring stays as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.call import Leg, LegRole, begin
from broker.domain.codes import HoldKind
from broker.edge.presenter import leg_health
from broker.ports import EndpointHealth
from tests.domain.support import booked
from tests.edge.wire import REPORTS, Live, Wire, wire

CALL = begin(booked())
FAMILY = Leg("v1.2", LegRole.FAMILY, ("c1",), connected=True)
SOUND_ONLY = EndpointHealth(loss_out=0.02, picture="none", dropped=(0,))


def lines_of(live: Live) -> dict[str, int]:
    """Return the line of the console that shows each leg."""
    console = live.wire.engine.console(live.monitor_session)
    assert console is not None
    return {leg: line for leg, (_, line) in console.held.items()}


async def second(w: Wire, live: Live, *, shows: bool) -> None:
    """Let a second pass in which the wall presents new frames of both legs, or placeholders in their stead."""
    w.desk.clock.turn(1)
    await w.engine.renew()
    tiles = []
    for leg, line in lines_of(live).items():
        part = {"leg_id": leg, "ratio": 1.0, "unobscured": True, "width": 320, "height": 180}
        tiles.append({**part, "line": line, "frames": 15, "rtp_timestamp": 777, "advanced": True} if shows else part)
    heard = w.desk.clock.now().isoformat()
    await live.monitor.say(
        "wall.proof", n=next(REPORTS), heard=heard, visible=True, tiles=[{"call_id": live.visit.id, "legs": tiles}]
    )
    await live.supervisor.say("presence", n=1, heard=heard, visible=True)
    for talk in (live.monitor, live.supervisor):
        await talk.refusal("post.sign_on", post="monitor", scope=["nowhere"], guidance="")  # all before it was read
    await w.tick()


def flow(w: Wire, live: Live) -> None:
    """Let the relay send fresh frames of both legs to the console."""
    for line in lines_of(live).values():
        w.plane.flowing[live.monitor_session, line] = 0.1
        w.plane.frames[live.monitor_session, line, 777] = 0.2


@pytest.mark.feature("F23")
async def test_only_the_side_whose_link_is_weak_is_told_and_told_when_it_is_back() -> None:
    async with wire() as w:
        live = await w.live_call()
        w.plane.healths[live.legs[1]] = SOUND_ONLY
        await w.tick()
        assert (await live.family.of_type("media.quality"))["dropped"] == [0]
        assert live.family.last("media.quality")["picture"] == "none"

        w.plane.healths[live.legs[1]] = replace(SOUND_ONLY, picture="reduced", dropped=())
        await w.tick()
        assert (await live.family.of_type("media.quality", picture="reduced"))["dropped"] == []
        await live.laptop.done("leg.help")
        assert not [m for m in live.laptop.heard if m["type"] == "media.quality"]


async def test_what_has_not_changed_is_not_said_again() -> None:
    async with wire() as w:
        live = await w.live_call()
        for health in (SOUND_ONLY, SOUND_ONLY, EndpointHealth(), replace(SOUND_ONLY, loss_out=0.2)):
            w.plane.healths[live.legs[0]] = health
            await w.tick()
        await live.laptop.done("leg.help")
        assert len([m for m in live.laptop.heard if m["type"] == "media.quality"]) == 1


@pytest.mark.feature("F24")
async def test_a_leg_that_is_sound_only_is_watched_as_before() -> None:
    """What a leg receives says nothing of what the wall must show: its own picture still goes there."""
    async with wire() as w:
        live = await w.live_call()
        flow(w, live)
        w.plane.healths[live.legs[1]] = SOUND_ONLY
        before = w.plane.now_for(live.visit.id).routes
        for _ in range(6):
            await second(w, live, shows=True)
        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        assert entry.actor.call.holds == ()
        assert w.plane.now_for(live.visit.id).routes == before
        health = next(h for h in (await live.monitor.of_type("news"))["legs"] if h["leg_id"] == live.legs[1])
        assert (health["picture"], health["health"]) == ("none", "good")

        for _ in range(17):
            await second(w, live, shows=False)
        assert entry.actor.call.held_by(HoldKind.UNMONITORED) is not None, "a placeholder does not do while frames flow"


@pytest.mark.feature("F24")
async def test_a_leg_that_sends_sound_alone_is_watched_by_what_stands_in_its_place() -> None:
    """An uplink too weak for video: the relay has nothing to send, so its placeholder must be in view, and is proof."""
    async with wire() as w:
        live = await w.live_call()
        for _ in range(6):
            await second(w, live, shows=False)
        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        assert entry.actor.call.holds == ()
        assert w.plane.now_for(live.visit.id).routes


@pytest.mark.feature("F77")
@pytest.mark.parametrize(
    ("loss_in", "loss_out", "word"),
    [
        (0.0, 0.0, "good"),
        (0.099, 0.0, "good"),
        (0.0, 0.10, "poor"),
        (0.149, 0.02, "poor"),
        (0.0, 0.15, "bad"),
        (1.0, 0.0, "bad"),
    ],
)
def test_a_links_health_is_the_band_of_its_worse_direction(loss_in: float, loss_out: float, word: str) -> None:
    assert leg_health(CALL, FAMILY, EndpointHealth(loss_in=loss_in, loss_out=loss_out)).health == word


def test_a_leg_without_media_has_no_health_and_no_word_on_its_picture() -> None:
    told = leg_health(CALL, replace(FAMILY, connected=False), SOUND_ONLY)
    assert (told.health, told.picture) == ("none", None)
