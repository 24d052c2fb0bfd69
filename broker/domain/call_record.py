"""The record that both posts make of a call: notes, bookmarks, breaches, checks, attendance, the line between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch

from broker.domain import task_events as t
from broker.domain.codes import AttendOutcome, AttendReason, BreachCategory, BreachOutcome, NoteCode, Post


@dataclass(frozen=True, slots=True)
class Note:
    """An observation note. `by` is an actor's id, here and below."""

    id: str
    at: datetime
    by: str
    clock_s: int | None
    code: NoteCode
    text: str


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A moment that was marked."""

    id: str
    at: datetime
    by: str
    clock_s: int | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach; one that was withdrawn counts for nothing."""

    id: str
    at: datetime
    by: str
    clock_s: int | None
    category: BreachCategory
    outcome: BreachOutcome
    text: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """An identity check that was passed."""

    id: str
    at: datetime
    by: str
    leg_id: str
    people: tuple[t.PersonCheck, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attend:
    """A request that the hall attend: asked, then acknowledged or escalated (or both), then closed."""

    id: str
    at: datetime
    by: str
    reason: AttendReason
    text: str
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    escalated_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    outcome: AttendOutcome | None = None

    @property
    def open(self) -> bool:
        """Say whether it is not closed yet."""
        return self.closed_at is None

    @property
    def waits(self) -> bool:
        """Say whether nobody has answered and nobody was called yet."""
        return self.open and self.acknowledged_at is None and self.escalated_at is None


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one post to the other."""

    id: str
    at: datetime
    by: str
    post: Post
    text: str


Entry = Note | Bookmark | Breach | Check | Attend | Line


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What both posts recorded of one call, oldest first."""

    entries: tuple[Entry, ...] = ()

    @property
    def attending(self) -> Attend | None:
        """The request to attend that is not closed yet; there is never more than one."""
        return next((entry for entry in self.entries if isinstance(entry, Attend) and entry.open), None)

    def attend(self, attend_id: str) -> Attend | None:
        """Return the request with that id."""
        return next((one for one in self.entries if isinstance(one, Attend) and one.id == attend_id), None)

    def breach(self, breach_id: str) -> Breach | None:
        """Return the breach with that id."""
        return next((one for one in self.entries if isinstance(one, Breach) and one.id == breach_id), None)

    def plus(self, entry: Entry) -> CallRecord:
        """Return the record with one entry more, or with a newer state of one that it has."""
        if any(one.id == entry.id for one in self.entries):
            return CallRecord(tuple(entry if one.id == entry.id else one for one in self.entries))
        return CallRecord((*self.entries, entry))


NOTHING_RECORDED = CallRecord()


def after(record: CallRecord, event: t.TaskEvent, seq: int) -> CallRecord:
    """Return the record after `event`, which is the `seq`-th of its call."""
    entry = _entry(event, record, seq)
    return record if entry is None else record.plus(entry)


@singledispatch
def _entry(event: t.TaskEvent, record: CallRecord, seq: int) -> Entry | None:
    raise TypeError(f"no rule for {type(event).__name__}")


@_entry.register
def _(event: t.NoteAdded, record: CallRecord, seq: int) -> Entry:
    return Note(event.note_id, event.at, event.actor, event.clock_s, event.code, event.text)


@_entry.register
def _(event: t.BookmarkAdded, record: CallRecord, seq: int) -> Entry:
    return Bookmark(event.bookmark_id, event.at, event.actor, event.clock_s)


@_entry.register
def _(event: t.BreachRecorded, record: CallRecord, seq: int) -> Entry:
    return Breach(event.breach_id, event.at, event.actor, event.clock_s, event.category, event.outcome, event.text)


@_entry.register
def _(event: t.BreachWithdrawn, record: CallRecord, seq: int) -> Entry | None:
    breach = record.breach(event.breach_id)
    return replace(breach, withdrawn=True) if breach else None


@_entry.register
def _(event: t.IdentityChecked, record: CallRecord, seq: int) -> Entry:
    return Check(f"i{seq}", event.at, event.actor, event.leg_id, event.people, event.absent)


@_entry.register
def _(event: t.AttendRequested, record: CallRecord, seq: int) -> Entry:
    return Attend(event.attend_id, event.at, event.actor, event.reason, event.text)


@_entry.register
def _(event: t.AttendAcknowledged, record: CallRecord, seq: int) -> Entry | None:
    attend = record.attend(event.attend_id)
    return replace(attend, acknowledged_at=event.at, acknowledged_by=event.actor) if attend else None


@_entry.register
def _(event: t.AttendEscalated, record: CallRecord, seq: int) -> Entry | None:
    attend = record.attend(event.attend_id)
    return replace(attend, escalated_at=event.at) if attend else None


@_entry.register
def _(event: t.AttendClosed, record: CallRecord, seq: int) -> Entry | None:
    attend = record.attend(event.attend_id)
    if attend is None:
        return None
    return replace(attend, closed_at=event.at, closed_by=event.actor, outcome=event.outcome)


@_entry.register
def _(event: t.LineSaid, record: CallRecord, seq: int) -> Entry:
    return Line(f"l{seq}", event.at, event.actor, event.post, event.text)
