"""Misdeeds on cue, as the bots' process is told of them: each is done, told as done, and undone when its time is up."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from broker.domain.training import Misdeed
from broker.synthetic.acting import arriving
from broker.synthetic.caller import Caller
from broker.synthetic.misdeeds import misbehaving
from broker.synthetic.site import Denied, Unreachable
from broker.synthetic.steward import Steward
from broker.synthetic.talk import Closed, Refused, TookTooLong, until

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Cue:
    """One misdeed at a call, and for how long."""

    n: int
    call_id: str
    misdeed: Misdeed
    who: Literal["family", "prisoner"]
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Arrives:
    """How a family stands in the lobby: a misdeed of training.IN_LOBBY."""

    n: int
    misdeed: Misdeed
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Over:
    """All is over: the families leave."""


class Cues:
    """The misdeeds of one process's callers, and of its supervisor."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._ends: dict[str, dict[str, Caller]] = {}  # by call: family, prisoner
        self._deaf: dict[str, Cue] = {}
        self.steward = Steward(self._ignored)

    def joined(self, call_id: str, family: Caller, laptop: Caller) -> None:
        """Both ends of a call are here."""
        self._ends[call_id] = {"family": family, "prisoner": laptop}

    def gone(self, call_id: str) -> None:
        """They are not any more."""
        self._ends.pop(call_id, None)

    async def give(self, cue: Cue) -> None:
        """Do it, tell that it is done, and undo it after its time."""
        if cue.misdeed is Misdeed.NO_ANSWER:
            await self._be_deaf(cue)
            return
        ends = self._ends.get(cue.call_id)
        if ends is None:
            self._tell({"event": "cue_failed", "n": cue.n, "why": "gone"})
            return
        other = ends["prisoner" if cue.who == "family" else "family"]
        done = False
        try:
            async with misbehaving(cue.misdeed, ends[cue.who], other):
                done = True
                self._tell({"event": "cue", "n": cue.n})
                await asyncio.sleep(cue.lasts_s)
        except (Closed, Refused, Denied, TookTooLong, Unreachable, ConnectionError) as trouble:
            if not done:
                self._tell({"event": "cue_failed", "n": cue.n, "why": type(trouble).__name__})

    async def stand_in_lobby(self, arrives: Arrives, family: Caller, name: str) -> None:
        """Tell when the family waits to be checked as it should not; mend it after its time where that can be."""
        await until(lambda: family.screen in ("lobby", "call", "ended"), math.inf, "the lobby", LOOK_S)
        if family.screen != "lobby":
            self._tell({"event": "cue_failed", "n": arrives.n, "why": "gone"})
            return
        self._tell({"event": "cue", "n": arrives.n})
        await asyncio.sleep(arrives.lasts_s)
        if arrives.misdeed is Misdeed.NO_DOCUMENT and family.screen == "lobby":
            family.play(await asyncio.to_thread(arriving, family.person.number, name, None))

    async def _be_deaf(self, cue: Cue) -> None:
        """Leave requests for this call alone; it is told as done when the first one is."""
        self._deaf[cue.call_id] = cue
        self.steward.deaf.add(cue.call_id)
        await asyncio.sleep(cue.lasts_s)
        self.steward.deaf.discard(cue.call_id)
        if self._deaf.pop(cue.call_id, None) is not None:
            self._tell({"event": "cue_failed", "n": cue.n, "why": "not_asked"})

    def _ignored(self, call_id: str) -> None:
        cue = self._deaf.pop(call_id, None)
        if cue is not None:
            self._tell({"event": "cue", "n": cue.n})
