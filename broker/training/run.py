"""Running an exercise: a database of its own in a folder of its own, a broker, the bots, and who signs in where."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from broker.bootstrap import running
from broker.config import Config, one_worker_a_core, sqlite_url
from broker.demo import ground
from broker.engine.accounts import AccountError
from broker.office import open_office
from broker.training.director import Director
from broker.training.exercise import BadExercise, Exercise, load, names
from broker.training.seed import OFFICER, Seeded, seed

MARK: Final = "training-runs"  # a folder with this file holds runs of exercises, each in a folder of its own


def run(name: str, calls: int | None, officer: str | None, port: int, data_dir: Path) -> int:
    """Run an exercise until Ctrl-C. Returns 0, or 1 where it could not start (with a sentence on standard error)."""
    screen = ground.Screen()
    try:
        exercise = load(name)
    except BadExercise as error:
        return screen.fail("training.no_exercise", reason=error, names=", ".join(names()))
    if not ground.is_free(port):
        return screen.fail("training.port_taken", port=port, other=port + 1)
    if not ground.is_ours(data_dir, MARK):
        return screen.fail("training.not_ours", folder=data_dir)
    folder = _folder(data_dir, exercise)
    config = Config(
        host=ground.HOST,
        port=port,
        base_url=f"http://localhost:{port}",
        data_dir=folder,
        database_url=sqlite_url(folder),
        training=True,
        media_workers=one_worker_a_core(),
    )
    played = exercise.first(calls or len(exercise.arrive_s))
    work = partial(_work, config, played, officer or OFFICER.name, screen)
    try:
        return ground.run_until_told(config, work, screen, "training.stopping", "training.stopped")
    except AccountError as error:
        return screen.fail(f"cli.staff.{error.code}")


def newest(data_dir: Path) -> Path | None:
    """Return the folder of the newest run in a folder of runs, or that folder itself where it is one; None for none."""
    if (data_dir / "broker.db").is_file():
        return data_dir
    runs = [file.parent for file in data_dir.glob("*/broker.db")]
    return max(runs, key=lambda folder: folder.name, default=None)


def _folder(data_dir: Path, exercise: Exercise) -> Path:
    """Make the folder of this run: earlier runs are kept."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data_dir / MARK).touch()
    name = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{exercise.name}"
    folder = data_dir / name
    folder.mkdir(mode=0o700)
    return folder


async def _work(config: Config, exercise: Exercise, officer: str, screen: ground.Screen) -> None:
    async with open_office(config) as office:
        seeded = await seed(office, officer)
    async with running(config) as node, Director(node, seeded, exercise, screen.say) as director:
        await director.ready()
        _tell(config, exercise, seeded, screen)
        await director.run()
        screen.say("training.read", link=f"{config.origin('base')}/training")
        await asyncio.Event().wait()  # until cancelled: the contexts then close, the bots first


def _tell(config: Config, exercise: Exercise, seeded: Seeded, screen: ground.Screen) -> None:
    """Print who signs in where, and what the trainer is to know."""
    whole = f"{int(exercise.seconds) // 60}:{int(exercise.seconds) % 60:02}"
    screen.say("training.title", exercise=exercise.name, calls=len(exercise.arrive_s), time=whole)
    for key, sign_in, chair, path in (
        ("training.for_officer", seeded.officer, "monitor", f"/enrol#{seeded.console_token}"),
        ("training.for_trainer", seeded.trainer, "base", "/training"),
    ):
        screen.say(key, username=sign_in.account.username, password=sign_in.password)
        screen.tell(f"  {config.origin(chair)}{path}")
    screen.say("training.waits")
    screen.say("training.stop")
