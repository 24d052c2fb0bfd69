"""Whether a live call was looked at: the second clock (design README 5), apart from the proof that it is displayed.

A look is a call in focus and proven displayed, an attention check answered at its tile, or a meaningful act on it.
What is counted is the time for which media flowed since the last look: in a hold nothing flows, and nothing counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from broker.domain.call import Call, Phase
from broker.domain.codes import HoldKind
from broker.domain.kinds import KINDS, Observation
from broker.domain.policy import Policy

CONTINUOUS_TIER = 1
"""The tier that a person has in focus all the time: an act or an answered check does not stand for that."""


class AttentionState(StrEnum):
    """How a call stands to its tier's limit; catalogue key `monitor.attention.<code>`."""

    FINE = "fine"
    DUE = "due"
    OVERDUE = "overdue"
    OFFERED = "offered"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Look:
    """A look by one person at one console, without a gap from `since` to `at`; `after_s`: unwatched before it."""

    number: str
    session: str
    since: datetime
    at: datetime
    after_s: float


@dataclass(frozen=True, slots=True)
class Attention:
    """For how many seconds media flowed since the last look, counted up to `at`; and that look, where it is known."""

    unwatched_s: float
    at: datetime
    look: Look | None = None

    def passed(self, now: datetime, flowed: bool) -> Attention:
        """Return what is so at `now`, where media `flowed` since the last count or did not."""
        elapsed = max(0.0, (now - self.at).total_seconds())
        return replace(self, unwatched_s=self.unwatched_s + elapsed * flowed, at=max(now, self.at))

    def looked(self, number: str, session: str, at: datetime, gap_s: float) -> Attention:
        """Return what is so after a look at `at`: it goes on with the last one of that console, or is a new one."""
        last = self.look
        if last is not None and at <= last.at:
            return self
        goes_on = last is not None and last.session == session and at - last.at <= timedelta(seconds=gap_s)
        look = replace(last, at=at) if last and goes_on else Look(number, session, at, at, self.unwatched_s)
        return Attention(0.0, min(at, self.at), look)


def begin(call: Call, now: datetime) -> Attention:
    """Return what the record alone says: unwatched since the last look on record, or since the start.

    In a hold that stands nothing flowed. The time for which no broker ran counts: nobody can say that somebody looked.
    """
    since = max(filter(None, [call.looked_at, call.started_at]), default=now)
    until = min((hold.placed_at for hold in call.holds), default=now)
    return Attention(max(0.0, (until - since).total_seconds()), now)


def flows(call: Call) -> bool:
    """Say whether the state of the call lets media cross."""
    return call.phase is Phase.LIVE and not call.holds


def limit_s(call: Call, policy: Policy) -> float | None:
    """Return how long the call may flow without a look; None: its kind asks for none (domain.md 7.5)."""
    if KINDS[call.kind].observation is not Observation.FULL:
        return None
    limits = {1: policy.attention_tier1_grace_s, 2: policy.attention_tier2_s}
    return limits.get(call.tier, policy.attention_tier3_s)


def hold_s(limit: float, policy: Policy) -> float:
    """Return the seconds at which a call is held."""
    return limit * policy.attention_hold_ratio


def state_of(call: Call, attention: Attention, limit: float, offered: bool, policy: Policy) -> AttentionState:
    """Return how the call stands."""
    if call.held_by(HoldKind.UNWATCHED) is not None:
        return AttentionState.HELD
    if attention.unwatched_s >= limit:
        return AttentionState.OFFERED if offered else AttentionState.OVERDUE
    due = attention.unwatched_s >= limit * policy.attention_due_ratio
    return AttentionState.DUE if due else AttentionState.FINE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A monitor at a console who might look: how many calls are theirs, and whether the wall proves this one."""

    session: str
    number: str
    calls: int
    proven: bool


def another(candidates: list[Candidate], whose: str | None, room: int) -> Candidate | None:
    """Return the monitor to whom an overdue call is offered: not whose it is, with room, the least loaded first."""
    able = [one for one in candidates if one.proven and one.number != whose and one.calls < room]
    return min(able, key=lambda one: (one.calls, one.number, one.session), default=None)
