"""The commands of the tasks that one post has: from the wire to the rules, one line each."""

from __future__ import annotations

from broker.domain import task_commands as t
from broker.domain.actors import Actor
from broker.domain.commands import Command
from broker.domain.task_events import PersonCheck
from broker.protocol import tasks as wire


def task_of(actor: Actor, message: object) -> Command | None:
    """Return what `message` asks of a call's record; None where it asks nothing of it."""
    match message:
        case wire.CallNote(code=code, text=text):
            return t.AddNote(actor, code, text)
        case wire.CallBookmark():
            return t.AddBookmark(actor)
        case wire.CallBreach(category=category, outcome=outcome, text=text):
            return t.RecordBreach(actor, category, outcome, text)
        case wire.BreachWithdraw(breach_id=breach_id):
            return t.WithdrawBreach(actor, breach_id)
        case wire.AttendRequest(reason=reason, text=text):
            return t.RequestAttend(actor, reason, text)
        case wire.AttendAcknowledge(attend_id=attend_id):
            return t.AcknowledgeAttend(actor, attend_id)
        case wire.AttendEscalate(attend_id=attend_id):
            return t.EscalateAttend(actor, attend_id)
        case wire.AttendClose(attend_id=attend_id, outcome=closed):
            return t.CloseAttend(actor, attend_id, closed)
        case wire.CallSay(text=text):
            return t.SayLine(actor, text)
        case _:
            return None


def checks_of(ticks: list[wire.PersonTicks]) -> tuple[PersonCheck, ...]:
    """Return the ticks of an identity check as the rules take them."""
    return tuple(PersonCheck(one.id, one.name, one.photo, one.document) for one in ticks)
