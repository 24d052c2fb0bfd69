"""Alerts between the engine and a staff page: which of them a post is shown, and what its person does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from broker.domain import commands as c
from broker.domain.actors import Actor
from broker.domain.alerts import RULES, Alert
from broker.domain.codes import AlertCode, AlertOutcome, Code, Post, Refused
from broker.edge.presenter import Presenter
from broker.engine.engine import Engine
from broker.protocol import client
from broker.protocol.alerts import Alert as AlertMessage
from broker.protocol.server import Ok

if TYPE_CHECKING:
    from broker.edge.staff_session import StaffSession

_ASKED = (AlertCode.HELP, AlertCode.HAND)


def alert_part(alert: Alert, presenter: Presenter) -> AlertMessage:
    """Return an alert in the words of the wire."""
    return AlertMessage(
        id=alert.id,
        at=alert.at,
        code=alert.code,
        level=alert.level,
        state=_state(alert),
        clears=RULES[alert.code].clears,
        establishment=alert.key.establishment,
        call_id=alert.key.call_id,
        leg_id=alert.key.leg_id,
        post=alert.post,
        by=presenter.name_of(alert.key.by),
        acked_by=presenter.name_of(alert.acked_by),
        acked_at=alert.acked_at,
        cleared_by=presenter.name_of(alert.cleared_by),
        cleared_at=alert.cleared_at,
        outcome=alert.outcome,
    )


def _state(alert: Alert) -> Literal["open", "acknowledged", "cleared"]:
    if not alert.stands:
        return "cleared"
    return "open" if alert.acked_by is None else "acknowledged"


def is_shown(session: StaffSession, alert: Alert) -> bool:
    """Say whether a post is shown an alert of its scope: the monitoring post both posts', the hall its own."""
    held = session.held
    if held is None or not held.covers(alert.key.establishment, alert.hall_id):
        return False
    entry = session.engine.entry(alert.key.call_id) if alert.key.call_id is not None else None
    if entry is not None and not session.sees(entry.actor.call):
        return False
    return held.post is Post.MONITOR or alert.post in (None, Post.SUPERVISOR)


def alerts_of(session: StaffSession, presenter: Presenter) -> list[AlertMessage]:
    """Return the alerts that a page is shown when it comes: the oldest first."""
    return [alert_part(alert, presenter) for alert in session.engine.alerts.all() if is_shown(session, alert)]


async def answer_alert(session: StaffSession, message: client.AlertAck | client.AlertClear) -> Ok:
    """Take or close an alert. Raises Refused."""
    alert = session.engine.alerts.alert(message.alert_id)
    if alert is None or not is_shown(session, alert):
        raise Refused(Code.UNKNOWN_ALERT)
    actor = session.actor()
    if isinstance(message, client.AlertAck):
        recorded = await session.engine.alerts.acknowledge(actor, alert.id)
    else:
        recorded = await session.engine.alerts.dismiss(actor, alert.id, AlertOutcome(message.outcome))
        if alert.stands:  # a click that comes late lowers no hand that was raised since
            await _help_given(session.engine, actor, alert)
    return Ok(key=message.key, recorded=recorded)


async def _help_given(engine: Engine, actor: Actor, alert: Alert) -> None:
    """Who asked for staff is told that somebody has dealt with it: the call's own word, so that they may ask again."""
    if alert.code in _ASKED and alert.key.call_id is not None and alert.key.leg_id is not None:
        await engine.send(alert.key.call_id, c.GiveHelp(actor, alert.key.leg_id))
