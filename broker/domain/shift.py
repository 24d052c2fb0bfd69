"""A shift: one person's time at the monitoring post, from sign-on to sign-off, as the record tells it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.domain.codes import Post
from broker.domain.gaps import Gap, gaps
from broker.domain.spans import Spans, length, meet
from broker.domain.story import Act, Recorded, Story, staff_of


@dataclass(frozen=True, slots=True)
class Shift:
    """When it began and ended (`until`: its end, or now), of whom, over which establishments."""

    session: str
    number: str
    start: datetime
    until: datetime
    over: bool
    places: frozenset[str]
    why: str | None = None  # why the post was left

    @property
    def spans(self) -> Spans:
        """Its time."""
        return ((self.start, self.until),)


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
            *(("gap", gap.start.isoformat(), str(gap.seconds), " ".join(gap.calls)) for gap in self.gaps),
        ]


def shifts(records: Iterable[Recorded], now: datetime) -> list[Shift]:
    """Return the shifts at the monitoring post in establishments' streams, the latest first.

    A post of several establishments stands in the stream of each; it is one shift.
    """
    found: dict[str, Shift] = {}
    for record in sorted(records, key=lambda record: record.at):
        if record.body.get("post") != Post.MONITOR.value:
            continue
        session = str(record.body.get("session", ""))
        if record.type == "post.signed_on":
            places = frozenset(record.body.get("scope") or [record.stream.removeprefix("establishment:")])
            number = staff_of(record.actor) or ""
            found.setdefault(session, Shift(session, number, record.at, max(now, record.at), False, places))
        elif record.type == "post.signed_off" and session in found and not found[session].over:
            on = found[session]
            why = str(record.body.get("why", ""))
            found[session] = Shift(session, on.number, on.start, record.at, True, on.places, why)
    return sorted(found.values(), key=lambda shift: (shift.start, shift.session), reverse=True)


def hand_over(shift: Shift, stories: Iterable[Story], records: Iterable[Recorded]) -> HandOver:
    """Return what a shift came to, from the stories of its establishments' calls and from their own streams."""
    ours = [story for story in stories if story.call.establishment in shift.places]
    number, within = shift.number, shift.spans
    proven = {story.id: meet(meet(story.live, story.monitors.where(number)), within) for story in ours}
    looks = [look for story in ours for look in story.looks if look.number == number and _in(look.at, shift)]
    acts = [(story.id, act) for story in ours for act in story.acts if act.number == number and _in(act.at, shift)]
    mine = {
        (record.type, record.at): record
        for record in records
        if record.body.get("number") == number and _in(record.at, shift)
    }.values()
    found = gaps((story, within) for story in ours)
    return HandOver(
        shift,
        tuple(call for call, spans in proven.items() if spans),
        sum((length(spans) for spans in proven.values()), timedelta(0)),
        len(looks),
        sum(look.within for look in looks),
        Counter(str(record.body.get("outcome")) for record in mine if record.type == "attention.checked"),
        sum(record.type == "break.due" for record in mine),
        tuple(sorted(acts, key=lambda found: (found[1].at, found[0]))),
        sum(breach.number == number and _in(breach.at, shift) for story in ours for breach in story.breaches),
        tuple(gap for gap in found if gap.post is Post.MONITOR and gap.number == number),
    )


def _in(at: datetime, shift: Shift) -> bool:
    return shift.start <= at <= shift.until
