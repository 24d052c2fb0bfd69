"""What check-call hands over: figures, promises, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Of a number of measurements in milliseconds: the median, the 95th percentile and the largest."""

    p50: float
    p95: float
    max: float
    n: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """Return the spread of measurements in seconds; None of none."""
        if not seconds:
            return None
        ordered = sorted(seconds)
        p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95))
        return cls(_ms(p50), _ms(p95), _ms(ordered[-1]), len(ordered))

    def as_json(self) -> dict[str, float]:
        return {"p50": self.p50, "p95": self.p95, "max": self.max, "n": self.n}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


@dataclass(slots=True)
class Report:
    """Gathered while the calls run. A promise is true only if it was kept every time it was tried."""

    calls: int = 0
    open_to_media: list[float] = field(default_factory=list)  # seconds
    pause_to_silence: list[float] = field(default_factory=list)
    resume_to_media: list[float] = field(default_factory=list)
    end_to_silence: list[float] = field(default_factory=list)
    packets_lost: int = 0
    packets_received: int = 0
    promises: dict[str, bool] = field(default_factory=dict)

    def promise(self, name: str, kept: bool) -> None:
        """Note that promise `name` (one of PROMISES) was tried, and whether it was kept."""
        assert name in PROMISES, name
        self.promises[name] = self.promises.get(name, True) and kept

    @property
    def kept(self) -> bool:
        """Whether every promise that was to be tried was tried and kept."""
        return set(PROMISES) <= set(self.promises) and all(self.promises.values())

    def as_json(self, url: str) -> dict[str, Any]:
        """Return the report as check-call prints it; a promise that could not be tried is false."""
        spreads = {
            "open_to_media_ms": self.open_to_media,
            "pause_to_silence_ms": self.pause_to_silence,
            "resume_to_media_ms": self.resume_to_media,
            "end_to_silence_ms": self.end_to_silence,
        }
        found = {name: Spread.of(seconds) for name, seconds in spreads.items()}
        return {
            "url": url,
            "calls": self.calls,
            **{name: spread.as_json() if spread else None for name, spread in found.items()},
            "packets_received": self.packets_received,
            "packets_lost": self.packets_lost,
            "promises": {name: self.promises.get(name, False) for name in PROMISES},
        }


PROMISES = (
    "same_person_refused_both_posts",
    "nothing_before_consent_and_lobby",
    "prisoner_not_seen_before_family_verified",
    "two_posts_demanded",
    "family_saw_and_heard_the_right_prisoner",
    "prisoner_saw_and_heard_the_right_family",
    "console_saw_both_ends",
    "console_heard_both_ends",
    "supervisor_received_no_media",
    "nothing_crossed_while_held",
    "security_pause_not_cleared_by_the_supervisor",
    "technical_pause_not_cleared_by_the_monitor",
    "media_came_back_after_the_pause",
    "ended_is_silent",
    "ended_is_final",
    "a_used_link_does_not_open_elsewhere",
    "every_call_ran_to_its_end",
)
"""Every promise that check-call tries, in the order in which it does; catalogue key `check.promise.<name>`."""
