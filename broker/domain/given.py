"""A warning that was given: whom it is for, and what each leg's page has said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain.events import WarningDisplayed
from broker.domain.task_events import WarningMissed


@dataclass(frozen=True, slots=True)
class Given:
    """A warning, whom it is for (nobody named: every leg), when each leg presented it, and who did not in time."""

    id: str
    warning: str
    at: datetime
    legs: tuple[str, ...] = ()
    shown: tuple[tuple[str, datetime], ...] = ()
    missed_by: tuple[str, ...] = ()

    @property
    def shown_by(self) -> tuple[str, ...]:
        """The legs that have presented it, in time or late."""
        return tuple(leg_id for leg_id, _ in self.shown)

    def heard(self, event: WarningDisplayed | WarningMissed) -> Given:
        """Return the warning after what happened at a leg; unchanged where it happened to another warning."""
        if event.warning_id != self.id:
            return self
        if isinstance(event, WarningMissed):
            return replace(self, missed_by=(*self.missed_by, event.leg_id))
        return replace(self, shown=(*self.shown, (event.leg_id, event.at)))
