"""What stands of the looks at a privileged call and of the patrols in their place, and how each event changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from broker.domain import events as e
from broker.domain.codes import PatrolReason


@dataclass(frozen=True, slots=True)
class Look:
    """A look that runs now."""

    number: str
    session: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Privacy:
    """Looks and patrols of one call."""

    look: Look | None = None
    looks: int = 0  # how often the call has been looked at
    looked_until: datetime | None = None  # when the last look of the live call was over
    refused: frozenset[str] = frozenset()  # the legs that refused looks
    patrol: PatrolReason | None = None  # why the hall walks past, None: it does not
    patrol_next_at: datetime | None = None
    patrol_due_at: datetime | None = None  # asked for then, and not logged yet
    patrol_overdue: bool = False


NO_LOOKS = Privacy()

PrivacyEvent = (
    e.LookStarted
    | e.LookEnded
    | e.LookRefused
    | e.PatrolBegan
    | e.PatrolEnded
    | e.PatrolDue
    | e.PatrolOverdue
    | e.PatrolLogged
)


def changed(privacy: Privacy, event: PrivacyEvent, started_at: datetime | None) -> Privacy:
    """Return what stands after `event`, in a call that has been live since `started_at`."""
    match event:
        case e.LookStarted():
            look = Look(event.number, event.session, event.at, event.until)
            return replace(privacy, look=look, looks=privacy.looks + 1)
        case e.LookEnded():
            counts = privacy.look is not None and started_at is not None and privacy.look.since >= started_at
            return replace(privacy, look=None, looked_until=event.at if counts else privacy.looked_until)
        case e.LookRefused():
            return replace(privacy, refused=privacy.refused | {event.leg_id})
        case e.PatrolBegan():
            return replace(privacy, patrol=event.why, patrol_next_at=event.next_at)
        case e.PatrolEnded():
            return replace(privacy, patrol=None, patrol_next_at=None, patrol_due_at=None, patrol_overdue=False)
        case e.PatrolDue():
            return replace(privacy, patrol_due_at=event.at)
        case e.PatrolOverdue():
            return replace(privacy, patrol_overdue=True)
        case e.PatrolLogged():
            return replace(privacy, patrol_due_at=None, patrol_overdue=False, patrol_next_at=event.next_at)


def not_looked_at(privacy: Privacy) -> Privacy:
    """Return what stands once no look can run any more."""
    return replace(privacy, look=None)
