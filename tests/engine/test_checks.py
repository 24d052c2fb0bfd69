"""Attention checks over the engine: asked at random, answered at the tile, risen where nobody answers."""

from __future__ import annotations

import pytest

from broker.domain.codes import AlertCode, Code, Post, Refused
from broker.domain.records import Grade
from broker.engine.board import CheckChanged
from tests.engine.hall import PRISON, Table, crosses, shown


@pytest.fixture
async def table() -> Table:
    made = Table()
    await made.open()
    return made


async def seconds(table: Table, count: int) -> None:
    """Let time pass with the wall and the hall proven, and the call looked at."""
    for _ in range(count):
        await table.pass_time(1)
        table.engine.prove_presence("s-t", True)
        await table.engine.prove_wall("c-m", True, {"v1": [shown("v1.1"), shown("v1.2")]})
        await table.engine.checks.second({"c-m": table.engine.console("c-m")})  # type: ignore[dict-item]


def told(table: Table) -> list[CheckChanged]:
    return [change for change in table.changes if isinstance(change, CheckChanged)]


async def ringing(table: Table) -> CheckChanged:
    """Return the check that rings within six minutes."""
    await table.live()
    await table.engine.focus("c-m", "v1")
    for _ in range(37):
        await seconds(table, 10)
        if told(table):
            return told(table)[-1]
    raise AssertionError("no check rang")


async def recorded(table: Table) -> list[tuple[object, object]]:
    records = await table.log.read(f"establishment:{PRISON}")
    checks = [record.body for record in records if record.type == "attention.checked"]
    return [(body["outcome"], body["call_id"]) for body in checks]


@pytest.mark.feature("F58")
async def test_a_check_is_answered_at_its_tile_and_any_other_is_wrong(table: Table):
    asked = await ringing(table)
    with pytest.raises(Refused) as refusal:
        await table.engine.checks.answer("c-m", asked.check.id, "v2", None)
    assert refusal.value.code is Code.WRONG_TILE
    await table.engine.checks.answer("c-m", asked.check.id, None, asked.check.letter)
    assert told(table)[-1].stage is None
    assert await recorded(table) == [("wrong", "v1"), ("answered", "v1")]


@pytest.mark.feature("F58")
async def test_a_check_that_nobody_answers_rises_and_pauses_nothing(table: Table):
    asked = await ringing(table)
    await seconds(table, 150)
    assert [change.stage for change in told(table)][-3:] == ["tone", "missed", "unattended"]
    assert crosses(table)
    standing = {alert.code.value for alert in table.engine.alerts.standing()}
    assert {"check_missed", "unattended"} <= standing
    await table.engine.checks.answer("c-m", asked.check.id, "v1", None)
    assert not {"check_missed", "unattended"} & {alert.code.value for alert in table.engine.alerts.standing()}
    assert await recorded(table) == [("missed", "v1"), ("answered", "v1")]


UNANSWERED = {"check_missed", "unattended"}


def unanswered(table: Table) -> set[tuple[str, str | None]]:
    """Return which alerts of unanswered checks stand, and whose they are."""
    standing = table.engine.alerts.standing()
    return {(alert.code.value, alert.key.by) for alert in standing if alert.code.value in UNANSWERED}


@pytest.mark.feature("F58")
async def test_one_monitor_s_answer_leaves_another_s_missed_check_standing(table: Table):
    asked = await ringing(table)
    table.engine.alerts.raise_(AlertCode.UNATTENDED, establishment=PRISON, by="M2")
    await table.engine.checks.answer("c-m", asked.check.id, "v1", None)
    assert unanswered(table) == {("unattended", "M2")}


@pytest.mark.feature("F58")
async def test_a_monitor_who_signs_off_leaves_no_missed_check_behind(table: Table):
    await ringing(table)
    await seconds(table, 150)
    assert unanswered(table) == {("check_missed", "M1"), ("unattended", "M1")}
    await table.engine.sign_off("c-m")
    await table.engine.checks.second({})
    assert unanswered(table) == set()


@pytest.mark.feature("F58")
async def test_a_missed_check_of_before_a_restart_is_over_when_its_monitor_is_back(table: Table):
    await ringing(table)
    await seconds(table, 150)
    await table.turns()
    table.engine = table.new_engine()
    await table.open()
    await table.engine.alerts.restore([PRISON])
    assert unanswered(table) == {("check_missed", "M1"), ("unattended", "M1")}
    await table.post("M1", Post.MONITOR, "c-new", Grade.OSG)
    await table.engine.checks.second({"c-new": table.engine.console("c-new")})  # type: ignore[dict-item]
    assert unanswered(table) == set()
