"""A report: the figures of a range of time, parted by every cut, with every gap. The page, the CSV and the command
line all show this one value, so that their numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.domain.cuts import Cut, Frame, loads_of, parted, parts, window
from broker.domain.figures import Tally, derive, measure, tally, total
from broker.domain.gaps import Gap, gaps
from broker.domain.records import Establishment
from broker.domain.spans import Spans, meet
from broker.domain.story import Story


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: calls of these establishments, from and to, and only where each cut of `only` has its key."""

    start: datetime
    end: datetime
    establishments: frozenset[str]
    only: Mapping[Cut, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """The answer. `now`: up to when a call that runs was counted."""

    asked: Asked
    now: datetime
    sums: Tally
    cuts: Mapping[Cut, Mapping[str, Tally]]
    gaps: tuple[Gap, ...]

    @property
    def figures(self) -> dict[str, float | int | None]:
        """The figures of the whole."""
        return derive(self.sums)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON, ids only."""
        return {
            "marking": "OFFICIAL",
            "from": self.asked.start.isoformat(),
            "to": self.asked.end.isoformat(),
            "now": self.now.isoformat(),
            "establishments": sorted(self.asked.establishments),
            "only": {cut.value: key for cut, key in sorted(self.asked.only.items())},
            "total": self.figures,
            "cuts": {cut.value: {key: derive(sums) for key, sums in found.items()} for cut, found in self.cuts.items()},
            "gaps": [gap.as_json() for gap in self.gaps],
        }

    def as_rows(self) -> list[tuple[str, ...]]:
        """Return it as rows of a table: cut, key, figure, value; then the gaps."""
        rows: list[tuple[str, ...]] = [("cut", "key", "figure", "value")]
        for cut, found in {"total": {"": self.sums}, **{cut.value: found for cut, found in self.cuts.items()}}.items():
            for key, sums in found.items():
                rows += [(cut, key, name, "" if value is None else f"{value}") for name, value in derive(sums).items()]
        rows.append(())
        rows.append(("gap", "post", "establishment", "hall", "number", "from", "to", "seconds", "flowed_s", "calls"))
        for gap in self.gaps:
            row = gap.as_json()
            names = ("post", "establishment", "hall_id", "number", "from", "to", "seconds", "flowed_s")
            cells = ["" if row[name] is None else str(row[name]) for name in names]
            rows.append(("gap", *cells, " ".join(gap.calls)))
        return rows


def report(
    stories: Iterable[Story], asked: Asked, places: Mapping[str, Establishment], frame: Frame, now: datetime
) -> Report:
    """Return the report of `asked`.

    Args:
        stories: Of any calls; those of other establishments, and of synthetic ones, are left out here.
        places: The establishments by code.
        frame: Its zone is used; places and loads are made here.
    """
    real = {code for code in asked.establishments if code not in places or not places[code].synthetic}
    ours = [story for story in stories if story.call.establishment in real and not story.call.synthetic]
    framed = Frame(frame.zone, places, loads_of(ours))
    pairs = [(story, within) for story in ours if (within := _within(story, asked, framed))]
    calls = [(measure(story), within) for story, within in pairs]
    return Report(
        asked,
        now,
        total(tally(call, within) for call, within in calls),
        {cut: parted(calls, cut, framed) for cut in Cut},
        tuple(gaps(pairs)),
    )


def _within(story: Story, asked: Asked, frame: Frame) -> Spans:
    found = window(asked.start, asked.end)
    for cut, key in asked.only.items():
        found = meet(found, parts(story, cut, frame).get(key, ()))
    return found
