"""The model of the posts: any order of sign-ons, handovers, takeovers, lost proofs, pauses and time, over the engine.

What it promises stands in the invariants; what it knows by itself, in posts_world.py. test_posts_model.py runs it, and
breaks one rule of handover, transfer or coverage after another: the same model must fail.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from broker.domain import commands as c
from broker.domain.codes import AlertCode, Code, Post
from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL
from broker.domain.transfer import Reason, Side
from tests.engine.posts_world import CALLS, GOVERNOR, MONITORS, PEOPLE, PLACES, POOL, SUPERVISORS, World

ANY = st.integers(0, 11)
SCOPES = st.sampled_from([frozenset(PLACES), frozenset({"HRD"}), frozenset({"SKB"})])
SHOWN = st.sampled_from([frozenset(CALLS), frozenset(CALLS), frozenset({"v1"}), frozenset[str]()])
CALL = st.sampled_from(sorted(CALLS))
PLACE = st.sampled_from(PLACES)
MOSTLY = st.sampled_from([True, True, True, False])
THEN = st.sampled_from([1, 0, 1, 2, 5, 9])  # seconds after an act
HUMAN = {"security": Post.MONITOR, "technical": Post.SUPERVISOR}  # who may clear it
MONITOR_GRACE_S = DEFAULT.proof_stale_s + DEFAULT.proof_grace_s
SUPERVISOR_GRACE_S = DEFAULT.supervisor_stale_s + DEFAULT.supervisor_grace_s


class PostsModel(RuleBasedStateMachine):
    """Drives both posts of two establishments, and the pool's."""

    @initialize(live=MOSTLY, relief=MOSTLY, pool=MOSTLY)
    def begin(self, live: bool, relief: bool, pool: bool) -> None:
        self.world = World()
        self.offers: dict[str, tuple[str, str, datetime]] = {}  # id -> from, to, until
        self.cleared: set[str] = set()
        self.crossing: set[str] = set()
        self.live: set[str] = set()
        self.before: dict[str, dict[str, str]] = {id: {} for id in CALLS}
        if live:
            self._act(self.world.sign_on("M1", Post.MONITOR, frozenset(PLACES)))
            for number, place in zip(SUPERVISORS, PLACES, strict=True):
                self._act(self.world.sign_on(number, Post.SUPERVISOR, frozenset({place})))
            self.verify("v1")
            self.verify("v2")
        if relief:
            self._act(self.world.sign_on("M2", Post.MONITOR, frozenset(PLACES)))
        if pool:
            self._act(self.world.sign_on("N1", Post.MONITOR, frozenset({NATIONAL_POOL})))
        self.time_passes(2)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()

    # --- helpers -------------------------------------------------------------------

    def _act(self, work: Coroutine[Any, Any, Code | None] | Coroutine[Any, Any, None]) -> Code | None:
        """Do one thing, let the node take its turn, and look at everything."""
        world = self.world

        async def done() -> Code | None:
            self.live = world.live()
            code = await work
            await world.turns()
            await world.take_record()
            self._judge_transfers()
            await world.table.tick()
            await world.turns()
            await world.take_record()
            world.engine.causes.look()
            self._judge()
            return code

        return world.run(done())

    def _do(self, work: Coroutine[Any, Any, Code | None] | Coroutine[Any, Any, None], then: int) -> Code | None:
        """Do one thing, and let seconds pass after it."""
        code = self._act(work)
        self.time_passes(then)
        return code

    def _session(self, n: int, post: Post | None = None, place: str | None = None) -> str | None:
        """Return somebody who is on post with a socket."""
        found = [
            id
            for id, one in self.world.seated.items()
            if not one.lost and post in (None, one.post) and (place is None or place in one.places)
        ]
        return found[n % len(found)] if found else None

    # --- rules: who is on post ---------------------------------------------------------

    @rule(number=st.sampled_from([*MONITORS, *PEOPLE]), scope=SCOPES, then=THEN)
    def monitor_signs_on(self, number: str, scope: frozenset[str], then: int) -> None:
        wanted = frozenset({NATIONAL_POOL}) if number in POOL else scope
        self._do(self.world.sign_on(number, Post.MONITOR, wanted), then)

    @rule(number=st.sampled_from([*SUPERVISORS, *PEOPLE]), place=PLACE, then=THEN)
    def supervisor_signs_on(self, number: str, place: str, then: int) -> None:
        self._do(self.world.sign_on(number, Post.SUPERVISOR, frozenset({place})), then)

    @rule(n=ANY, then=THEN, lost=st.booleans())
    def leaves(self, n: int, then: int, lost: bool) -> None:
        """Somebody signs off, or their socket is gone."""
        session = self._session(n)
        if session is not None:
            self._do(self.world.lose(session) if lost else self.world.engine.sign_off(session), then)

    @rule(n=ANY, shown=SHOWN, then=THEN)
    def page_shows(self, n: int, shown: frozenset[str], then: int) -> None:
        """A wall shows other calls, or a hall page is in front or behind, from now on."""
        session = self._session(n)
        if session is not None:
            self.world.seated[session].shows = shown
            self.time_passes(then)

    # --- rules: relief -------------------------------------------------------------------

    @rule(n=ANY, m=ANY, then=st.sampled_from([1, 0, 4, 125]), shown=st.none() | SHOWN, answered=st.booleans())
    def offers_the_post(self, n: int, m: int, then: int, shown: frozenset[str] | None, answered: bool) -> None:
        """Somebody offers their post; the other's wall may show something else from then on, and they may accept."""
        world, mine = self.world, self._session(n, Post.MONITOR)
        others = {id: one for id, one in world.seated.items() if id != mine and one.post is Post.MONITOR}
        if mine is None or not others:
            return
        apt = [id for id, one in others.items() if one.places >= world.seated[mine].places and not one.lost]
        other = apt[m % len(apt)] if apt and m % 4 else sorted(others)[m % len(others)]

        async def offer() -> Code | None:
            number = world.seated[other].number
            code = await world.tried(world.engine.handovers.offer(mine, number))
            found = world.engine.handovers.of(mine)
            if code is None and found is not None:
                self.offers[found.id] = (mine, found.incoming.session, found.until)
            return code

        code = self._act(offer())
        if code is None and shown is not None:
            world.seated[other].shows = shown
        self.time_passes(then)
        if code is None and answered and self.offers:
            self.accepts_the_post(list(self.offers).index(max(self.offers, key=lambda id: self.offers[id][2])))

    @rule(n=ANY)
    def accepts_the_post(self, n: int) -> None:
        """The post passes exactly where the offer stands and the wall of the one coming on shows every live call."""
        if not self.offers:
            return
        offer_id = list(self.offers)[n % len(self.offers)]
        world, (outgoing, incoming, until) = self.world, self.offers[offer_id]
        giver, taker = world.seated.get(outgoing), world.seated.get(incoming)
        places = set(giver.places) if giver is not None else set()
        calls = {id for id in world.live() if CALLS[id] in places}
        fit = giver is not None and taker is not None and world.now < until and places <= taker.places
        fit = fit and giver.pool is taker.pool and world.displays(incoming, calls)  # type: ignore[union-attr]
        before = {id: (world.calls[id].alarms, world.calls[id].uncovered, id in self.crossing) for id in calls}
        code = self._act(world.tried(world.engine.handovers.accept(incoming, offer_id)))
        assert (code is None) == fit, f"a handover passed, or did not: {code}"
        if code is not None:
            return
        del self.offers[offer_id]
        assert outgoing not in world.seated, "who handed over is still on post"
        assert taker is not None and places <= taker.places, "who took over does not have all of it"
        after = {id: (world.calls[id].alarms, world.calls[id].uncovered, id in self.crossing) for id in calls}
        assert after == before, "an instant of a handover was uncovered"

    @rule(n=ANY, back=st.booleans())
    def turns_an_offer_down(self, n: int, back: bool) -> None:
        if not self.offers:
            return
        offer_id = list(self.offers)[n % len(self.offers)]
        outgoing, incoming, _ = self.offers.pop(offer_id)
        handovers = self.world.engine.handovers
        work = handovers.withdraw(outgoing, offer_id) if back else handovers.refuse(incoming, offer_id)
        self._act(self.world.tried(work))

    # --- rules: the pool -------------------------------------------------------------------

    @rule(n=ANY, place=PLACE, to=st.sampled_from(list(Side)), then=THEN)
    def proposes_a_transfer(self, n: int, place: str, to: Side, then: int) -> None:
        session = self._session(n, Post.MONITOR)
        if session is not None:
            work = self.world.engine.transfers.propose(session, place, to, Reason.OTHER)
            self._do(self.world.tried(work), then)

    @rule(n=ANY, place=PLACE, yes=st.integers(0, 3), then=THEN)
    def answers_a_transfer(self, n: int, place: str, yes: int, then: int) -> None:
        session, transfers = self._session(n, Post.MONITOR), self.world.engine.transfers
        if session is not None:
            work = transfers.accept(session, place) if yes else transfers.decline(session, place)
            self._do(self.world.tried(work), then)

    @rule(place=PLACE, then=THEN, late=st.sampled_from([None, *POOL]))
    def the_pool_takes_over_or_gives_back(self, place: str, then: int, late: str | None) -> None:
        """The way that a takeover goes when all agree; somebody may come to the pool in the midst of it."""
        pool = [id for id, one in self.world.seated.items() if one.pool and not one.lost]
        ours = [id for id in self.world.sessions(Post.MONITOR, place) if not self.world.seated[id].pool]
        to = Side.POOL if self.world.owner[place] == "establishment" else Side.ESTABLISHMENT
        transfers = self.world.engine.transfers
        if pool:
            self._act(self.world.tried(transfers.propose(pool[0], place, to, Reason.OTHER)))
        if pool and ours:
            self._act(self.world.tried(transfers.accept(ours[0], place)))
        if late is not None:
            self._act(self.world.sign_on(late, Post.MONITOR, frozenset({NATIONAL_POOL})))
        self.time_passes(then)

    # --- rules: the calls ------------------------------------------------------------------

    @rule(call_id=CALL)
    def verify(self, call_id: str) -> None:
        self._act(self.world.verify(call_id))

    @rule(n=ANY, call_id=CALL, then=THEN)
    def pause(self, n: int, call_id: str, then: int) -> None:
        session = self._session(n)
        if session is not None:
            work = self.world.engine.send(call_id, c.Pause(self.world.actor(session)))
            self._do(self.world.tried(work), then)

    @rule(n=ANY, m=ANY, call_id=CALL)
    def clear(self, n: int, m: int, call_id: str) -> None:
        session, call = self._session(n), self.world.call(call_id)
        if session is None or not call.holds:
            return
        hold, seated = call.holds[m % len(call.holds)], self.world.seated[session]
        kind = self.world.calls[call_id].holds[hold.id]
        self.cleared.add(f"{call_id} {hold.id}")
        command = c.Clear(self.world.actor(session), hold.id, call.seq)
        code = self._act(self.world.tried(self.world.engine.send(call_id, command)))
        if code is None:
            assert HUMAN.get(kind) is seated.post, f"a {kind} hold was cleared by the {seated.post}"
            assert CALLS[call_id] in seated.places, "a hold was cleared from elsewhere"
        else:
            self.cleared.discard(f"{call_id} {hold.id}")

    @rule(n=ANY, call_id=CALL, then=THEN)
    def look(self, n: int, call_id: str, then: int) -> None:
        session = self._session(n, Post.MONITOR)
        if session is not None:
            self._do(self.world.tried(self.world.engine.focus(session, call_id)), then)

    @rule(call_id=CALL, rarely=st.integers(0, 3))
    def becomes_privileged(self, call_id: str, rarely: int) -> None:
        if rarely == 0:
            command = c.MakePrivileged(GOVERNOR, "legal")
            self._act(self.world.tried(self.world.engine.registry.send(call_id, command)))

    @rule(n=ANY, call_id=CALL, then=THEN)
    def patrol(self, n: int, call_id: str, then: int) -> None:
        session = self._session(n, Post.SUPERVISOR)
        if session is not None:
            command = c.LogPatrol(self.world.actor(session))
            self._do(self.world.tried(self.world.engine.registry.send(call_id, command)), then)

    @rule(seconds=st.sampled_from([3, 12, 20, 70]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self._act(self.world.second())

    # --- invariants --------------------------------------------------------------------------

    def _judge_transfers(self) -> None:
        """Judge what passed as it passed: by what the walls showed then."""
        world = self.world
        for place, pool in world.released:
            due = "establishment" if pool else "pool"
            back = pool and world.owner[place] == "establishment"
            assert back or (place, due) in world.passed, "a side was sent off without a transfer"
        for place, to in world.passed:
            taken = [id for id in world.sessions(Post.MONITOR, place) if world.seated[id].pool is (to == "pool")]
            live = [id for id in self.live if CALLS[id] == place]
            assert not live or any(world.displays(id, live) for id in taken), "a transfer passed unproven"
            left = [id for id in world.sessions(Post.MONITOR, place) if id not in taken]
            assert not left, "the old side still monitors"
            for one in world.seated.values():
                if (
                    to == "pool"
                    and one.pool
                    and not one.lost
                    and (one.number, place, Post.SUPERVISOR) not in world.ever
                ):
                    assert place in one.places, "somebody of the pool was left out"
        world.passed.clear()
        world.released.clear()

    def _judge(self) -> None:
        self._one_post_each()
        for call_id in CALLS:
            self._holds_stay(call_id)
            self._cover_is_true(call_id)
            self._nothing_crosses_unseen(call_id)
            self._alerts_stand_for_causes(call_id)
        self.crossing = {id for id in CALLS if self.world.plane.crosses(id) is not None}

    def _one_post_each(self) -> None:
        world = self.world
        for number, place, post in world.ever:
            assert (number, place, _other(post)) not in world.ever, f"{number} held both posts at {place} in a day"
        posts = {one.pair for one in world.seated.values()}
        assert len(posts) == len({number for number, _ in posts}), "somebody is on both posts"
        held = {holder.session: holder for holder in world.engine.presence.holders}
        assert held.keys() == world.seated.keys(), "the record does not know who is on post"
        for session, one in world.seated.items():
            assert held[session].places == one.places, "the record does not know what somebody monitors"
            stray = {place for place in one.places & set(PLACES) if one.pool and world.owner[place] != "pool"}
            going = {place for place in stray if getattr(world.engine.transfers.going(place), "agreed", False)}
            assert stray == going, "the pool kept what it did not get"

    def _holds_stay(self, call_id: str) -> None:
        """What a person paused, a person clears; what nobody watched is cleared by a wall that shows it steadily."""
        before, holds = self.before[call_id], self.world.calls[call_id].holds
        gone = {id: kind for id, kind in before.items() if id not in holds}
        for hold_id, kind in gone.items():
            assert kind not in HUMAN or f"{call_id} {hold_id}" in self.cleared, f"a {kind} hold went by itself"
            assert kind != "unmonitored" or self.world.steady(call_id), "a hold went before anybody watched steadily"
        self.before[call_id] = dict(holds)

    def _cover_is_true(self, call_id: str) -> None:
        world, call = self.world, self.world.call(call_id)
        if call_id not in world.live():
            return
        watchers = world.watchers(call_id, DEFAULT.proof_stale_s)
        supervisors = world.supervisors(call_id, DEFAULT.supervisor_stale_s)
        assert call.monitor in (watchers or {None}), "the cover names who does not watch"
        assert call.supervisor in (supervisors or {None}), "the cover names who does not supervise"
        if call.privileged:
            assert watchers or world.calls[call_id].patrol == "post_lost", "nobody is there, and nobody patrols"
        elif not world.watchers(call_id, MONITOR_GRACE_S):
            assert "unmonitored" in world.calls[call_id].holds.values(), "nobody watches, and it is not held"

    def _nothing_crosses_unseen(self, call_id: str) -> None:
        world, left_s = self.world, self.world.plane.crosses(call_id)
        if left_s is None:
            return
        of_call = world.calls[call_id]
        assert not of_call.holds, "something crosses a hold"
        watchers = world.watchers(call_id, MONITOR_GRACE_S - left_s)
        supervisors = world.supervisors(call_id, SUPERVISOR_GRACE_S - left_s)
        assert watchers or (world.call(call_id).privileged and of_call.patrol), "something crosses that nobody watches"
        assert supervisors, "something crosses in a hall that nobody supervises"
        assert len(watchers | supervisors) > 1 or not watchers, "one person is both posts"

    def _alerts_stand_for_causes(self, call_id: str) -> None:
        world, of_call, live = self.world, self.world.calls[call_id], call_id in self.world.live()
        kinds = set(of_call.holds.values())
        causes = {
            AlertCode.UNMONITORED: "unmonitored" in kinds or not world.watchers(call_id, DEFAULT.proof_stale_s),
            AlertCode.UNSUPERVISED: "unsupervised" in kinds
            or not world.supervisors(call_id, DEFAULT.supervisor_stale_s),
            AlertCode.UNWATCHED: of_call.overdue and not world.call(call_id).privileged,
            AlertCode.UNWATCHED_HELD: "unwatched" in kinds,
            AlertCode.PATROL_DUE: of_call.patrol_due,
        }
        wanted = {code for code, stands in causes.items() if stands and live}
        standing = {alert.code for alert in world.engine.alerts.standing_for(call_id)} & causes.keys()
        assert standing == wanted, f"alerts {sorted(standing)}, causes {sorted(wanted)}"


def _other(post: Post) -> Post:
    return Post.SUPERVISOR if post is Post.MONITOR else Post.MONITOR


EXAMPLES = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
)
