"""Unwatched media, and a broker that stops or dies: real processes, real signals, real packets."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.config import Config
from broker.domain.policy import DEFAULT
from broker.office import open_office
from broker.synthetic.caller import both
from broker.synthetic.site import Site
from broker.synthetic.stage import Ends, Stage, ask_for_calls, both_posts, ends_of, staffed
from broker.synthetic.talk import until
from tests.flows.support import PLACE, command, config_in, process_for, stage_in, workers_of

pytestmark = [pytest.mark.flow, pytest.mark.timeout(150)]

WITHIN_S = 40.0
IN_FLIGHT_S = 0.5


async def one_live_call(stage: Stage, ends: Ends) -> None:
    """Bring both ends together, with both posts proven."""
    await both_posts(stage)
    await both(ends.laptop, ends.family)
    await ends.media("media at both ends")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Config, Process, Stage]]:
    """Run a broker in a process of its own, with both posts staffed here."""
    config = config_in(folder)
    async with open_office(config) as office:
        await office.places.add_establishment(PLACE, "Synthetic establishment", "test", synthetic=True)
        _, credential = await office.places.issue_credential(PLACE, "test")
    process = await process_for(config)
    try:
        async with Site(config.base_url) as site:
            cast = await ask_for_calls(site, credential, 1)
            async with staffed(site, cast) as stage:
                yield config, process, stage
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.wait()


def held(stage: Stage, call_id: str, kind: str) -> bool:
    """Say whether the hall sees that hold: the technical post stays, whatever becomes of the console."""
    call = stage.supervisor.calls.get(call_id)
    return call is not None and any(hold.kind == kind for hold in call.holds)


@pytest.mark.feature("F40")
async def test_a_console_that_shows_nothing_is_a_lost_monitor_although_it_is_connected(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage, ends_of(stage, stage.cast.calls[0], 0) as ends:
        await one_live_call(stage, ends)
        call_id = ends.booked.call_id

        stage.monitor.watching = False
        await until(lambda: held(stage, call_id, "unmonitored"), WITHIN_S, "the hold")
        await asyncio.sleep(IN_FLIGHT_S)
        before = ends.packets()
        await asyncio.sleep(1.0)
        assert ends.packets() == before
        assert ends.family.visit is not None
        assert (ends.family.screen, ends.family.visit.pause) == ("paused", "no_officer")

        ends.mark()
        stage.monitor.watching = True
        await until(lambda: not held(stage, call_id, "unmonitored"), WITHIN_S, "the hold clears by itself")
        await ends.media("media again, by itself")


@pytest.mark.feature("F40")
async def test_nothing_that_came_while_the_broker_was_stopped_crosses_when_it_goes_on(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, process, stage), ends_of(stage, stage.cast.calls[0], 0) as ends:
        await one_live_call(stage, ends)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(DEFAULT.plan_valid_s + IN_FLIGHT_S)  # its workers obey the last plan until it lapses
        before, sent = ends.packets(), ends.sent()
        await asyncio.sleep(2.0)
        assert ends.packets() == before
        workers = workers_of(process.pid)
        for worker in workers:
            worker.suspend()
        await asyncio.sleep(10.0)  # past the 15 s that a proof may carry; both ends go on sending into their sockets
        assert all(now > then for then, now in zip(sent, ends.sent(), strict=True))

        stage.monitor.watching = False
        for worker in workers:
            worker.resume()
        process.send_signal(signal.SIGCONT)
        await until(lambda: held(stage, ends.booked.call_id, "unmonitored"), WITHIN_S, "the hold")
        await asyncio.sleep(IN_FLIGHT_S)
        assert ends.packets() == before

        ends.mark()
        stage.monitor.watching = True
        await ends.media("media after the stop")


@pytest.mark.feature("F103")
async def test_a_broker_killed_in_mid_call_brings_it_back_and_its_record_is_whole(tmp_path: Path) -> None:
    async with served(tmp_path) as (config, process, stage), ends_of(stage, stage.cast.calls[0], 0) as ends:
        await one_live_call(stage, ends)
        call_id = ends.booked.call_id
        hold_id, _ = await stage.monitor.pause(call_id)
        process.kill()
        await process.wait()

        again = await process_for(config)
        try:
            async with staffed(stage.site, stage.cast, stage.monitor.browser) as relief:
                await both_posts(relief)
                await asyncio.gather(ends.laptop.come_back(), ends.family.come_back())
                holds = {hold.id: hold.kind for hold in relief.monitor.calls[call_id].holds}
                assert holds[hold_id] == "security", "an acknowledged pause survives kill -9"
                await clear_all(relief, call_id)
                await ends.media("media after the restart")
        finally:
            again.terminate()
            assert await again.wait() == 0
        assert await (await command(config, "audit", "verify")).wait() == 0


async def clear_all(stage: Stage, call_id: str) -> None:
    """Clear the holds that are the monitoring post's, until none of them stands."""
    async with asyncio.timeout(WITHIN_S):
        while mine := [h for h in stage.monitor.calls[call_id].holds if h.kind in ("security", "recovered")]:
            await stage.monitor.clear(call_id, mine[0].id)
            await until(
                lambda: mine[0].id not in {h.id for h in stage.monitor.calls[call_id].holds}, WITHIN_S, "cleared"
            )
