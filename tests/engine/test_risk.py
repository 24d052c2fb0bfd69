"""Risk on a running node: assessed when a call opens and while it is open; the cap across several monitors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from broker.domain.call import Phase
from broker.domain.codes import AlertCode, AlertOutcome, Post, RiskReason
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, PrisonerAlert, Scope, Watch
from broker.engine.registry import replay
from tests.engine.hall import PRISON, Table, crosses

HERE = Scope(frozenset({PRISON}))
SINCE = date(2026, 1, 1)
ESCAPE = PrisonerAlert("a1", PRISON, "A1231BC", "XER", SINCE)


@pytest.mark.feature("F55")
async def test_a_call_is_scheduled_with_its_tier_and_reasons():
    table = Table()
    await table.directory.save(HERE, [ESCAPE])
    await table.open()

    assert (table.call(1).tier, table.call(1).tier_reasons) == (1, (RiskReason.ESCAPE,))
    assert table.call(2).tier == 3
    assert replay(await table.log.read("call:v1")).tier == 1


@pytest.mark.feature("F107")
async def test_an_alert_that_comes_after_the_booking_flags_the_call_before_its_start():
    table = Table()
    await table.open()
    await table.directory.save(HERE, [ESCAPE])
    await table.engine.registry.sweep()

    assert table.call(1).tier == 1
    assert [record.type for record in await table.log.read("call:v1")][-1] == "tier.set"
    await table.engine.registry.sweep()
    assert len(await table.log.read("call:v1")) == 2


@pytest.mark.feature("F80")
async def test_a_watched_person_s_call_alarms_the_desk_as_it_starts():
    table = Table()
    await table.directory.save(HERE, [Watch("w1", PRISON, "c1", SINCE)])
    await table.open()
    await table.live()
    await table.pass_time(2)

    assert AlertCode.WATCH_LIST in {alert.code for alert in table.engine.alerts.of(PRISON)}


async def test_a_watch_list_alert_that_a_person_closed_is_not_raised_again_in_the_same_call():
    table = Table()
    await table.directory.save(HERE, [Watch("w1", PRISON, "c1", SINCE)])
    await table.open()
    monitor, _ = await table.live()
    await table.pass_time(2)
    (alert,) = [one for one in table.engine.alerts.of(PRISON) if one.code is AlertCode.WATCH_LIST]
    await table.engine.alerts.dismiss(monitor, alert.id, AlertOutcome.DEALT)
    table.engine.causes.look()

    assert [one.stands for one in table.engine.alerts.of(PRISON) if one.code is AlertCode.WATCH_LIST] == [False]


@pytest.mark.feature("F57")
async def test_beyond_the_cap_a_call_waits_until_a_second_monitor_signs_on_and_no_live_one_stops():
    table = Table(policy=replace(DEFAULT, monitor_cap=1))
    await table.open()
    monitor, supervisor = await table.live(1)
    await table.join(monitor, supervisor, 2)
    assert table.call(2).phase is Phase.READY
    assert table.engine.missing(table.call(2)) == ["capacity"]

    await table.post("M2", Post.MONITOR, "c-m2", Grade.OSG)
    await table.tick()
    assert table.call(2).phase is Phase.LIVE

    await table.engine.sign_off("c-m2")
    for _ in range(20):
        await table.pass_time(1)
        await table.show(1)
        await table.show(2)
        table.engine.prove_presence("s-t", True)
    assert crosses(table, 1)
    assert crosses(table, 2)


async def test_a_sweep_reads_an_establishment_s_people_once_however_many_calls_are_open(monkeypatch):
    table = Table()
    await table.open()
    reads = []
    for name in ("contacts", "restrictions"):
        read = getattr(table.directory, name)

        async def counted(*scope, read=read, name=name):
            reads.append(name)
            return await read(*scope)

        monkeypatch.setattr(table.directory, name, counted)
    await table.engine.registry.sweep()

    assert sorted(reads) == ["contacts", "restrictions"]
