"""Relief of the monitoring post: who may offer it to whom, and when it may be accepted. Pure (features F42).

The one going off stays responsible until the one coming on accepts, and that needs every live call of the scope
displayed on the incoming console a moment ago: no instant without a proof lies between the two.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.domain.codes import Code, Post, Refused
from broker.domain.posts import Holder


class Outcome(StrEnum):
    """How an offer ended; catalogue key `monitor.handover.<code>`."""

    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    LOST = "lost"  # one of the two is on post no more
    NOT_RECORDED = "not_recorded"  # the record could not take it: nothing passed


@dataclass(frozen=True, slots=True)
class Matters:
    """What is open as the post passes: numbers of calls."""

    live: int
    held: int
    lobby: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A post offered to a named person, until they answer or the time is over."""

    id: str
    outgoing: Holder
    incoming: Holder
    at: datetime
    until: datetime
    matters: Matters

    def concerns(self, session: str) -> bool:
        """Say whether this is one of the two sockets."""
        return session in (self.outgoing.session, self.incoming.session)


def why_not(outgoing: Holder, incoming: Holder, live: Collection[str], proven: Collection[str]) -> Code | None:
    """Return why `incoming` cannot take over from `outgoing`, None where nothing stands against it.

    Args:
        outgoing: The monitor going off.
        incoming: The monitor coming on, at a socket of their own.
        live: The calls that are live in the scope of `outgoing`.
        proven: Those that the incoming console was proven to display a moment ago.
    """
    if incoming.post is not Post.MONITOR or outgoing.post is not Post.MONITOR:
        return Code.NOT_ON_POST
    if incoming.number == outgoing.number:
        return Code.NOT_PERMITTED
    if incoming.pool is not outgoing.pool or not outgoing.scope <= incoming.scope:  # between sides it is a transfer
        return Code.SCOPE_DIFFERS
    return None if set(live) <= set(proven) else Code.NOT_ON_SCREEN


def require(outgoing: Holder, incoming: Holder, live: Collection[str], proven: Collection[str]) -> None:
    """Raise Refused where `why_not` has a reason."""
    code = why_not(outgoing, incoming, live, proven)
    if code is not None:
        raise Refused(code)
