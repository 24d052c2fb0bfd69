"""Relief: the post passes without an instant unwatched, by the record; breaks are asked for and may be put off."""

from __future__ import annotations

import pytest

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.codes import Code, Post, Refused
from broker.engine.board import HandoverEnded
from broker.engine.stream import establishment_stream
from tests.engine.hall import PRISON, Table, crosses, shown


async def relieved(table: Table) -> None:
    """A live call that M1 watches, and M2 signed on beside M1."""
    await table.live()
    await second_screen(table)


async def second_screen(table: Table) -> Actor:
    """M2 signs on, with a wall of their own."""
    actor = await table.post("M2", Post.MONITOR, "c-2")
    for home in range(table.plane.homes):
        await table.engine.offer("c-2", frozenset(), "audio=8 video=40", home)
    await table.turns()
    return actor


async def watch(table: Table, *sessions: str, seconds: int = 1) -> None:
    """Let seconds pass with these consoles displaying the call, and the hall present."""
    for _ in range(seconds):
        table.clock.turn(1)
        await table.engine.renew()
        for session in sessions:
            await table.engine.prove_wall(session, True, {"v1": [shown("v1.1"), shown("v1.2")]})
        table.engine.prove_presence("s-t", True)
        await table.tick()
        await table.engine.handovers.expire()
        await table.engine.breaks.look()


async def code_of(work) -> Code:
    with pytest.raises(Refused) as refused:
        await work
    return refused.value.code


async def recorded(table: Table, *types: str) -> list[tuple[str, dict]]:
    return [(r.type, dict(r.body)) for r in await table.log.read(establishment_stream(PRISON)) if r.type in types]


async def covers(table: Table) -> list[str | None]:
    """Return who covered the monitoring post of the call, change by change, as its record has it."""
    records = await table.log.read("call:v1")
    return [r.body["number"] for r in records if r.type == "cover.changed" and r.body["post"] == "monitor"]


@pytest.mark.feature("F42")
async def test_a_handover_passes_the_post_without_an_instant_unwatched_and_names_both():
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", "c-2", seconds=3)
    offer = await table.engine.handovers.offer("c-m", "M2")
    await watch(table, "c-m", "c-2", seconds=5)
    assert (await covers(table))[-1] == "M1"  # responsibility moves on the answer, not on the offer

    await table.engine.handovers.accept("c-2", offer.id)
    await watch(table, "c-2", seconds=30)

    names = await covers(table)
    assert names[-1] == "M2"
    assert None not in names[names.index("M1") :]
    assert not [r for r in await table.log.read("call:v1") if r.type in ("alarm.raised", "hold.placed")]
    assert crosses(table)
    offered, accepted = await recorded(table, "handover.offered", "handover.accepted")
    for _, body in (offered, accepted):
        assert (body["from"], body["to"], body["session"], body["to_session"]) == ("M1", "M2", "c-m", "c-2")
    assert offered[1]["live"] == 1
    (left,) = await recorded(table, "post.signed_off")
    assert (left[1]["session"], left[1]["why"]) == ("c-m", "handed_over")
    assert table.engine.presence.holder("c-m") is None
    assert table.engine.console("c-m") is None


@pytest.mark.feature("F42")
async def test_nobody_takes_over_who_does_not_have_every_live_call_on_screen():
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", seconds=3)
    assert await code_of(table.engine.handovers.offer("c-m", "M2")) is Code.NOT_ON_SCREEN

    await watch(table, "c-m", "c-2")
    offer = await table.engine.handovers.offer("c-m", "M2")
    await watch(table, "c-m", seconds=3)  # the incoming screen stops showing it
    assert await code_of(table.engine.handovers.accept("c-2", offer.id)) is Code.NOT_ON_SCREEN
    assert (await covers(table))[-1] == "M1"
    assert table.engine.handovers.of("c-2") == offer  # it may still be accepted, once the pictures are back


@pytest.mark.feature("F42")
@pytest.mark.parametrize("way", ["withdrawn", "refused", "timed_out", "lost"])
async def test_a_handover_that_stops_half_way_leaves_everything_as_it_was(way):
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", "c-2")
    offer = await table.engine.handovers.offer("c-m", "M2")
    assert await code_of(table.engine.handovers.offer("c-m", "M2")) is Code.HANDOVER_PENDING

    if way == "withdrawn":
        assert await code_of(table.engine.handovers.withdraw("c-2", offer.id)) is Code.UNKNOWN_HANDOVER
        await table.engine.handovers.withdraw("c-m", offer.id)
    elif way == "refused":
        assert await code_of(table.engine.handovers.refuse("c-m", offer.id)) is Code.UNKNOWN_HANDOVER
        await table.engine.handovers.refuse("c-2", offer.id)
    elif way == "lost":
        await table.engine.sign_off("c-2")
    await watch(table, "c-m", "c-2", seconds=125 if way == "timed_out" else 2)

    (over,) = await recorded(table, "handover.withdrawn")
    assert over[1]["why"] == way
    assert [x.outcome.value for x in table.changes if isinstance(x, HandoverEnded)] == [way]
    assert await code_of(table.engine.handovers.accept("c-2", offer.id)) is Code.UNKNOWN_HANDOVER
    assert table.engine.presence.holder("c-m") is not None
    assert (await covers(table))[-1] == "M1"


@pytest.mark.feature("F42")
async def test_the_one_coming_on_inherits_the_holds_of_the_one_going_off():
    table = Table()
    await table.open()
    monitor, _ = await table.live()
    relief = await second_screen(table)
    await table.engine.send("v1", c.Pause(monitor))
    await watch(table, "c-m", "c-2")
    offer = await table.engine.handovers.offer("c-m", "M2")
    assert offer.matters.held == 1
    await table.engine.handovers.accept("c-2", offer.id)

    hold = table.call().holds[0]
    await table.engine.send("v1", c.Clear(relief, hold.id, table.call().seq))
    await watch(table, "c-2")
    assert table.call().holds == () and crosses(table)


@pytest.mark.feature("F42")
async def test_what_came_to_the_one_going_off_since_the_offer_passes_too_or_nothing_does():
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", "c-2")
    offer = await table.engine.handovers.offer("c-m", "M2")
    both = frozenset({PRISON, "SKB"})
    await table.engine.posts.rescope("c-m", both, "transferred")
    assert await code_of(table.engine.handovers.accept("c-2", offer.id)) is Code.SCOPE_DIFFERS
    assert table.engine.presence.holder("c-m") is not None

    await table.engine.posts.rescope("c-2", both, "transferred")
    await watch(table, "c-m", "c-2")
    await table.engine.handovers.accept("c-2", offer.id)
    there = [r.type for r in await table.log.read(establishment_stream("SKB")) if r.type.startswith("handover.")]
    assert there == ["handover.accepted"]
    (taken,) = [one for one in table.engine.presence.holders if one.post is Post.MONITOR]
    assert (taken.number, taken.scope) == ("M2", both)


async def test_a_handover_that_cannot_be_recorded_passes_nothing():
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", "c-2")
    offer = await table.engine.handovers.offer("c-m", "M2")
    table.log.down = True
    assert await code_of(table.engine.handovers.accept("c-2", offer.id)) is Code.UNAVAILABLE
    assert table.engine.presence.holder("c-m") is not None


async def test_nobody_hands_over_to_themselves_to_nobody_or_across_scopes():
    table = Table()
    await table.open()
    await relieved(table)
    await watch(table, "c-m", "c-2")
    assert await code_of(table.engine.handovers.offer("c-m", "T1")) is Code.NOT_ON_POST
    assert await code_of(table.engine.handovers.offer("c-m", "M1")) is Code.NOT_PERMITTED
    assert await code_of(table.engine.handovers.offer("s-t", "M2")) is Code.NOT_ON_POST
    assert await code_of(table.engine.handovers.offer("nobody", "M2")) is Code.NOT_ON_POST


async def test_a_break_is_asked_for_once_recorded_and_may_be_put_off():
    table = Table()
    await table.open()
    await table.post("M1", Post.MONITOR, "c-m")
    await table.engine.breaks.look()
    assert await code_of_now(table.engine.breaks.snooze, "M1") is Code.TOO_EARLY
    table.clock.turn(table.engine.policy.break_after_s)
    await table.engine.breaks.look()
    await table.engine.breaks.look()
    assert [body for _, body in await recorded(table, "break.due")] == [
        {"number": "M1", "session": "c-m", "snoozed": 0}
    ]

    table.engine.breaks.snooze("M1")
    table.clock.turn(table.engine.policy.break_snooze_s)
    await table.engine.breaks.look()
    assert [body["snoozed"] for _, body in await recorded(table, "break.due")] == [0, 1]


async def code_of_now(work, *values) -> Code:
    with pytest.raises(Refused) as refused:
        work(*values)
    return refused.value.code
