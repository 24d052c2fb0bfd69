"""Who monitors an establishment, its own people or the national pool, and how that passes. Pure (features F60).

A transfer has two sides: one proposes, the other agrees; only where nobody is on post on the side that has it now does
the other side take it alone. Both sides watch until the new one is proven to display every live call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.domain.codes import Code, Post, Refused
from broker.domain.posts import Holder


class Side(StrEnum):
    """Who monitors an establishment."""

    ESTABLISHMENT = "establishment"
    POOL = "pool"

    @property
    def other(self) -> Side:
        """The other side."""
        return Side.POOL if self is Side.ESTABLISHMENT else Side.ESTABLISHMENT


class Reason(StrEnum):
    """Why an establishment passes; catalogue key `transfer.<code>`."""

    NO_MONITOR = "no_monitor"
    SHORT_OF_STAFF = "short_of_staff"
    FAULT = "fault"
    END_OF_COVER = "end_of_cover"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer in progress; `agreed`: both sides want it, and the new one is being proven."""

    establishment: str
    to: Side
    reason: Reason
    by: Holder
    at: datetime
    until: datetime
    agreed: bool = False


def side_of(holder: Holder) -> Side:
    """Return the side for which somebody monitors."""
    return Side.POOL if holder.pool else Side.ESTABLISHMENT


def speaks_for(holder: Holder, establishment: str, owner: Side) -> bool:
    """Say whether a monitor may speak for their side there: the pool anywhere that it has or may take."""
    if holder.post is not Post.MONITOR:
        return False
    return holder.covers(establishment) or (holder.pool and owner is Side.ESTABLISHMENT)


def propose(by: Holder, establishment: str, to: Side, owner: Side, others: bool) -> bool:
    """Return whether the transfer is agreed at once: nobody is on post on the other side.

    Args:
        by: Who proposes it.
        establishment: What is to pass.
        to: Who is to monitor it.
        owner: Who monitors it now.
        others: Whether the side that `by` does not belong to has somebody on post there.

    Raises:
        Refused: not theirs to propose, already so, or given to a side where nobody is.
    """
    if not speaks_for(by, establishment, owner):
        raise Refused(Code.NOT_YOUR_HALL)
    if to is owner:
        raise Refused(Code.ALREADY_TRANSFERRED)
    if others:
        return False
    if side_of(by) is not to:
        raise Refused(Code.NOBODY_THERE)
    return True
