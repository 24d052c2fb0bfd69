"""Calls at several homes of the relay: one wall over all of them, and what happens when a home is lost."""

from __future__ import annotations

import pytest

from broker.domain import commands as c
from broker.domain.call import Phase
from broker.domain.codes import EndReason, HoldKind
from broker.domain.plan import Media, Route
from broker.engine.consoles import WALL_LINES, Console, video_pool
from broker.ports import RelayUnavailable
from tests.engine.hall import Table, crosses, shown
from tests.fakes import FakePlane


@pytest.fixture
async def table() -> Table:
    made = Table(plane=FakePlane(homes=2))
    await made.open()
    return made


def console_of(table: Table) -> Console:
    console = table.engine.console("c-m")
    assert console is not None
    return console


async def lose_home(table: Table, home: int, *calls: str) -> None:
    """The worker of `home` dies: its endpoints are told lost, and `calls` get the other home."""
    for call in calls:
        for leg in table.call(int(call[1:])).legs:
            table.plane.raise_endpoint(leg.id, False, home)
    table.plane.raise_endpoint("c-m", False, home)
    table.plane.change_home(home, False, *calls)
    await table.turns()


async def come_back(table: Table, n: int = 1) -> None:
    for leg in table.call(n).legs:
        table.plane.raise_endpoint(leg.id, True, table.plane.home(f"v{n}"))
    await table.turns()


async def test_a_call_is_shown_on_a_line_of_its_own_home(table: Table):
    await table.live()
    await table.arrive(2)
    await table.turns()
    console = console_of(table)
    assert [table.plane.home(call) for call in ("v1", "v2")] == [0, 1]
    assert {leg: console.held[leg] for leg in ("v1.1", "v1.2")} == {"v1.1": (0, 0), "v1.2": (0, 1)}
    assert {leg: console.held[leg] for leg in ("v2.1", "v2.2")} == {"v2.1": (1, 0), "v2.2": (1, 1)}
    assert {(route.source, route.line) for route in to_console(table, "v2")} == {("v2.2", 1)}


def to_console(table: Table, call_id: str = "v1") -> list[Route]:
    """Return the pictures that the relay sends to the console."""
    return [r for r in table.plane.now_for(call_id).routes if r.sink == "c-m" and r.kind is Media.VIDEO]


@pytest.mark.feature("F40")
async def test_a_picture_of_another_homes_line_proves_nothing(table: Table):
    await table.live()
    for line in (0, 1):
        table.plane.flowing["c-m", line] = 0.1
        table.plane.frames["c-m", line, 777] = 0.2

    async def age_after(home: int) -> float:
        table.clock.turn(1)
        tiles = [shown(leg, line=line, timestamp=777, home=home) for line, leg in enumerate(("v1.1", "v1.2"))]
        await table.engine.prove_wall("c-m", True, {"v1": tiles})
        return table.engine.presence.proof_age_s("c-m", "v1", table.clock.now()) or 0.0

    assert await age_after(1) == 1
    assert await age_after(0) == 0


@pytest.mark.feature("F103")
async def test_when_a_home_is_lost_its_call_is_interrupted_moves_and_waits_for_a_proof_that_is_younger(table: Table):
    await table.live()
    await lose_home(table, 0, "v1")
    assert table.call().held_by(HoldKind.INTERRUPTED) is not None
    assert not crosses(table)

    await come_back(table)
    table.clock.turn(1)
    await table.tick()
    assert table.call().held_by(HoldKind.INTERRUPTED) is None
    assert table.call().held_by(HoldKind.UNMONITORED) is None, "the monitor was never away"
    assert not crosses(table), "what was displayed before says nothing of the new home"

    await table.show()
    await table.tick()
    assert crosses(table)
    assert table.call().phase is Phase.LIVE
    console = console_of(table)
    assert {console.held[leg][0] for leg in ("v1.1", "v1.2")} == {1}
    assert all(route.line == console.line_on(table.call(), route.source, 1) for route in to_console(table))


@pytest.mark.feature("F103")
async def test_a_report_written_before_the_loss_is_no_proof_after_it(table: Table):
    await table.live()
    table.clock.turn(1)
    before = table.clock.now()
    table.clock.turn(1)
    await lose_home(table, 0, "v1")
    await come_back(table)
    await table.engine.prove_wall("c-m", True, {"v1": [shown("v1.1"), shown("v1.2")]}, before)
    table.clock.turn(1)
    await table.tick()
    assert not crosses(table)


@pytest.mark.feature("F103")
async def test_a_console_that_has_no_connection_at_the_new_home_proves_nothing_there(table: Table):
    await table.live()
    table.plane.raise_endpoint("c-m", False, 1)
    await lose_home(table, 0, "v1")
    await come_back(table)
    table.clock.turn(1)
    await table.show()
    await table.tick()
    assert not crosses(table)
    table.plane.raise_endpoint("c-m", True, 1)
    table.clock.turn(1)
    await table.show()
    await table.tick()
    assert crosses(table)


async def test_an_offer_at_a_home_that_is_down_is_refused_and_taken_when_it_is_back(table: Table):
    await table.live()
    await lose_home(table, 0, "v1")
    with pytest.raises(RelayUnavailable):
        await table.engine.offer("c-m", frozenset(), "audio=8 video=40", 0)
    assert set(console_of(table).lines) == {1}
    table.plane.change_home(0, True)
    await table.engine.offer("c-m", frozenset(), "audio=8 video=40", 0)
    assert set(console_of(table).lines) == {0, 1}


async def test_a_call_that_is_over_leaves_its_home(table: Table):
    monitor, _ = await table.live()
    await table.engine.send("v1", c.End(monitor, EndReason.FINISHED_EARLY))
    await table.turns()
    assert "v1" not in table.plane.homes_of


@pytest.mark.parametrize("homes", range(1, 9))
def test_a_full_wall_fits_whichever_home_is_lost(homes: int):
    standing = max(1, homes - 1)
    assert standing * video_pool(homes) >= WALL_LINES


async def test_a_line_that_the_calls_record_does_not_name_is_not_the_calls(table: Table):
    await table.live()
    console = console_of(table)
    assert console.line_on(table.call(), "v1.2", 0) == 1
    console.held["v1.2"] = (0, 2)
    assert console.line_on(table.call(), "v1.2", 0) is None
    assert console.line_on(table.call(), "v1.1", 1) is None
