"""The media plan: every packet path that a call allows right now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Media(StrEnum):
    """A kind of media, with the words of the W3C (MediaStreamTrack.kind)."""

    AUDIO = "audio"
    VIDEO = "video"


class Quality(StrEnum):
    """Which of a simulcast picture's layers a route asks for."""

    LOW = "low"  # walls: the lowest layer, whatever the link could carry
    BEST = "best"  # the best layer that the sink's link carries


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One path: what leg `source` publishes, to one receive line of endpoint `sink`.

    `source` is a leg id; `sink` is an *endpoint* id: the leg id of another leg
    or a monitor's console id. `line` counts the sink's receive-only lines of
    that kind, from 0, in the order of its offer. `quality` means nothing for
    sound, or for a picture that has one layer only.
    """

    source: str
    kind: Media
    sink: str
    line: int
    quality: Quality = Quality.BEST


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """Every packet path that the call allows now. What is absent is silent.

    `valid_for_s` counts seconds from the moment that the relay takes the plan;
    after that no packet of this call is forwarded until another plan arrives
    (README 4 of the design: a dead-man's handle, checked on every packet).

    `stills` are legs that some console watches without a line for them: of their
    pictures it is given stills, under the same deadline.
    """

    call_id: str
    epoch: int = 0
    valid_for_s: float = 0.0
    routes: frozenset[Route] = frozenset()
    stills: frozenset[str] = frozenset()

    @property
    def is_silent(self) -> bool:
        """Whether nothing may flow."""
        return not (self.routes or self.stills)

    def meet(self, other: MediaPlan) -> MediaPlan:
        """Return what both plans allow: what may flow while a change is on its way."""
        return MediaPlan(
            self.call_id,
            max(self.epoch, other.epoch),
            min(self.valid_for_s, other.valid_for_s),
            self.routes & other.routes,
            self.stills & other.stills,
        )
