"""What the page of figures is asked for: days and parts, read from its address. What makes no sense is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from broker.domain.cuts import Cut
from broker.domain.report import Asked
from broker.edge.forms import day_of

FILTERS: Final = (Cut.HALL, Cut.KIND, Cut.TIER, Cut.LOAD)
"""What an address may narrow the figures to: nothing that names a person."""


@dataclass(frozen=True, slots=True)
class FiguresForm:
    """Days (both counted), the establishment or all, the keys of the filters, and the cut of the table."""

    first: date
    last: date
    place: str
    only: Mapping[Cut, str]
    by: Cut

    @classmethod
    def of(cls, query: Mapping[str, str], today: date, places: frozenset[str]) -> FiguresForm:
        """Read a page's address. An establishment that the person may not see is as good as none."""
        first = day_of(query.get("from"), today)
        last = max(first, day_of(query.get("to"), max(first, today)))
        place = query.get("place", "")
        only = {cut: query[cut.value] for cut in FILTERS if query.get(cut.value)}
        by = query.get("by", "")
        return cls(first, last, place if place in places else "", only, Cut(by) if by in list(Cut) else Cut.HALL)

    def asked(self, places: frozenset[str], zone: ZoneInfo) -> Asked:
        """Return the question: within `places`, from the first instant of the first day to the last of the last."""
        start, end = (datetime.combine(day, time.min, zone) for day in (self.first, self.last + timedelta(days=1)))
        return Asked(start, end, frozenset({self.place}) if self.place else places, self.only)

    def query(self, **changes: str) -> dict[str, str]:
        """Return the address's parts, with changes."""
        only = {cut.value: key for cut, key in self.only.items()}
        days = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        found = {**days, "place": self.place, **only, "by": self.by.value, **changes}
        return {name: value for name, value in found.items() if value}
