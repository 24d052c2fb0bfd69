"""The demo as a newcomer runs it: links for every chair, calls that run, and nothing left behind."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from broker.config import one_worker_a_core
from broker.protocol import server
from broker.synthetic.caller import Family, Laptop, both
from broker.synthetic.peer import Pacer
from broker.synthetic.people import Person, person
from broker.synthetic.site import Site
from broker.synthetic.staff import Monitor, Supervisor
from broker.synthetic.talk import until
from tests.flows.support import free_port

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]  # a guard against hanging on a busy machine

ROOT = Path(__file__).resolve().parents[2]
START_S, STOP_S = 120, 30


@asynccontextmanager
async def demo(port: int, folder: Path, calls: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """Run the demo until it has said how to stop it; kill it at the end if it still runs."""
    arguments = ("demo", "--port", str(port), "--calls", str(calls), "--data-dir", str(folder))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(START_S):
            while line := (await process.stdout.readline()).decode():
                lines.append(line)
                if "Ctrl-C" in line:
                    break
        yield process, lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def row(lines: list[str], chair: str) -> list[str]:
    """Return the cells of a chair's row."""
    found = next(line for line in lines if chair in line and "http" in line)
    return [cell.strip() for cell in re.split("[│|]", found) if cell.strip()]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.feature("F114")
async def test_the_demo_has_a_call_to_take_part_in_and_leaves_nothing_behind(tmp_path: Path) -> None:
    guests = person(2), person(3)  # drawn now: nobody on a post may stand still for it later
    port = free_port()
    async with demo(port, tmp_path / "demo", calls=1) as (process, lines):
        async with Site(f"http://localhost:{port}") as site, Pacer() as pacer:
            await guests_have_their_call(site, pacer, lines, guests)
        others = psutil.Process(process.pid).children(recursive=True)
        doing = [" ".join(other.cmdline()) for other in others]
        assert sum("broker.synthetic.bots" in words for words in doing) == 1
        assert sum("broker.media.worker" in words for words in doing) == one_worker_a_core()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_S):
            assert await process.wait() == 0
        assert [other.pid for other in others if other.is_running()] == []
        assert is_free(port)


async def guests_have_their_call(site: Site, pacer: Pacer, lines: list[str], guests: tuple[Person, Person]) -> None:
    """Take all four chairs with what the table says, beside the bots' own staff and call."""
    monitor, supervisor = row(lines, "Monitoring"), row(lines, "Hall view")
    family, laptop = (token_of(site, chair, row(lines, chair)[-1]) for chair in ("Family", "Laptop"))
    async with (
        Monitor(site, pacer, *monitor[1:3], token_of(site, "monitor", monitor[3])) as console,
        Supervisor(site, *supervisor[1:3]) as hall,
        Family(site, pacer, family, guests[1]) as on_link,
        Laptop(site, pacer, laptop, guests[0]) as at_seat,
    ):
        await console.sign_in()
        await console.take_post("HDE")
        await console.connect_wall()
        welcome = await hall.sign_in()
        assert isinstance(welcome.you, server.YouStaff)
        halls = {part.name: part.id for part in welcome.you.may[0].halls}
        await hall.take_post("HDE", halls["Main visits hall"])
        await both(on_link, at_seat)
        await until(lambda: on_link.decodable_at is not None, START_S, "the prisoner at the family's page")
        await until(lambda: at_seat.decodable_at is not None, START_S, "the family at the laptop")
        live = [call for call in console.calls.values() if call.phase == "live"]
        assert len(live) == 2


def token_of(site: Site, chair: str, link: str) -> str:
    """Return the token of a link, which leads to the chair's own origin."""
    address, token = link.split("#")
    assert address.startswith(site.origin(chair.lower()).text)
    return token


async def test_a_taken_port_is_named_with_the_flag_that_changes_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = await complaint("--port", str(port), "--data-dir", str(tmp_path / "demo"))
    assert status == 1
    assert str(port) in said
    assert "--port" in said


async def test_a_database_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "broker.db").write_bytes(b"somebody's")
    status, said = await complaint("--port", str(free_port()), "--data-dir", str(tmp_path))
    assert status == 1
    assert "--data-dir" in said
    assert (tmp_path / "broker.db").read_bytes() == b"somebody's"


async def complaint(*arguments: str) -> tuple[int | None, str]:
    """Run a demo that can not start; return its exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", "demo", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(START_S):
        _, said = await process.communicate()
    return process.returncode, said.decode()
