"""The board: what changed, told at once to whoever listens. Listeners never block; they queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from broker.domain.alerts import Alert
from broker.domain.call import Call
from broker.domain.checks import Check, CheckStage
from broker.domain.events import Event
from broker.domain.handover import Offer, Outcome
from broker.ports import HomeChanged


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A call has new events; `recorded` is false while only the journal has them."""

    call: Call
    events: tuple[Event, ...]
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class PostsChanged:
    """Somebody took, left, lost or regained a post at this establishment."""

    establishment: str


@dataclass(frozen=True, slots=True)
class SeatsChanged:
    """Seats or laptops of this hall changed state."""

    establishment: str
    hall_id: str


@dataclass(frozen=True, slots=True)
class LinesChanged:
    """A console's receive lines carry something else."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class StillMade:
    """A console is given still `n` of a leg that it watches without a line."""

    endpoint: str
    call_id: str
    leg_id: str
    n: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Alerted:
    """An alert was raised, acknowledged or cleared."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class ScopeChanged:
    """The monitor at this socket has other establishments in scope."""

    session: str


@dataclass(frozen=True, slots=True)
class PostLeft:
    """The person at this socket is off the post, and not by their own word; `why` is that of `post.left`."""

    session: str
    why: str


@dataclass(frozen=True, slots=True)
class HandoverEnded:
    """An offer of the monitoring post is over, and how."""

    offer: Offer
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CheckChanged:
    """An attention check at a console rings, rises, or is over (no stage)."""

    endpoint: str
    check: Check
    stage: CheckStage | None


Change = (
    ScopeChanged
    | PostLeft
    | HandoverEnded
    | CallChanged
    | PostsChanged
    | SeatsChanged
    | LinesChanged
    | HomeChanged
    | StillMade
    | Alerted
    | CheckChanged
)
Listener = Callable[[Change], None]


class Board:
    """Listeners, told in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change from now on; call what is returned to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, *changes: Change) -> None:
        """Tell everybody."""
        for change in changes:
            for listener in tuple(self._listeners):
                listener(change)

    def __len__(self) -> int:
        return len(self._listeners)
