"""What is said of the tasks that one post has: its commands, receipts, and a call's record as staff see it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    Document,
    NoteCode,
    Post,
    Warning,
)
from broker.protocol.base import Id, Key, Message, ServerPart

Text = Annotated[str, StringConstraints(max_length=16_000)]
"""What a person wrote. Longer than policy keeps is refused with a code; longer than this breaks the protocol."""


MOST_ENTRIES = 50  # of one message: each may hold 2,000 characters


# --- what a post says ----------------------------------------------------------


class PersonTicks(Message):
    """What was ticked for one person at the identity check."""

    id: Id
    name: bool
    photo: bool
    document: Document | None = None


class CallNote(Message):
    """Write an observation note (features F49)."""

    type: Literal["call.note"] = "call.note"
    key: Key
    call_id: Id
    code: NoteCode
    text: Text


class CallBookmark(Message):
    """Mark this moment of the call (features F50)."""

    type: Literal["call.bookmark"] = "call.bookmark"
    key: Key
    call_id: Id


class CallBreach(Message):
    """Record a breach with what was done about it (features F83)."""

    type: Literal["call.breach"] = "call.breach"
    key: Key
    call_id: Id
    category: BreachCategory
    outcome: BreachOutcome
    text: Text = ""


class BreachWithdraw(Message):
    """Take one's own breach back, within a minute."""

    type: Literal["breach.withdraw"] = "breach.withdraw"
    key: Key
    call_id: Id
    breach_id: Id


class AttendRequest(Message):
    """Ask the hall to attend the seat (features F69)."""

    type: Literal["attend.request"] = "attend.request"
    key: Key
    call_id: Id
    reason: AttendReason
    text: Text = ""


class AttendAcknowledge(Message):
    """The hall is on its way."""

    type: Literal["attend.acknowledge"] = "attend.acknowledge"
    key: Key
    call_id: Id
    attend_id: Id


class AttendEscalate(Message):
    """The hall cannot go: call the orderly officer."""

    type: Literal["attend.escalate"] = "attend.escalate"
    key: Key
    call_id: Id
    attend_id: Id


class AttendClose(Message):
    """The hall says how it ended."""

    type: Literal["attend.close"] = "attend.close"
    key: Key
    call_id: Id
    attend_id: Id
    outcome: AttendOutcome


class CallSay(Message):
    """Write a line to the other post about this call; callers never see it (features F71)."""

    type: Literal["call.say"] = "call.say"
    key: Key
    call_id: Id
    text: Text


TaskMessage = (
    CallNote
    | CallBookmark
    | CallBreach
    | BreachWithdraw
    | AttendRequest
    | AttendAcknowledge
    | AttendEscalate
    | AttendClose
    | CallSay
)


# --- what staff are told ----------------------------------------------------------


class ReceiptPart(ServerPart):
    """Whether one leg's page has presented a warning: the page visible, the words in view, a frame painted."""

    leg_id: Id
    state: Literal["waiting", "shown", "late", "missed"]
    after_s: float | None = None


class WarningState(ServerPart):
    """Where a warning has been shown."""

    type: Literal["warning.state"] = "warning.state"
    call_id: Id
    warning_id: Id
    warning: Warning
    at: datetime
    shown_by: list[Id]
    legs: list[ReceiptPart] = []


class CheckedPart(ServerPart):
    """A person who passed the identity check."""

    name: str
    document: Document


class RecordPart(ServerPart):
    """One entry of a call's record. `kind` says which fields it has; `by` and names are for staff only.

    `code` and `outcome` are words of the closed lists: a note's code, a breach's category, a request's reason.
    """

    id: Id
    kind: Literal["note", "bookmark", "breach", "identity", "attend", "line"]
    at: datetime
    by: str
    clock_s: int | None = None
    post: Post = Post.MONITOR
    code: str | None = None
    outcome: str | None = None
    text: str = ""
    people: list[CheckedPart] = []
    absent: list[str] = []
    withdrawn: bool = False
    until: datetime | None = None  # of a breach: it may be withdrawn; of a request: it rings
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    escalated_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None


class RecordMessage(ServerPart):
    """Entries of a call's record, new or changed. The hall is told of attendance and of the line alone."""

    type: Literal["call.record"] = "call.record"
    call_id: Id
    entries: Annotated[list[RecordPart], Field(max_length=MOST_ENTRIES)]
