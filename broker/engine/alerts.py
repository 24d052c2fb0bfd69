"""Alerts of this node: raised once while their cause stands, taken by a named person, cleared, all on the record."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, Final

import structlog

from broker.domain.actors import Actor
from broker.domain.alerts import RULES, Alert, Clears, Key
from broker.domain.codes import AlertCode, AlertLevel, AlertOutcome, Code, Post, Refused
from broker.domain.permissions import Subject, may
from broker.engine.board import Alerted, Board
from broker.engine.stream import Streams
from broker.engine.tasks import Tasks
from broker.ports import JSON, Clock, LogConflict, LogUnavailable, Record

MOST_DONE: Final = 200
"""How many alerts that are dealt with are kept at hand for each establishment; the record has them all."""

log = structlog.get_logger()


def new_alert_id() -> str:
    """Return a fresh alert's id."""
    return f"a{secrets.token_hex(8)}"


@dataclass(slots=True)
class _Owed:
    """A record that is still to be written."""

    type: str
    actor: str
    alert: Alert
    body: dict[str, JSON]
    recorded: bool = False


class Alerts:
    """The alerts of every establishment whose calls this node carries."""

    def __init__(
        self,
        streams: Streams,
        board: Board,
        clock: Clock,
        zone: tzinfo,
        tasks: Tasks,
        new_id: Callable[[], str] = new_alert_id,
    ) -> None:
        self._streams = streams
        self._board = board
        self._clock = clock
        self._zone = zone
        self._tasks = tasks
        self._new_id = new_id
        self._owed: deque[_Owed] = deque()
        self._writing = asyncio.Lock()
        self._alerts: dict[str, Alert] = {}  # in the order in which they were raised
        self._standing: dict[str | None, dict[Key, str]] = {}  # by call: whose cause has not gone, dealt with or not

    # --- reading ----------------------------------------------------------------

    def of(self, establishment: str) -> list[Alert]:
        """Return the alerts of an establishment: those that stand, and those of the day that are dealt with."""
        return [alert for alert in self._alerts.values() if alert.key.establishment == establishment]

    def all(self) -> list[Alert]:
        """Return every alert at hand, in the order in which they were raised."""
        return list(self._alerts.values())

    def standing(self) -> list[Alert]:
        """Return the alerts whose cause has not gone yet, everywhere."""
        return [self._alerts[id] for of_call in self._standing.values() for id in of_call.values()]

    def standing_for(self, call_id: str) -> list[Alert]:
        """Return the alerts of one call whose cause has not gone yet."""
        return [self._alerts[id] for id in self._standing.get(call_id, {}).values()]

    def alert(self, alert_id: str) -> Alert | None:
        """Return an alert that is at hand."""
        return self._alerts.get(alert_id)

    # --- what happens to one ------------------------------------------------------

    def raise_(
        self,
        code: AlertCode,
        *,
        establishment: str,
        hall_id: str | None = None,
        call_id: str | None = None,
        leg_id: str | None = None,
        by: str | None = None,
        post: Post | None = None,
    ) -> Alert | None:
        """Raise an alert; None where the same one stands already.

        Args:
            by: The staff number of whoever caused it.
            post: Whose task it is; None: as the code's rule says.
        """
        key = Key(code, establishment, call_id, leg_id, by)
        if self._held(key) is not None:
            return None
        rule = RULES[code]
        alert = Alert(self._new_id(), self._clock.now(), key, rule.level, post or rule.post, hall_id)
        self._hold(alert)
        self._told(alert)
        self._record("alert.raised", f"staff:{by}" if by else "system", alert, _raised_body(alert))
        return alert

    def clear(
        self,
        code: AlertCode,
        *,
        call_id: str | None = None,
        leg_id: str | None = None,
        establishment: str | None = None,
        by: str | None = None,
    ) -> None:
        """The cause is gone: what stands for it clears by itself; of one establishment or person where named."""
        for key in list(self._standing.get(call_id, ())):
            here = establishment in (None, key.establishment) and by in (None, key.by)
            if here and (key.code, key.leg_id) == (code, leg_id):
                self._cause_gone(key)

    def _cause_gone(self, key: Key) -> None:
        alert = self._alerts[self._standing[key.call_id][key]]
        self._release(key)
        if alert.stands:
            ended = self._ended(alert, None, AlertOutcome.ITSELF)
            self._told(ended)
            self._record("alert.cleared", "system", ended, _cleared_body(ended))

    def _held(self, key: Key) -> str | None:
        return self._standing.get(key.call_id, {}).get(key)

    def _hold(self, alert: Alert) -> None:
        self._standing.setdefault(alert.key.call_id, {})[alert.key] = alert.id

    def _release(self, key: Key) -> None:
        of_call = self._standing.get(key.call_id, {})
        of_call.pop(key, None)
        if not of_call:
            self._standing.pop(key.call_id, None)

    async def acknowledge(self, actor: Actor, alert_id: str) -> bool:
        """Take an alert: its person says that they are on it. The first to do so is kept.

        Returns whether it is on the record already. Raises Refused.
        """
        alert = self._theirs(actor, "alert.ack", alert_id)
        if alert.acked_by is not None or not alert.stands:
            return True
        taken = replace(alert, acked_by=actor.number, acked_at=self._clock.now())
        self._told(taken)
        body: dict[str, JSON] = {"id": alert.id, "number": actor.number}
        return await self._insist(self._owe("alert.acknowledged", actor.id, taken, body))

    async def dismiss(self, actor: Actor, alert_id: str, outcome: AlertOutcome) -> bool:
        """Close an alert: dealt with, or a false alarm. What stands on stays closed until its cause has gone.

        Returns whether it is on the record already.

        Raises:
            Refused: not that post's, or `cause_stands`: only the end of its cause clears it.
        """
        alert = self._theirs(actor, "alert.clear", alert_id)
        clears = RULES[alert.code].clears
        if clears is Clears.ITSELF:
            raise Refused(Code.CAUSE_STANDS)
        if not alert.stands:
            return True
        if clears is Clears.PERSON:
            self._release(alert.key)  # the same may happen again, and is another one then
        ended = self._ended(alert, actor.number, outcome)
        self._told(ended)
        return await self._insist(self._owe("alert.cleared", actor.id, ended, _cleared_body(ended)))

    def _theirs(self, actor: Actor, action: str, alert_id: str) -> Alert:
        """Return the alert, if it is of the actor's post; elsewhere it does not exist. Raises Refused."""
        alert = self._alerts.get(alert_id)
        if alert is None:
            raise Refused(Code.UNKNOWN_ALERT)
        refusal = may(actor.asker, action, Subject(alert.key.establishment, alert.hall_id))
        if refusal is Code.NOT_YOUR_HALL:
            raise Refused(Code.UNKNOWN_ALERT)
        if refusal is not None:
            raise Refused(refusal)
        if alert.post not in (None, actor.post):
            raise Refused(Code.NOT_YOUR_POST)
        return alert

    def _ended(self, alert: Alert, number: str | None, outcome: AlertOutcome) -> Alert:
        return replace(alert, cleared_by=number, cleared_at=self._clock.now(), outcome=outcome)

    def _told(self, alert: Alert) -> None:
        new = alert.id not in self._alerts
        self._alerts[alert.id] = alert
        if new:
            self._let_go(alert.key.establishment)
        self._board.publish(Alerted(alert))

    def _let_go(self, establishment: str) -> None:
        """Keep what stands, and of the day's others the newest."""
        today = self._day(self._clock.now())
        done = [one for one in self.of(establishment) if not one.stands and self._held(one.key) != one.id]
        gone = [one for one in done if self._day(one.at) != today] + done[: max(0, len(done) - MOST_DONE)]
        for alert in gone:
            self._alerts.pop(alert.id, None)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    # --- the record -----------------------------------------------------------------

    def _record(self, type: str, actor: str, alert: Alert, body: dict[str, JSON]) -> None:
        self._tasks.start(self._insist(self._owe(type, actor, alert, body)), "alert")

    def _owe(self, type: str, actor: str, alert: Alert, body: dict[str, JSON]) -> _Owed:
        """Queue a record in the order of what happened, whoever comes to write it."""
        owed = _Owed(type, actor, alert, body)
        self._owed.append(owed)
        return owed

    async def _insist(self, owed: _Owed) -> bool:
        """Write all that is queued, and say whether the log has this one. A page has it first: it never waits."""
        async with self._writing:
            while self._owed:
                await self._write(self._owed.popleft())
        return owed.recorded

    async def _write(self, owed: _Owed) -> None:
        stream = self._streams.establishment(owed.alert.key.establishment)
        try:
            owed.recorded = await stream.insist(owed.type, owed.actor, owed.body) is not None
        except (LogUnavailable, LogConflict) as error:
            log.error("alert not recorded", alert=owed.alert.id, code=owed.alert.code.value, reason=str(error))

    async def restore(self, establishments: Iterable[str]) -> None:
        """Take up the day's alerts from the record, after a restart. What the log cannot say now is raised anew."""
        for place in establishments:
            try:
                records = await self._streams.establishment(place).read()
            except LogUnavailable:
                log.warning("alerts not restored", establishment=place)
                continue
            today = self._day(self._clock.now())
            for record in records:
                if record.type.startswith("alert.") and self._day(record.at) == today:
                    self._replay(place, record)
            self._let_go(place)

    def _replay(self, place: str, record: Record) -> None:
        body: Any = record.body
        if record.type == "alert.raised":
            alert = _raised_from(place, record)
            if alert is not None:
                self._alerts[alert.id] = alert
                self._hold(alert)
            return
        known = self._alerts.get(body["id"])
        if known is None:
            return
        if record.type == "alert.acknowledged":
            self._alerts[known.id] = replace(known, acked_by=body["number"], acked_at=record.at)
            return
        outcome = AlertOutcome(body["outcome"])
        self._alerts[known.id] = replace(known, cleared_by=body["number"], cleared_at=record.at, outcome=outcome)
        if outcome is AlertOutcome.ITSELF or RULES[known.code].clears is Clears.PERSON:
            self._release(known.key)


def _raised_body(alert: Alert) -> dict[str, JSON]:
    return {
        "id": alert.id,
        "code": alert.code.value,
        "level": alert.level.value,
        "call_id": alert.key.call_id,
        "leg_id": alert.key.leg_id,
        "post": alert.post.value if alert.post else None,
        "hall": alert.hall_id,
    }


def _cleared_body(alert: Alert) -> dict[str, JSON]:
    return {
        "id": alert.id,
        "number": alert.cleared_by,
        "outcome": alert.outcome.value if alert.outcome else None,
    }


def _raised_from(place: str, record: Record) -> Alert | None:
    """Return the alert of a record; None for a code that this version does not know any more."""
    body: Any = record.body
    try:
        code, level = AlertCode(body["code"]), AlertLevel(body["level"])
    except ValueError:
        return None
    by = record.actor.removeprefix("staff:") if record.actor.startswith("staff:") else None
    key = Key(code, place, body["call_id"], body["leg_id"], by)
    post = Post(body["post"]) if body["post"] else None
    return Alert(body["id"], record.at, key, level, post, body["hall"])
