"""Events of the tasks that only one post may do: notes, bookmarks, breaches, identity, attendance, the text line."""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.codes import (
    AttendOutcome,
    AttendReason,
    BreachCategory,
    BreachOutcome,
    Document,
    NoteCode,
    Post,
)
from broker.domain.events import Event


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """Any of them: it changes a call's record (call_record.py) and nothing that media depend on.

    `clock_s` is the call's own clock, in whole seconds since it began, stops left out; None before it began.
    """


@dataclass(frozen=True, slots=True)
class NoteAdded(TaskEvent):
    """The monitoring post wrote an observation note (features F49)."""

    note_id: str
    code: NoteCode
    text: str
    clock_s: int | None


@dataclass(frozen=True, slots=True)
class BookmarkAdded(TaskEvent):
    """The monitoring post marked a moment (features F50)."""

    bookmark_id: str
    clock_s: int | None


@dataclass(frozen=True, slots=True)
class BreachRecorded(TaskEvent):
    """A breach, with what was done about it (features F83)."""

    breach_id: str
    category: BreachCategory
    outcome: BreachOutcome
    clock_s: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class BreachWithdrawn(TaskEvent):
    """Its maker took it back in time: it counts no more, and stays on record."""

    breach_id: str


@dataclass(frozen=True, slots=True)
class PersonCheck:
    """What was ticked for one person at the identity check: name said, face matched, document seen."""

    id: str
    name: bool
    photo: bool
    document: Document | None


@dataclass(frozen=True, slots=True)
class IdentityChecked(TaskEvent):
    """Everybody who is there was checked; `absent` were booked and are not there (features F13, F14)."""

    leg_id: str
    people: tuple[PersonCheck, ...]
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningMissed(Event):
    """A leg did not say in time that its page presents a warning (features F51)."""

    warning_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class AttendRequested(TaskEvent):
    """The monitoring post asks the hall to attend the seat (features F69)."""

    attend_id: str
    reason: AttendReason
    number: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class AttendAcknowledged(TaskEvent):
    """The technical post is on its way."""

    attend_id: str
    number: str


@dataclass(frozen=True, slots=True)
class AttendEscalated(TaskEvent):
    """The orderly officer is called: nobody answered in time (`number` None), or the hall cannot go."""

    attend_id: str
    reason: AttendReason
    number: str | None


@dataclass(frozen=True, slots=True)
class AttendClosed(TaskEvent):
    """The technical post says how it ended."""

    attend_id: str
    outcome: AttendOutcome
    number: str


@dataclass(frozen=True, slots=True)
class LineSaid(TaskEvent):
    """One post wrote to the other about this call; callers never see it (features F71)."""

    text: str
    post: Post


NAMES: dict[type[Event], str] = {
    NoteAdded: "note.added",
    BookmarkAdded: "bookmark.added",
    BreachRecorded: "breach.recorded",
    BreachWithdrawn: "breach.withdrawn",
    IdentityChecked: "identity.checked",
    WarningMissed: "warning.missed",
    AttendRequested: "attend.requested",
    AttendAcknowledged: "attend.acknowledged",
    AttendEscalated: "attend.escalated",
    AttendClosed: "attend.closed",
    LineSaid: "line.said",
}
"""Their names on the record (codec.py)."""
