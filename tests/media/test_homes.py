"""The media port's promises, kept by a relay in this process and by a pool of real worker processes alike."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from broker.clock import SystemClock
from broker.domain.plan import Media, MediaPlan, Route
from broker.media import wire
from broker.media.child import RelaySettings
from broker.media.plane import RelayPlane
from broker.media.pool import RelayPool
from broker.ports import EndpointHealth, HomeChanged, LineSent, OfferRefused, RelayUnavailable
from broker.synthetic.talk import until
from tests.media.support import BOTH, WAIT_S, Endpoint, both_ways, offer, plan

pytestmark = pytest.mark.flow

AUDIO, VIDEO = Media.AUDIO, Media.VIDEO
CALL = "call"
ONE_WAY = {Route("family", kind, "prisoner", 0) for kind in Media}
HERE = RelaySettings("127.0.0.1", 0, ("127.0.0.1",))


class AtHome(Endpoint):
    """An endpoint that knows of the relay what its answer says, and of itself what the port tells."""

    home = 0

    async def connect(self, *args: Any, **how: Any) -> AtHome:
        self.up = False
        self.plane.watch(self._told)
        await super().connect(*args, **how)
        return self

    def _told(self, endpoint: str, up: bool, home: int = 0) -> None:
        if (endpoint, home) == (self.name, self.home):
            self.up = up

    def _read_answer(self, answer: Any) -> None:
        super()._read_answer(answer)
        candidate = next(line for line in answer.sdp.split("\r\n") if line.startswith("a=candidate:"))
        self.port = int(candidate.split(" ")[5])

    def send_raw(self, datagram: bytes) -> None:
        self.transport.sendto(datagram, ("127.0.0.1", self.port))

    def is_up(self) -> bool:
        return self.up


class Homes:
    """A plane and its endpoints. Calls' ends connect at the call's home."""

    def __init__(self, plane: RelayPlane | RelayPool) -> None:
        self.plane = plane
        self.changes: list[HomeChanged] = []
        self.endpoints: list[AtHome] = []
        plane.watch_homes(self.changes.append)

    async def enter(self, name: str, home: int | None = None, **how: Any) -> AtHome:
        """Return a connected endpoint, at the call's home where nothing else is said."""
        at = self.plane.home(CALL) if home is None else home
        endpoint = AtHome(_Through(self.plane, at), name)  # type: ignore[arg-type]
        endpoint.home = at
        self.endpoints.append(endpoint)
        return await endpoint.connect(**how)

    async def pair(self) -> tuple[AtHome, AtHome]:
        return await self.enter("family"), await self.enter("prisoner")

    async def close(self) -> None:
        for endpoint in self.endpoints:
            await endpoint.close()
        await self.plane.close()


class _Through:
    """A plane as an endpoint of one home sees it."""

    def __init__(self, plane: RelayPlane | RelayPool, home: int) -> None:
        self.watch = plane.watch
        self._plane, self._home = plane, home

    async def connect(self, endpoint: str, publishes: frozenset[Media], text: str) -> Any:
        return await self._plane.connect(endpoint, publishes, text, self._home)


async def fences(*endpoints: AtHome) -> None:
    for endpoint in endpoints:
        await endpoint.fence()


@pytest_asyncio.fixture(params=["in this process", "workers"])
async def homes(request: pytest.FixtureRequest) -> AsyncIterator[Homes]:
    if request.param == "workers":
        made: RelayPlane | RelayPool = RelayPool(HERE, 2, SystemClock())
    else:
        made = RelayPlane(("127.0.0.1", 0), ["127.0.0.1"], SystemClock())
    await made.start()
    found = Homes(made)
    yield found
    await found.close()


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Homes]:
    pool = RelayPool(HERE, 2, SystemClock())
    await pool.start()
    found = Homes(pool)
    yield found
    await found.close()


@pytest_asyncio.fixture
async def one_worker() -> AsyncIterator[Homes]:
    pool = RelayPool(HERE, 1, SystemClock())
    await pool.start()
    found = Homes(pool)
    yield found
    await found.close()


async def test_what_a_plan_allows_passes_and_a_pause_is_silent_when_it_returns(homes: Homes) -> None:
    family, prisoner = await homes.pair()
    family.say(b"before any plan")
    await fences(family)
    await homes.plane.apply(plan(both_ways("family", "prisoner")))
    family.say(b"hello")
    family.show(b"face", key=True)
    prisoner.say(b"mum")
    await fences(family, prisoner, family)
    await homes.plane.apply(plan(set(), epoch=2))
    family.say(b"after")
    family.show(b"after", key=True)
    await fences(family, prisoner)
    assert (prisoner.bodies(AUDIO), prisoner.bodies(VIDEO)) == ([b"hello"], [b"face"])
    assert family.bodies(AUDIO) == [b"mum"]


async def test_a_plan_lapses_by_itself_and_an_older_epoch_is_ignored(homes: Homes) -> None:
    family, prisoner = await homes.pair()
    await homes.plane.apply(plan(ONE_WAY, epoch=7, valid_for_s=0.0))
    family.say(b"lapsed")
    await fences(family, prisoner)
    await homes.plane.apply(plan(ONE_WAY, epoch=6, valid_for_s=60.0))
    family.say(b"ignored")
    await fences(family, prisoner)
    assert prisoner.heard == []


async def test_the_port_says_who_is_up_what_was_sent_and_how_links_do(homes: Homes) -> None:
    family, prisoner = await homes.pair()
    home = homes.plane.home(CALL)
    assert await homes.plane.sent_on("prisoner", [(0, None)], home) == [LineSent()]
    await homes.plane.apply(plan(ONE_WAY, valid_for_s=60))
    family.show(b"face", key=True)
    await fences(family, prisoner)
    at = prisoner.on(VIDEO)[0].timestamp
    first, never, other = await homes.plane.sent_on("prisoner", [(0, at), (0, at + 1), (1, at)], home)
    assert first.last_s is not None
    assert first.frame_s is not None
    assert (never.frame_s, other) == (None, LineSent())
    assert isinstance(homes.plane.health("family"), EndpointHealth)
    assert homes.plane.health("nobody") is None
    await until(lambda: homes.plane.counters().get("forwarded", 0) >= 1, WAIT_S, "the counters")


async def test_disconnect_says_goodbye_and_forgets(homes: Homes) -> None:
    family, _ = await homes.pair()
    await homes.plane.apply(plan(both_ways("family", "prisoner")))
    await homes.plane.disconnect("family")
    await family.until(family.said_goodbye.is_set)
    assert homes.plane.health("family") is None
    assert not family.up


async def test_what_is_no_offer_and_what_is_no_home_is_refused(homes: Homes) -> None:
    with pytest.raises(OfferRefused):
        await homes.plane.connect("family", BOTH, "v=0\r\n")
    with pytest.raises(OfferRefused):
        await homes.plane.connect("family", BOTH, offer(list(Media), list(Media)), homes.plane.homes)
    assert homes.plane.health("family") is None


async def test_close_leaves_no_process(workers: Homes) -> None:
    pool = workers.plane
    assert isinstance(pool, RelayPool)
    pids = pool.pids
    await workers.pair()
    await pool.close()
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


async def test_calls_are_spread_over_homes_stay_where_they_are_and_are_forgotten(workers: Homes) -> None:
    plane = workers.plane
    assert [plane.home(call) for call in ("a", "b", "c", "d")] == [0, 1, 0, 1]
    assert [plane.home(call) for call in ("a", "b")] == [0, 1]
    plane.release("a")
    plane.release("c")
    assert [plane.home(call) for call in ("e", "f", "g")] == [0, 0, 0]


@pytest.mark.feature("F103")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_worker_that_dies_or_hangs_is_replaced_and_its_call_moves_with_every_gate_shut(
    workers: Homes, how: signal.Signals
) -> None:
    pool = workers.plane
    assert isinstance(pool, RelayPool)
    family, _ = await workers.pair()
    await pool.apply(plan(ONE_WAY, valid_for_s=60))
    stays = pool.home("stays")
    os.kill(pool.pids[pool.home(CALL)], how)
    await pool.apply(plan(ONE_WAY, valid_for_s=60))  # returns: nobody is left who could forward
    await until(lambda: bool(workers.changes), WAIT_S, "the loss")
    assert workers.changes[0] == HomeChanged(0, False, frozenset({CALL}))
    assert not family.up
    assert (pool.home(CALL), pool.home("stays")) == (1, stays)

    again, there = await workers.pair()
    again.say(b"on the strength of the old plan")
    await fences(again, there)
    assert there.heard == []
    await pool.apply(plan(ONE_WAY))
    again.say(b"on a new one")
    await fences(again, there)
    assert there.bodies(AUDIO) == [b"on a new one"]

    await until(lambda: len(workers.changes) == 2, WAIT_S * 2, "the worker replaced")
    assert workers.changes[1] == HomeChanged(0, True)
    assert (pool.homes_up, pool.counters()["worker_restarts"]) == (2, 1)


async def test_while_no_home_stands_offers_wait_and_the_first_that_is_back_takes_the_calls(one_worker: Homes) -> None:
    workers, pool = one_worker, one_worker.plane
    assert isinstance(pool, RelayPool)
    await workers.pair()
    os.kill(pool.pids[0], signal.SIGKILL)
    await until(lambda: bool(workers.changes), WAIT_S, "the loss")
    with pytest.raises(RelayUnavailable):
        await pool.connect("family", BOTH, offer(list(Media), list(Media)))
    await pool.apply(plan(ONE_WAY))
    await until(lambda: len(workers.changes) == 2, WAIT_S * 2, "the worker replaced")
    assert workers.changes == [HomeChanged(0, False), HomeChanged(0, True, frozenset({CALL}))]
    again, there = await workers.pair()
    again.say(b"nothing is allowed yet")
    await fences(again, there)
    assert there.heard == []


async def test_an_answer_that_nobody_waits_for_any_more_harms_nobody(one_worker: Homes) -> None:
    pool = one_worker.plane
    gone = asyncio.ensure_future(pool.apply(plan(ONE_WAY)))
    await asyncio.sleep(0)
    gone.cancel()
    family, prisoner = await one_worker.pair()
    await pool.apply(plan(ONE_WAY))
    family.say(b"hello")
    await fences(family, prisoner)
    assert prisoner.bodies(AUDIO) == [b"hello"]
    assert one_worker.changes == []


async def test_a_console_has_a_connection_at_each_home_and_a_caller_one_in_all(workers: Homes) -> None:
    pool = workers.plane
    watching = {"sends": [], "receives": [VIDEO, AUDIO], "publishes": frozenset()}
    consoles = [await workers.enter("console", home, **watching) for home in range(2)]
    assert all(console.up for console in consoles)
    first = await workers.enter("family", 0)
    await workers.enter("family", 1)
    await first.until(first.said_goodbye.is_set)
    assert all(console.up for console in consoles)
    await pool.disconnect("console")
    for console in consoles:
        await console.until(console.said_goodbye.is_set)


async def test_a_taken_port_is_named_and_no_worker_stays() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        pool = RelayPool(RelaySettings("127.0.0.1", port - 1, ("127.0.0.1",)), 2, SystemClock())
        with pytest.raises(OSError) as refused:
            await pool.start()
        assert refused.value.filename == str(port)
        assert pool.homes_up == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        {"tell": "endpoint"},
        {"tell": "what"},
        {"re": []},
        {"tell": "state", "counters": [], "health": {}},
        {"tell": "state", "counters": {}, "health": {"family": {"picture": "splendid"}}},
    ],
)
async def test_a_worker_that_talks_nonsense_is_killed(nonsense: wire.Message, one_worker: Homes) -> None:
    workers = one_worker
    await workers.enter("family")
    pool = workers.plane
    assert isinstance(pool, RelayPool)
    child = pool._homes[0].child
    assert child is not None
    child._heard(nonsense)
    await until(lambda: bool(workers.changes), WAIT_S, "the loss")
    assert workers.changes[0].home == 0


def test_a_plan_that_waited_in_the_pipe_is_as_old_as_it_is() -> None:
    sent = wire.plan_out(MediaPlan("call", 3, 5.0, frozenset(ONE_WAY)), 105.0)
    assert wire.plan_in(sent, 100.0) == MediaPlan("call", 3, 5.0, frozenset(ONE_WAY))
    assert wire.plan_in(sent, 104.0).valid_for_s == 1.0
    assert wire.plan_in(sent, 110.0).valid_for_s == 0.0


async def test_frames_of_the_pipe_are_whole_however_they_are_cut_and_nonsense_ends_it() -> None:
    ours, theirs = socket.socketpair()
    heard: list[wire.Message] = []
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    end = wire.Wire(heard.append, over.set)
    await loop.create_unix_connection(lambda: end, sock=ours)
    theirs.setblocking(False)
    one = wire.LENGTH.pack(10) + b'{"say": 1}'
    for at in range(0, len(one) * 2, 3):
        await loop.sock_sendall(theirs, (one * 2)[at : at + 3])
    await until(lambda: len(heard) == 2, WAIT_S, "both messages")
    assert heard == [{"say": 1}, {"say": 1}]
    await loop.sock_sendall(theirs, wire.LENGTH.pack(2) + b"[]")
    async with asyncio.timeout(WAIT_S):
        await over.wait()
    theirs.close()
