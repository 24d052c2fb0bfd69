"""A caller's socket: the family's page or the laptop, from its arrival to the end of its call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import Call, Leg, Phase
from broker.domain.codes import Code, Refused
from broker.domain.permissions import Subject
from broker.domain.receipts import is_for, unshown
from broker.domain.records import Scope
from broker.edge import callers
from broker.edge.session import Session, Shared
from broker.edge.socket import Socket
from broker.engine.board import CallChanged, Change
from broker.engine.chairs import FamilyChair, LaptopChair
from broker.engine.engine import prisoner_leg
from broker.engine.registry import Entry
from broker.ports import HomeChanged
from broker.protocol import VERSION, client
from broker.protocol.server import (
    AnswerLine,
    LineWant,
    MediaAnswer,
    MediaQuality,
    MediaReoffer,
    Ok,
    WarningMessage,
    Welcome,
    YouLaptop,
    YouLeg,
)

LINGER: Final = timedelta(minutes=1)
"""How long a laptop shows how its call ended, where nobody acknowledged it and the next one waits."""
ASSURED: Final = timedelta(hours=12)  # past a visit's end: for a laptop whose assurance has no end of its own


class LegSession(Session):
    """What both callers have in common: one leg, its commands, its screen."""

    def __init__(self, shared: Shared, socket: Socket, chair: FamilyChair | LaptopChair) -> None:
        super().__init__(shared, socket, chair)
        self.entry: Entry | None = None
        self._leg_id = ""
        self._quality = MediaQuality(picture="best")  # as last told; a page begins with it

    # --- who and where --------------------------------------------------------

    def actor(self) -> Actor:
        """Return who acts at this socket."""
        raise NotImplementedError

    def _own(self) -> Subject:
        return Subject(leg_id=self._leg_id or None)

    @property
    def call(self) -> Call | None:
        """The call as it stands now: the registry may have rebuilt it."""
        if self.entry is None:
            return None
        current = self.engine.entry(self.entry.visit.id) or self.entry
        return current.actor.call

    def _here(self) -> tuple[Call, Leg]:
        call = self.call
        leg = call.leg(self._leg_id) if call is not None else None
        if call is None or leg is None:
            raise Refused(Code.UNKNOWN_CALL)
        return call, leg

    async def arrive(self, entry: Entry, leg_id: str, until: datetime, device: str | None) -> None:
        """Come to a leg with the credential that the chair rests on. Raises Refused."""
        await self.engine.send(entry.actor.call.id, c.ArriveLeg(self.actor(), leg_id, until, device))
        self.shared.credentials.follow(leg_id, self.chair)

    def welcome(self, you: YouLeg | YouLaptop, receive: LineWant) -> None:
        """Say welcome."""
        now, demo = self.services.clock.now(), self.services.config.demo
        self.socket.send(Welcome(protocol=VERSION, now=now, you=you, receive=receive, demo=demo))

    # --- what the page is told ------------------------------------------------

    def show(self) -> None:
        """Send the call as it stands for this leg."""
        now = self.services.clock.now()
        call = self.call
        leg = call.leg(self._leg_id) if call is not None else None
        if self.entry is None or call is None or leg is None:
            self.socket.send(callers.nothing(now), "visit")
            return
        entry = self.engine.entry(call.id) or self.entry
        self.socket.send(callers.visit_message(entry, leg, self.engine.missing(call), now), "visit")

    def show_lines(self) -> None:
        """Send what the receive lines carry, and the warnings that this leg has not shown yet."""
        call, leg = self._here()
        self.socket.send(callers.lines_of(call, leg), "lines")
        for given in unshown(call, leg):
            self.socket.send(_warning(given.id, given.warning, given.at))

    def heard(self, change: Change) -> None:
        call = self.call
        if isinstance(change, HomeChanged) and call is not None and call.id in change.calls:
            self.socket.send(MediaReoffer(receive=callers.lines_wanted(call)), "reoffer")
        if not isinstance(change, CallChanged) or call is None or change.call.id != call.id:
            return
        leg = call.leg(self._leg_id)
        for event in change.events:
            if isinstance(event, e.WarningGiven) and leg is not None and is_for(event, leg):
                self.socket.send(_warning(event.warning_id, event.warning.value, event.at))
            elif isinstance(event, e.CallEnded):
                self._over(call)
        self.show()

    def second(self) -> None:
        """Say what changes by itself: how long the caller waits, and what the link carries."""
        self._show_quality()
        call = self.call
        if call is not None and call.phase in (Phase.SCHEDULED, Phase.LOBBY, Phase.READY) and self._minute_changed():
            self.show()

    def _show_quality(self) -> None:
        """Tell this page alone what its link carries of the others' pictures; in a pause it keeps what it knows."""
        health = self.engine.media.health(self._leg_id) if self._leg_id else None
        if health is None or health.picture is None:
            return
        quality = MediaQuality(picture=health.picture, dropped=list(health.dropped))
        if quality != self._quality:
            self._quality = quality
            self.socket.send(quality, "quality")

    def _minute_changed(self) -> bool:
        minute = int(self.services.clock.now().timestamp() // 60)
        before, self._minute = getattr(self, "_minute", minute), minute
        return before != minute

    def _over(self, call: Call) -> None:
        self.shared.credentials.drop(self._leg_id)
        self.shared.tasks.start(self.engine.closed(self._leg_id), "close ended leg")

    # --- what the page says -----------------------------------------------------

    async def command(self, message: client.ClientMessage) -> Ok:
        key = str(getattr(message, "key", ""))
        actor, leg_id = self.actor(), self._leg_id
        await self.permit(actor, getattr(message, "type", ""), self._own())
        call, leg = self._here()
        command: c.Command
        match message:
            case client.ConsentAccept(notice_version=version):
                command = c.AcceptConsent(actor, leg_id, version)
            case client.CheckReport(camera=camera, microphone=microphone):
                command = c.ReportCheck(actor, leg_id, camera, microphone)
            case client.LobbyEnter():
                await self.bar_restricted(call, leg)
                command = c.EnterLobby(actor, leg_id)
            case client.LegLeave():
                return await self._leave(call, key)
            case client.LookRefuse():
                command = c.RefuseLooks(actor, leg_id)
            case client.LegHelp(raised=raised):
                command = c.AskHelp(actor, leg_id, raised)
            case _:
                raise Refused(Code.NOT_PERMITTED)
        done = await self.engine.send(call.id, command)
        if not done.events:
            self.show()  # nothing changed, and the page may wait for the screen that follows
        return Ok(key=key, recorded=done.recorded)

    async def _leave(self, call: Call, key: str) -> Ok:
        done = await self.engine.send(call.id, c.LeaveLeg(self.actor(), self._leg_id))
        self.shared.credentials.drop(self._leg_id)
        await self.engine.closed(self._leg_id)
        return Ok(key=key, recorded=done.recorded)

    async def bar_restricted(self, call: Call, leg: Leg) -> None:
        """Ask again whether a restriction stands: it may be younger than the booking (never booked, never admitted)."""
        if not leg.needs_consent:
            return
        now, joins = self.services.clock.now(), call.phase is not Phase.LIVE
        barred = await self.services.access.barred(call.establishment, leg.people, now, suspended=joins)
        if barred - call.barred:
            await self.engine.send(call.id, c.Bar(SYSTEM, barred))
        if barred:
            raise Refused(Code.PERSON_BARRED)

    async def offer(self, message: client.MediaOffer) -> MediaAnswer:
        await self.permit(self.actor(), "leg.offer", self._own())
        call, leg = self._here()
        if call.phase is Phase.ENDED or leg.left:
            raise Refused(Code.ALREADY_ENDED)
        if leg.revoked or leg.credential_until is None:
            raise Refused(Code.CREDENTIAL_INVALID)
        if leg.needs_consent and leg.consented is None:
            raise Refused(Code.CONSENT_MISSING)
        if not leg.checked:
            raise Refused(Code.CHECK_MISSING)
        home = self.engine.media.home(call.id)
        answer = await self.engine.offer(leg.id, leg.sends, message.sdp, home)
        self.show_lines()
        lines = [AnswerLine(mid=line.mid, kind=line.kind.value, index=line.index) for line in answer.lines]
        servers = self.ice_servers()
        return MediaAnswer(key=message.key, sdp=answer.sdp, lines=lines, ice_servers=servers, home=home)

    async def told(self, message: client.ClientMessage) -> None:
        await self.permit(self.actor(), getattr(message, "type", ""), self._own())
        call = self.call
        if call is None:
            return
        match message:
            case client.LegProgress(step=step):
                await self.engine.send(call.id, c.Progress(self.actor(), self._leg_id, step))
            case client.WarningShown(warning_id=warning_id):
                await self.engine.send(call.id, c.ShowWarning(self.actor(), self._leg_id, warning_id))
            case _:
                return


class FamilySession(LegSession):
    """A family's page, by its link."""

    chair: FamilyChair

    @property
    def place(self) -> str | None:
        return f"leg:{self.chair.leg_id}"

    @property
    def who(self) -> str:
        return f"leg:{self.chair.leg_id}"

    def actor(self) -> Actor:
        return Actor(f"leg:{self.chair.leg_id}", session=self.id, asker=self.chair.asker())

    async def begin(self) -> None:
        chair = self.chair
        self._leg_id = chair.leg_id
        entry = await self._open()
        you = YouLeg(leg_id=chair.leg_id, call_id=chair.call_id)
        if entry is None:
            self.welcome(you, LineWant(audio=1, video=1))
            self.socket.send(callers.over(chair.call_id, chair.leg_id, self.services.clock.now()))
            return
        self.entry = entry
        if entry.actor.call.phase is not Phase.ENDED and await self._suspended(you):
            return
        try:
            await self.arrive(entry, chair.leg_id, chair.until, chair.link.bound_hash)
        except Refused as refusal:
            if refusal.code is Code.UNAVAILABLE:
                self.socket.end("shutdown")
                return
            if refusal.code is not Code.ALREADY_ENDED:
                self.socket.end("revoked")
                return
        self.welcome(you, callers.lines_wanted(entry.actor.call))
        self.show()
        self.show_lines()

    async def _suspended(self, you: YouLeg | None = None) -> bool:
        """Tell a page, with a welcome where it has had none, that somebody of it is suspended: then it has no call."""
        leg = self.entry.actor.call.leg(self._leg_id) if self.entry is not None else None
        found = await self.services.suspensions.of(self.chair.establishment, leg.people if leg is not None else ())
        if not found:
            return False
        self.entry = None
        if you is not None:
            self.welcome(you, LineWant(audio=1, video=1))
        self.socket.send(callers.suspended(self.chair, found, self.services.clock.now()))
        return True

    def heard(self, change: Change) -> None:
        call = self.call
        super().heard(change)
        if isinstance(change, CallChanged) and call is not None and change.call.id == call.id:
            barred = any(isinstance(event, e.PeopleBarred) for event in change.events)
            if barred and change.call.phase is not Phase.LIVE:
                self.shared.tasks.start(self._leave_suspended(), "suspended")

    async def _leave_suspended(self) -> None:
        if await self._suspended():
            await self.engine.closed(self._leg_id)

    async def _open(self) -> Entry | None:
        known = self.engine.entry(self.chair.call_id)
        if known is not None:
            return known
        scope = Scope(frozenset({self.chair.establishment}))
        visit = await self.services.directory.visit(scope, self.chair.call_id)
        return None if visit is None else await self.engine.registry.open(visit)


class LaptopSession(LegSession):
    """An enrolled laptop: it serves the prisoner's leg of whatever call its seat has now."""

    chair: LaptopChair

    def __init__(self, shared: Shared, socket: Socket, chair: LaptopChair) -> None:
        super().__init__(shared, socket, chair)
        self._acknowledged = False
        self._moving = False

    @property
    def place(self) -> str | None:
        return f"device:{self.chair.device.id}"

    @property
    def who(self) -> str:
        return f"device:{self.chair.device.id}"

    def actor(self) -> Actor:
        return Actor(f"device:{self.chair.device.id}", session=self.id, asker=self.chair.asker(self._leg_id or None))

    async def begin(self) -> None:
        device = self.chair.device
        entry = self.engine.call_at(self.chair)
        you = YouLaptop(device_id=device.id, asset_tag=device.asset_tag, seat=await self._seat_number())
        self.welcome(you, callers.lines_wanted(entry.actor.call) if entry else LineWant(audio=1, video=1))
        if entry is None:
            self.show()
        else:
            await self._serve(entry)

    async def _seat_number(self) -> int | None:
        seats = await self.services.directory.seats(Scope(frozenset({self.chair.establishment})))
        return next((seat.number for seat in seats if seat.id == self.chair.device.seat_id), None)

    async def _serve(self, entry: Entry) -> None:
        leg = prisoner_leg(entry.actor.call)
        self.entry, self._leg_id, self._acknowledged = entry, leg.id, False
        until = self.chair.until or entry.visit.ends_at + ASSURED
        try:
            await self.arrive(entry, leg.id, until, self.chair.device.id)
        except Refused as refusal:
            if refusal.code is not Code.ALREADY_ENDED:
                self.entry, self._leg_id = None, ""
                self.show()
                return
        self.show()
        self.show_lines()

    async def _leave(self, call: Call, key: str) -> Ok:
        if call.phase is Phase.ENDED:
            self._acknowledged = True
            return Ok(key=key)
        return await super()._leave(call, key)

    def heard(self, change: Change) -> None:
        super().heard(change)
        if isinstance(change, CallChanged) and change.call.seat_id == self.chair.device.seat_id:
            self._move_on()

    def second(self) -> None:
        super().second()
        self._move_on()

    def _move_on(self) -> None:
        """Serve the seat's next call, once the one before is over and has been read."""
        if self._moving or not self._free():
            return
        following = self.engine.call_at(self.chair)
        if following is not None:
            self._moving = True
            self.shared.tasks.start(self._to(following), "laptop's next call")
        elif self.entry is not None:
            self.entry, self._leg_id = None, ""
            self.show()

    def _free(self) -> bool:
        call = self.call
        if call is None:
            return True
        if call.phase is not Phase.ENDED:
            return False
        lingered = call.ended_at is None or self.services.clock.now() - call.ended_at >= LINGER
        return self._acknowledged or lingered

    async def _to(self, entry: Entry) -> None:
        try:
            await self._serve(entry)
        finally:
            self._moving = False


def _warning(warning_id: str, warning: str, at: datetime) -> WarningMessage:
    return WarningMessage.model_validate({"warning_id": warning_id, "warning": warning, "at": at})
