"""The demo's bots seen from the broker's side: their process, what they are told, and calls that follow ended ones."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import broker
from broker.demo.people import BOT_MONITOR, BOT_SUPERVISOR, HARROWDENE
from broker.demo.seed import BOT_SEATS, Seeded, play
from broker.domain.codes import Refused
from broker.engine.office import Office
from broker.ports import LogUnavailable

CALM_S: Final = 5.0  # between the end of a call and the next at its place
LEAVE_S: Final = 2.0  # how long the bots may take to say goodbye
READY_S: Final = 60.0

Progress = Callable[..., None]


class Bots:
    """The process of the bots. An async context: it is gone when the context ends."""

    def __init__(self, office: Office, seeded: Seeded, url: str, calls: int, progress: Progress) -> None:
        self._office, self._seeded, self._url = office, seeded, url
        self._calls, self._progress = calls, progress
        self._process: asyncio.subprocess.Process | None = None
        self._places: dict[str, int] = {}  # call -> which pair of people plays it
        self._live: set[str] = set()
        self._ready = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not self._calls:
            return self
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "broker.synthetic.bots",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(broker.__file__).parent.parent,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which then closes the bots' input
        )
        self._tell({"url": self._url, "draw": 2 * self._calls, "staff": self._staff()})
        self._reading = asyncio.get_running_loop().create_task(self._read(self._process))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            await _end(self._process)

    async def ready(self) -> None:
        """Wait until every call is live, or READY_S."""
        if self._process is None:
            return
        for pair in range(self._calls):
            await self._next(pair)
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                await self._ready.wait()

    def _staff(self) -> list[dict[str, Any]]:
        monitor, supervisor = (self._seeded.sign_ins[account.username] for account in (BOT_MONITOR, BOT_SUPERVISOR))
        place = {"establishment": HARROWDENE.code}
        return [
            {"post": "monitor", "username": monitor.account.username, "password": monitor.password, **place},
            {
                "post": "supervisor",
                "username": supervisor.account.username,
                "password": supervisor.password,
                "hall_id": self._seeded.hall_id,
                **place,
            },
        ]

    async def _next(self, pair: int) -> None:
        """Book a call for a pair of bots at the first seat that is free, and have it played."""
        for seat in BOT_SEATS:
            try:
                played = await play(self._office, seat, seat - 1)
            except Refused:
                continue
            except LogUnavailable:
                return
            self._places[played.call_id] = pair
            call = {"call_id": played.call_id, "family_token": played.family_token, "laptop_token": played.laptop_token}
            self._tell({"call": {**call, "prisoner": 2 * pair, "family": 2 * pair + 1}})
            return

    def _tell(self, line: dict[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None and self._process.returncode is None:
            with suppress(ConnectionError):
                self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        drawn = 0
        while line := await process.stdout.readline():
            event = json.loads(line)
            match event["event"]:
                case "drawn":
                    drawn += 1
                    self._progress("demo.drawing", done=drawn, count=2 * self._calls)
                case "live":
                    self._live.add(event["call_id"])
                    if not self._ready.is_set():
                        self._progress("demo.connecting", done=len(self._live), count=self._calls)
                    if len(self._live) >= self._calls:
                        self._ready.set()
                case "ended":
                    await asyncio.sleep(CALM_S)
                    await self._next(self._places.get(event["call_id"], 0))
                case _:
                    pass
        self._ready.set()
        self._progress("demo.bots_stopped")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the bots' input, which asks them to go; then be less kind."""
    if process.stdin is not None:
        process.stdin.close()
    for act in (process.terminate, process.kill):
        try:
            async with asyncio.timeout(LEAVE_S / 2):
                await process.wait()
            return
        except TimeoutError:
            with suppress(ProcessLookupError):
                act()
    await process.wait()
