"""The relay as worker processes: a `MediaPlane` over one process a core, supervised, each with a UDP port of its own.

A call lives at one worker, its home. A worker that dies, hangs or talks nonsense is killed and replaced; its calls get
another home at once, where nothing flows until each call's own plan says so again.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from pydantic import TypeAdapter

from broker.domain.plan import Media, MediaPlan
from broker.media import wire
from broker.media.child import MAX_REASON, Child, Gone, RelaySettings
from broker.ports import (
    Answer,
    Clock,
    EndpointHealth,
    EndpointListener,
    HomeChanged,
    LineSent,
    OfferRefused,
    RelayUnavailable,
)

log = structlog.get_logger()

TICK_S = 0.1
SETTLED_S = 30.0  # a worker that lived so long is replaced at once
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0

# What a worker says is checked as what a page says is: it reads what strangers send.
ANSWER, HEALTH = TypeAdapter(Answer), TypeAdapter(EndpointHealth)
SENT = TypeAdapter(list[tuple[float | None, float | None, int, float | None]])


@dataclass(slots=True)
class _Home:
    """One place of the pool, and the worker that serves it now; none while it is down."""

    index: int
    settings: RelaySettings
    child: Child | None = None
    since: float = 0.0
    wait_s: float = 0.0
    endpoints: set[str] = field(default_factory=set)
    up: set[str] = field(default_factory=set)
    health: dict[str, EndpointHealth] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


class RelayPool:
    """A MediaPlane over `count` workers, from `settings.port` upwards (0: any free ports)."""

    def __init__(self, settings: RelaySettings, count: int, clock: Clock) -> None:
        ports = [settings.port + index if settings.port else 0 for index in range(count)]
        self._homes = [_Home(index, replace(settings, port=port)) for index, port in enumerate(ports)]
        self._boottime = clock.boottime
        self._calls: dict[str, int] = {}
        self._unhomed: set[str] = set()  # calls whose home is down, and no other stands
        self._past: Counter[str] = Counter()  # what dead workers had counted
        self._listeners: list[EndpointListener] = []
        self._still_listeners: list[Callable[[str, bytes], None]] = []
        self._home_listeners: list[Callable[[HomeChanged], None]] = []
        self._children: set[Child] = set()  # all that are not buried
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Start every worker; when it returns, all of them carry.

        Raises:
            OSError: A port is taken (`filename` is its number), or no process can be made.
            RuntimeError: A worker died at its start.
        """
        self._tick()
        try:
            found = await asyncio.gather(*(self._start(home) for home in self._homes), return_exceptions=True)
            for error in found:
                if isinstance(error, Gone):
                    raise RuntimeError("a relay worker died at its start")
                if error is not None:
                    raise error
        except BaseException:
            await self.close()
            raise

    async def _start(self, home: _Home) -> None:
        child = Child(lambda message: self._told(home, message), lambda: self._lost(home, child))
        self._children.add(child)
        try:
            await child.start(home.settings)
        except asyncio.CancelledError:
            child.kill("it is no longer wanted")
            raise
        home.child, home.since = child, self._boottime()

    # --- MediaPlane -------------------------------------------------------

    @property
    def homes(self) -> int:
        return len(self._homes)

    @property
    def homes_up(self) -> int:
        return sum(home.child is not None for home in self._homes)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that carry now."""
        return [home.child.pid for home in self._homes if home.child is not None]

    def home(self, call_id: str) -> int:
        if call_id not in self._calls:
            self._calls[call_id] = self._least_loaded()
            if self._homes[self._calls[call_id]].child is None:
                self._unhomed.add(call_id)
        return self._calls[call_id]

    def _least_loaded(self) -> int:
        load = Counter(self._calls.values())
        standing = [home.index for home in self._homes if home.child is not None] or range(len(self._homes))
        return min(standing, key=lambda index: (load[index], index))

    def release(self, call_id: str) -> None:
        self._calls.pop(call_id, None)
        self._unhomed.discard(call_id)

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str, home: int = 0) -> Answer:
        if not 0 <= home < len(self._homes):
            raise OfferRefused("no_such_home")
        if publishes:
            await self._leave(endpoint, [other for other in self._homes if other.index != home])
        at = self._homes[home]
        if at.child is None:
            raise RelayUnavailable
        at.endpoints.add(endpoint)
        child = at.child
        try:
            answer = await child.ask("connect", endpoint=endpoint, publishes=sorted(publishes), offer=offer)
        except Gone:
            raise RelayUnavailable from None
        if "sdp" in answer:
            try:
                return ANSWER.validate_python(answer)
            except ValueError:
                child.kill(f"its answer is none: {answer!r}"[:MAX_REASON])
                raise RelayUnavailable from None
        if endpoint not in at.up:
            at.endpoints.discard(endpoint)
        raise OfferRefused(str(answer.get("refused", "fault")))

    async def disconnect(self, endpoint: str) -> None:
        await self._leave(endpoint, self._homes)

    async def _leave(self, endpoint: str, homes: Sequence[_Home]) -> None:
        there = [home for home in homes if endpoint in home.endpoints]
        await asyncio.gather(*(self._leave_one(endpoint, home) for home in there))

    async def _leave_one(self, endpoint: str, home: _Home) -> None:
        if home.child is not None:
            try:
                await home.child.ask("disconnect", endpoint=endpoint)
            except Gone:
                return  # it was told lost with all the others
        home.endpoints.discard(endpoint)
        home.up.discard(endpoint)
        home.health.pop(endpoint, None)

    async def apply(self, plan: MediaPlan) -> None:
        deadline = self._boottime() + plan.valid_for_s
        if plan.call_id not in self._calls and plan.is_silent:
            return
        child = self._homes[self.home(plan.call_id)].child
        if child is None:
            return  # nothing of the call flows
        try:
            answer = await child.ask("apply", must_answer=True, plan=wire.plan_out(plan, deadline))
        except Gone:
            return  # silent, as everything that was its
        if "fault" in answer:
            child.kill("it could not obey a plan")

    async def sent_on(
        self, endpoint: str, asked: Sequence[tuple[int, int | None]], home: int = 0
    ) -> Sequence[LineSent]:
        nothing = [LineSent()] * len(asked)
        child = self._homes[home].child if 0 <= home < len(self._homes) else None
        if child is None or not asked:
            return nothing
        try:
            answer = await child.ask("sent_on", must_answer=True, endpoint=endpoint, asked=[list(one) for one in asked])
            found = [LineSent(*one) for one in SENT.validate_python(answer.get("sent"))]
        except Gone:
            return nothing
        except ValueError:
            child.kill(f"its answer is none: {answer!r}"[:MAX_REASON])
            return nothing
        return found if len(found) == len(asked) else nothing

    def health(self, endpoint: str) -> EndpointHealth | None:
        for home in self._homes:
            if endpoint in home.endpoints:
                return home.health.get(endpoint, EndpointHealth())
        return None

    def watch(self, listener: EndpointListener) -> None:
        self._listeners.append(listener)

    def watch_homes(self, listener: Callable[[HomeChanged], None]) -> None:
        self._home_listeners.append(listener)

    def watch_stills(self, listener: Callable[[str, bytes], None]) -> None:
        self._still_listeners.append(listener)

    def counters(self) -> Mapping[str, int]:
        totals = Counter(self._past)
        for home in self._homes:
            totals.update(home.counters)
        return totals

    async def close(self) -> None:
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(child.close() for child in self._children))
        for home in self._homes:
            home.child = None

    # --- what workers say -------------------------------------------------

    def _told(self, home: _Home, message: wire.Message) -> None:
        """Take a worker's word for its own endpoints, and for nothing else. Raises KeyError, TypeError, ValueError."""
        match message.get("tell"):
            case "beat":
                return
            case "endpoint":
                endpoint, up = message["endpoint"], bool(message["up"])
                if endpoint in home.endpoints:
                    (home.up.add if up else home.up.discard)(endpoint)
                    self._tell(endpoint, up, home.index)
            case "still":
                leg, jpeg = message["leg"], b64decode(message["jpeg"], validate=True)
                if leg in home.endpoints:
                    for listener in self._still_listeners:
                        _safely(listener, leg, jpeg)
            case "state":
                home.counters = {str(name): int(total) for name, total in message["counters"].items()}
                home.health = {
                    name: HEALTH.validate_python(health)
                    for name, health in message["health"].items()
                    if name in home.endpoints
                }
            case _:
                raise ValueError("said nothing that we know")

    def _tell(self, endpoint: str, up: bool, home: int) -> None:
        for listener in self._listeners:
            _safely(listener, endpoint, up, home)

    # --- supervision ------------------------------------------------------

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        for home in self._homes:
            if home.child is not None:
                home.child.tick()

    def _lost(self, home: _Home, child: Child) -> None:
        """A worker is dead: say so of all that was its, give its calls another home, and start another."""
        if self._is_closing:
            return
        self._begin(self._bury(child))
        if home.child is not child:
            return  # it never carried
        calls = [call for call, index in self._calls.items() if index == home.index]
        log.warning("relay worker lost", home=home.index, calls=len(calls), reason=child.why)
        home.child = None
        self._past.update(home.counters)
        self._past["worker_restarts"] += 1
        home.counters = {}
        lost = sorted(home.up)
        home.endpoints.clear()
        home.up.clear()
        home.health.clear()
        for endpoint in lost:
            self._tell(endpoint, False, home.index)
        self._unhomed.update(calls)
        self._say(home.index, False)
        self._begin(self._restart(home))

    async def _bury(self, child: Child) -> None:
        await child.close()
        self._children.discard(child)

    def _say(self, index: int, up: bool) -> None:
        moved = self._rehome() if self.homes_up else frozenset[str]()
        for listener in self._home_listeners:
            _safely(listener, HomeChanged(index, up, moved))

    def _rehome(self) -> frozenset[str]:
        """Give every call without a home one that stands."""
        moved = frozenset(self._unhomed)
        self._unhomed.clear()
        for call_id in moved:
            del self._calls[call_id]
        for call_id in sorted(moved):
            self._calls[call_id] = self._least_loaded()
        return moved

    async def _restart(self, home: _Home) -> None:
        """Start another worker: at once where the last one lived long, else after ever longer waits."""
        if self._boottime() - home.since >= SETTLED_S:
            home.wait_s = 0.0
        while True:
            await asyncio.sleep(home.wait_s)
            home.wait_s = min(LONGEST_WAIT_S, max(FIRST_WAIT_S, home.wait_s * 2))
            try:
                await self._start(home)
                break
            except (OSError, Gone) as error:
                log.error("relay worker does not start", home=home.index, reason=str(error) or "died")
        log.warning("relay worker replaced", home=home.index)
        self._say(home.index, True)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _safely(listener: Callable[..., None], *what: object) -> None:
    try:
        listener(*what)
    except Exception:
        log.exception("a listener of the relay failed")
