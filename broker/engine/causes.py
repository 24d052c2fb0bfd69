"""What alerts stand for: the state of every open call, compared with the alerts twice a second and at every change."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from broker.domain.alerts import (
    ADVICE,
    OF_A_CALL,
    OF_FACES,
    RULES,
    Alert,
    Clears,
    advice_stands,
    causes,
    detectors_on,
    faces_expected,
)
from broker.domain.call import Call, Phase
from broker.domain.codes import AlertCode
from broker.domain.policy import policy
from broker.engine.alerts import Alerts
from broker.engine.board import CallChanged, Change
from broker.engine.recorder import Recorder
from broker.engine.registry import Registry
from broker.ports import Clock

LOOK_EVERY_S: Final = 0.5

_Said = tuple[str, str | None, AlertCode]  # call, leg, code


class Causes:
    """Raises and clears what follows from the calls themselves, and from what consoles advise."""

    def __init__(self, registry: Registry, alerts: Alerts, recorder: Recorder, clock: Clock) -> None:
        self._registry = registry
        self._alerts = alerts
        self._recorder = recorder
        self._clock = clock
        self._advice: dict[_Said, dict[str, tuple[datetime, datetime]]] = {}  # by session: since when, and last said

    async def run(self) -> None:
        """Look for as long as the node lives."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def follow(self, change: Change) -> None:
        """A call changed: its alerts change with it, at once."""
        if isinstance(change, CallChanged):
            self._compare(change.call)
            if not change.recorded:
                call = change.call
                self._alerts.raise_(
                    AlertCode.UNRECORDED, establishment=call.establishment, hall_id=call.hall_id, call_id=call.id
                )

    def look(self) -> None:
        """Compare everything with what stands."""
        for entry in self._registry:
            self._compare(entry.actor.call)
        self._judge_advice()
        for alert in self._alerts.standing():
            if self._is_gone(alert):
                self._alerts.clear(alert.code, call_id=alert.key.call_id, leg_id=alert.key.leg_id)

    def _is_gone(self, alert: Alert) -> bool:
        """Say whether the cause went with its call, or, of what the record lacked, with the last record owed."""
        if alert.code is AlertCode.UNRECORDED:
            return not self._recorder.behind
        call_id = alert.key.call_id
        closed = call_id is not None and self._registry.entry(call_id) is None
        return closed and RULES[alert.code].clears is not Clears.PERSON

    def _compare(self, call: Call) -> None:
        found = causes(call, policy(call.policy_version), self._clock.now())
        wanted = {(cause.code, cause.leg_id) for cause in found}
        for alert in self._alerts.standing_for(call.id):
            if alert.code in OF_A_CALL and (alert.code, alert.key.leg_id) not in wanted:
                self._alerts.clear(alert.code, call_id=call.id, leg_id=alert.key.leg_id)
        for cause in sorted(found, key=lambda one: (one.code, one.leg_id or "")):
            self._alerts.raise_(
                cause.code,
                establishment=call.establishment,
                hall_id=call.hall_id,
                call_id=call.id,
                leg_id=cause.leg_id,
                post=cause.post,
            )

    # --- what a console's detectors see ---------------------------------------------

    def advise(self, session: str, call_id: str, leg_id: str | None, code: AlertCode, since: datetime | None) -> None:
        """A console says what it has seen since when; None: it sees it no more. It is heard, and acts on nothing."""
        entry = self._registry.entry(call_id)
        if entry is None or code not in ADVICE:
            return
        call, now, said = entry.actor.call, self._clock.now(), (call_id, leg_id, code)
        if leg_id is not None and call.leg(leg_id) is None:
            return
        if since is None or call.phase is not Phase.LIVE or not _may_be_said(call, leg_id, code):
            self._advice.get(said, {}).pop(session, None)
        else:
            began = max(min(since, now), call.started_at or now)
            self._advice.setdefault(said, {})[session] = (began, now)
        self._judge(said)

    def _judge_advice(self) -> None:
        for said in list(self._advice):
            self._judge(said)

    def _judge(self, said: _Said) -> None:
        call_id, leg_id, code = said
        entry, now = self._registry.entry(call_id), self._clock.now()
        heard = self._advice.get(said, {})
        if entry is None or entry.actor.call.phase is not Phase.LIVE or entry.actor.call.holds:
            heard.clear()
        rules = policy(entry.actor.call.policy_version) if entry is not None else None
        for session, (_, last) in list(heard.items()):
            if rules is not None and (now - last).total_seconds() > rules.advice_fresh_s:
                del heard[session]
        if not heard or entry is None or rules is None:
            self._advice.pop(said, None)
            self._alerts.clear(code, call_id=call_id, leg_id=leg_id)
            return
        if advice_stands(code, min(since for since, _ in heard.values()), rules, now):
            call = entry.actor.call
            self._alerts.raise_(
                code, establishment=call.establishment, hall_id=call.hall_id, call_id=call_id, leg_id=leg_id
            )


def _may_be_said(call: Call, leg_id: str | None, code: AlertCode) -> bool:
    rules = policy(call.policy_version)
    if code not in OF_FACES:
        return detectors_on(call, rules)
    leg = call.leg(leg_id) if leg_id is not None else None
    return leg is not None and faces_expected(call, leg, rules) is not None
