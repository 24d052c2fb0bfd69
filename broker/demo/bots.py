"""The demo's bots seen from the broker's side: what they are told, and calls that follow ended ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from broker.demo.people import BOT_MONITOR, BOT_SUPERVISOR, HARROWDENE
from broker.demo.process import BotsProcess
from broker.demo.seed import ACTOR, BOT_SEATS, LENGTH, Seeded, play
from broker.domain.codes import Refused
from broker.engine.office import Office
from broker.ports import LogUnavailable

CALM_S: Final = 5.0  # between the end of a call and the next at its place
READY_S: Final = 60.0

Progress = Callable[..., None]


class Bots:
    """The process of the bots. An async context: it is gone when the context ends."""

    def __init__(self, office: Office, seeded: Seeded, url: str, calls: int, progress: Progress) -> None:
        self._office, self._seeded = office, seeded
        self._calls, self._progress = calls, progress
        draw = [{"number": number} for number in range(2 * calls)]
        self._process = BotsProcess({"url": url, "draw": draw, "staff": self._staff()}, self._heard, self._ended)
        self._places: dict[str, int] = {}  # call -> which pair of people plays it
        self._live: set[str] = set()
        self._drawn = 0
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._calls:
            await self._process.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._process.__aexit__(kind, error, trace)

    async def ready(self) -> None:
        """Wait until every call is live, or READY_S."""
        if not self._calls:
            return
        for pair in range(self._calls):
            await self._next(pair)
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                await self._ready.wait()

    def _staff(self) -> list[dict[str, Any]]:
        monitor, supervisor = (self._seeded.sign_ins[account.username] for account in (BOT_MONITOR, BOT_SUPERVISOR))
        place = {"establishment": HARROWDENE.code}
        console = {"console_token": self._seeded.bot_console_token}
        return [
            {"post": "monitor", "username": monitor.account.username, "password": monitor.password, **console, **place},
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
                played = await play(self._office, HARROWDENE, seat, seat - 1, LENGTH, ACTOR)
            except Refused:
                continue
            except LogUnavailable:
                return
            self._places[played.call_id] = pair
            call = {"call_id": played.call_id, "family_token": played.family_token, "laptop_token": played.laptop_token}
            self._process.tell({"call": {**call, "prisoner": 2 * pair, "family": 2 * pair + 1}})
            return

    async def _heard(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "drawn":
                self._drawn += 1
                self._progress("demo.drawing", done=self._drawn, count=2 * self._calls)
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

    def _ended(self) -> None:
        self._ready.set()
        self._progress("demo.bots_stopped")
