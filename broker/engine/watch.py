"""Who watches what: observation records, looks, and calls offered to another monitor (features F47, F48)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import structlog

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.attention import CONTINUOUS_TIER, Candidate, another, flows, limit_s
from broker.domain.call import Call, Phase
from broker.domain.codes import AlertCode, ObservationMode, Post, Refused
from broker.domain.kinds import KINDS
from broker.domain.observation import Observations, Span
from broker.domain.policy import Policy, policy
from broker.engine.alerts import Alerts
from broker.engine.board import CallChanged
from broker.engine.consoles import Console
from broker.engine.presence import Presence
from broker.engine.registry import Registry
from broker.ports import Clock, LogConflict

log = structlog.get_logger()


class Watch:
    """What follows from proofs, second by second."""

    def __init__(self, registry: Registry, presence: Presence, clock: Clock, policy: Policy, alerts: Alerts) -> None:
        self._registry = registry
        self._presence = presence
        self._clock = clock
        self._policy = policy
        self._alerts = alerts
        self._observations = Observations(policy.same_look_s, policy.observation_cut_s)
        self._ended: list[Span] = []
        self._offers: dict[str, Candidate] = {}  # call id -> to whom

    # --- what is seen -------------------------------------------------------------

    def displayed(self, console: Console, number: str, call: Call, at: datetime) -> None:
        """A console was proven to have this call displayed at `at`."""
        session = console.actor.session
        focused = console.focus == call.id and console.focused_at is not None and at > console.focused_at
        sound = focused and console.sound and KINDS[call.kind].audio_to_staff and not call.holds
        mode = ObservationMode.FOCUS if focused else ObservationMode.TILE
        self._ended += self._observations.shown(call.id, number, session, at, mode, sound)
        if focused:
            self._presence.attention.looked(call, number, session, at, self._clock.now())

    def acted(self, session: str, call_id: str) -> None:
        """A monitor did something on a call that needs eyes on it: a look, but where focus is asked all the time."""
        holder, entry = self._presence.holder(session), self._registry.entry(call_id)
        if holder is None or holder.post is not Post.MONITOR or entry is None:
            return
        if entry.actor.call.tier != CONTINUOUS_TIER:
            now = self._clock.now()
            self._presence.attention.looked(entry.actor.call, holder.number, session, now, now)

    def console_gone(self, session: str) -> None:
        """A console shows nothing any more."""
        self._ended += self._observations.console_gone(session)

    def follow(self, change: CallChanged) -> None:
        """A call that is over has no open spans and is offered to nobody."""
        if change.call.phase is Phase.ENDED:
            self._withdraw(change.call)
            self._ended += self._observations.call_ended(change.call.id)

    # --- whose it is ---------------------------------------------------------------

    def whose(self, call: Call) -> str | None:
        """Return the number of the monitor who should look at the call next."""
        offered = self._offers.get(call.id)
        return offered.number if offered is not None else call.monitor

    def is_offered(self, call: Call) -> bool:
        """Say whether the call went to another monitor than the one who covers it."""
        return call.id in self._offers

    # --- each second ------------------------------------------------------------------

    async def second(self) -> None:
        """Offer what is overdue, and put on record what is over."""
        now = self._clock.now()
        for entry in self._registry:
            self._offer(entry.actor.call, now)
        self._ended += self._observations.over(now)
        await self._record()

    async def close(self) -> None:
        """Put on record what is still open: the service stops."""
        for holder in self._presence.holders:
            self.console_gone(holder.session)
        await self._record()

    async def _record(self) -> None:
        """Record the spans that ended; what the record does not take now waits for the next second."""
        spans, self._ended = self._ended, []
        for span in spans:
            try:
                await self._registry.send(span.call_id, c.RecordObservation(SYSTEM, span))
            except LogConflict:
                self._ended.append(span)
            except Refused as refusal:
                log.warning("observation not recorded", call=span.call_id, code=refusal.code.value)

    def _offer(self, call: Call, now: datetime) -> None:
        rules = policy(call.policy_version)
        limit = limit_s(call, rules)
        late = limit is not None and flows(call)
        if late and limit is not None:
            late = self._presence.attention.of(call, now).unwatched_s >= limit * rules.attention_offer_ratio
        if not late:
            self._withdraw(call)
        elif call.id not in self._offers or self._presence.holder(self._offers[call.id].session) is None:
            found = another(self._candidates(call, now), call.monitor, rules.attention_room_calls)
            if found is not None:
                self._offers[call.id] = found
                self._alerts.raise_(
                    AlertCode.UNWATCHED_OFFERED,
                    establishment=call.establishment,
                    hall_id=call.hall_id,
                    call_id=call.id,
                )

    def _withdraw(self, call: Call) -> None:
        self._offers.pop(call.id, None)
        self._alerts.clear(AlertCode.UNWATCHED_OFFERED, call_id=call.id)  # of before a restart, too

    def _candidates(self, call: Call, now: datetime) -> list[Candidate]:
        load = Counter(self.whose(entry.actor.call) for entry in self._registry if flows(entry.actor.call))
        found = []
        for holder in self._presence.holders:
            if holder.post is Post.MONITOR and holder.covers(call.establishment, call.hall_id):
                proven = self._presence.proven(holder.session, call.id, self._policy.proof_stale_s, now)
                proven = proven and not self._presence.is_lost(holder.session)
                found.append(Candidate(holder.session, holder.number, load[holder.number], proven))
        return found
