"""Exercises as data: who arrives when, who does what at which second, and what is due then. Files of TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from broker.domain.deeds import VERBS
from broker.domain.training import IN_LOBBY, Due, Misdeed

FOLDER: Final = Path(__file__).parent / "exercises"
EXPECTED: Final = "expected"
MOST_CALLS: Final = 8
LATE_TIMES: Final = 2.0  # an answer is late up to so many times its limit


class BadExercise(Exception):
    """The exercise is not there, or makes no sense; the text says where."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A cue to come: at which second, at which call (from 1), by whom, and what is due then."""

    n: int
    at_s: float
    call: int
    misdeed: Misdeed
    who: Literal["family", "prisoner"]
    lasts_s: float
    due: tuple[Due, ...]
    never: tuple[str, ...]

    @property
    def at_once(self) -> bool:
        """Say whether it is done as soon as the bots are told: a hall that shall not answer waits to be asked."""
        return not self.in_lobby and self.misdeed is not Misdeed.NO_ANSWER

    @property
    def in_lobby(self) -> bool:
        """Say whether it stands from the family's arrival on."""
        return self.misdeed in IN_LOBBY


@dataclass(frozen=True, slots=True)
class Exercise:
    """What happens. `arrive_s`: the second at which the family of each call comes."""

    name: str
    seconds: float
    arrive_s: tuple[float, ...]
    cues: tuple[Planned, ...]

    def first(self, calls: int) -> Exercise:
        """Return it with its first calls alone."""
        kept = tuple(cue for cue in self.cues if cue.call <= calls)
        return replace(self, arrive_s=self.arrive_s[:calls], cues=kept)


def names() -> list[str]:
    """Return the exercises that come with the broker."""
    return sorted(file.stem for file in FOLDER.glob("*.toml") if file.stem != EXPECTED)


def load(name: str) -> Exercise:
    """Return the exercise of that name, or of a file of the trainer's own.

    Raises:
        BadExercise: There is none, or it makes no sense.
    """
    own = Path(name)
    file = own if own.suffix == ".toml" else FOLDER / f"{name}.toml"
    if file.stem == EXPECTED or (own.suffix != ".toml" and name not in names()):
        raise BadExercise(name)
    try:
        told = tomllib.loads(file.read_text("utf-8"))
        expected = tomllib.loads((FOLDER / f"{EXPECTED}.toml").read_text("utf-8"))
        return _exercise(file.stem, told, expected)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadExercise(f"{name}: {error}") from None


def _exercise(name: str, told: Mapping[str, Any], expected: Mapping[str, Any]) -> Exercise:
    arrive = tuple(float(second) for second in told["arrive"])
    if not 1 <= len(arrive) <= MOST_CALLS:
        raise ValueError(f"arrive: 1 to {MOST_CALLS} calls")
    cues = tuple(_planned(n, one, expected) for n, one in enumerate(told.get("cue", ())))
    for cue in cues:
        last = max(due.late_s for due in cue.due)
        if not 1 <= cue.call <= len(arrive):
            raise ValueError(f"cue {cue.n + 1}: no call {cue.call}")
        if cue.at_s + last > float(told["seconds"]):
            raise ValueError(f"cue {cue.n + 1}: could still be answered after the end")
    lobby = [cue.call for cue in cues if cue.in_lobby]
    if len(lobby) != len(set(lobby)):
        raise ValueError("a family arrives once")
    return Exercise(name, float(told["seconds"]), arrive, cues)


def _planned(n: int, told: Mapping[str, Any], expected: Mapping[str, Any]) -> Planned:
    misdeed, who = Misdeed(told["does"]), told.get("who", "family")
    if who not in ("family", "prisoner"):
        raise ValueError(f"cue {n + 1}: who is family or prisoner")
    usual = expected.get(f"{misdeed}.{who}", expected[misdeed])
    asked = {**usual, **told}
    due = tuple(_due(one) for one in asked["due"])
    never = tuple(asked["never"])
    for key in (*never, *(key for one in due for key in one.one_of)):
        if key.partition(".")[0] not in VERBS:
            raise ValueError(f"cue {n + 1}: no act {key!r}")
    if not due:
        raise ValueError(f"cue {n + 1}: nothing is due")
    return Planned(n, float(told["at"]), int(told["call"]), misdeed, who, float(asked["lasts"]), due, never)


def _due(told: Mapping[str, Any]) -> Due:
    within = float(told["within"])
    one_of = tuple(told["one_of"])
    return Due(one_of, within, float(told.get("late", within * LATE_TIMES if one_of else within)))
