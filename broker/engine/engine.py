"""The engine's door: everything that the edge may ask, in domain words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import structlog

from broker.domain import commands as c
from broker.domain import task_commands as t
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import Call, Leg, LegRole, Phase
from broker.domain.codes import AlertCode, Code, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.plan import Media
from broker.domain.policy import Policy
from broker.domain.posts import Holder
from broker.domain.records import NATIONAL_POOL
from broker.domain.settle import missing
from broker.engine.actor import Done
from broker.engine.alerts import Alerts
from broker.engine.board import Board, CallChanged, Change, LinesChanged, StillMade
from broker.engine.breaks import Breaks
from broker.engine.causes import Causes
from broker.engine.chairs import LaptopChair, StaffChair
from broker.engine.checks import Checks
from broker.engine.console_gate import ConsoleGate
from broker.engine.consoles import SHOWABLE, Console, Lines
from broker.engine.denials import Denials
from broker.engine.handovers import Handovers
from broker.engine.looks import Looks
from broker.engine.losses import Losses
from broker.engine.notes import ShiftNotes
from broker.engine.posts import Posts, actor_of
from broker.engine.presence import Presence
from broker.engine.proofs import Proofs, Shown
from broker.engine.recorder import Recorder
from broker.engine.registry import Entry, Registry
from broker.engine.revocations import Revocations
from broker.engine.stills import Stills
from broker.engine.stream import Streams
from broker.engine.tasks import Tasks
from broker.engine.today import Today
from broker.engine.transfers import Transfers
from broker.engine.watch import Watch
from broker.ports import (
    Answer,
    Clock,
    Directory,
    EventLog,
    HomeChanged,
    Journal,
    LogUnavailable,
    MediaPlane,
    Renewals,
)

log = structlog.get_logger()

RENEW_EVERY_S = 1.0
LOOK_EVERY_S = 1.0
# Nobody does these without looking at the call.
MEANINGFUL = (c.Pause, c.Clear, c.Warn, c.Verify, t.AddNote, t.AddBookmark, t.RecordBreach)


class Engine:
    """One node's engine. Made by bootstrap; `start` before use, `stop` after."""

    def __init__(
        self,
        event_log: EventLog,
        journal: Journal,
        renewals: Renewals,
        directory: Directory,
        media: MediaPlane,
        clock: Clock,
        policy: Policy,
        node: str,
        zone: tzinfo,
        streams: Streams | None = None,
        denials: Denials | None = None,
        revocations: Revocations | None = None,
    ) -> None:
        self.clock = clock
        self.board = Board()
        self.directory = directory
        self.media = media
        self.policy = policy
        self.presence = Presence(policy)
        self.streams = streams or Streams(event_log, clock, journal)
        self.recorder = Recorder(event_log, journal)
        self.registry = Registry(
            event_log, self.recorder, directory, media, clock, self.presence, self.board, policy, zone
        )
        self.breaks = Breaks(self.presence, self.streams, clock, policy)
        self._renewals = renewals
        self._node = node
        self._tasks = Tasks()
        self._consoles: dict[str, Console] = {}
        self._stills = Stills()
        self.looks = Looks(self._consoles, media, self.board, self.registry.send)
        self._proofs = Proofs(media, self._stills, clock, policy)
        today = Today(event_log, clock, zone)
        revoked = revocations or Revocations(event_log, directory, clock)
        gate = ConsoleGate(directory, revoked, clock, policy, self._console_fell)
        self.posts = Posts(
            self.presence, self.streams, directory, today, self.board, clock, gate, self._detach, self._rescoped
        )
        self.notes = ShiftNotes(self.streams, directory, self.board, clock, policy)
        self.handovers = Handovers(self.presence, self.posts, self.registry, self.streams, self.board, clock, policy)
        self.transfers = Transfers(
            self.presence,
            self.posts,
            self.handovers,
            self.registry,
            directory,
            self.streams,
            self.board,
            clock,
            policy,
        )
        self._denials = denials or Denials(self.streams, clock)
        self.alerts = Alerts(self.streams, self.board, clock, zone, self._tasks)
        self.watch = Watch(self.registry, self.presence, clock, policy, self.alerts)
        self.checks = Checks(
            self.registry, self.presence, self.watch, self.streams, self.alerts, self.board, clock, policy
        )
        self.losses = Losses(self.registry, media.health, clock)
        self.causes = Causes(self.registry, self.alerts, self.recorder, clock)

    # --- life ---------------------------------------------------------------

    async def start(self) -> None:
        """Take what the journal holds, recover the calls, and let time run."""
        await self.recorder.flush()
        self.registry.last_renewal = await self._renewals.last(self._node)
        await self.renew()
        await self.alerts.restore((await self.directory.all_establishments()).establishments)
        await self.registry.sweep()
        self.media.watch(self.endpoint_changed)
        self.media.watch_homes(self.home_changed)
        self.media.watch_stills(self.still_made)
        self.board.listen(self.follow)
        self._tasks.start(self.registry.run(), "registry")
        self._tasks.start(self.registry.run_sweeps(), "sweeps")
        self._tasks.start(self.recorder.run(), "recorder")
        self._tasks.start(self.causes.run(), "alerts")
        self._tasks.start(self.losses.run(), "losses")
        self._tasks.start(self._heartbeat(), "heartbeat")
        self._tasks.start(self._seconds(), "seconds")

    async def stop(self) -> None:
        """Stop the clock. Plans lapse by themselves; the media plane is its owner's to close."""
        await self._tasks.close()
        await self.watch.close()

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await _guarded("renewal", self.renew)

    async def _seconds(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.second()

    async def second(self) -> None:
        """Do what falls due by the second; what fails in it stops neither the rest nor the renewals."""
        await _guarded("posts", self._leave_lost)
        await _guarded("console devices", self.posts.gate.look)
        await _guarded("handovers", self.handovers.expire)
        await _guarded("transfers", self.transfers.look)
        await _guarded("breaks", self.breaks.look)
        await _guarded("watch", self.watch.second)
        await _guarded("checks", lambda: self.checks.second(self._consoles))

    async def _leave_lost(self) -> None:
        for session in self.presence.expired(self.clock.now()):
            await self.posts.leave(session, "lost")

    def _console_fell(self, session: str, code: Code) -> None:
        self._tasks.start(self.posts.leave(session, code.value), "console fell")

    async def renew(self) -> None:
        """Show durably that this node still owns its calls; without it every plan lapses within seconds."""
        now = self.clock.now()
        try:
            await self._renewals.renew(self._node, now)
        except LogUnavailable:
            log.warning("renewal failed", node=self._node)
            return
        self.presence.lease_until = now + timedelta(seconds=self.policy.lease_valid_s)

    # --- reading ------------------------------------------------------------

    def entries(self, establishment: str) -> list[Entry]:
        """Return the open calls of an establishment, in the order of their slots."""
        found = [entry for entry in self.registry if entry.actor.call.establishment == establishment]
        return sorted(found, key=lambda entry: (entry.actor.call.starts_at, entry.actor.call.id))

    def within(self, held: HeldPost | None) -> list[Entry]:
        """Return the open calls that a post reaches, in the order of their slots."""
        found = [entry for entry in self.registry if held is not None and _reaches(held, entry.actor.call)]
        return sorted(found, key=lambda entry: (entry.actor.call.starts_at, entry.actor.call.id))

    def entry(self, call_id: str) -> Entry | None:
        """Return an open call."""
        return self.registry.entry(call_id)

    def missing(self, call: Call) -> list[str]:
        """Return what the start of `call` still waits for (settle.missing)."""
        now = self.clock.now()
        return missing(call, self.presence.evidence(call, now), self.policy, now)

    def console(self, session: str) -> Console | None:
        """Return a monitor's console."""
        return self._consoles.get(session)

    def mark_busy(self, session: str, busy: bool) -> None:
        """A page says that a panel is in use."""
        if session in self._consoles:
            self._consoles[session].busy = busy

    # --- posts ----------------------------------------------------------------

    async def sign_on(self, chair: StaffChair, session: str, wanted: HeldPost, guidance: str) -> Holder:
        """Take a post, with the guidance that was acknowledged. Raises Refused; the caller records the refusal."""
        if wanted.post is Post.MONITOR:
            await self.transfers.load()
            await self.notes.load(wanted.scope)
        if wanted.scope == {NATIONAL_POOL}:
            wanted = replace(wanted, scope=self.transfers.of_pool(), pool=True)
        holder = await self.posts.take(chair, session, wanted, guidance)
        if holder.post is Post.MONITOR:
            self._consoles[session] = Console(self.actor(chair, session))
        return holder

    def actor(self, chair: StaffChair, session: str) -> Actor:
        """Return who acts at a staff socket: with the post that it holds, if it holds one."""
        return actor_of(chair, session, self.presence.holder(session))

    async def sign_off(self, session: str) -> None:
        """Leave the post that this socket holds."""
        await self.posts.leave(session, "signed_off")

    def lost(self, session: str) -> None:
        """A staff socket is gone: the post is kept for its grace."""
        self.posts.lost(session)
        self._tasks.start(self._detach(session), "console gone")

    async def denied(self, actor: Actor, establishment: str, action: str, code: Code, call_id: str | None) -> None:
        """Record that a signed-in person was refused, and show the attempt to the other post."""
        await self._denials.person(actor.asker, action, code, establishment)
        if actor.post is not None and call_id is not None and code in (Code.NOT_YOUR_POST, Code.NOT_YOUR_HALL):
            other = Post.SUPERVISOR if actor.post is Post.MONITOR else Post.MONITOR
            self.alerts.raise_(
                AlertCode.DENIED_ATTEMPT, establishment=establishment, call_id=call_id, by=actor.number, post=other
            )

    # --- proofs -----------------------------------------------------------------

    async def prove_wall(
        self,
        session: str,
        visible: bool,
        tiles: Mapping[str, Sequence[Shown]],
        heard: datetime | None = None,
        n: int | None = None,
    ) -> None:
        """Judge one second of a console's report, call by call (coverage.py; wall.md 4).

        `heard`: as `Proofs.dated`. `n` rises with every report; one that does not is an old one sent again.
        """
        console = self._consoles.get(session)
        holder = self.presence.holder(session)
        if console is None or holder is None or not console.takes(n) or not visible:
            return
        at = self._proofs.dated(heard)
        reached = [entry.actor.call for entry in self.within(holder.held) if entry.actor.call.phase in SHOWABLE]
        for call in reached:
            if call.privileged:
                self.presence.displayed(session, call.id, at)  # a page that is alive and visible: no more is asked
        calls = [call for call in reached if call.id in tiles and not call.privileged]
        for call in await self._proofs.displayed(console, calls, tiles):
            self.presence.displayed(session, call.id, at)
            self.watch.displayed(console, holder.number, call, at)

    def prove_presence(self, session: str, visible: bool, heard: datetime | None = None) -> None:
        """A hall page says that it is open and visible; `heard` as in `prove_wall`."""
        holder = self.presence.holder(session)
        if holder is not None and holder.post is Post.SUPERVISOR and visible:
            self.presence.present(session, self._proofs.dated(heard))

    async def focus(self, session: str, call_id: str | None, sound: bool = True) -> None:
        """Have one call in focus, and hear it alone where `sound` is wanted. Raises Refused."""
        console = self._consoles.get(session)
        if console is None:
            raise Refused(Code.NOT_ON_POST)
        entry = self.entry(call_id) if call_id is not None else None
        if call_id is not None and (entry is None or not console.reaches(entry.actor.call)):
            raise Refused(Code.UNKNOWN_CALL)
        if entry is not None and entry.actor.call.privileged:
            raise Refused(Code.PRIVILEGED)
        before = console.focus
        console.turn_to(call_id, sound, self.clock.now())
        for each in (before, call_id):
            if each is not None:
                await self._show(console, each)
        self.board.publish(LinesChanged(session))

    # --- commands ------------------------------------------------------------------

    async def send(self, call_id: str, command: c.Command) -> Done:
        """Do `command`; a refusal of a signed-in person is recorded. Raises Refused."""
        try:
            done = await self.registry.send(call_id, command)
            if isinstance(command, MEANINGFUL):
                self.watch.acted(command.actor.session, call_id)
                self.checks.acted(command.actor.session)
            return done
        except Refused as refusal:
            entry = self.entry(call_id)
            if command.actor.number is not None and entry is not None:
                place = entry.actor.call.establishment
                action = getattr(command, "action", type(command).__name__)
                await self.denied(command.actor, place, action, refusal.code, call_id)
            raise

    async def revoke(self, leg_id: str) -> None:
        """What a leg was let in by is revoked: its media stops now."""
        entry = self.registry.of_leg(leg_id)
        if entry is not None:
            await self.registry.send(entry.actor.call.id, c.Revoke(SYSTEM, leg_id))
            await self.media.disconnect(leg_id)

    # --- media ------------------------------------------------------------------------

    async def offer(self, endpoint: str, publishes: frozenset[Media], sdp: str, home: int = 0) -> Answer:
        """Answer an endpoint's offer at a home of the relay. Raises OfferRefused, RelayUnavailable."""
        answer = await self.media.connect(endpoint, publishes, sdp, home)
        console = self._consoles.get(endpoint)
        if console is not None:
            audio, video = (sum(line.kind is kind for line in answer.lines) for kind in (Media.AUDIO, Media.VIDEO))
            console.lines[home] = Lines(audio, video)
            await self._show_all(console)
        return answer

    async def closed(self, endpoint: str) -> None:
        """An endpoint's owner is gone: close its connection."""
        await self.media.disconnect(endpoint)

    def endpoint_changed(self, endpoint: str, up: bool, home: int = 0) -> None:
        """The relay's word: an endpoint's media came up at a home, or was lost."""
        console = self._consoles.get(endpoint)
        if console is not None:
            (console.up.add if up else console.up.discard)(home)
        entry = self.registry.of_leg(endpoint)
        if entry is not None:
            command = c.ConnectMedia(SYSTEM, endpoint) if up else c.LoseMedia(SYSTEM, endpoint)
            self._tasks.start(self._from_relay(entry, command), "endpoint changed")

    def home_changed(self, change: HomeChanged) -> None:
        """The relay's word: a home was lost or is back. Calls that moved are displayed only once proven anew."""
        for call_id in change.calls:
            self.presence.moved(call_id, self.clock.now())
        if not change.up:
            for console in self._consoles.values():
                console.lose(change.home)
        self.board.publish(change)
        self._tasks.start(self._show_moved(change.calls), "calls moved")

    async def _show_moved(self, calls: Collection[str]) -> None:
        """Give calls their lines at their new homes, on every console of theirs."""
        for console in tuple(self._consoles.values()):
            for call_id in sorted(calls):
                entry = self.entry(call_id)
                if entry is not None and console.reaches(entry.actor.call):
                    await self._show(console, call_id)
            self.board.publish(LinesChanged(console.actor.session))

    def still_made(self, leg_id: str, jpeg: bytes) -> None:
        """The relay's word: a still. Consoles that watch the leg without a line are given it, if it may be seen now."""
        entry = self.registry.of_leg(leg_id)
        if entry is None or leg_id not in entry.actor.stills:
            return
        call, now = entry.actor.call, self.clock.boottime()
        for observer in call.observers:
            if leg_id not in dict(observer.lines):
                number = self._stills.give(observer.session, leg_id, now)
                self.board.publish(StillMade(observer.session, call.id, leg_id, number, jpeg))

    async def _from_relay(self, entry: Entry, command: c.Command) -> None:
        try:
            await self.registry.send(entry.actor.call.id, command)
        except Refused as refusal:
            log.info("relay's word refused", call=entry.actor.call.id, code=refusal.code.value)

    # --- consoles ------------------------------------------------------------------------

    def follow(self, change: Change) -> None:
        """Keep alerts, and every console's lines, in step with the calls."""
        self.causes.follow(change)
        if not isinstance(change, CallChanged):
            return
        call = change.call
        self.looks.follow(change)
        self.watch.follow(change)
        if call.phase is Phase.ENDED:
            self.media.release(call.id)
        for console in tuple(self._consoles.values()):
            if not console.reaches(call) or not console.connected:
                continue
            if call.phase is Phase.ENDED:
                console.drop(call)
                self.board.publish(LinesChanged(console.actor.session))
            elif (
                call.phase in SHOWABLE
                and not call.privileged
                and not any(o.session == console.actor.session for o in call.observers)
            ):
                self._tasks.start(self._show(console, call.id), "show call")

    async def _show_all(self, console: Console) -> None:
        for entry in self.within(console.actor.asker.held):
            await self._show(console, entry.actor.call.id)
        self.board.publish(LinesChanged(console.actor.session))

    async def _show(self, console: Console, call_id: str) -> None:
        """Put one call on a console's lines, with sound where it is in focus."""
        entry = self.entry(call_id)
        if entry is None or entry.actor.call.phase not in SHOWABLE or entry.actor.call.privileged:
            return  # a privileged call has a console in a look only
        home = self.media.home(call_id)
        if home not in console.lines:
            return
        lines = console.lines_for(entry.actor.call, home)
        try:
            await self.registry.send(call_id, c.Observe(console.actor, lines, console.hears == call_id))
        except Refused as refusal:
            log.info("observation refused", call=call_id, code=refusal.code.value)
        self.board.publish(LinesChanged(console.actor.session))

    async def _rescoped(self, holder: Holder, gone: frozenset[str]) -> None:
        """A monitor's scope is another: take the console off what is gone, put what came on its lines."""
        console = self._consoles.get(holder.session)
        if console is None:
            return
        for entry in self.within(HeldPost(Post.MONITOR, gone)):
            console.drop(entry.actor.call)
            await self.registry.send(entry.actor.call.id, c.StopObserving(console.actor))
        console.actor = replace(console.actor, asker=replace(console.actor.asker, held=holder.held))
        await self._show_all(console)

    async def _detach(self, session: str) -> None:
        """Take a console off every call that it shows."""
        console = self._consoles.pop(session, None)
        if console is None:
            return
        self._stills.forget(session)
        self.watch.console_gone(session)
        for entry in self.within(console.actor.asker.held):
            try:
                await self.registry.send(entry.actor.call.id, c.StopObserving(console.actor))
            except Refused:
                continue
        await self.media.disconnect(session)

    # --- laptops --------------------------------------------------------------------------

    def call_at(self, chair: LaptopChair) -> Entry | None:
        """Return the call that a laptop's seat has now: one that is not over, the earliest first."""
        open_calls = [
            entry
            for entry in self.entries(chair.establishment)
            if entry.actor.call.seat_id == chair.device.seat_id and entry.actor.call.phase is not Phase.ENDED
        ]
        return open_calls[0] if open_calls else None


async def _guarded(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:
        log.exception("engine's second failed", piece=name)


def _reaches(held: HeldPost, call: Call) -> bool:
    return held.covers(call.establishment, call.hall_id)


def prisoner_leg(call: Call) -> Leg:
    """Return the prisoner's leg of a call."""
    return next(leg for leg in call.legs if leg.role is LegRole.PRISONER)
