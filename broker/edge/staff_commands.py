"""The commands of both posts: from the wire to the engine, one line each."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, TypeVar

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.call import LegRole, Phase
from broker.domain.codes import Code, Post, Refused
from broker.domain.coverage import ShownFact
from broker.domain.permissions import ANYTHING, HeldPost, Subject, may
from broker.edge.alerts import answer_alert
from broker.edge.presenter import loss_history
from broker.edge.task_commands import checks_of, task_of
from broker.engine.actor import Done
from broker.engine.proofs import Shown
from broker.engine.registry import Entry
from broker.protocol import client
from broker.protocol.server import Ok

if TYPE_CHECKING:
    from broker.edge.staff_session import StaffSession

_Done = TypeVar("_Done")


def command_of(actor: Actor, message: client.ClientMessage) -> c.Command | None:
    """Return what `message` asks of its call; None where it asks nothing of a call."""
    match message:
        case client.CallPause():
            return c.Pause(actor)
        case client.HoldReason(hold_id=hold_id, reason=reason):
            return c.GiveReason(actor, hold_id, reason)
        case client.HoldRelabel(hold_id=hold_id):
            return c.Relabel(actor, hold_id)
        case client.HoldUndo(hold_id=hold_id):
            return c.Undo(actor, hold_id)
        case client.HoldClear(hold_id=hold_id, version=version):
            return c.Clear(actor, hold_id, version)
        case client.CallEnd(reason=end_reason):
            return c.End(actor, end_reason)
        case client.LegVerify(leg_id=leg_id, people=people, version=version, checks=checks):
            return c.Verify(actor, leg_id, frozenset(people), version, checks_of(checks))
        case client.LegRefuse(leg_id=leg_id, reason=failed):
            return c.RefuseLeg(actor, leg_id, failed)
        case client.CallWarn(warning=warning, legs=legs):
            return c.Warn(actor, warning, tuple(legs))
        case client.PatrolLog():
            return c.LogPatrol(actor)
        case _:
            return task_of(actor, message)


def shown_tiles(tiles: Sequence[client.ShownTile]) -> dict[str, list[Shown]]:
    """Return what a wall's report says, call by call, as the engine judges it."""
    return {
        tile.call_id: [
            Shown(
                ShownFact(
                    leg.leg_id,
                    leg.line,
                    leg.frames,
                    leg.advanced,
                    leg.ratio,
                    leg.unobscured,
                    leg.width,
                    leg.height,
                    leg.still,
                ),
                leg.rtp_timestamp,
                leg.home,
            )
            for leg in tile.legs
        ]
        for tile in tiles
    }


class StaffCommands:
    """What a staff socket may ask. Every refusal of a call's command is put on record by the engine."""

    def __init__(self, session: StaffSession) -> None:
        self._session = session
        self._engine = session.engine

    async def do(self, message: client.ClientMessage) -> Ok:
        """Do a command. Raises Refused, LogUnavailable."""
        key = str(getattr(message, "key", ""))
        match message:
            case client.PostSignOn():
                await self._sign_on(message)
                return Ok(key=key)
            case client.PostSignOff():
                await self._engine.sign_off(self._session.id)
                await self._session.show_all()
                return Ok(key=key)
            case (
                client.HandoverOffer()
                | client.HandoverAccept()
                | client.HandoverRefuse()
                | client.HandoverWithdraw()
                | client.MonitoringPropose()
                | client.MonitoringAccept()
                | client.MonitoringDecline()
                | client.BreakSnooze()
            ):
                await self._session.permit(self._session.actor(), message.type, ANYTHING)
                relief = self._session.relief.do(message, self._session.chair.number)
                await self._on_record(message.type, relief, getattr(message, "establishment", None))
                return Ok(key=key)
            case client.AttentionAnswer(check_id=check_id, call_id=call_id, letter=letter):
                await self._session.permit(self._session.actor(), message.type, ANYTHING)
                answer = self._engine.checks.answer(self._session.id, check_id, call_id, letter)
                await self._on_record(message.type, answer)
                return Ok(key=key)
            case client.WallFocus(call_id=call_id, sound=sound):
                await self._focus(call_id, sound)
                return Ok(key=key)
            case client.LookStart(call_id=call_id) | client.LookStop(call_id=call_id):
                return await self._look(message, call_id)
            case client.AlertAck() | client.AlertClear():
                return await self._on_record(message.type, answer_alert(self._session, message))
        actor = self._session.actor()
        command = command_of(actor, message)
        if command is None:
            raise await self._not_for_staff(message, actor)
        entry = await self._within_reach(str(getattr(message, "call_id", "")), actor, str(getattr(message, "type", "")))
        done = await self._on_call(entry, command)
        return Ok(key=key, recorded=done.recorded, hold_id=_hold_placed(done))

    async def _look(self, message: client.LookStart | client.LookStop, call_id: str) -> Ok:
        actor, session = self._session.actor(), self._session
        entry = await self._within_reach(call_id, actor, message.type)
        call = entry.actor.call
        await session.permit(actor, message.type, Subject(call.establishment, call.hall_id))
        looks = self._engine.looks
        work = (looks.start if isinstance(message, client.LookStart) else looks.stop)(session.id, call)
        done = await self._on_record(message.type, work, call.establishment)
        return Ok(key=message.key, recorded=done.recorded)

    async def _not_for_staff(self, message: client.ClientMessage, actor: Actor) -> Refused:
        action = str(getattr(message, "type", ""))
        await self._session.services.access.denials.person(actor.asker, action, Code.NOT_PERMITTED)
        return Refused(Code.NOT_PERMITTED)

    async def _on_call(self, entry: Entry, command: c.Command) -> Done:
        if isinstance(command, c.Verify):
            await self._bar_restricted(entry, command)
        return await self._engine.send(entry.actor.call.id, command)

    async def _on_record(self, action: str, work: Awaitable[_Done], place: str | None = None) -> _Done:
        """Wait for `work`, which no actor of a call does: its refusal is put on record here. Raises Refused."""
        try:
            return await work
        except Refused as refusal:
            asker = self._session.actor().asker
            await self._session.services.access.denials.person(asker, action, refusal.code, place)
            raise

    async def _within_reach(self, call_id: str, actor: Actor, action: str) -> Entry:
        """Return the call. To a person without a grant where it is, it does not exist. Raises Refused."""
        entry = self._engine.entry(call_id)
        places = {grant.establishment for grant in self._session.chair.grants}
        if entry is None or not (entry.actor.call.establishment in places or self._session.sees(entry.actor.call)):
            await self._session.services.access.denials.person(actor.asker, action, Code.UNKNOWN_CALL)
            raise Refused(Code.UNKNOWN_CALL)
        return entry

    async def _bar_restricted(self, entry: Entry, command: c.Verify) -> None:
        """Ask again, at the moment of admission, whether a restriction stands against anybody of the leg."""
        leg = entry.actor.call.leg(command.leg_id)
        if leg is None or leg.role is LegRole.PRISONER:
            return
        services, call = self._session.services, entry.actor.call
        now, joins = services.clock.now(), call.phase is not Phase.LIVE
        barred = await services.access.barred(call.establishment, leg.people, now, suspended=joins)
        if barred - call.barred:
            await self._engine.send(call.id, c.Bar(SYSTEM, barred))
        late = command.people - leg.verified
        if not joins and await services.suspensions.of(call.establishment, late):
            await self._engine.denied(
                command.actor, call.establishment, "leg.verify.family", Code.PERSON_BARRED, call.id
            )
            raise Refused(Code.PERSON_BARRED)

    async def _sign_on(self, message: client.PostSignOn) -> None:
        session = self._session
        actor, post = session.actor(), message.post
        action = f"post.sign_on.{post.value}"
        for place in message.scope:
            await session.permit(actor, action, Subject(place))
        wanted = HeldPost(post, frozenset(message.scope), message.hall_id)
        work = self._engine.sign_on(session.chair, session.id, wanted, message.guidance)
        await self._on_record(action, work, message.scope[0])
        if post is Post.SUPERVISOR:
            self._engine.prove_presence(session.id, visible=True)
        await session.show_all()

    async def _focus(self, call_id: str | None, sound: bool) -> None:
        actor, session = self._session.actor(), self._session
        action = "call.listen" if sound else "call.watch"
        if call_id is None:
            await session.permit(actor, action, ANYTHING)
            await self._on_record(action, self._engine.focus(session.id, None, sound))
            return
        call = (await self._within_reach(call_id, actor, action)).actor.call
        refusal = may(actor.asker, action, ANYTHING)
        if refusal is not None:
            await self._engine.denied(actor, call.establishment, action, refusal, call_id)
            raise Refused(refusal)
        await self._on_record(action, self._engine.focus(session.id, call_id, sound), call.establishment)
        session.socket.send(loss_history(self._engine.losses, call), "loss history")


def _hold_placed(done: Done) -> str | None:
    return next((event.hold_id for event in done.events if isinstance(event, e.HoldPlaced) and event.by), None)
