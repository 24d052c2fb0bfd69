"""Attention checks at the consoles of this node: asked, answered or missed, on record, and raised where missed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from broker.domain.attention import flows, limit_s
from broker.domain.call import Call
from broker.domain.checks import LETTERS, Check, CheckOutcome, CheckStage, due_after, may_ask, pick
from broker.domain.codes import AlertCode, Code, HoldKind, Refused
from broker.domain.policy import Policy, policy
from broker.domain.posts import Holder
from broker.engine.alerts import Alerts
from broker.engine.board import Board, CheckChanged
from broker.engine.consoles import Console
from broker.engine.presence import Presence
from broker.engine.registry import Registry
from broker.engine.stream import Streams
from broker.engine.watch import Watch
from broker.ports import Clock, LogUnavailable

log = structlog.get_logger()

_INCIDENT = (HoldKind.SECURITY, HoldKind.INCIDENT)
_RISES = {CheckStage.MISSED: AlertCode.CHECK_MISSED, CheckStage.UNATTENDED: AlertCode.UNATTENDED}


def random_share() -> float:
    """Return a number from 0 up to 1 that nobody can foresee."""
    return secrets.randbelow(1 << 30) / (1 << 30)


@dataclass(slots=True)
class _Duty:
    """One console's next check, or the one that waits for its answer."""

    holder: Holder  # as it was when the duty began: known also when the post has been left
    due_at: datetime
    check: Check | None = None
    stage: CheckStage = CheckStage.RING
    wrong: bool = False


class Checks:
    """Asks each monitor at random times. Nothing here pauses a call."""

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        watch: Watch,
        streams: Streams,
        alerts: Alerts,
        board: Board,
        clock: Clock,
        policy: Policy,
        draw: Callable[[], float] = random_share,
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._watch = watch
        self._streams = streams
        self._alerts = alerts
        self._board = board
        self._clock = clock
        self._policy = policy
        self._draw = draw
        self._duties: dict[str, _Duty] = {}  # by session

    async def second(self, consoles: Mapping[str, Console]) -> None:
        """Ask what is due, and raise what has waited too long."""
        now = self._clock.now()
        for session in [session for session in self._duties if session not in consoles]:
            await self._close(session)
            del self._duties[session]
        for session, console in list(consoles.items()):
            duty = self._duties.get(session) or self._begin(session, now)
            if duty is None:
                continue
            if duty.check is None:
                self._ask(session, console, duty, now)
            else:
                await self._rise(session, duty, duty.check, now)

    def acted(self, session: str) -> None:
        """A person did something that needs eyes on the wall: the next check is as far away as after an answer."""
        duty = self._duties.get(session)
        if duty is not None and duty.check is None:
            duty.due_at = due_after(self._clock.now(), self._draw(), self._policy)

    async def answer(self, session: str, check_id: str, call_id: str | None, letter: str | None) -> None:
        """Take an answer. Raises Refused: there is no such check, or the answer is wrong."""
        duty = self._duties.get(session)
        check = duty.check if duty is not None else None
        if duty is None or check is None or check.id != check_id:
            raise Refused(Code.WRONG_PHASE)
        if not check.takes(call_id, letter):
            if not duty.wrong:
                duty.wrong = True
                await self._record(session, check, CheckOutcome.WRONG)
            raise Refused(Code.WRONG_TILE)
        await self._record(session, check, CheckOutcome.ANSWERED)
        self._watch.acted(session, check.call_id)
        await self._close(session)

    def _begin(self, session: str, now: datetime) -> _Duty | None:
        holder = self._presence.holder(session)
        if holder is None:
            return None
        self._clear(holder)  # of a check before a restart
        duty = self._duties[session] = _Duty(holder, due_after(now, self._draw(), self._policy))
        return duty

    def _ask(self, session: str, console: Console, duty: _Duty, now: datetime) -> None:
        if not may_ask(duty.due_at, now, console.busy or self._incident(console), self._policy):
            return
        calls = self._shown(session, console, now)
        if not calls:
            return
        letter = pick(LETTERS, self._draw())
        duty.check = Check(f"k{secrets.token_hex(8)}", pick(calls, self._draw()), letter, now)
        duty.stage, duty.wrong = CheckStage.RING, False
        self._tell(session, duty.check, CheckStage.RING)

    def _incident(self, console: Console) -> bool:
        entry = self._registry.entry(console.focus) if console.focus is not None else None
        return entry is not None and any(entry.actor.call.held_by(kind) for kind in _INCIDENT)

    def _shown(self, session: str, console: Console, now: datetime) -> list[str]:
        """Return the live calls that this wall is proven to show: a ring at one of them can be seen."""

        def watched(call: Call) -> bool:
            proven = self._presence.proven(session, call.id, self._policy.proof_stale_s, now)
            return proven and limit_s(call, policy(call.policy_version)) is not None

        calls = [entry.actor.call for entry in self._registry]
        return sorted(call.id for call in calls if console.reaches(call) and flows(call) and watched(call))

    async def _rise(self, session: str, duty: _Duty, check: Check, now: datetime) -> None:
        entry = self._registry.entry(check.call_id)
        stage = check.stage(now, self._policy)
        early = stage in (CheckStage.RING, CheckStage.TONE)
        if early and (entry is None or not flows(entry.actor.call)):
            await self._close(session)  # its tile shows no picture any more: it asks nothing
            return
        if stage is duty.stage:
            return
        if early is False and duty.stage in (CheckStage.RING, CheckStage.TONE):
            await self._record(session, check, CheckOutcome.MISSED)
        duty.stage = stage
        code, holder = _RISES.get(stage), self._presence.holder(session)
        if code is not None and holder is not None:
            for place in sorted(holder.scope):
                self._alerts.raise_(code, establishment=place, by=holder.number)
        self._tell(session, check, stage)

    async def _close(self, session: str) -> None:
        duty = self._duties[session]
        check, duty.check = duty.check, None
        duty.due_at = due_after(self._clock.now(), self._draw(), self._policy)
        if check is None:
            return
        self._clear(duty.holder)
        self._tell(session, check, None)

    def _clear(self, holder: Holder) -> None:
        for code in _RISES.values():
            self._alerts.clear(code, by=holder.number)

    async def _record(self, session: str, check: Check, outcome: CheckOutcome) -> None:
        entry, holder = self._registry.entry(check.call_id), self._presence.holder(session)
        if entry is None or holder is None:
            return
        stream = self._streams.establishment(entry.actor.call.establishment)
        after_s = round(check.after_s(self._clock.now()), 1)
        body = {"number": holder.number, "session": session, "call_id": check.call_id, "outcome": outcome.value}
        try:
            await stream.insist("attention.checked", f"staff:{holder.number}", {**body, "after_s": after_s})
        except LogUnavailable:
            log.error("attention check not recorded", session=session)

    def _tell(self, session: str, check: Check, stage: CheckStage | None) -> None:
        self._board.publish(CheckChanged(session, check, stage))
