"""What a post may ask of a call's record. Each names its action in the permission table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from broker.domain.codes import AttendOutcome, AttendReason, BreachCategory, BreachOutcome, NoteCode
from broker.domain.commands import Command


@dataclass(frozen=True, slots=True)
class TaskCommand(Command):
    """Any of them. `after_end`: it may still be done once the call has ended."""

    action: ClassVar[str]
    after_end: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class AddNote(TaskCommand):
    """Write an observation note, coded and in one's own words."""

    action: ClassVar[str] = "call.note"
    code: NoteCode
    text: str


@dataclass(frozen=True, slots=True)
class AddBookmark(TaskCommand):
    """Mark this moment."""

    action: ClassVar[str] = "call.bookmark"
    after_end: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class RecordBreach(TaskCommand):
    """Record a breach and what was done about it."""

    action: ClassVar[str] = "call.breach"
    category: BreachCategory
    outcome: BreachOutcome
    text: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawBreach(TaskCommand):
    """Take one's own breach back, within its time."""

    action: ClassVar[str] = "call.breach"
    breach_id: str


@dataclass(frozen=True, slots=True)
class RequestAttend(TaskCommand):
    """Ask the hall to attend the seat."""

    action: ClassVar[str] = "attend.request"
    after_end: ClassVar[bool] = False
    reason: AttendReason
    text: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgeAttend(TaskCommand):
    """The hall is on its way."""

    action: ClassVar[str] = "attend.acknowledge"
    attend_id: str


@dataclass(frozen=True, slots=True)
class EscalateAttend(TaskCommand):
    """The hall cannot go: the orderly officer is called now."""

    action: ClassVar[str] = "attend.escalate"
    attend_id: str


@dataclass(frozen=True, slots=True)
class CloseAttend(TaskCommand):
    """The hall says how it ended."""

    action: ClassVar[str] = "attend.close"
    attend_id: str
    outcome: AttendOutcome


@dataclass(frozen=True, slots=True)
class SayLine(TaskCommand):
    """Write a line to the other post."""

    action: ClassVar[str] = "call.say"
    text: str
