"""The kinds of call, as data (design domain.md 7.5): who sees, who hears, who may join, and how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

RECORDING_BUILT = False
"""No recorder exists yet: until one does, every notice says "not recorded", whatever the kind's rule."""


class Observation(StrEnum):
    """What staff may watch of a kind while it runs (domain.md 7.6)."""

    FULL = "full"  # picture and sound, all the time
    INTERMITTENT = "intermittent"  # looks without sound, each on record
    NONE = "none"  # no picture either: the hall patrols


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the matrix. `records` is the rule; `recorded` is what happens."""

    code: str
    observation: Observation
    audio_to_staff: bool
    records: bool
    max_minutes: int
    max_people: int
    needs_posts: bool
    has_prisoner: bool
    offered: bool  # may be booked now: its code path is built and shown by tests

    @property
    def recorded(self) -> bool:
        """Say whether a call of this kind is recorded now."""
        return self.records and RECORDING_BUILT

    @property
    def privileged(self) -> bool:
        """Say whether staff never hear it and see it in looks at most: it takes a code path of its own."""
        return self.needs_posts and self.observation is not Observation.FULL


_ROWS = (
    # code, observation, audio to staff, records, minutes, people, needs posts, has prisoner, offered
    Kind("social", Observation.FULL, True, True, 60, 4, True, True, True),
    Kind("compassionate", Observation.FULL, True, False, 180, 4, True, True, True),
    Kind("interpreted", Observation.FULL, True, True, 90, 5, True, True, False),
    Kind("legal", Observation.INTERMITTENT, False, False, 60, 4, True, True, True),
    Kind("confidential", Observation.NONE, False, False, 60, 4, True, True, True),
    Kind("official", Observation.INTERMITTENT, False, False, 60, 4, True, True, True),
    Kind("clinical", Observation.INTERMITTENT, False, False, 60, 4, True, True, True),
    # No posts are needed, because no prisoner is there (README 1): a stream goes in only, a test comes back only.
    Kind("funeral_stream", Observation.NONE, False, False, 240, 0, False, False, False),
    Kind("test", Observation.NONE, False, False, 3, 1, False, False, False),
)

KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _ROWS}
"""Every kind by its code. Staff meetings, streams and tests come later; their rows keep the rules in one place."""


def offered() -> tuple[Kind, ...]:
    """Return the kinds that may be booked now, in the order of the matrix."""
    return tuple(kind for kind in _ROWS if kind.offered)
