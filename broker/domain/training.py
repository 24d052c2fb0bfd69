"""An exercise: what made-up families did on cue, and how the officer answered, scored from the record alone. Pure.

The cues stand in the establishment's stream as they were given, each with what was due and within what time, so that
a record is scored by what was asked then, whatever the exercise's file says now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from broker.domain.codes import HoldKind
from broker.domain.deeds import INTERVENTIONS, Deed, deeds
from broker.domain.story import Recorded, tell

MARK: Final = "training."
"""What the facts of an exercise on record begin with."""


class Misdeed(StrEnum):
    """What a synthetic caller, or the hall's bot, does on cue; catalogue key `training.misdeed.<code>`."""

    COVERED = "covered"
    FROZEN = "frozen"
    EMPTY = "empty"  # the caller leaves the picture
    UNLISTED = "unlisted"  # a second person comes into it
    SILENCE = "silence"  # both ends
    LOUD = "loud"
    HAND = "hand"
    DROPPED = "dropped"  # the connection goes, and comes back
    SECOND_DEVICE = "second_device"  # another browser opens the link
    WRONG_PERSON = "wrong_person"  # at the identity check: neither the face nor the name
    NO_DOCUMENT = "no_document"  # at the identity check: no ID is shown yet
    NO_ANSWER = "no_answer"  # the hall does not answer a request to attend


IN_LOBBY: Final = frozenset({Misdeed.WRONG_PERSON, Misdeed.NO_DOCUMENT})
"""Those that stand from the moment at which the family waits to be checked."""


class Verdict(StrEnum):
    """How a due reaction came about; catalogue key `training.verdict.<code>`."""

    OPEN = "open"  # it may still come: nobody is told yet that it is due
    MET = "met"
    LATE = "late"
    MISSED = "missed"
    WRONG = "wrong"  # another act came that this cue forbids


@dataclass(frozen=True, slots=True)
class Due:
    """One reaction that is due: any of `one_of` (a verb, or `verb.detail`), else to hold back for `within_s`."""

    one_of: tuple[str, ...]
    within_s: float
    late_s: float  # up to here it counts as late, and as missed after

    @property
    def holds_back(self) -> bool:
        """Say whether nothing is due but to leave undone what the cue forbids."""
        return not self.one_of


@dataclass(frozen=True, slots=True)
class Cue:
    """What was done at a call, and what that asks for. `never`: acts that it forbids.

    `at`: from when it could be noticed. It is on record a moment later, when it is known to have been done.
    """

    n: int
    at: datetime
    misdeed: Misdeed
    call_id: str
    leg_id: str | None
    lasts_s: float
    due: tuple[Due, ...]
    never: tuple[str, ...] = ()

    @property
    def closes_at(self) -> datetime:
        """Until when an act at this call may be an answer to it."""
        return self.at + timedelta(seconds=max(self.lasts_s, *(due.late_s for due in self.due)))

    def body(self) -> dict[str, Any]:
        """Return it as the body of its record."""
        due = [{"one_of": list(one.one_of), "within_s": one.within_s, "late_s": one.late_s} for one in self.due]
        known = {"n": self.n, "since": self.at.isoformat(), "misdeed": self.misdeed.value, "call_id": self.call_id}
        return {**known, "leg_id": self.leg_id, "lasts_s": self.lasts_s, "due": due, "never": list(self.never)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one due reaction. `deed`: the act that decided it; `after_s`: how long after the cue."""

    cue: Cue
    due: Due
    verdict: Verdict
    deed: Deed | None = None

    @property
    def after_s(self) -> float | None:
        """Seconds from the cue to the act."""
        return None if self.deed is None else round((self.deed.at - self.cue.at).total_seconds(), 3)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A cue that was not given, and why."""

    at: datetime
    misdeed: str
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """What an exercise came to, up to `until`: its end, or the instant at which the question was asked."""

    exercise: str
    seconds: float  # how long it is meant to take
    began_at: datetime
    until: datetime
    over: bool
    calls: tuple[str, ...]  # in the order in which they were booked
    answers: tuple[Answer, ...]
    false_alarms: tuple[Deed, ...]
    left_out: tuple[LeftOut, ...]
    looks_due: int
    looks_in_time: int
    unwatched_holds: int  # calls that were held because nobody had looked at them
    checks: Mapping[str, int]  # attention checks by outcome
    numbers: tuple[str, ...]  # the staff who acted

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return (self.until - self.began_at).total_seconds()

    @property
    def closed(self) -> tuple[Answer, ...]:
        """What may be told: nothing that is still to be noticed."""
        return tuple(answer for answer in self.answers if answer.verdict is not Verdict.OPEN)

    def count(self, verdict: Verdict) -> int:
        """Return how many due reactions came to this."""
        return sum(answer.verdict is verdict for answer in self.answers)

    def place(self, call_id: str) -> int:
        """Return which call of the exercise that is, from 1."""
        return self.calls.index(call_id) + 1 if call_id in self.calls else 0

    def as_rows(self) -> list[tuple[str, ...]]:
        """Return it as rows of a table, without what is still open."""
        rows: list[tuple[str, ...]] = [
            ("exercise", self.exercise),
            ("began_at", self.began_at.isoformat()),
            ("over", str(self.over).lower()),
            ("elapsed_s", f"{self.elapsed_s:.3f}"),
            ("staff", " ".join(self.numbers)),
            *((verdict.value, str(self.count(verdict))) for verdict in Verdict if verdict is not Verdict.OPEN),
            ("false_alarms", str(len(self.false_alarms))),
            ("looks_in_time", str(self.looks_in_time)),
            ("looks_due", str(self.looks_due)),
            ("unwatched_holds", str(self.unwatched_holds)),
            *((f"checks_{outcome}", str(count)) for outcome, count in sorted(self.checks.items())),
            (),
            ("kind", "call", "call_id", "second", "what", "due", "limit_s", "verdict", "act", "after_s"),
        ]
        rows += [("cue", *self._answer_cells(answer)) for answer in self.closed]
        rows += [("false_alarm", *self._deed_cells(deed)) for deed in self.false_alarms]
        rows += [("left_out", "", "", "", one.misdeed, "", "", one.why, "", "") for one in self.left_out if self.over]
        return rows

    def second(self, at: datetime) -> float:
        """Return the second of the exercise at which something was."""
        return round((at - self.began_at).total_seconds(), 3)

    def _answer_cells(self, answer: Answer) -> tuple[str, ...]:
        cue, due = answer.cue, answer.due
        act = (answer.deed.key, f"{answer.after_s}") if answer.deed else ("", "")
        wanted = " ".join(due.one_of) or " ".join(f"not:{key}" for key in cue.never)
        where = (str(self.place(cue.call_id)), cue.call_id, f"{self.second(cue.at)}", cue.misdeed.value)
        return (*where, wanted, f"{due.within_s:g}", answer.verdict.value, *act)

    def _deed_cells(self, deed: Deed) -> tuple[str, ...]:
        where = (str(self.place(deed.call_id)), deed.call_id, f"{self.second(deed.at)}")
        return (*where, "", "", "", "", deed.key, "")


def score(streams: Iterable[Sequence[Recorded]], now: datetime) -> Score | None:
    """Return what the newest exercise on record came to up to `now`; None where none has begun.

    Args:
        streams: Each a stream's records from its first, in order; streams in any order.
    """
    read = [[record for record in records if record.at <= now] for records in streams]
    facts = [record for records in read for record in records if record.type.startswith(MARK)]
    began = max((one for one in facts if one.type == f"{MARK}began"), key=lambda one: one.at, default=None)
    if began is None:
        return None
    over = next((one.at for one in facts if one.type == f"{MARK}over" and one.at >= began.at), None)
    until = over or now
    found = _Exercise(began, until, over is not None, [one for one in facts if one.at >= began.at])
    return found.score([records for records in read if records], now)


def cue_of(record: Recorded) -> Cue:
    """Return the cue of a `training.cue`."""
    body: Any = record.body
    due = tuple(Due(tuple(one["one_of"]), float(one["within_s"]), float(one["late_s"])) for one in body["due"])
    at, misdeed, never = datetime.fromisoformat(body["since"]), Misdeed(body["misdeed"]), tuple(body["never"])
    return Cue(body["n"], at, misdeed, body["call_id"], body["leg_id"], float(body["lasts_s"]), due, never)


@dataclass(slots=True)
class _Exercise:
    """One exercise, as its facts tell it."""

    began: Recorded
    until: datetime
    over: bool
    facts: Sequence[Recorded]
    cues: list[Cue] = field(init=False)
    decided: dict[tuple[int, int], tuple[Verdict, Deed]] = field(default_factory=dict)  # by cue and due
    false_alarms: list[Deed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cues = sorted((cue_of(one) for one in self.facts if one.type == f"{MARK}cue"), key=lambda cue: cue.at)

    def score(self, streams: Sequence[Sequence[Recorded]], now: datetime) -> Score:
        acts = [deed for deed in deeds(streams) if self._within(deed.at)]
        for deed in acts:
            self._take(deed)
        told = [story for records in streams if (story := tell(records, now)) is not None]
        looks = [look for story in told for look in story.looks if self._within(look.at)]
        held = [held for story in told for held in story.held if held.kind is HoldKind.UNWATCHED]
        checked = [
            record
            for records in streams
            for record in records
            if record.type == "attention.checked" and self._within(record.at)
        ]
        return Score(
            str(self.began.body["exercise"]),
            float(self.began.body["seconds"]),
            self.began.at,
            self.until,
            self.over,
            tuple(str(one.body["call_id"]) for one in self.facts if one.type == f"{MARK}call"),
            tuple(self._answer(cue, at, due) for cue in self.cues for at, due in enumerate(cue.due)),
            tuple(self.false_alarms),
            tuple(_left_out(one) for one in self.facts if one.type == f"{MARK}left_out"),
            len(looks),
            sum(look.within for look in looks),
            sum(self._within(one.start) for one in held),
            Counter(str(record.body.get("outcome")) for record in checked),
            tuple(sorted({deed.number for deed in acts if deed.number})),
        )

    def _within(self, at: datetime) -> bool:
        return self.began.at <= at <= self.until

    def _take(self, deed: Deed) -> None:
        """Find the cue that an act answers: the oldest that waits for it, else the newest that forbids it."""
        here = [cue for cue in self.cues if cue.call_id == deed.call_id and cue.at <= deed.at <= cue.closes_at]
        for cue in here:
            for at, due in enumerate(cue.due):
                age = (deed.at - cue.at).total_seconds()
                if (cue.n, at) not in self.decided and age <= due.late_s and deed.is_one_of(due.one_of):
                    self.decided[cue.n, at] = (Verdict.MET if age <= due.within_s else Verdict.LATE, deed)
                    return
        forbidding = [cue for cue in here if self._forbids(cue, deed)]
        if forbidding:
            self._went_wrong(forbidding[-1], deed)
        elif not here and deed.verb in INTERVENTIONS:
            self.false_alarms.append(deed)

    def _forbids(self, cue: Cue, deed: Deed) -> bool:
        """Say whether the act is wrong now: where nothing but holding back is due, only for as long as it is."""
        age = (deed.at - cue.at).total_seconds()
        stands = any(not due.holds_back or age <= due.within_s for due in cue.due)
        return stands and deed.is_one_of(cue.never)

    def _went_wrong(self, cue: Cue, deed: Deed) -> None:
        """Every reaction that was still due went wrong, or the last one where all had come."""
        waiting = [at for at in range(len(cue.due)) if (cue.n, at) not in self.decided]
        for at in waiting or [len(cue.due) - 1]:
            self.decided[cue.n, at] = (Verdict.WRONG, deed)

    def _answer(self, cue: Cue, at: int, due: Due) -> Answer:
        if (cue.n, at) in self.decided:
            return Answer(cue, due, *self.decided[cue.n, at])
        age = (self.until - cue.at).total_seconds()
        if due.holds_back:
            return Answer(cue, due, Verdict.MET if self.over or age > due.within_s else Verdict.OPEN)
        return Answer(cue, due, Verdict.MISSED if self.over or age > due.late_s else Verdict.OPEN)


def _left_out(record: Recorded) -> LeftOut:
    return LeftOut(record.at, str(record.body["misdeed"]), str(record.body["why"]))
