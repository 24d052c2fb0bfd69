"""Fakes of the ports that are not storage: a clock that is turned by hand, a relay that remembers its plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from broker.domain.plan import Media, MediaPlan
from broker.ports import (
    Answer,
    EndpointHealth,
    EndpointListener,
    HomeChanged,
    Line,
    LineSent,
    OfferRefused,
    RelayUnavailable,
)

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time stands until a test turns it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._boottime = 1000.0

    def now(self) -> datetime:
        return self._now

    def boottime(self) -> float:
        return self._boottime

    def turn(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += timedelta(seconds=seconds)
        self._boottime += seconds


class FakePlane:
    """Remembers every plan in order; the test says when an endpoint is up, and what was sent.

    An offer is plain text here: "audio=1 video=40" asks for that many receive lines.
    """

    def __init__(self, homes: int = 1) -> None:
        self.homes = homes
        self.down: set[int] = set()
        self.homes_of: dict[str, int] = {}
        self.plans: list[MediaPlan] = []
        self.connected: dict[str, frozenset[Media]] = {}
        self.disconnected: list[str] = []
        self.frames: dict[tuple[str, int, int], float] = {}  # (endpoint, line, timestamp) -> age in seconds
        self.sent_frames: dict[tuple[str, int], int] = {}  # (endpoint, line) -> in the last two seconds
        self.reports: dict[tuple[str, int], float | None] = {}  # (endpoint, line) -> age in seconds
        self.flowing: dict[tuple[str, int], float] = {}  # (endpoint, line) -> age in seconds
        self.healths: dict[str, EndpointHealth] = {}
        self._listeners: list[EndpointListener] = []
        self._home_listeners: list[Callable[[HomeChanged], None]] = []
        self._still_listeners: list[Callable[[str, bytes], None]] = []

    def now_for(self, call_id: str) -> MediaPlan:
        """Return the plan that the relay obeys for a call."""
        return next((plan for plan in reversed(self.plans) if plan.call_id == call_id), MediaPlan(call_id))

    def raise_endpoint(self, endpoint: str, up: bool, home: int = 0) -> None:
        """Say that an endpoint's media came up, or was lost."""
        for listener in self._listeners:
            listener(endpoint, up, home)

    def change_home(self, home: int, up: bool, *calls: str) -> None:
        """Say that a home was lost or is back, and that `calls` live at the other one now, or at the one that is back.

        Endpoints that were lost with it are the test's to raise first.
        """
        (self.down.discard if up else self.down.add)(home)
        self.homes_of.update(dict.fromkeys(calls, home if up else (home + 1) % self.homes))
        for listener in self._home_listeners:
            listener(HomeChanged(home, up, frozenset(calls)))

    @property
    def homes_up(self) -> int:
        return self.homes - len(self.down)

    def home(self, call_id: str) -> int:
        return self.homes_of.setdefault(call_id, len(self.homes_of) % self.homes)

    def release(self, call_id: str) -> None:
        self.homes_of.pop(call_id, None)

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str, home: int = 0) -> Answer:
        if not 0 <= home < self.homes:
            raise OfferRefused("no_such_home")
        if home in self.down:
            raise RelayUnavailable
        wanted = dict(part.split("=") for part in offer.split())
        if not wanted.keys() <= {"audio", "video"}:
            raise OfferRefused("malformed")
        self.connected[endpoint] = publishes
        lines = [
            Line(f"{kind}{index}", Media(kind), index) for kind, count in wanted.items() for index in range(int(count))
        ]
        if not publishes:  # a console's media is up at once; a leg's when a test says so
            self.raise_endpoint(endpoint, True, home)
        return Answer("v=0", tuple(lines), publishes)

    async def disconnect(self, endpoint: str) -> None:
        self.connected.pop(endpoint, None)
        self.disconnected.append(endpoint)

    async def apply(self, plan: MediaPlan) -> None:
        self.plans.append(plan)

    async def sent_on(
        self, endpoint: str, asked: Sequence[tuple[int, int | None]], home: int = 0
    ) -> Sequence[LineSent]:
        return [
            LineSent(
                self.flowing.get((endpoint, line)),
                None if at is None else self.frames.get((endpoint, line, at)),
                self.sent_frames.get((endpoint, line), 0),
                self.reports.get((endpoint, line), 0.5),
            )
            for line, at in asked
        ]

    def health(self, endpoint: str) -> EndpointHealth | None:
        return self.healths.get(endpoint) or (EndpointHealth() if endpoint in self.connected else None)

    def watch(self, listener: EndpointListener) -> None:
        self._listeners.append(listener)

    def watch_homes(self, listener: Callable[[HomeChanged], None]) -> None:
        self._home_listeners.append(listener)

    def watch_stills(self, listener: Callable[[str, bytes], None]) -> None:
        self._still_listeners.append(listener)

    def raise_still(self, leg: str, jpeg: bytes) -> None:
        """Say that a still was made."""
        for listener in self._still_listeners:
            listener(leg, jpeg)

    def counters(self) -> Mapping[str, int]:
        return {"forwarded": 0}

    async def close(self) -> None:
        self.connected.clear()
