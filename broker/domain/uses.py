"""What a second of a booked call was used for: a pure function of the call as it stood (domain.md 7.10)."""

from __future__ import annotations

from enum import StrEnum

from broker.domain.call import Call, Leg, LegRole, Phase
from broker.domain.codes import HoldKind, Outcome


class Use(StrEnum):
    """What a second of a booked call was used for: delivered, or lost to a cause (domain.md 7.10). One at a time."""

    DELIVERED = "delivered"
    LATE_FAMILY = "late_family"
    LATE_SEAT = "late_seat"
    NETWORK_FAMILY = "network_family"
    NETWORK_PRISON = "network_prison"
    SECURITY_PAUSE = "security_pause"
    TECHNICAL = "technical"
    STAFF_GAP = "staff_gap"
    SERVICE = "service"  # the broker itself was away
    ENDED_EARLY = "ended_early"  # by the callers
    ENDED_BY_STAFF = "ended_by_staff"
    CANCELLED = "cancelled"
    OUTSIDE = "outside"  # not a second of anybody's call


LOST = tuple(use for use in Use if use not in (Use.DELIVERED, Use.OUTSIDE))

_SECURITY = frozenset({HoldKind.SECURITY, HoldKind.INCIDENT, HoldKind.STOOD_DOWN})
_CANCELLED = frozenset(
    {
        Outcome.ESTABLISHMENT_CANCELLED,
        Outcome.PRISONER_CANCELLED,
        Outcome.VISITOR_CANCELLED,
        Outcome.BATCH_CANCELLATION,
        Outcome.ADMINISTRATIVE_ERROR,
    }
)
_BY_CALLERS = frozenset({Outcome.PRISONER_COMPLETED_EARLY, Outcome.VISITOR_COMPLETED_EARLY})


def use_of(call: Call) -> Use:
    """Return what this very moment of a call is used for. What lies before it and after it is the caller's to cut."""
    if call.phase is Phase.ENDED:
        return Use.OUTSIDE
    if call.phase is not Phase.LIVE:
        return _waiting(call)
    kinds = {hold.kind for hold in call.holds}
    if kinds & _SECURITY:
        return Use.SECURITY_PAUSE
    if HoldKind.TECHNICAL in kinds:
        return Use.TECHNICAL
    if HoldKind.RECOVERED in kinds:
        return Use.SERVICE
    if kinds - {HoldKind.INTERRUPTED}:
        return Use.STAFF_GAP
    lost = [leg for leg in call.active if not leg.connected]
    if lost or HoldKind.INTERRUPTED in kinds:
        return Use.NETWORK_PRISON if any(leg.role is LegRole.PRISONER for leg in lost) else Use.NETWORK_FAMILY
    return Use.DELIVERED


def _waiting(call: Call) -> Use:
    """Whom the start waits for: the family's own lateness first, as in what is owed to them (settle.py)."""
    absent = [leg for leg in call.active if not leg.present]
    if any(leg.needs_consent for leg in absent):
        return Use.LATE_FAMILY
    if absent or any(not leg.verified for leg in _seated(call)):
        return Use.LATE_SEAT
    return Use.STAFF_GAP


def _seated(call: Call) -> list[Leg]:
    return [leg for leg in call.active if leg.role is LegRole.PRISONER]


def after(call: Call) -> Use:
    """Return what the booked time after a call's end was lost to."""
    if call.outcome in _BY_CALLERS:
        return Use.ENDED_EARLY
    if call.outcome in _CANCELLED:
        return Use.CANCELLED
    if call.outcome is Outcome.VISITOR_DID_NOT_ARRIVE:
        return Use.LATE_FAMILY
    return Use.SERVICE if call.outcome is Outcome.TECHNICAL_FAILURE else Use.ENDED_BY_STAFF
