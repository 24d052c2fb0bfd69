"""Relay workers under whole calls: killed, stopped, left behind; real processes, real signals, real packets."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from broker.synthetic.caller import both
from broker.synthetic.stage import Ends, Stage, both_posts, ends_of
from broker.synthetic.talk import until
from tests.flows.support import config_in, process_for, stage_in, workers_of

pytestmark = [pytest.mark.flow, pytest.mark.timeout(150)]

WITHIN_S = 40.0
CALLS = 2  # one at each home
SOME_PROOFS_S = 2.5


def worker_at(stage: Stage, home: int) -> psutil.Process:
    """Return the worker of a home: the one whose port the wall is connected to."""
    port = stage.monitor.peers[home].relay_port
    return next(w for w in workers_of(os.getpid()) if port in [one.laddr.port for one in w.net_connections("udp")])


@asynccontextmanager
async def live_calls(folder: Path) -> AsyncIterator[tuple[Stage, list[Ends]]]:
    """Run a broker with two live calls, each at a home of its own."""
    async with stage_in(folder, CALLS) as stage, AsyncExitStack() as open_ends:
        await both_posts(stage)
        calls = [
            await open_ends.enter_async_context(ends_of(stage, booked, pair))
            for pair, booked in enumerate(stage.cast.calls)
        ]
        for ends in calls:
            await both(ends.laptop, ends.family)
            await ends.media("media at both ends")
            await until(lambda ends=ends: on_the_wall(stage, ends), WITHIN_S, "the call on the wall")
        yield stage, calls


def on_the_wall(stage: Stage, ends: Ends) -> bool:
    """Say whether the console receives both pictures of a call."""
    lines = [stage.monitor.line_of("video", leg) for leg in (ends.booked.family_leg, ends.booked.prisoner_leg)]
    return all(line is not None and line.decodable_at is not None for line in lines)


def homes(stage: Stage) -> dict[str, int]:
    """Return where the console's lines say that each call lives."""
    return {part.call_id: part.home for part in stage.monitor.carried if part.kind == "video" and part.call_id}


@pytest.mark.feature("F103")
async def test_a_killed_workers_calls_come_back_at_another_and_nothing_crosses_before_the_monitor_is_proven_anew(
    tmp_path: Path,
) -> None:
    async with live_calls(tmp_path) as (stage, (one, other)):
        before = homes(stage)
        assert sorted(before.values()) == [0, 1], "calls are spread"
        victim, stands = (one, other) if before[one.booked.call_id] == 0 else (other, one)
        carrying = worker_at(stage, 0)

        stage.monitor.watching = False  # its last proof is good for 15 s: only a younger one will do
        carrying.kill()
        for end in victim.all_of():
            await until(lambda end=end: end.reoffered_at is not None, WITHIN_S, "the order to connect anew")
            await until(lambda end=end: end.peer is not None and end.peer.connected, WITHIN_S, "a new connection")
        assert all(end.reoffered_at is None for end in stands.all_of())
        await until(lambda: not stage.monitor.holds(victim.booked.call_id), WITHIN_S, "both ends together again")
        await asyncio.sleep(SOME_PROOFS_S)
        assert victim.packets() == 0, "nothing crosses on the old proof"

        stage.monitor.watching = True
        await victim.media("media at the other home")
        await until(lambda: on_the_wall(stage, victim), WITHIN_S, "the call on the wall again")
        assert homes(stage) == dict.fromkeys(before, 1)
        assert {stage.monitor.phase(ends.booked.call_id) for ends in (victim, stands)} == {"live"}
        await until(lambda: len(workers_of(os.getpid())) == CALLS, WITHIN_S, "the worker replaced")


@pytest.mark.feature("F103")
async def test_a_worker_that_hangs_is_killed_and_its_call_comes_back(tmp_path: Path) -> None:
    async with live_calls(tmp_path) as (stage, calls):
        hanging = workers_of(os.getpid())[0]
        for ends in calls:
            ends.mark()
        hanging.send_signal(signal.SIGSTOP)
        moved: list[Ends] = []
        await until(
            lambda: bool(moved.extend(e for e in calls if e.family.reoffered_at) or moved), WITHIN_S, "the call moved"
        )
        assert is_gone(hanging)
        moved[0].mark()
        await moved[0].media("media at the other home")
        assert {stage.monitor.phase(ends.booked.call_id) for ends in calls} == {"live"}


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[psutil.Process]]]:
    """Run a broker in a process of its own; yield it with its workers."""
    process = await process_for(config_in(folder))
    try:
        await until(lambda: len(workers_of(process.pid)) >= 1, WITHIN_S, "a worker")
        yield process, workers_of(process.pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def is_gone(worker: psutil.Process) -> bool:
    """Say whether a process runs no more; who buries it is not ours to say."""
    try:
        return worker.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_no_worker_outlives_the_broker(number: signal.Signals, tmp_path: Path) -> None:
    async with served(tmp_path) as (process, workers):
        process.send_signal(number)
        await process.wait()
        await until(lambda: all(map(is_gone, workers)), WITHIN_S, "every worker gone")


async def test_a_worker_holds_no_secret_no_file_of_ours_and_no_connection_but_its_pipe(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, workers):
        for worker in workers:
            await until(lambda worker=worker: bool(ports_of(worker)), WITHIN_S, "the worker's port")
            assert ports_of(worker) == ["SOCK_DGRAM"]
            assert set(worker.environ()) <= {"LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"}
            assert worker.open_files() == []
            held = [os.readlink(f"/proc/{worker.pid}/fd/{number}") for number in os.listdir(f"/proc/{worker.pid}/fd")]
            assert {what.split(":")[0] for what in held} <= {"/dev/null", "pipe", "socket", "anon_inode"}


def ports_of(worker: psutil.Process) -> list[str]:
    """Return the types of the worker's internet sockets."""
    return [one.type.name for one in worker.net_connections("inet")]
