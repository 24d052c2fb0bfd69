"""Fakes of the ports that are not storage: a clock that is turned by hand, a relay that remembers its plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from broker.domain.plan import Media, MediaPlan
from broker.ports import Answer, EndpointHealth, Line, OfferRefused

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

    def __init__(self) -> None:
        self.plans: list[MediaPlan] = []
        self.connected: dict[str, frozenset[Media]] = {}
        self.disconnected: list[str] = []
        self.frames: dict[tuple[str, int, int], float] = {}  # (endpoint, line, timestamp) -> age in seconds
        self.flowing: dict[tuple[str, int], float] = {}  # (endpoint, line) -> age in seconds
        self.healths: dict[str, EndpointHealth] = {}
        self._listeners: list[Callable[[str, bool], None]] = []

    def now_for(self, call_id: str) -> MediaPlan:
        """Return the plan that the relay obeys for a call."""
        return next((plan for plan in reversed(self.plans) if plan.call_id == call_id), MediaPlan(call_id))

    def raise_endpoint(self, endpoint: str, up: bool) -> None:
        """Say that an endpoint's media came up, or was lost."""
        for listener in self._listeners:
            listener(endpoint, up)

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str) -> Answer:
        wanted = dict(part.split("=") for part in offer.split())
        if not wanted.keys() <= {"audio", "video"}:
            raise OfferRefused("malformed")
        self.connected[endpoint] = publishes
        lines = [
            Line(f"{kind}{index}", Media(kind), index) for kind, count in wanted.items() for index in range(int(count))
        ]
        if not publishes:  # a console's media is up at once; a leg's when a test says so
            self.raise_endpoint(endpoint, True)
        return Answer("v=0", tuple(lines), publishes)

    async def disconnect(self, endpoint: str) -> None:
        self.connected.pop(endpoint, None)
        self.disconnected.append(endpoint)

    async def apply(self, plan: MediaPlan) -> None:
        self.plans.append(plan)

    def sent(self, endpoint: str, line: int, rtp_timestamp: int) -> float | None:
        return self.frames.get((endpoint, line, rtp_timestamp))

    def last_sent(self, endpoint: str, line: int) -> float | None:
        return self.flowing.get((endpoint, line))

    def health(self, endpoint: str) -> EndpointHealth | None:
        return self.healths.get(endpoint) or (EndpointHealth() if endpoint in self.connected else None)

    def watch(self, listener: Callable[[str, bool], None]) -> None:
        self._listeners.append(listener)

    def counters(self) -> Mapping[str, int]:
        return {"forwarded": 0}

    async def close(self) -> None:
        self.connected.clear()
