"""The director of an exercise: has the families come, gives each cue at its second, and records what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from broker.bootstrap import Node
from broker.demo.process import BotsProcess
from broker.domain.call import Call, LegRole, Phase
from broker.domain.codes import Post
from broker.domain.training import MARK, Cue
from broker.engine.stream import Stream
from broker.training.exercise import Exercise, Planned
from broker.training.seed import ACTOR, PLACE, Seeded, book, family_name, people_of

LOOK_S: Final = 0.2
CALM: Final = timedelta(seconds=5)  # from the start of a call to its first cue
DRAWN_S: Final = 300.0
DONE_S: Final = 15.0  # within which the bots do what a cue says
LAST_S: Final = 2.0  # for the record to have what was done at the last moment


class Director:
    """One exercise on one broker, with its bots. An async context."""

    def __init__(self, node: Node, seeded: Seeded, exercise: Exercise, progress: Callable[..., None]) -> None:
        self._node = node
        self._exercise = exercise
        self._progress = progress
        self._calls: dict[int, asyncio.Future[str]] = {}  # by number: its call's id, once it is booked
        self._given: dict[int, asyncio.Future[str]] = {}  # by cue: why it failed, or empty
        self._drawn = 0
        self._all_drawn = asyncio.Event()
        self._gone = asyncio.Event()
        self._process = BotsProcess(self._opening(seeded), self._heard, self._bots_gone)

    async def __aenter__(self) -> Director:
        await self._process.__aenter__()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._process.__aexit__(None, None, None)

    async def ready(self) -> None:
        """Wait until everything that will be seen has been drawn. Raises TimeoutError."""
        async with asyncio.timeout(DRAWN_S):
            await self._all_drawn.wait()

    async def run(self) -> None:
        """Wait for the officer, then play the exercise to its end. Raises LogUnavailable."""
        await self._officer()
        exercise, loop = self._exercise, asyncio.get_running_loop()
        self._began = loop.time()
        self._calls = {call: loop.create_future() for call in range(1, len(exercise.arrive_s) + 1)}
        self._given = {cue.n: loop.create_future() for cue in exercise.cues}
        await self._record("began", exercise=exercise.name, seconds=exercise.seconds)
        self._progress("training.began", exercise=exercise.name)
        async with asyncio.TaskGroup() as group:
            for call, second in enumerate(exercise.arrive_s, 1):
                group.create_task(self._arrive(call, second))
            for cue in exercise.cues:
                group.create_task(self._give(cue))
            group.create_task(self._at(exercise.seconds))
        await asyncio.sleep(LAST_S)
        await self._record("over")
        self._process.tell({"over": True})
        self._progress("training.over")

    # --- the families ---------------------------------------------------------

    async def _arrive(self, call: int, second: float) -> None:
        await self._at(second)
        played = await book(self._node.office, call)
        await self._record("call", call_id=played.call_id)
        prisoner, family = people_of(call)
        tokens = {"family_token": played.family_token, "laptop_token": played.laptop_token}
        people = {"prisoner": prisoner, "family": family, "name": family_name(call)}
        standing = next((cue for cue in self._exercise.cues if cue.call == call and cue.in_lobby), None)
        arrives = (
            None
            if standing is None
            else {"n": standing.n, "misdeed": standing.misdeed.value, "lasts_s": standing.lasts_s}
        )
        self._process.tell({"call": {"call_id": played.call_id, **tokens, **people, "arrives": arrives}})
        self._calls[call].set_result(played.call_id)

    # --- the cues -------------------------------------------------------------

    async def _give(self, cue: Planned) -> None:
        """Give a cue when its second has come and its call is as far; what was not done in time is left out."""
        call_id = await self._calls[cue.call]
        await self._at(cue.at_s)
        given = await self._have_it_done(cue, call_id)
        if isinstance(given, str):
            await self._record("left_out", n=cue.n, misdeed=cue.misdeed.value, call_id=call_id, why=given)
            return
        await self._record("cue", **self._cue(cue, call_id, given).body())
        await asyncio.sleep(max(cue.lasts_s, *(due.late_s for due in cue.due)))

    async def _have_it_done(self, cue: Planned, call_id: str) -> datetime | str:
        """Have the bots do it; return from when it could be noticed, or why it was not done."""
        told_at: datetime | None = None
        last = self._exercise.seconds - max(due.late_s for due in cue.due)
        if not cue.in_lobby:
            if not await self._live(call_id, last):
                return "not_live"
            line = {"n": cue.n, "call_id": call_id, "misdeed": cue.misdeed.value, "who": cue.who}
            told_at = self._node.clock.now() if cue.at_once else None
            self._process.tell({"cue": {**line, "lasts_s": cue.lasts_s}})
        within_s = DONE_S + max(cue.lasts_s, last - self._now())
        try:
            async with asyncio.timeout(within_s):
                why = await asyncio.shield(self._given[cue.n])
        except TimeoutError:
            return "not_done"
        return why or told_at or self._node.clock.now()

    async def _live(self, call_id: str, last: float) -> bool:
        """Wait until a call has been live for CALM and nothing holds it; not beyond second `last`."""
        while self._now() <= last:
            call = self._call(call_id)
            if call is not None and call.phase is Phase.ENDED:
                return False
            began = call.started_at if call is not None and not call.holds else None
            if began is not None and self._node.clock.now() - began >= CALM:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    def _cue(self, cue: Planned, call_id: str, at: datetime) -> Cue:
        call = self._call(call_id)
        prisoners = cue.who == "prisoner"
        leg = next((leg for leg in call.legs if (leg.role is LegRole.PRISONER) is prisoners), None) if call else None
        leg_id = leg.id if leg else None
        return Cue(cue.n, at, cue.misdeed, call_id, leg_id, cue.lasts_s, cue.due, cue.never)

    def _call(self, call_id: str) -> Call | None:
        entry = self._node.engine.entry(call_id)
        return entry.actor.call if entry is not None else None

    # --- the bots -------------------------------------------------------------

    def _opening(self, seeded: Seeded) -> dict[str, Any]:
        """Return what the bots are told first: whom to draw doing what, and the post that is theirs."""
        supervisor = {
            "post": "supervisor",
            "username": seeded.hall_bot.account.username,
            "password": seeded.hall_bot.password,
            "establishment": PLACE.code,
            "hall_id": seeded.hall_id,
            "answers": True,
        }
        return {"url": self._node.config.base_url, "staff": [supervisor], "draw": self._to_draw()}

    def _to_draw(self) -> list[dict[str, Any]]:
        found = []
        for call in range(1, len(self._exercise.arrive_s) + 1):
            for who, number in zip(("prisoner", "family"), people_of(call), strict=True):
                cues = [cue for cue in self._exercise.cues if cue.call == call]
                done = {cue.misdeed.value for cue in cues if cue.who == who or cue.misdeed.value == "silence"}
                name = family_name(call) if who == "family" else ""
                found.append({"number": number, "name": name, "misdeeds": sorted(done)})
        return found

    async def _heard(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "drawn":
                self._drawn += 1
                count = len(self._to_draw())
                self._progress("training.drawing", done=self._drawn, count=count)
                if self._drawn == count:
                    self._all_drawn.set()
            case "cue" | "cue_failed":
                given = self._given.get(event["n"])
                if given is not None and not given.done():
                    given.set_result(str(event.get("why", "")))
            case _:
                pass

    def _bots_gone(self) -> None:
        self._all_drawn.set()
        self._progress("training.bots_stopped")

    # --- time and record --------------------------------------------------------

    async def _officer(self) -> None:
        """Wait until somebody is on the monitoring post."""
        while True:
            if any(holder.post is Post.MONITOR for holder in self._node.engine.presence.holders):
                return
            await asyncio.sleep(LOOK_S)

    def _now(self) -> float:
        """Return the second of the exercise."""
        return asyncio.get_running_loop().time() - self._began

    async def _at(self, second: float) -> None:
        await asyncio.sleep(max(0.0, second - self._now()))

    async def _record(self, kind: str, **body: Any) -> None:
        await self._stream.append(f"{MARK}{kind}", ACTOR, body)

    @property
    def _stream(self) -> Stream:
        return self._node.office.streams.establishment(PLACE.code)
