"""Days of made-up calls on a desk's record, for the pages that show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.codes import EndReason, Post, Warning
from broker.domain.records import Visit
from broker.ports import NewEvent
from tests.domain.stories import Rec, added, named, stream_of
from tests.domain.support import MONITOR, NOON, booked, live
from tests.office import Desk

S = timedelta(seconds=1)


def _call(n: int) -> tuple[str, list[Rec]]:
    """Return a call of the day: most go well, some are paused, warned, weak or left alone."""
    call_id = f"v{n}"
    first = named(booked(), call_id, tier=1 + n % 3)
    scene = live(first)
    scene.wait(200 + 10 * n)
    more: list[tuple[str, object, str, dict[str, object]]] = []
    if n % 4 == 1:
        scene.do(c.Warn(MONITOR, Warning.DRESS))
        body = {"breach_id": "b1", "category": "dress", "outcome": "warned", "clock_s": 200}
        more.append(("breach.recorded", scene.now, "staff:M1", body))
    if n % 5 == 2:
        scene.do(c.Pause(MONITOR))
        scene.wait(40)
        scene.do(c.Clear(MONITOR, scene.call.holds[0].id, scene.call.seq))
    if n % 6 == 3:
        scene.wait(30, proven=[Post.SUPERVISOR])
    if n % 7 == 4:
        scene.do(c.LoseMedia(SYSTEM, scene.call.legs[1].id))
        scene.wait(50)
        scene.do(c.ConnectMedia(SYSTEM, scene.call.legs[1].id))
    for at in range(30, 900, 30 + n):
        looked = {"number": "M1", "after_s": 20, "limit_s": 30, "within": at % 210 != 60}
        looked["since"] = (NOON + at * S).isoformat()
        more.append(("attention.looked", NOON + at * S, "system", looked))
    if n % 8 == 5:
        scene.do(c.End(MONITOR, EndReason.CONDUCT))
    scene.wait(1900)
    records = added(stream_of(scene, first), *more)  # type: ignore[arg-type]
    place = {"hall_id": "h-HRD", "seat_id": "t1-HRD"}  # of the desk's prison; the scene has a hall of its own
    return call_id, [replace(records[0], body={**records[0].body, **place}), *records[1:]]


async def fill(desk: Desk, calls: int = 12) -> None:
    """Put a day's calls on the record, and set the clock to its evening."""
    for n in range(calls):
        call_id, records = _call(n)
        events = [NewEvent(f"{call_id}-{rec.seq}", rec.type, rec.at, rec.actor, rec.body) for rec in records]
        ends = NOON + timedelta(minutes=30)
        row = Visit(call_id, "HRD", "social", "A1234BC", ("c1-HRD",), "h-HRD", "t1-HRD", NOON, ends, "B")
        await desk.log.append(f"call:{call_id}", 0, events, [row])
    desk.clock.turn(6 * 3600)
