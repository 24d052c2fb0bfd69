"""Privileged calls on a running node: a console has lines for a look's seconds, and never a sound line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.call import Phase
from broker.domain.codes import Code, PatrolReason, Post, Refused
from broker.domain.permissions import staff_asker
from broker.domain.plan import Media
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, Role, Scope
from tests.engine.hall import PRISON, Table, crosses, visit

GOVERNOR = Actor("staff:G1", "G1", "G1", asker=staff_asker("G1", [(Role.DUTY_GOVERNOR, PRISON)]))


@pytest.fixture
async def table() -> Table:
    made = Table()
    await made.directory.save(Scope(frozenset({PRISON})), [replace(visit(1), kind="legal")])
    await made.open()
    return made


def to_console(table: Table, n: int = 1) -> set[Media]:
    return {route.kind for route in table.plane.now_for(f"v{n}").routes if route.sink == "c-m"}


async def second(table: Table) -> None:
    await table.pass_time(1)
    await table.engine.prove_wall("c-m", True, {})
    table.engine.prove_presence("s-t", True)
    await table.turns()


@pytest.mark.feature("F63")
async def test_a_legal_call_starts_on_the_console_s_presence_and_is_shown_on_no_line(table: Table):
    await table.live()
    for _ in range(30):
        await second(table)

    call = table.call()
    assert (call.phase, call.legs[1].role, crosses(table)) == (Phase.LIVE, "professional", True)
    assert (to_console(table), call.observers, call.holds) == (set(), (), ())
    with pytest.raises(Refused) as refusal:
        await table.engine.focus("c-m", "v1")
    assert refusal.value.code == Code.PRIVILEGED


@pytest.mark.feature("F64")
async def test_a_look_takes_lines_and_gives_them_back(table: Table):
    await table.live()
    await table.engine.looks.start("c-m", table.call())
    console = table.engine.console("c-m")
    assert console is not None
    assert (to_console(table), {leg for leg in console.held if leg.startswith("v1")}) == (
        {Media.VIDEO},
        {"v1.1", "v1.2"},
    )

    for _ in range(round(DEFAULT.look_max_s) + 1):
        await second(table)
    assert (to_console(table), {leg for leg in console.held if leg.startswith("v1")}) == (set(), set())
    types = [record.type for record in await table.log.read("call:v1")]
    assert (types.count("look.started"), types.count("look.ended")) == (1, 1)


async def test_a_look_that_is_refused_keeps_no_line(table: Table):
    await table.live()
    await table.engine.send("v1", c.RefuseLooks(Actor("leg:v1.2"), "v1.2"))
    with pytest.raises(Refused):
        await table.engine.looks.start("c-m", table.call())

    console = table.engine.console("c-m")
    assert console is not None
    assert not [leg for leg in console.held if leg.startswith("v1")]


async def test_a_console_that_is_gone_looks_no_more(table: Table):
    await table.live()
    await table.engine.looks.start("c-m", table.call())
    table.engine.lost("c-m")
    await table.turns()

    assert (to_console(table), table.call().privacy.look) == (set(), None)


@pytest.mark.feature("F63")
async def test_sound_stops_before_it_is_recorded_that_a_call_became_privileged():
    table = Table()
    await table.open()
    await table.live()
    await table.engine.focus("c-m", "v1")
    assert Media.AUDIO in to_console(table)
    heard_when_written = []
    append = table.log.append

    async def watching(stream, after_seq, events, rows=()):
        heard_when_written.append(to_console(table))
        return await append(stream, after_seq, events, rows)

    table.log.append = watching  # type: ignore[method-assign]
    await table.engine.send("v1", c.MakePrivileged(GOVERNOR, "legal"))
    await table.turns()

    console = table.engine.console("c-m")
    assert console is not None
    assert heard_when_written[0] == set()
    assert (to_console(table), console.focus, crosses(table)) == (set(), None, True)


@pytest.mark.feature("F42")
async def test_a_privileged_call_stands_in_the_way_of_no_handover(table: Table):
    await table.live()
    await table.post("M2", Post.MONITOR, "c-m2", Grade.OSG)
    for home in range(table.plane.homes):
        await table.engine.offer("c-m2", frozenset(), "audio=8 video=40", home)
    await table.engine.prove_wall("c-m2", True, {})
    incoming = table.engine.presence.holder("c-m2")
    assert incoming is not None

    assert table.engine.handovers.proven(incoming, ["v1"]) == ["v1"]


async def test_without_a_record_no_patrol_takes_the_place_of_a_monitor_who_is_gone(table: Table):
    await table.live()
    await second(table)
    table.log.down = True
    for _ in range(round(DEFAULT.proof_stale_s + DEFAULT.proof_grace_s) + 2):
        await table.pass_time(1)
        table.engine.prove_presence("s-t", True)
    assert (crosses(table), table.call().privacy.patrol) == (False, None)

    table.log.down = False
    await table.tick()
    assert (crosses(table), table.call().privacy.patrol) == (True, PatrolReason.POST_LOST)
