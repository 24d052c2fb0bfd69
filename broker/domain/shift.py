"""A shift: one person's time at the monitoring post, from sign-on to sign-off, as the record tells it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from broker.domain.codes import Code, Post, Refused
from broker.domain.free_text import kept_text
from broker.domain.gaps import Gap, gaps
from broker.domain.policy import Policy
from broker.domain.records import NATIONAL_POOL
from broker.domain.spans import Spans, length, meet
from broker.domain.story import Act, Recorded, Story, staff_of

CARRIED_ON: Final = "carried_on"
NOTED: Final = "shift.noted"
NOTE_WITHIN: Final = timedelta(hours=12)
"""For how long after its end a shift may be noted, and how long its notes stand for whoever comes next."""
NOTE_LINES: Final = 4
"""A note is as long as so many lines of what the posts write to each other."""


@dataclass(frozen=True, slots=True)
class Shift:
    """When it began and ended (`until`: its end, or now), of whom, over which establishments."""

    session: str
    number: str
    start: datetime
    until: datetime
    over: bool
    places: frozenset[str]
    pool: bool = False  # held for the national pool
    why: str | None = None  # why the post was left; catalogue key `shift.why.<code>`

    @property
    def spans(self) -> Spans:
        """Its time."""
        return ((self.start, self.until),)

    @property
    def told(self) -> frozenset[str]:
        """Whose records tell of it: its establishments', and the pool's own."""
        return self.places | {NATIONAL_POOL} if self.pool else self.places


@dataclass(frozen=True, slots=True)
class ShiftNote:
    """What a shift's person wrote for whoever comes next."""

    id: str
    session: str
    number: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a shift came to: what its person did and had, and every gap in the post while it was theirs."""

    shift: Shift
    calls: tuple[str, ...]  # covered by this person
    watched: timedelta  # call time proven by this person, all calls together
    looks_due: int
    looks_in_time: int
    checks: Counter[str]  # attention checks by outcome
    breaks: int  # breaks that came due
    acts: tuple[tuple[str, Act], ...]  # call and act, in order
    breaches: int
    gaps: tuple[Gap, ...]
    notes: tuple[ShiftNote, ...] = ()

    def as_rows(self) -> list[tuple[str, ...]]:
        """Return it as rows of a table."""
        shift = self.shift
        return [
            ("number", shift.number),
            ("from", shift.start.isoformat()),
            ("to", shift.until.isoformat() if shift.over else ""),
            ("establishments", " ".join(sorted(shift.places))),
            ("calls", str(len(self.calls))),
            ("watched_s", str(round(self.watched.total_seconds(), 3))),
            ("looks_in_time", str(self.looks_in_time)),
            ("looks_due", str(self.looks_due)),
            *((f"checks_{outcome}", str(count)) for outcome, count in sorted(self.checks.items())),
            ("breaks_due", str(self.breaks)),
            ("breaches", str(self.breaches)),
            *(("act", act.at.isoformat(), call, act.verb, act.reason or "") for call, act in self.acts),
            *(("note", note.at.isoformat(), note.number, note.text) for note in self.notes),
            *(("gap", gap.start.isoformat(), str(gap.seconds), " ".join(gap.calls)) for gap in self.gaps),
        ]


@dataclass(slots=True)
class _Run:
    """A shift as it is being read: `on` are the streams in which it is signed on still."""

    number: str
    start: datetime
    on: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    pool: bool = False
    left: tuple[datetime, str] | None = None

    def sign_on(self, record: Recorded) -> None:
        """It begins, or grows by establishments."""
        self.on.add(record.stream)
        self.pool = self.pool or bool(record.body.get("pool"))
        self.places.update(record.body.get("scope") or {record.stream.removeprefix("establishment:")} - {NATIONAL_POOL})
        self.left = None

    def sign_off(self, stream: str, at: datetime, why: str) -> None:
        """One establishment is left; with the last of them the post is."""
        if stream in self.on:
            self.on.remove(stream)
            self.left = None if self.on else (at, why)

    def carried_on(self, at: datetime) -> None:
        """The same person signed on anew, after a break of the connection."""
        if self.on:
            self.on.clear()
            self.left = (at, CARRIED_ON)

    def told(self, session: str, now: datetime) -> Shift:
        """Return what was read of it."""
        until, why = self.left or (max(now, self.start), None)
        over, places = self.left is not None, frozenset(self.places)
        return Shift(session, self.number, self.start, until, over, places, self.pool, why)


def shifts(records: Iterable[Recorded], now: datetime) -> list[Shift]:
    """Return the shifts at the monitoring post in establishments' streams, the latest first.

    A post of several establishments stands in the stream of each, and may gain and lose some; it is one shift, over
    when the last of them is left. A new sign-on of the same person ends the shift before: nobody monitors twice.
    """
    found: dict[str, _Run] = {}
    for record in sorted(records, key=lambda record: record.at):
        if record.body.get("post") != Post.MONITOR.value:
            continue
        session = str(record.body.get("session", ""))
        if record.type == "post.signed_on":
            run = found.setdefault(session, _Run(staff_of(record.actor) or "", record.at))
            for other in found.values():
                if other is not run and other.number == run.number:
                    other.carried_on(record.at)
            run.sign_on(record)
        elif record.type == "post.signed_off" and session in found:
            found[session].sign_off(record.stream, record.at, str(record.body.get("why", "")))
    told = (run.told(session, now) for session, run in found.items())
    return sorted(told, key=lambda shift: (shift.start, shift.session), reverse=True)


def hand_over(shift: Shift, stories: Iterable[Story], records: Iterable[Recorded]) -> HandOver:
    """Return what a shift came to, from the stories of its establishments' calls and from their own streams."""
    ours = [story for story in stories if story.call.establishment in shift.places]
    number, within = shift.number, shift.spans
    proven = {story.id: meet(meet(story.live, story.monitors.where(number)), within) for story in ours}
    looks = [look for story in ours for look in story.looks if look.number == number and _in(look.at, shift)]
    acts = [(story.id, act) for story in ours for act in story.acts if act.number == number and _in(act.at, shift)]
    records = list(records)
    mine = [record for record in records if record.body.get("number") == number and _in(record.at, shift)]
    found = gaps((story, within) for story in ours)
    notes = [note for note in notes_of(records) if note.session == shift.session]
    return HandOver(
        shift,
        tuple(call for call, spans in proven.items() if spans),
        sum((length(spans) for spans in proven.values()), timedelta(0)),
        len(looks),
        sum(look.within for look in looks),
        Counter(str(record.body.get("outcome")) for record in mine if record.type == "attention.checked"),
        len(
            {(record.body.get("session"), record.body.get("snoozed")) for record in mine if record.type == "break.due"}
        ),
        tuple(sorted(acts, key=lambda found: (found[1].at, found[0]))),
        sum(staff_of(breach.by) == number and _in(breach.at, shift) for story in ours for breach in story.breaches),
        tuple(gap for gap in found if gap.post is Post.MONITOR and gap.number == number),
        tuple(notes),
    )


def check_note(shift: Shift, number: str, text: str, policy: Policy, now: datetime) -> str:
    """Return a note as it is kept.

    Raises:
        Refused: `not_permitted` to anybody but the shift's own person, `too_late` some hours after its end, and for
            the text as `kept_text`.
    """
    if shift.number != number:
        raise Refused(Code.NOT_PERMITTED)
    if shift.over and now - shift.until > NOTE_WITHIN:
        raise Refused(Code.TOO_LATE)
    return kept_text(text, NOTE_LINES * policy.line_most_chars)


def notes_of(records: Iterable[Recorded]) -> list[ShiftNote]:
    """Return the notes in establishments' streams, the oldest first; one of several establishments is one note."""
    found = {
        (note := _note(record)).id: note for record in sorted(records, key=lambda one: one.at) if record.type == NOTED
    }
    return list(found.values())


def _note(record: Recorded) -> ShiftNote:
    body = record.body
    number = staff_of(record.actor) or ""
    return ShiftNote(str(body["note_id"]), str(body["session"]), number, record.at, str(body["text"]))


def last_notes(notes: Iterable[ShiftNote], now: datetime) -> list[ShiftNote]:
    """Return what whoever comes next is to read: the notes of the shift that was noted last, while they are young."""
    young = sorted((note for note in notes if now - note.at <= NOTE_WITHIN), key=lambda note: note.at)
    return [note for note in young if note.session == young[-1].session]


def _in(at: datetime, shift: Shift) -> bool:
    return shift.start <= at <= shift.until
