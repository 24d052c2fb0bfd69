"""Warnings and their receipts: which leg is told what, which has presented it, and which did not in time. Pure.

A receipt says that the page presented the warning: page visible, the words in view, a frame painted since.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from broker.domain.call import Call, Leg
from broker.domain.events import Event, WarningDisplayed, WarningGiven
from broker.domain.given import Given
from broker.domain.policy import Policy
from broker.domain.task_events import WarningMissed


def is_for(given: Given | WarningGiven, leg: Leg) -> bool:
    """Say whether a warning is meant for `leg`: for every leg, unless some are named."""
    return not leg.left and (not given.legs or leg.id in given.legs)


def receipt(call: Call, leg_id: str, warning_id: str, by: str, now: datetime) -> list[Event]:
    """Return what a receipt adds; nothing where it is a replay, or of a warning that was not meant for the leg."""
    given = next((one for one in call.warnings if one.id == warning_id), None)
    leg = call.leg(leg_id)
    if given is None or leg is None or not is_for(given, leg) or leg_id in given.shown_by:
        return []
    return [WarningDisplayed(now, by, leg_id, warning_id)]


def missed(call: Call, policy: Policy, now: datetime) -> list[Event]:
    """Return the legs that should have presented a warning by now."""
    limit = timedelta(seconds=policy.warning_shown_s)
    return [
        WarningMissed(now, "system", given.id, leg.id)
        for given in call.warnings
        if now - given.at >= limit
        for leg in call.legs
        if is_for(given, leg) and leg.id not in given.shown_by and leg.id not in given.missed_by
    ]


def unshown(call: Call, leg: Leg) -> list[Given]:
    """Return what a page of `leg` has still to present; of a warning that was given again, the newest alone."""
    newest = {given.warning: given for given in call.warnings if is_for(given, leg)}
    return [given for given in newest.values() if leg.id not in given.shown_by]
