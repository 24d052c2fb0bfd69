"""The figures: what the records of calls come to (domain.md 7.10). Pure, over stories alone.

A `Tally` counts what happened within a span of time; tallies add up, so that any cut of time or of calls into parts
comes to the same total. Ratios are made last, by `derive`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from broker.domain.alerts import ADVICE
from broker.domain.codes import IdentityReason, Outcome, Post
from broker.domain.kinds import KINDS
from broker.domain.spans import NO_TIME, Span, Spans, holds, length, meet, union
from broker.domain.story import Raised, Recorded, Story, gaps_of, tell, with_alerts
from broker.domain.uses import LOST, Use

DETECTORS = frozenset(ADVICE)
"""The alerts that a machine raised for what it thinks it saw: a false one is cleared as no issue (features F78)."""

VERBS = ("warn", "pause", "pause_technical", "end", "attend")

SETTLING = timedelta(seconds=1)
"""The gate closes by itself at its deadline; the hold that says so is recorded with the next tick, up to this later."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened within a span of time. Every field is a sum, a count or a list; `+` adds two."""

    calls: int = 0  # that began to be live
    completed: int = 0  # that were live and ended
    live: timedelta = NO_TIME  # media could cross
    monitored: timedelta = NO_TIME
    supervised: timedelta = NO_TIME
    two_post: timedelta = NO_TIME
    observed: timedelta = NO_TIME
    listened: timedelta = NO_TIME
    unwatched: timedelta = NO_TIME  # media could cross beyond the limit of the monitoring post's proof
    booked: timedelta = NO_TIME  # of what has come due
    uses: Counter[Use] = field(default_factory=Counter)  # microseconds
    credited: timedelta = NO_TIME
    looks_due: int = 0
    looks_in_time: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    undone: int = 0
    breaches: int = 0
    breached: int = 0  # calls with one or more
    detected: int = 0
    false_alarms: int = 0
    refused: int = 0  # calls that ended because somebody failed the identity check
    refusals: Counter[IdentityReason] = field(default_factory=Counter)
    arrived: int = 0  # calls whose family came
    joined: int = 0  # of these, those that began to be live
    silences_ms: tuple[float, ...] = ()
    attends_s: tuple[float, ...] = ()
    joins_s: tuple[float, ...] = ()  # from the link's opening to live

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum."""
    return sum(tallies, Tally())


@dataclass(frozen=True, slots=True)
class Measured:
    """A story with those of its spans that are counted; made once, however often the call is cut into parts."""

    story: Story
    monitored: Spans
    supervised: Spans
    two_post: Spans
    observed: Spans
    listened: Spans
    unwatched: Spans
    booked: Spans
    uses: Mapping[Use, Spans]


def measure(story: Story) -> Measured:
    """Return the story with its spans."""
    monitored, supervised = (meet(story.flow, story.covered(post)) for post in (Post.MONITOR, Post.SUPERVISOR))
    return Measured(
        story,
        monitored,
        supervised,
        meet(monitored, supervised),
        meet(story.flow, story.observed),
        meet(story.flow, story.listened),
        unwatched(story),
        _due(story),
        {use: spans for use, spans in story.uses.keys().items() if use is not Use.OUTSIDE},
    )


def tally(call: Measured, within: Spans) -> Tally:
    """Return what happened in a call within these spans of time."""
    timed = Tally(
        live=length(meet(call.story.flow, within)),
        monitored=length(meet(call.monitored, within)),
        supervised=length(meet(call.supervised, within)),
        two_post=length(meet(call.two_post, within)),
        observed=length(meet(call.observed, within)),
        listened=length(meet(call.listened, within)),
        unwatched=length(meet(call.unwatched, within)),
        booked=length(meet(call.booked, within)),
        uses=Counter(
            {use: length(meet(spans, within)) // timedelta(microseconds=1) for use, spans in call.uses.items()}
        ),
    )
    return timed + _counted(call.story, within) + _events(call.story, within)


def _due(story: Story) -> Spans:
    """The booked slot, as far as it has come due. A call that was over before its slot was cancelled in time."""
    call = story.call
    if call.ended_at is not None and call.ended_at <= call.starts_at:
        return ()
    end = call.starts_at + timedelta(seconds=call.booked_s)
    end = end if call.ended_at is not None else min(end, story.until)
    return ((call.starts_at, end),) if call.starts_at < end else ()


def _counted(story: Story, within: Spans) -> Tally:
    """The call itself: begun and ended."""
    call = story.call
    begun = call.started_at is not None and holds(within, call.started_at)
    ended = call.ended_at is not None and holds(within, call.ended_at)
    over = call.started_at is not None and ended
    came = story.arrived_at is not None and call.outcome not in _CANCELLED_BY_US and holds(within, story.arrived_at)
    joins: tuple[float, ...] = ()
    if came and call.started_at is not None and story.arrived_at is not None:
        joins = ((call.started_at - story.arrived_at).total_seconds(),)
    first = min((breach.at for breach in story.breaches), default=None)
    refused = ended and call.outcome is Outcome.VISITOR_FAILED_SECURITY_CHECKS
    return Tally(
        calls=int(begun),
        completed=int(over),
        breached=int(first is not None and holds(within, first)),
        refused=int(refused),
        refusals=Counter([call.identity] if refused and call.identity is not None else ()),
        arrived=int(came),
        joined=len(joins),
        joins_s=joins,
    )


_CANCELLED_BY_US = frozenset({Outcome.BATCH_CANCELLATION, Outcome.ADMINISTRATIVE_ERROR})


def _events(story: Story, within: Spans) -> Tally:
    """What happened at an instant."""
    looks = [look for look in story.looks if holds(within, look.at)]
    acts = [act for act in story.acts if holds(within, act.at)]
    raised = [alert for alert in story.alerts if alert.code in DETECTORS and holds(within, alert.at)]
    silences = (held.silent_after_ms for held in story.held if holds(within, held.start))
    return Tally(
        credited=timedelta(seconds=sum(seconds for at, seconds in story.credits if holds(within, at))),
        looks_due=len(looks),
        looks_in_time=sum(look.within for look in looks),
        acts=Counter(act.verb for act in acts if not act.undone),
        undone=sum(act.undone for act in acts),
        breaches=sum(holds(within, breach.at) for breach in story.breaches),
        detected=len(raised),
        false_alarms=sum(alert.outcome == "no_issue" for alert in raised),
        silences_ms=tuple(ms for ms in silences if ms is not None),
        attends_s=tuple(
            (one.acknowledged_at - one.at).total_seconds()
            for one in story.attends
            if one.acknowledged_at is not None and holds(within, one.at)
        ),
    )


def unwatched(story: Story) -> Spans:
    """Return when media could cross although the monitoring post's proof was older than the policy lets it be.

    A privileged call is left out: without the post it goes on by rule, under the hall's patrols (domain.md 7.5).
    """
    rules = story.policy
    watchable = union(span for span, kind in story.kinds if not KINDS[kind].privileged)
    flow = meet(story.flow, watchable)
    limit = timedelta(seconds=rules.proof_stale_s + rules.proof_grace_s)
    beyond: list[Span] = []
    for start, end in gaps_of(story, Post.MONITOR):
        over = meet(flow, ((start + limit, end),)) if start + limit < end else ()
        beyond += [span for span in over if span[1] - span[0] > SETTLING]
    return tuple(beyond)


def derive(sums: Tally) -> dict[str, float | int | None]:
    """Return the figures of a tally: seconds, counts, percentages and rates; None where there is nothing to divide by.

    Percentages are of live seconds but for `delivered_pct` (of booked ones) and `looks_in_time_pct` (of looks due).
    Rates are per 1,000 completed calls. Percentiles are nearest-rank.
    """
    delivered_s = sums.uses[Use.DELIVERED] / 1e6
    lost = {f"lost_{use}_s": round(sums.uses[use] / 1e6, 3) for use in LOST}
    rates = {f"{verb}_per_1000": _rate(sums.acts[verb], sums.completed) for verb in VERBS}
    return {
        "calls": sums.calls,
        "completed": sums.completed,
        "live_s": _s(sums.live),
        "monitored_pct": _pct(sums.monitored, sums.live),
        "supervised_pct": _pct(sums.supervised, sums.live),
        "two_post_pct": _pct(sums.two_post, sums.live),
        "observed_pct": _pct(sums.observed, sums.live),
        "listened_pct": _pct(sums.listened, sums.live),
        "unwatched_beyond_policy_s": _s(sums.unwatched),
        "looks_due": sums.looks_due,
        "looks_in_time": sums.looks_in_time,
        "looks_in_time_pct": _pct(sums.looks_in_time, sums.looks_due),
        "booked_s": _s(sums.booked),
        "delivered_s": round(delivered_s, 3),
        "delivered_pct": _pct(delivered_s, sums.booked.total_seconds()),
        "lost_s": round(sum(lost.values()), 3),
        "credited_s": _s(sums.credited),
        **lost,
        **rates,
        "undone": sums.undone,
        "breaches": sums.breaches,
        "breached_calls": sums.breached,
        "breached_per_1000": _rate(sums.breached, sums.completed),
        "detector_alerts": sums.detected,
        "false_alarm_pct": _pct(sums.false_alarms, sums.detected),
        "pause_silent_p50_ms": percentile(sums.silences_ms, 50),
        "pause_silent_p95_ms": percentile(sums.silences_ms, 95),
        "pause_silent_max_ms": max(sums.silences_ms, default=None),
        "attend_p50_s": percentile(sums.attends_s, 50),
        "attend_p95_s": percentile(sums.attends_s, 95),
        "identity_refused": sums.refused,
        **{f"refused_{reason}": sums.refusals[reason] for reason in IdentityReason},
        "join_pct": _pct(sums.joined, sums.arrived),
        "join_p50_s": percentile(sums.joins_s, 50),
    }


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the nearest-rank percentile; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def _s(time: timedelta) -> float:
    return round(time.total_seconds(), 3)


def _pct(part: Any, whole: Any) -> float | None:
    return round(part / whole * 100, 3) if whole else None


def _rate(count: int, completed: int) -> float | None:
    return round(count / completed * 1000, 2) if completed else None


# --- from records to stories --------------------------------------------------


def stories(streams: Iterable[Sequence[Recorded]], now: datetime) -> list[Story]:
    """Return the stories of real calls, by id. Synthetic establishments count in no figure (design README 19).

    Args:
        streams: Each a stream's records from its first, in order; streams in any order.
    """
    calls: dict[str, Story] = {}
    alerts: dict[str, list[Raised]] = {}
    for records in streams:
        if not records:
            continue
        if records[0].stream.startswith("establishment:"):
            for call_id, found in alerts_of(records, now).items():
                alerts.setdefault(call_id, []).extend(found)
        elif (story := tell(records, now)) is not None and not story.call.synthetic:
            calls[story.id] = story
    return [with_alerts(calls[call_id], alerts.get(call_id, ())) for call_id in sorted(calls)]


def alerts_of(records: Iterable[Recorded], now: datetime) -> dict[str, list[Raised]]:
    """Return the alerts of an establishment's stream by the call that they are about."""
    raised: dict[str, tuple[str, Raised]] = {}
    for record in records:
        body: Mapping[str, Any] = record.body
        if record.at > now:
            break
        if record.type == "alert.raised" and body.get("call_id"):
            raised[body["id"]] = (body["call_id"], Raised(record.at, str(body["code"])))
        elif record.type == "alert.cleared" and body.get("id") in raised:
            call_id, alert = raised[body["id"]]
            raised[body["id"]] = (call_id, Raised(alert.at, alert.code, body.get("outcome")))
    found: dict[str, list[Raised]] = {}
    for call_id, alert in raised.values():
        found.setdefault(call_id, []).append(alert)
    return found
