"""The call's single writer: commands in, events recorded, plans applied. One object a call.

The order is the product: gates close before the record is written and open only
after it is durable (design README 4; house.md flow 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.call import Call, evolve
from broker.domain.codes import Code, Refused
from broker.domain.decide import decide
from broker.domain.events import Event, HoldPlaced
from broker.domain.gate import Evidence, plan_for
from broker.domain.plan import MediaPlan
from broker.domain.policy import policy
from broker.engine.recorder import Recorder, restrictive_part
from broker.ports import Clock, LogUnavailable, MediaPlane

# A person's word to stop acts before its turn in the queue comes.
URGENT = (c.Pause, c.End, c.Revoke, c.Bar, c.RefuseLeg, c.Cancel)
REAPPLY_S = 1.0  # a plan is valid for 5 s and sent again well before


def stream_of(call_id: str) -> str:
    """Return the name of a call's stream."""
    return f"call:{call_id}"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: the call after it, its events, and whether the log already has them."""

    call: Call
    events: tuple[Event, ...]
    recorded: bool = True


class CallActor:
    """One call. `send` is safe to call from anywhere on the loop; commands act one at a time."""

    def __init__(
        self,
        call: Call,
        recorder: Recorder,
        media: MediaPlane,
        clock: Clock,
        evidence: Callable[[Call], Evidence],
        changed: Callable[[Done], None],
    ) -> None:
        self.call = call
        self._recorder = recorder
        self._media = media
        self._clock = clock
        self._evidence = evidence
        self._changed = changed
        self._turn = asyncio.Lock()
        self._urgent = 0
        self._applied = MediaPlan(call.id, call.epoch)
        self._applied_at = float("-inf")
        self._coming: Call | None = None

    @property
    def coming(self) -> Call:
        """The call as it will be once what is being recorded now is on record."""
        return self._coming or self.call

    @property
    def stills(self) -> frozenset[str]:
        """The legs of which a still may be shown now."""
        lapsed = self._clock.boottime() - self._applied_at >= self._applied.valid_for_s
        return frozenset() if lapsed else self._applied.stills

    async def send(self, command: c.Command) -> Done:
        """Do `command`.

        Raises:
            Refused: a rule said no, or `unavailable`: a permissive command while the record is down.
        """
        if not isinstance(command, URGENT):
            async with self._turn:
                return await self._do(command)
        received_s = self._clock.boottime()
        self._decide(command)  # refused here: nothing is silenced
        self._urgent += 1
        try:
            await self._apply(MediaPlan(self.call.id, self.call.epoch))
            silent_after_ms = round((self._clock.boottime() - received_s) * 1000, 1)
            async with self._turn:
                return await self._do(command, silent_after_ms)
        finally:
            self._urgent -= 1

    async def tick(self) -> None:
        """Let time act: what follows from the evidence, and the plan sent again before it lapses."""
        if self._turn.locked():
            return
        if self._decide(c.Tick(SYSTEM)):
            async with self._turn:
                await self._quietly()
        plan = self._plan(self.call)
        stale = self._clock.boottime() - self._applied_at >= REAPPLY_S
        if (plan.routes, plan.stills) != (self._applied.routes, self._applied.stills) or (not plan.is_silent and stale):
            await self._apply(plan)

    async def _quietly(self) -> None:
        try:
            await self._do(c.Tick(SYSTEM))
        except Refused:
            pass  # the record is down: what would have opened stays shut, and is tried again

    def _decide(self, command: c.Command) -> list[Event]:
        now = self._clock.now()
        return decide(self.call, command, self._evidence(self.call), policy(self.call.policy_version), now)

    def _plan(self, call: Call) -> MediaPlan:
        if self._urgent:
            return MediaPlan(call.id, call.epoch)
        return plan_for(call, self._evidence(call), policy(call.policy_version), self._clock.now())

    async def _do(self, command: c.Command, silent_after_ms: float | None = None) -> Done:
        events = _timed(self._decide(command), silent_after_ms)
        if not events:
            return Done(self.call, ())
        after = self._coming = reduce(evolve, events, self.call)
        try:
            return await self._take(events, after)
        finally:
            self._coming = None

    async def _take(self, events: list[Event], after: Call) -> Done:
        await self._apply(self._applied.meet(self._plan(after)))  # close before writing
        recorded = True
        try:
            await self._recorder.record(stream_of(self.call.id), self.call.seq, events)
        except LogUnavailable:
            events = self._to_journal(events)
            recorded = False
        self.call = reduce(evolve, events, self.call)
        await self._apply(self._plan(self.call))  # open only after
        done = Done(self.call, tuple(events), recorded)
        self._changed(done)
        return done

    def _to_journal(self, events: list[Event]) -> list[Event]:
        """Keep what restricts; refuse what would open."""
        part = restrictive_part(events)
        if not part:
            raise Refused(Code.UNAVAILABLE) from None
        self._recorder.journal(stream_of(self.call.id), part)
        return part

    async def _apply(self, plan: MediaPlan) -> None:
        if self._urgent:
            plan = replace(plan, routes=frozenset(), stills=frozenset())
        await self._media.apply(plan)
        self._applied = plan
        self._applied_at = self._clock.boottime()


def _timed(events: list[Event], silent_after_ms: float | None) -> list[Event]:
    """Note on the hold that a person placed how soon it was silent: the record is what figures are made of."""
    if silent_after_ms is None:
        return events
    return [
        replace(event, silent_after_ms=silent_after_ms) if isinstance(event, HoldPlaced) and event.by else event
        for event in events
    ]
