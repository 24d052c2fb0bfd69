"""Who watches a call from a console."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observer:
    """A monitor's console that shows the call, with its video line for each leg."""

    session: str
    number: str
    lines: tuple[tuple[str, int], ...]
    focus: bool = False
