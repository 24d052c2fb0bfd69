"""A process that records until it is killed; each line that it prints is a promise.

`log URL FOLDER` appends events and makes checkpoints, `journal FILE` puts and takes entries.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from broker.ports import NewEvent

if TYPE_CHECKING:
    from broker.storage.eventlog import SqlEventLog

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def event(name: str, **body: object) -> NewEvent:
    return NewEvent(name, "call.paused", NOON, "S1234", body)


def promise(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def append(log: SqlEventLog, stream: str) -> None:
    seq = await log.head(stream)
    while True:
        name = f"{stream}-{seq + 1}"
        [record] = await log.append(stream, seq, [event(name, n=seq)])
        seq = record.seq
        promise(stream, seq, name)


async def record(url: str, folder: Path) -> None:
    from broker.storage.checkpoints import Checkpoints
    from broker.storage.database import Database
    from broker.storage.eventlog import SqlEventLog

    database = Database(url)
    log = SqlEventLog(database)
    points = Checkpoints.in_directory(database, folder)
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(append(log, f"call/{number}"))
        while True:
            await points.checkpoint(NOON)


def journal(path: Path) -> None:
    from broker.storage.journal import FileJournal  # imported here: a child starts ten times, and is killed at once

    kept = FileJournal(path)
    for number in itertools.count():
        name = f"{os.getpid()}-{number}"
        kept.put("call/1", [event(name)])
        promise("put", name)
        if number % 7 == 6:
            count = len(kept.waiting()) if number % 14 == 13 else 3
            names = [events[0].id for _, events in kept.waiting()[:count]]
            promise("taking", *names)
            kept.taken(count)
            promise("taken", *names)


if __name__ == "__main__":
    if sys.argv[1] == "log":
        asyncio.run(record(sys.argv[2], Path(sys.argv[3])))
    else:
        journal(Path(sys.argv[2]))
