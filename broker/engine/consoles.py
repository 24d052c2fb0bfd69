"""Consoles: which video line of a monitor's one connection shows which leg; places never move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.domain.actors import Actor
from broker.domain.call import Call

VIDEO_LINES = 40  # a wall of 20 calls with two ends each; more lines need a new offer
AUDIO_LINES = 8  # one per leg of the focused call


@dataclass(slots=True)
class Console:
    """A monitor's console: its actor, its lines, its focus. Mutable, owned by the engine."""

    actor: Actor
    video_lines: int = 0
    audio_lines: int = 0
    connected: bool = False  # its offer was answered: it has lines
    up: bool = False  # the relay's word: those lines can carry
    focus: str | None = None
    held: dict[str, int] = field(default_factory=dict)  # leg id -> video line

    def lines_for(self, call: Call) -> tuple[tuple[str, int], ...]:
        """Return the video line of each leg of `call`, giving free ones to legs that have none."""
        for leg in call.legs:
            if leg.id not in self.held:
                free = self._free()
                if free is None:
                    break
                self.held[leg.id] = free
        return tuple((leg.id, self.held[leg.id]) for leg in call.legs if leg.id in self.held)

    def release(self, legs: Sequence[str]) -> None:
        """Free the lines of a call that is over."""
        for leg in legs:
            self.held.pop(leg, None)

    def wanted(self, calls: Sequence[Call]) -> int:
        """Return how many video lines the scope's calls need, never fewer than the pool."""
        return max(VIDEO_LINES, sum(len(call.legs) for call in calls))

    def _free(self) -> int | None:
        taken = set(self.held.values())
        return next((line for line in range(self.video_lines) if line not in taken), None)
