"""Looks, observation records and offers, over the engine."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from broker.domain import commands as c
from broker.domain.attention import AttentionState
from broker.domain.codes import AlertCode, HoldKind, Post, Warning
from broker.edge.presenter import Presenter
from tests.engine.hall import PRISON, Table, crosses, shown


@pytest.fixture
async def table() -> Table:
    made = Table()
    await made.open()
    return made


async def seconds(table: Table, count: int, *consoles: str) -> None:
    """Let time pass with these walls and the hall page proven each second."""
    for _ in range(count):
        await table.pass_time(1)
        table.engine.prove_presence("s-t", True)
        for session in consoles or ("c-m",):
            await table.engine.prove_wall(session, True, {"v1": [shown("v1.1"), shown("v1.2")]})
        await table.engine.watch.second()
        await table.tick()


async def recorded(table: Table, kind: str) -> list[dict[str, Any]]:
    return [dict(record.body) for record in await table.log.read("call:v1") if record.type == kind]


def alerts(table: Table) -> list[str]:
    """Return the codes of the alerts that stand for the call."""
    table.engine.causes.look()
    return sorted(alert.code for alert in table.engine.alerts.standing_for("v1") if alert.code.startswith("unw"))


@pytest.mark.feature("F47")
async def test_a_tile_that_is_proven_and_never_looked_at_is_held_at_twice_the_limit(table: Table):
    await table.live()
    await seconds(table, 130)
    assert crosses(table)
    assert alerts(table) == ["unwatched"]
    await seconds(table, 115)
    assert [hold.kind for hold in table.call().holds] == [HoldKind.UNWATCHED]
    assert not crosses(table)
    assert alerts(table) == ["unwatched", "unwatched_held"]

    await table.engine.focus("c-m", "v1")
    await seconds(table, 6)
    assert table.call().holds == ()
    assert crosses(table)
    assert alerts(table) == []
    (looked,) = await recorded(table, "attention.looked")
    assert (looked["number"], looked["limit_s"], looked["within"]) == ("M1", 120, False)


@pytest.mark.feature("F47")
async def test_focus_is_a_look_only_while_the_page_is_proven_to_show_it(table: Table):
    await table.live()
    await table.engine.focus("c-m", "v1")
    await table.pass_time(1)
    assert table.engine.presence.attention.of(table.call(), table.clock.now()).look is None
    await seconds(table, 3)
    part = Presenter(table.engine).attention(table.call(), table.clock.now())
    assert part is not None
    assert (part.state, part.in_focus, part.due_at, part.by) == (AttentionState.FINE, True, None, "M1")


@pytest.mark.feature("F58")
async def test_a_meaningful_act_on_the_call_is_a_look(table: Table):
    monitor, _ = await table.live()
    await seconds(table, 100)
    await table.engine.send("v1", c.Warn(monitor, Warning.DRESS))
    await seconds(table, 100)
    assert alerts(table) == []
    (looked,) = await recorded(table, "attention.looked")
    assert looked["within"] is True


@pytest.mark.feature("F47")
async def test_an_overdue_call_goes_to_another_monitor_with_room(table: Table):
    await table.live()
    await table.post("M2", Post.MONITOR, "c-2")
    await table.engine.offer("c-2", frozenset(), "audio=8 video=40", 0)
    await table.turns()
    await seconds(table, 125, "c-m", "c-2")
    presenter = Presenter(table.engine)
    part = presenter.attention(table.call(), table.clock.now())
    assert part is not None
    assert (part.state, part.by) == (AttentionState.OVERDUE, "M1")
    await seconds(table, 60, "c-m", "c-2")
    part = presenter.attention(table.call(), table.clock.now())
    assert part is not None
    assert (part.state, part.by, part.by_name) == (AttentionState.OFFERED, "M2", "Name M2")
    assert alerts(table) == ["unwatched", "unwatched_offered"]


@pytest.mark.feature("F47")
async def test_an_offer_of_before_a_restart_is_over_once_the_call_is_looked_at_or_gone(table: Table):
    await table.live()
    for call_id in ("v1", "v8"):
        table.engine.alerts.raise_(AlertCode.UNWATCHED_OFFERED, establishment=PRISON, call_id=call_id)
    await table.turns()
    table.engine = table.new_engine()
    await table.open()
    await table.engine.alerts.restore([PRISON])
    await table.engine.watch.second()
    table.engine.causes.look()

    assert [alert for alert in table.engine.alerts.standing() if alert.code is AlertCode.UNWATCHED_OFFERED] == []


async def test_what_the_record_lacks_of_a_call_that_is_gone_is_told_until_the_record_has_it(table: Table):
    table.engine.alerts.raise_(AlertCode.UNRECORDED, establishment=PRISON, call_id="v8")
    table.engine.recorder.journal("call:v8", [])
    table.engine.causes.look()
    assert [alert.code for alert in table.engine.alerts.standing()] == [AlertCode.UNRECORDED]
    await table.engine.recorder.flush()
    table.engine.causes.look()
    assert table.engine.alerts.standing() == []


@pytest.mark.feature("F48")
async def test_what_was_displayed_is_on_record_by_itself(table: Table):
    await table.live()
    await seconds(table, 70)
    await table.engine.focus("c-m", "v1")
    await seconds(table, 10)
    await table.engine.focus("c-m", "v1", sound=False)
    await seconds(table, 5)
    await table.engine.sign_off("c-m")
    await table.engine.watch.second()
    spans = await recorded(table, "observation.recorded")
    assert [(span["mode"], span["sound"]) for span in spans] == [
        ("tile", False), ("tile", False), ("focus", True), ("focus", False),
    ]  # fmt: skip
    assert {(span["number"], span["session"]) for span in spans} == {("M1", "c-m")}
    assert all(one["to"] == other["from"] for one, other in pairwise(spans)), "no gap between"


@pytest.mark.feature("F40")
async def test_frames_that_are_claimed_without_receiver_reports_prove_nothing(table: Table):
    await table.live()
    console = table.engine.console("c-m")
    assert console is not None
    lines = {leg: console.held[leg][1] for leg in ("v1.1", "v1.2")}
    for line in lines.values():
        table.plane.flowing["c-m", line] = 0.1
        table.plane.frames["c-m", line, 777] = 0.2
        table.plane.sent_frames["c-m", line] = 30

    async def age() -> float | None:
        table.clock.turn(1)
        tile = [shown(leg, line=line, timestamp=777) for leg, line in lines.items()]
        await table.engine.prove_wall("c-m", True, {"v1": tile})
        return table.engine.presence.proof_age_s("c-m", "v1", table.clock.now())

    assert await age() == 0
    table.plane.reports["c-m", lines["v1.2"]] = 3.5
    assert await age() == 1
    table.plane.reports["c-m", lines["v1.2"]] = None
    assert await age() == 2
    del table.plane.reports["c-m", lines["v1.2"]]
    table.plane.sent_frames["c-m", lines["v1.2"]] = 90
    assert await age() == 3, "less than half of what was sent"


@pytest.mark.feature("F40")
async def test_a_report_that_is_sent_again_proves_nothing(table: Table):
    await table.live()
    tiles = {"v1": [shown("v1.1"), shown("v1.2")]}
    await table.engine.prove_wall("c-m", True, tiles, n=7)
    table.clock.turn(1)
    await table.engine.prove_wall("c-m", True, tiles, n=7)
    assert table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) == 1


@pytest.mark.feature("F48")
async def test_a_wall_that_was_not_proven_for_seconds_has_a_gap_on_record(table: Table):
    await table.live()
    await seconds(table, 5)
    await table.pass_time(6)
    await seconds(table, 5)
    await table.engine.sign_off("c-m")
    await table.engine.watch.second()
    before, after = await recorded(table, "observation.recorded")
    assert before["to"] < after["from"]


@pytest.mark.feature("F47")
async def test_a_look_is_over_seconds_after_the_eyes_have_gone_and_the_next_is_another(table: Table):
    await table.live()
    for _ in range(2):
        await table.engine.focus("c-m", "v1")
        await seconds(table, 3)
        await table.engine.focus("c-m", None)
        await seconds(table, 10)
    part = Presenter(table.engine).attention(table.call(), table.clock.now())
    assert part is not None
    assert not part.in_focus
    assert part.due_at is not None
    assert len(await recorded(table, "attention.looked")) == 2
