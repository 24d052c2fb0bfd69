"""Consoles: which video line of a monitor's connections shows which leg; places never move.

A console has one connection at each home of the relay, each with a fixed pool of lines: a line is pointed elsewhere
without a new offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from broker.domain.actors import Actor
from broker.domain.call import Call, Phase
from broker.domain.coverage import ShownFact

SHOWABLE = (Phase.LOBBY, Phase.READY, Phase.LIVE)
WALL_LINES = 40  # a wall of 20 calls with two ends each
MOST_LINES = 96  # of one home: a step below what an offer may hold; legs beyond them are seen by stills
RECENT_S = 1.5  # reports of the last second and a half tell of the last two to two and a half seconds
AUDIO_LINES = 8  # one per leg of the focused call
SPARE_LINES = 4  # calls are spread by number, not by this console's share of them


def video_pool(homes: int) -> int:
    """Return how many video lines a console has at each of `homes` homes: a full wall, should one home fail.

    More than that at one home needs a new offer there.
    """
    return WALL_LINES if homes <= 2 else -(-WALL_LINES // (homes - 1)) + SPARE_LINES


@dataclass(frozen=True, slots=True)
class Lines:
    """How many receive lines of each kind one connection has."""

    audio: int
    video: int


@dataclass(slots=True)
class Console:
    """A monitor's console: its actor, its lines, its focus. Mutable, owned by the engine."""

    actor: Actor
    lines: dict[int, Lines] = field(default_factory=dict)  # by home: its offer was answered there
    up: set[int] = field(default_factory=set)  # the relay's word: the lines of that home can carry
    focus: str | None = None
    focused_at: datetime | None = None  # what is displayed from then on is displayed in focus
    sound: bool = True  # whether the call in focus is heard
    busy: bool = False  # the page says that a panel is in use
    reports: int = 0  # the number of the last report
    frames: dict[str, list[tuple[float, int]]] = field(default_factory=dict)  # leg id -> when told, and how many
    held: dict[str, tuple[int, int]] = field(default_factory=dict)  # leg id -> home and video line

    @property
    def connected(self) -> bool:
        """Whether it has lines anywhere."""
        return bool(self.lines)

    @property
    def hears(self) -> str | None:
        """The call of which it is given the sound."""
        return self.focus if self.sound else None

    def turn_to(self, call_id: str | None, sound: bool, now: datetime) -> None:
        """Have this call in focus from now on."""
        if call_id != self.focus:
            self.focused_at = now
        self.focus, self.sound = call_id, sound

    def takes(self, n: int | None) -> bool:
        """Say whether a report of that number is a new one; None: reports are not numbered."""
        new = n is None or n > self.reports
        self.reports = self.reports if n is None else max(n, self.reports)
        return new

    def counted(self, fact: ShownFact, now: float) -> ShownFact:
        """Return the fact with the frames of two seconds: reports come each second, and sooner where a start waits."""
        recent = [told for told in self.frames.get(fact.leg_id, []) if now - told[0] < RECENT_S]
        self.frames[fact.leg_id] = [*recent, (now, fact.frames)]
        return replace(fact, frames_2s=sum(frames for _, frames in self.frames[fact.leg_id]))

    def reaches(self, call: Call) -> bool:
        """Say whether the console's post reaches this call."""
        return self.actor.covers(call.establishment, call.hall_id)

    def lines_for(self, call: Call, home: int) -> tuple[tuple[str, int], ...]:
        """Return the video line of each leg of `call`, giving free ones of `home` to legs that have none there."""
        for leg in call.legs:
            if self.line_of(leg.id, home) is None:
                self.held.pop(leg.id, None)
                free = self._free(home)
                if free is None:
                    break
                self.held[leg.id] = (home, free)
        known = ((leg.id, self.line_of(leg.id, home)) for leg in call.legs)
        return tuple((leg_id, line) for leg_id, line in known if line is not None)

    def line_of(self, leg_id: str, home: int) -> int | None:
        """Return the line that is a leg's at `home`."""
        held = self.held.get(leg_id)
        return held[1] if held is not None and held[0] == home else None

    def line_on(self, call: Call, leg_id: str, home: int) -> int | None:
        """Return the line that carries a leg: its own at the call's home, where the call's record agrees."""
        observer = next((one for one in call.observers if one.session == self.actor.session), None)
        line = self.line_of(leg_id, home)
        return line if observer is not None and dict(observer.lines).get(leg_id) == line else None

    def drop(self, call: Call) -> None:
        """Let go of a call that the console may show no more."""
        self.release([leg.id for leg in call.legs])
        if self.focus == call.id:
            self.focus = None

    def release(self, legs: Sequence[str]) -> None:
        """Free the lines of a call that is over."""
        for leg in legs:
            self.held.pop(leg, None)
            self.frames.pop(leg, None)

    def lose(self, home: int) -> None:
        """A home is gone, with its connection and all that it carried."""
        self.lines.pop(home, None)
        self.up.discard(home)
        self.held = {leg: place for leg, place in self.held.items() if place[0] != home}

    def _free(self, home: int) -> int | None:
        taken = {line for at, line in self.held.values() if at == home}
        offered = self.lines.get(home, Lines(0, 0)).video
        return next((line for line in range(offered) if line not in taken), None)
