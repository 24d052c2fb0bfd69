"""A made exercise on a desk's record: two calls, every verdict, and an act that nothing called for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broker.domain import commands as c
from broker.domain.codes import EndReason, Warning
from broker.domain.training import Cue, Due, Misdeed
from broker.ports import NewEvent
from tests.domain.stories import named, stream_of
from tests.domain.support import MONITOR, booked, live
from tests.office import Desk

WARN = Due(("warn.stay_in_view", "pause"), 20, 40)
ACK = Due(("ack.hand", "clear.hand"), 30, 60)
REPLAYED = "HRD"

Fact = tuple[str, datetime, str, dict[str, Any]]


def made(over: bool = True) -> tuple[list[Fact], dict[str, list[Any]]]:
    """Return the facts of the establishment's stream, and the records of the calls by stream."""
    firsts = {"v1": named(booked(), "v1"), "v2": named(booked(), "v2")}
    scenes = {call_id: live(first) for call_id, first in firsts.items()}
    for scene in scenes.values():
        scene.wait(1)
    first, second = scenes["v1"], scenes["v2"]
    facts: list[Fact] = []

    def fact(kind: str, at: datetime, actor: str = "training", **body: Any) -> None:
        facts.append((kind, at, actor, body))

    def cue(n: int, call_id: str, misdeed: Misdeed, *due: Due) -> None:
        fact(
            "training.cue",
            scenes[call_id].now,
            **Cue(n, scenes[call_id].now, misdeed, call_id, None, 10.0, due, ("end",)).body(),
        )

    fact("training.began", first.now, exercise="first-shift", seconds=300)
    fact("training.call", first.now, call_id="v1")
    fact("training.call", first.now, call_id="v2")
    first.wait(10)
    cue(0, "v1", Misdeed.COVERED, WARN)
    first.wait(8)
    first.do(c.Warn(MONITOR, Warning.STAY_IN_VIEW))
    second.wait(40)
    second.do(c.Warn(MONITOR, Warning.DRESS))
    second.wait(20)
    cue(1, "v2", Misdeed.HAND, ACK)
    fact(
        "alert.raised",
        second.now,
        "system",
        id="a1",
        code="hand",
        call_id="v2",
        leg_id="v2.2",
        level="warn",
        post="monitor",
        hall=None,
    )
    second.wait(41)
    fact("alert.acknowledged", second.now, "staff:M1", id="a1", number="M1")
    first.wait(100)
    cue(2, "v1", Misdeed.EMPTY, WARN)
    first.wait(60)
    cue(3, "v1", Misdeed.LOUD, WARN)
    first.wait(12)
    first.do(c.End(MONITOR, EndReason.CONDUCT))
    second.wait(150)
    cue(4, "v2", Misdeed.FROZEN, WARN)
    second.wait(5)
    if over:
        fact("training.left_out", second.now, n=5, misdeed="dropped", call_id="v1", why="not_live")
        second.wait(50)
        fact("training.over", second.now)
    facts.sort(key=lambda one: one[1])
    return facts, {f"call:{call_id}": stream_of(scenes[call_id], firsts[call_id]) for call_id in scenes}


async def put_on_record(desk: Desk, over: bool = True) -> None:
    """Put the exercise on the desk's record, at its first prison; the clock stands when it was asked for."""
    facts, calls = made(over)
    stream = f"establishment:{REPLAYED}"
    head = await desk.log.head(stream)
    events = [NewEvent(f"training-{n}", kind, at, actor, body) for n, (kind, at, actor, body) in enumerate(facts)]
    await desk.log.append(stream, head, events)
    for name, records in calls.items():
        found = [NewEvent(f"{name}-{one.seq}", one.type, one.at, one.actor, one.body) for one in records]
        await desk.log.append(name, 0, found)
    last = max(one.at for records in calls.values() for one in records)
    last = max(last, *(at for _, at, _, _ in facts))
    desk.clock.turn((last - desk.clock.now()).total_seconds())
