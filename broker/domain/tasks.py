"""What a call's record takes from the posts, and what time adds to it: the tasks that one post alone has. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from broker.domain import task_commands as t
from broker.domain import task_events as e
from broker.domain.call import Call
from broker.domain.call_record import Attend, Bookmark, Breach
from broker.domain.codes import Code, Post, Refused
from broker.domain.events import Event
from broker.domain.free_text import kept_text
from broker.domain.policy import Policy


def clock_s(call: Call, now: datetime) -> int | None:
    """Return the call's own clock in whole seconds: since it began, stops left out; None before it began."""
    if call.started_at is None:
        return None
    until = call.clock_stopped_at or call.ended_at or now
    return max(0, int((until - call.started_at).total_seconds()) - call.stopped_s)


def decide_task(call: Call, command: t.TaskCommand, post: Post, policy: Policy, now: datetime) -> list[Event]:
    """Return what a task command does. The permission table has already said that `post` may ask.

    Raises:
        Refused: what is written is no text of ours, or what is spoken of is not there or past its time.
    """
    by, clock, new_id = command.actor.id, clock_s(call, now), f"{call.seq + 1}"
    match command:
        case t.AddNote(code=code, text=text):
            return [e.NoteAdded(now, by, f"n{new_id}", code, kept_text(text, policy.text_most_chars), clock)]
        case t.AddBookmark():
            return [] if _is_marked(call, by, now) else [e.BookmarkAdded(now, by, f"b{new_id}", clock)]
        case t.RecordBreach(category=category, outcome=outcome, text=text):
            words = kept_text(text, policy.text_most_chars, needed=False)
            return [e.BreachRecorded(now, by, f"x{new_id}", category, outcome, clock, words)]
        case t.WithdrawBreach(breach_id=breach_id):
            return _withdraw(call, by, breach_id, policy, now)
        case t.SayLine(text=text):
            return [e.LineSaid(now, by, kept_text(text, policy.line_most_chars), post)]
        case t.RequestAttend() | t.AcknowledgeAttend() | t.EscalateAttend() | t.CloseAttend():
            return _attendance(call, command, policy, now)
        case _:
            raise AssertionError(command)


def _is_marked(call: Call, by: str, now: datetime) -> bool:
    """A key that is pressed twice within a second marks one moment."""
    marks = [entry for entry in call.record.entries if isinstance(entry, Bookmark) and entry.by == by]
    return bool(marks) and now - marks[-1].at < timedelta(seconds=1)


def _withdraw(call: Call, by: str, breach_id: str, policy: Policy, now: datetime) -> list[Event]:
    breach: Breach | None = call.record.breach(breach_id)
    if breach is None or breach.by != by:
        raise Refused(Code.UNKNOWN_BREACH)
    if breach.withdrawn:
        return []
    if now - breach.at > timedelta(seconds=policy.breach_withdraw_s):
        raise Refused(Code.WITHDRAW_EXPIRED)
    return [e.BreachWithdrawn(now, by, breach_id)]


_Attendance = t.RequestAttend | t.AcknowledgeAttend | t.EscalateAttend | t.CloseAttend


def _attendance(call: Call, command: _Attendance, policy: Policy, now: datetime) -> list[Event]:
    by, number = command.actor.id, command.actor.number or ""
    if isinstance(command, t.RequestAttend):
        if call.record.attending is not None:
            return []  # asked already: a second bell would ring no louder
        text = kept_text(command.text, policy.line_most_chars, needed=False)
        return [e.AttendRequested(now, by, f"a{call.seq + 1}", command.reason, number, text)]
    attend = call.record.attend(command.attend_id)
    if attend is None:
        raise Refused(Code.UNKNOWN_ATTEND)
    if not attend.open:
        return []
    match command:
        case t.AcknowledgeAttend():
            return [] if attend.acknowledged_at else [e.AttendAcknowledged(now, by, attend.id, number)]
        case t.EscalateAttend():
            return [] if attend.escalated_at else [e.AttendEscalated(now, by, attend.id, attend.reason, number)]
        case t.CloseAttend(outcome=outcome):
            if attend.waits:
                raise Refused(Code.NOT_ACKNOWLEDGED)
            return [e.AttendClosed(now, by, attend.id, outcome, number)]
        case _:
            assert_never(command)


def overdue(call: Call, policy: Policy, now: datetime) -> list[Event]:
    """Return the escalation of a request that nobody answered in time; after the end of the call too."""
    attend: Attend | None = call.record.attending
    if attend is None or not attend.waits or now - attend.at < timedelta(seconds=policy.attend_ack_s):
        return []
    return [e.AttendEscalated(now, "system", attend.id, attend.reason, None)]
