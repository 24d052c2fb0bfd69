"""The promises of the alert list: once while it stands, named people, all on the record, and back after a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.alerts import Alert
from broker.domain.codes import AlertCode, AlertOutcome, Code, Post, Refused
from broker.domain.records import Grade
from tests.engine.hall import PRISON, Table, chair


@pytest.fixture
async def table() -> Table:
    made = Table()
    await made.open()
    return made


def named(table: Table, code: AlertCode) -> list[Alert]:
    return [alert for alert in table.engine.alerts.of(PRISON) if alert.code is code]


async def recorded(table: Table) -> list[tuple[str, object]]:
    await table.turns()
    records = [r for r in await table.log.read(f"establishment:{PRISON}") if r.type.startswith("alert.")]
    return [(r.type, r.body.get("outcome") or r.body.get("number") or r.body.get("code")) for r in records]


async def refused(work) -> Code:
    with pytest.raises(Refused) as refusal:
        await work
    return refusal.value.code


async def ask_help(table: Table) -> Alert:
    await table.engine.registry.send("v1", c.AskHelp(Actor("leg:v1.1"), "v1.1"))
    return named(table, AlertCode.HELP)[-1]


@pytest.mark.feature("F74")
async def test_an_alert_is_raised_once_while_its_cause_stands_and_clears_by_itself(table: Table):
    await table.live()
    table.engine.endpoint_changed("v1.2", False)
    await table.turns()
    table.clock.turn(6)
    for _ in range(5):
        table.engine.causes.look()
    (alert,) = named(table, AlertCode.DISCONNECTED)
    assert alert.stands
    table.engine.endpoint_changed("v1.2", True)
    await table.turns()
    (alert,) = named(table, AlertCode.DISCONNECTED)
    assert alert.outcome is AlertOutcome.ITSELF
    assert ("alert.cleared", "itself") in await recorded(table)


@pytest.mark.feature("F75")
async def test_who_takes_an_alert_and_who_closes_it_are_named_on_the_record(table: Table):
    _, supervisor = await table.live()
    alert = await ask_help(table)
    await table.engine.alerts.acknowledge(supervisor, alert.id)
    await table.engine.alerts.dismiss(supervisor, alert.id, AlertOutcome.DEALT)
    (closed,) = named(table, AlertCode.HELP)
    assert (closed.acked_by, closed.cleared_by, closed.outcome) == ("T1", "T1", AlertOutcome.DEALT)
    assert (await recorded(table))[-3:] == [
        ("alert.raised", "help"),
        ("alert.acknowledged", "T1"),
        ("alert.cleared", "dealt"),
    ]


@pytest.mark.feature("F75")
async def test_the_other_post_may_neither_take_nor_close_what_is_not_its_task(table: Table):
    monitor, _ = await table.live()
    alert = await ask_help(table)
    assert await refused(table.engine.alerts.acknowledge(monitor, alert.id)) is Code.NOT_YOUR_POST
    assert await refused(table.engine.alerts.dismiss(monitor, alert.id, AlertOutcome.DEALT)) is Code.NOT_YOUR_POST


async def test_what_only_its_cause_clears_is_waved_away_by_nobody(table: Table):
    monitor, _ = await table.live()
    alert = table.engine.alerts.raise_(AlertCode.UNWATCHED, establishment=PRISON, call_id="v1")
    assert alert is not None
    assert await refused(table.engine.alerts.dismiss(monitor, alert.id, AlertOutcome.NO_ISSUE)) is Code.CAUSE_STANDS
    assert table.engine.alerts.alert(alert.id) == alert


async def test_of_two_people_the_first_who_takes_an_alert_is_kept(table: Table):
    monitor, _ = await table.live()
    second = await table.post("M2", Post.MONITOR, "c-m2", Grade.OSG)
    alert = table.engine.alerts.raise_(AlertCode.LINK_ELSEWHERE, establishment=PRISON, call_id="v1")
    assert alert is not None
    for actor in (monitor, second):
        await table.engine.alerts.acknowledge(actor, alert.id)
    assert named(table, AlertCode.LINK_ELSEWHERE)[0].acked_by == "M1"


async def test_a_false_alarm_is_not_raised_again_until_its_cause_has_gone_and_come_back(table: Table):
    monitor, _ = await table.live()
    since = table.clock.now()
    table.clock.turn(25)

    def advise(began) -> None:
        table.engine.causes.advise("c-m", "v1", "v1.2", AlertCode.FACES_FEWER, began)

    advise(since)
    (alert,) = named(table, AlertCode.FACES_FEWER)
    await table.engine.alerts.dismiss(monitor, alert.id, AlertOutcome.NO_ISSUE)
    advise(since)
    assert len(named(table, AlertCode.FACES_FEWER)) == 1
    advise(None)
    advise(since)
    assert len(named(table, AlertCode.FACES_FEWER)) == 2
    assert ("alert.cleared", "no_issue") in await recorded(table)


@pytest.mark.feature("F79")
async def test_a_child_who_leaves_the_picture_never_touches_the_call(table: Table):
    await table.live()
    before = (table.call(), table.plane.now_for("v1"))
    since = table.clock.now()
    for away_s, raised in ((15, 0), (25, 1)):
        table.clock.turn(away_s - (table.clock.now() - since).total_seconds())
        table.engine.causes.advise("c-m", "v1", "v1.2", AlertCode.FACES_FEWER, since)
        assert len(named(table, AlertCode.FACES_FEWER)) == raised
    assert (table.call(), table.plane.now_for("v1")) == before


async def test_advice_that_is_not_said_again_lapses(table: Table):
    await table.live()
    since = table.clock.now()
    table.clock.turn(25)
    table.engine.causes.advise("c-m", "v1", "v1.2", AlertCode.FACES_FEWER, since)
    table.clock.turn(16)
    table.engine.causes.look()
    assert named(table, AlertCode.FACES_FEWER)[0].outcome is AlertOutcome.ITSELF


async def test_a_console_may_not_claim_to_have_seen_it_before_the_call(table: Table):
    await table.live()
    long_ago = table.clock.now() - timedelta(days=1)
    table.engine.causes.advise("c-m", "v1", "v1.2", AlertCode.FACES_FEWER, long_ago)
    table.engine.causes.advise("c-m", "v1", "v9.9", AlertCode.FACES_FEWER, long_ago)
    table.engine.causes.advise("c-m", "v9", "v9.1", AlertCode.FACES_FEWER, long_ago)
    assert named(table, AlertCode.FACES_FEWER) == []


@pytest.mark.feature("F78")
async def test_a_second_face_is_an_alert_after_five_seconds_and_only_of_an_end_that_is_counted(table: Table):
    await table.live()
    since = table.clock.now()
    for waited_s, raised in ((4, 0), (6, 1)):
        table.clock.turn(waited_s - (table.clock.now() - since).total_seconds())
        table.engine.causes.advise("c-m", "v1", "v1.1", AlertCode.FACES_MORE, since)
        table.engine.causes.advise("c-m", "v1", None, AlertCode.FACES_MORE, since)
        assert [one.key.leg_id for one in named(table, AlertCode.FACES_MORE)] == ["v1.1"] * raised


@pytest.mark.feature("F75")
async def test_after_a_restart_the_list_is_as_it_was_and_nothing_is_raised_twice(table: Table):
    _, supervisor = await table.live()
    alert = await ask_help(table)
    await table.engine.alerts.acknowledge(supervisor, alert.id)
    gone = table.engine.alerts.raise_(AlertCode.LINK_ELSEWHERE, establishment=PRISON, call_id="v1")
    assert gone is not None
    monitor = table.engine.actor(chair("M1", Grade.OSG), "c-m")
    await table.engine.alerts.dismiss(monitor, gone.id, AlertOutcome.NO_ISSUE)
    await table.turns()
    before = {one.id: (one.code, one.post, one.acked_by, one.cleared_by) for one in table.engine.alerts.all()}

    table.engine = table.new_engine()
    await table.engine.alerts.restore([PRISON])
    await table.open()
    table.engine.causes.look()

    after = {one.id: (one.code, one.post, one.acked_by, one.cleared_by) for one in table.engine.alerts.all()}
    assert {id: after.get(id) for id in before} == before
    assert len(named(table, AlertCode.HELP)) == 1


async def test_yesterday_s_alerts_are_let_go(table: Table):
    await table.live()
    await ask_help(table)
    table.clock.turn(24 * 3600)
    table.engine = table.new_engine()
    await table.engine.alerts.restore([PRISON])
    assert table.engine.alerts.all() == []


async def test_an_alert_is_shown_though_the_record_is_down(table: Table):
    await table.live()
    table.log.down = True
    assert await ask_help(table)
    assert [alert.stands for alert in named(table, AlertCode.UNRECORDED)] == [True]
    table.log.down = False
    await table.engine.recorder.flush()
    table.engine.causes.look()
    assert named(table, AlertCode.UNRECORDED)[0].outcome is AlertOutcome.ITSELF


@pytest.mark.feature("F77")
async def test_a_quarter_of_an_hour_of_loss_is_kept_for_each_leg(table: Table):
    await table.live()
    for _ in range(200):
        table.engine.losses.sample()
    samples = table.engine.losses.of(table.call())
    assert {leg: len(ring) for leg, ring in samples.items()} == {"v1.1": 180, "v1.2": 180}
