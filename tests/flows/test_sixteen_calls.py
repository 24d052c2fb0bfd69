"""Scenario 11 through real sockets and media: sixteen calls and one monitor, and a call that nobody looks at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain import policy as published
from broker.domain.policy import DEFAULT, Policy
from broker.domain.records import Grade, Role
from broker.engine.accounts import NewAccount
from broker.synthetic.caller import both
from broker.synthetic.site import Site
from broker.synthetic.staff import Monitor
from broker.synthetic.stage import PAIRS, Ends, Stage, ask_for_calls, both_posts, ends_of, staffed
from broker.synthetic.talk import until
from tests.flows.support import PLACE, Running, broker_in, console_code

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

WITHIN_S = 60.0
IN_FLIGHT_S = 0.5
LIVE = 16
SECOND, PASSWORD = "SYN-SECOND", "correct horse battery"
AT_ONCE = 4  # calls that are brought together side by side: a family's page is not opened by sixteen at one instant


@pytest.fixture
def hurried() -> Iterator[Policy]:
    """A published policy under which a call of tier 3 is looked at every eight seconds."""
    policy = replace(DEFAULT, version="hurried", attention_tier3_s=8.0, check_after_least_s=600, check_after_most_s=900)
    published.POLICIES[policy.version] = policy
    yield policy
    del published.POLICIES[policy.version]


@asynccontextmanager
async def hall_of(folder: Path, calls: int, policy: Policy = DEFAULT) -> AsyncIterator[tuple[Running, Stage]]:
    """A broker with that many calls, both posts staffed, and a second monitor's account."""
    async with broker_in(folder, policy) as broker, Site(broker.url) as site:
        account = NewAccount("second", SECOND, "Sita Second", Grade.OSG, PASSWORD, ((PLACE, Role.MONITOR),))
        await broker.office.accounts.add(account, "test")
        cast = await ask_for_calls(site, broker.credential, calls)
        async with staffed(site, cast) as stage:
            await both_posts(stage)
            yield broker, stage


@asynccontextmanager
async def brought_together(stage: Stage, first: int, count: int) -> AsyncIterator[list[Ends]]:
    """Bring both ends of `count` calls together, and leave none behind."""
    async with AsyncExitStack() as open_ends:
        made = [
            await open_ends.enter_async_context(ends_of(stage, stage.cast.calls[n], n % PAIRS))
            for n in range(first, first + count)
        ]
        for at in range(0, count, AT_ONCE):
            await asyncio.gather(*(both(ends.laptop, ends.family) for ends in made[at : at + AT_ONCE]))
        yield made


@asynccontextmanager
async def second_monitor(broker: Running, stage: Stage) -> AsyncIterator[Monitor]:
    """Another person signs on to the monitoring post, with a wall of their own."""
    code = await console_code(broker.office, "WS-2")
    async with Monitor(stage.site, stage.pacer, "second", PASSWORD, code) as second:
        await second.sign_in()
        await second.take_post(PLACE)
        await second.connect_wall()
        yield second


def state(monitor: Monitor, call_id: str) -> str:
    """Return how a call stands to its limit, as that monitor was last told."""
    part = monitor.attending.known.get(call_id)
    return part.state.value if part is not None else ""


@pytest.mark.feature("F44", "F57", "F62", "F113")
async def test_of_seventeen_calls_one_waits_in_honest_words_for_a_second_monitor_and_a_pause_silences_each(
    tmp_path: Path,
) -> None:
    async with (
        hall_of(tmp_path, LIVE + 1) as (broker, stage),
        brought_together(stage, 0, LIVE) as ends,
        brought_together(stage, LIVE, 1) as (last,),
    ):
        for one in ends:
            await one.media("media of every call", WITHIN_S)
        wait = last.booked.call_id
        await until(lambda: stage.monitor.calls[wait].missing == ["capacity"], WITHIN_S, "the seventeenth waits")
        for end in last.all_of():
            assert end.visit is not None
            officer = next(one for one in end.visit.waiting if one.who == "officer")
            assert (officer.ready, officer.detail) == (False, "capacity")
        shown = {part.call_id for part in stage.monitor.carried}
        assert {one.booked.call_id for one in ends} <= shown

        async with second_monitor(broker, stage):
            await last.media("media of the seventeenth", WITHIN_S)
            assert {stage.monitor.phase(one.booked.call_id) for one in (*ends, last)} == {"live"}
            for one in ends:
                await stage.monitor.pause(one.booked.call_id)
            await silent(*ends)


async def silent(*calls: Ends) -> None:
    """Check that nothing comes to either end of any call, once what was on its way is there."""
    await asyncio.sleep(IN_FLIGHT_S)
    before = [ends.packets() for ends in calls]
    await asyncio.sleep(IN_FLIGHT_S)  # 25 packets of sound would have come to each end
    assert [ends.packets() for ends in calls] == before


@pytest.mark.feature("F47", "F58")
async def test_a_call_nobody_looks_at_turns_red_is_offered_to_another_and_held_where_no_other_looks(
    tmp_path: Path, hurried: Policy
) -> None:
    async with (
        hall_of(tmp_path, 1, hurried) as (broker, stage),
        brought_together(stage, 0, 1) as (ends,),
        second_monitor(broker, stage) as second,
    ):
        call_id = ends.booked.call_id
        await ends.media("media", WITHIN_S)
        stage.monitor.attends = second.attends = False  # both walls go on showing it, and nobody looks
        await until(lambda: state(stage.monitor, call_id) == "overdue", WITHIN_S, "the call is red")
        assert stage.monitor.holds(call_id) == []
        await until(lambda: state(second, call_id) == "offered", WITHIN_S, "it is offered to the other")
        await until(lambda: any(one.code == "unwatched_offered" for one in second.alerts), WITHIN_S, "and told so")
        await until(lambda: state(stage.monitor, call_id) == "held", WITHIN_S, "the hold at twice the limit")
        assert [hold.kind for hold in stage.monitor.calls[call_id].holds] == ["unwatched"]
        await until(lambda: ends.family.screen == ends.laptop.screen == "paused", WITHIN_S, "paused screens")
        await silent(ends)

        ends.mark()
        second.attends = True  # looks at what is held first
        await ends.media("media again after the look, by itself", WITHIN_S)
        assert stage.monitor.holds(call_id) == []
