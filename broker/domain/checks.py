"""The attention check: asks at a random time whether a person watches (wall.md 4, "Kind dwell check"). Pure.

A ring and a letter stand at one live tile; the answer is that tile or its letter, so that no reflex gives it.
A miss is a dated gap and rises to the hall and the duty governor; it never pauses a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broker.domain.policy import Policy

LETTERS = "CDJKMOQXYZ"
"""Letters that are no command of the console: a wrong one does nothing else."""


class CheckStage(StrEnum):
    """How long a check has waited for its answer."""

    RING = "ring"
    TONE = "tone"
    MISSED = "missed"
    UNATTENDED = "unattended"


class CheckOutcome(StrEnum):
    """How a check went, on record."""

    ANSWERED = "answered"
    MISSED = "missed"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One check at one console."""

    id: str
    call_id: str
    letter: str
    asked_at: datetime

    def after_s(self, now: datetime) -> float:
        """Return for how many seconds it has waited."""
        return (now - self.asked_at).total_seconds()

    def stage(self, now: datetime, policy: Policy) -> CheckStage:
        """Return how far it has risen."""
        waited = self.after_s(now)
        missed = policy.check_ring_s + policy.check_tone_s
        if waited >= missed + policy.check_governor_s:
            return CheckStage.UNATTENDED
        if waited >= missed:
            return CheckStage.MISSED
        return CheckStage.TONE if waited >= policy.check_ring_s else CheckStage.RING

    def takes(self, call_id: str | None, letter: str | None) -> bool:
        """Say whether that tile, or that letter, is the answer."""
        return call_id == self.call_id or (letter is not None and letter.upper() == self.letter)


def due_after(now: datetime, draw: float, policy: Policy) -> datetime:
    """Return when the next check is due; `draw`: random, from 0 up to 1."""
    span = policy.check_after_most_s - policy.check_after_least_s
    return now + timedelta(seconds=policy.check_after_least_s + draw * span)


def may_ask(due_at: datetime, now: datetime, busy: bool, policy: Policy) -> bool:
    """Say whether a check may ring now: when it is due, and put off for a while where the person is busy."""
    late = timedelta(seconds=policy.check_defer_s)
    return now >= due_at and (not busy or now >= due_at + late)


def pick(items: Sequence[str], draw: float) -> str:
    """Return one of `items`; `draw`: random, from 0 up to 1."""
    return items[min(int(draw * len(items)), len(items) - 1)]
