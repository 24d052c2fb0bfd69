"""The roster's gaps: every time in which a live call's post was proven by nobody, by name and second (features F43)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from broker.domain.codes import HoldKind, Post
from broker.domain.spans import Span, Spans, length, meet
from broker.domain.story import Story, gaps_of


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap of one post: calls that lost it together are one gap."""

    post: Post
    establishment: str
    hall_id: str | None  # of the technical post
    number: str | None  # who held it before; None: nobody since the call began
    start: datetime
    end: datetime
    calls: tuple[str, ...]
    flowed: timedelta  # how long media could cross without the post, all calls together
    held_at: datetime | None  # when the first of the calls was held for it
    runs: bool = False  # it is not over

    @property
    def seconds(self) -> float:
        """How long it was."""
        return round((self.end - self.start).total_seconds(), 3)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "post": self.post.value,
            "establishment": self.establishment,
            "hall_id": self.hall_id,
            "number": self.number,
            "from": self.start.isoformat(),
            "to": None if self.runs else self.end.isoformat(),
            "seconds": self.seconds,
            "calls": list(self.calls),
            "flowed_s": round(self.flowed.total_seconds(), 3),
            "held_after_s": None if self.held_at is None else round((self.held_at - self.start).total_seconds(), 3),
        }


_HOLD = {Post.MONITOR: HoldKind.UNMONITORED, Post.SUPERVISOR: HoldKind.UNSUPERVISED}


def gaps(stories: Iterable[tuple[Story, Spans]]) -> list[Gap]:
    """Return every gap of both posts in each call within its spans of time, in the order of their beginning."""
    single = [gap for story, within in stories for post in Post for gap in _of(story, post, within)]
    found: list[Gap] = []
    for gap in sorted(single, key=_order):
        last = found[-1] if found else None
        if last is not None and _same(last, gap):
            found[-1] = _joined(last, gap)
        else:
            found.append(gap)
    return sorted(found, key=lambda gap: (gap.start, gap.establishment, gap.post, gap.hall_id or ""))


def _of(story: Story, post: Post, within: Spans) -> list[Gap]:
    call = story.call
    return [
        Gap(
            post,
            call.establishment,
            call.hall_id if post is Post.SUPERVISOR else None,
            _before(story, post, span[0]),
            *span,
            (call.id,),
            length(meet((span,), story.flow)),
            _held_at(story, post, span),
            call.ended_at is None and span[1] == story.until,
        )
        for span in meet(gaps_of(story, post), within)
    ]


def _before(story: Story, post: Post, at: datetime) -> str | None:
    """Return who was proven last before the gap."""
    track = story.monitors if post is Post.MONITOR else story.supervisors
    earlier = [number for (start, _), number in track if number is not None and start < at]
    return earlier[-1] if earlier else None


def _held_at(story: Story, post: Post, span: Span) -> datetime | None:
    placed = [held.start for held in story.held if held.kind is _HOLD[post] and span[0] <= held.start <= span[1]]
    return min(placed, default=None)


def _order(gap: Gap) -> tuple[str, str, str, str, datetime, tuple[str, ...]]:
    return (gap.establishment, gap.post.value, gap.hall_id or "", gap.number or "", gap.start, gap.calls)


def _same(one: Gap, other: Gap) -> bool:
    whose = (one.establishment, one.post, one.hall_id, one.number)
    return whose == (other.establishment, other.post, other.hall_id, other.number) and other.start < one.end


def _joined(one: Gap, other: Gap) -> Gap:
    return replace(
        one,
        end=max(one.end, other.end),
        calls=tuple(sorted({*one.calls, *other.calls})),
        flowed=one.flowed + other.flowed,
        held_at=min(filter(None, (one.held_at, other.held_at)), default=None),
        runs=one.runs or other.runs,
    )
