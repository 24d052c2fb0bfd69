"""An exercise as a trainer runs it: an officer who answers one cue, leaves one alone, and acts once for nothing."""

from __future__ import annotations

import asyncio
import csv
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from broker.config import Config, sqlite_url
from broker.domain.codes import AttendReason, Warning
from broker.domain.training import Misdeed
from broker.engine.office import Office
from broker.office import open_office
from broker.protocol import client
from broker.synthetic.peer import Pacer
from broker.synthetic.site import Site
from broker.synthetic.staff import Monitor
from broker.synthetic.talk import new_key, until
from broker.training.run import newest
from tests.flows.support import free_port

pytestmark = [pytest.mark.flow, pytest.mark.timeout(420)]  # a guard against hanging on a busy machine

ROOT = Path(__file__).resolve().parents[2]
START_S, STOP_S = 150, 30
OFFICER = re.compile(r"officer signs in as (\S+) with the password (\S+),[^#]*/enrol#(\S+)")


@dataclass
class Exercise:
    """An exercise that runs, and what it has said so far."""

    process: asyncio.subprocess.Process
    lines: list[str]

    async def says(self, words: str) -> None:
        """Read on until a line holds these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            while not any(words in line for line in self.lines):
                line = (await self.process.stdout.readline()).decode()
                assert line, "it ended"
                self.lines.append(line)


@asynccontextmanager
async def exercise(port: int, folder: Path, name: str = "short") -> AsyncIterator[Exercise]:
    arguments = ("training", "--exercise", name, "--officer", "Robin Marsh")
    where = ("--port", str(port), "--data-dir", str(folder))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", *arguments, *where, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Exercise(process, [])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def scored(folder: Path) -> list[list[str]]:
    """Return what `audit training --csv` says of the newest run."""
    arguments = ("audit", "training", "--csv", "--data-dir", str(folder))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return list(csv.reader(said.decode().splitlines()))


async def answers_one_of_two(site: Site, pacer: Pacer, *officer_is: str) -> None:
    """Warn the second call for nothing, take the raised hand, and see nothing of what is covered."""
    async with Monitor(site, pacer, *officer_is) as officer:
        await officer.sign_in()
        await officer.take_post("TRN")
        await officer.connect_wall()
        await until(lambda: [call.phase for call in officer.calls.values()].count("live") == 2, START_S, "two calls")
        order = sorted(officer.calls.values(), key=lambda call: call.starts_at)
        await officer.warn(order[1].id, Warning.DRESS)
        await until(lambda: any(one.code == "hand" for one in officer.alerts), START_S, "the raised hand")
        hand = next(one for one in officer.alerts if one.code == "hand")
        await officer.command(client.AlertAck(key=new_key(), alert_id=hand.id))
        await until(lambda: {call.phase for call in officer.calls.values()} <= {"ended"}, START_S, "the end")


@pytest.mark.feature("F114")
async def test_an_officer_is_scored_from_the_record_of_the_exercise_and_nothing_is_left_behind(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "training"
    async with exercise(port, folder) as running:
        await running.says("Ctrl-C")
        signs_in = OFFICER.search("".join(running.lines))
        assert signs_in
        async with Site(f"http://localhost:{port}") as site, Pacer() as pacer:
            began = time.monotonic()
            await answers_one_of_two(site, pacer, *signs_in.groups())
            await running.says("How it went")
            assert time.monotonic() - began < START_S
        others = psutil.Process(running.process.pid).children(recursive=True)
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_S):
            assert await running.process.wait() == 0
        assert [other.pid for other in others if other.is_running()] == []
    rows = await scored(folder)
    head = dict(row for row in rows if len(row) == 2)
    cues = {row[4]: row[7] for row in rows if row[:1] == ["cue"]}
    false_alarms = [(row[1], row[8]) for row in rows if row[:1] == ["false_alarm"]]

    assert rows[0] == ["OFFICIAL TRAINING"]
    assert (head["over"], head["staff"]) == ("true", "TRN-1001")
    assert cues == {"hand": "met", "covered": "missed"}
    assert false_alarms == [("2", "warn.dress")]
    assert [row for row in rows if row[:1] == ["left_out"]] == []


OWN = """
seconds = 80
arrive = [0, 0, 1]
[[cue]]
at = 0
call = 1
does = "no_document"
lasts = 8
due = [{ one_of = [], within = 8 }]
[[cue]]
at = 0
call = 2
does = "wrong_person"
due = [{ one_of = ["refuse"], within = 60, late = 70 }]
[[cue]]
at = 8
call = 3
does = "no_answer"
due = [{ one_of = ["say"], within = 25, late = 35 }]
[[cue]]
at = 9
call = 3
does = "empty"
who = "prisoner"
lasts = 5
due = [{ one_of = ["attend"], within = 25, late = 35 }]
[[cue]]
at = 12
call = 1
does = "dropped"
lasts = 8
due = [{ one_of = ["ack.disconnected", "say"], within = 25, late = 35 }]
"""


class Cues:
    """What is on record of the cues, read as it is written."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def given(self, misdeed: Misdeed) -> str:
        """Wait until a cue was given, and return its call."""
        async with asyncio.timeout(START_S):
            while True:
                for record in await self._office.streams.establishment("TRN").read():
                    if record.type == "training.cue" and record.body["misdeed"] == misdeed:
                        return str(record.body["call_id"])
                await asyncio.sleep(0.3)


async def answers_everything(officer: Monitor, cues: Cues) -> None:
    """Refuse the stranger, admit the others once their ID is shown, ask the hall in vain, and say so."""
    stranger, bare = await cues.given(Misdeed.WRONG_PERSON), await cues.given(Misdeed.NO_DOCUMENT)
    family = next(leg.id for leg in officer.calls[stranger].legs if leg.role != "prisoner")
    await officer.command(client.LegRefuse(key=new_key(), call_id=stranger, leg_id=family))
    await asyncio.sleep(9)  # the ID comes after eight seconds
    officer.verifies = lambda call: call.id != stranger
    seat = await cues.given(Misdeed.EMPTY)
    await officer.ask_to_attend(seat, AttendReason.WELFARE)
    assert await cues.given(Misdeed.NO_ANSWER) == seat
    await officer.say(seat, "Is anybody there?")
    assert await cues.given(Misdeed.DROPPED) == bare
    await officer.say(bare, "The line is lost.")
    await until(lambda: officer.phase(bare) == "live" and not officer.holds(bare), START_S, "the call that is back")


@pytest.mark.feature("F114")
async def test_every_cue_of_a_trainers_own_exercise_is_given_and_can_be_answered(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "training"
    (tmp_path / "own.toml").write_text(OWN)
    async with exercise(port, folder, str(tmp_path / "own.toml")) as running:
        await running.says("Ctrl-C")
        signs_in = OFFICER.search("".join(running.lines))
        run = newest(folder)
        assert signs_in
        assert run is not None
        config = Config(data_dir=run, database_url=sqlite_url(run))
        async with (
            open_office(config) as office,
            Site(f"http://localhost:{port}") as site,
            Pacer() as pacer,
            Monitor(site, pacer, *signs_in.groups()) as officer,
        ):
            officer.verifies = lambda call: len(call.legs) == 0
            await officer.sign_in()
            await officer.take_post("TRN")
            await officer.connect_wall()
            await answers_everything(officer, Cues(office))
            await running.says("How it went")
    rows = await scored(folder)
    cues = {row[4]: (row[7], row[8]) for row in rows if row[:1] == ["cue"]}

    assert cues == {
        "no_document": ("met", ""),
        "wrong_person": ("met", "refuse"),
        "empty": ("met", "attend.welfare"),
        "no_answer": ("met", "say"),
        "dropped": ("met", "say"),
    }
    assert [row for row in rows if row[0:1] in (["false_alarm"], ["left_out"])] == []


async def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "broker.db").write_bytes(b"somebody's")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "broker", "training", "--data-dir", str(tmp_path), "--port", str(free_port()),
        cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()

    assert process.returncode == 1
    assert "--data-dir" in said.decode()
    assert (tmp_path / "broker.db").read_bytes() == b"somebody's"
