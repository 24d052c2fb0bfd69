"""Posts taken, kept, lost and left: each on the record of every establishment in its scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

import structlog

from broker.domain.actors import Actor
from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.policy import POLICIES, Policy, in_force
from broker.domain.posts import Holder, sign_on
from broker.domain.records import Scope
from broker.engine.board import Board, PostLeft, PostsChanged, ScopeChanged
from broker.engine.chairs import StaffChair
from broker.engine.console_gate import ConsoleGate
from broker.engine.presence import Presence
from broker.engine.stream import Streams
from broker.engine.today import TAKEN, Today
from broker.ports import JSON, Clock, Directory, LogUnavailable

log = structlog.get_logger()

TOLD = frozenset({"handed_over", "transferred", Code.CONSOLE_REVOKED.value, Code.CONSOLE_EXPIRED.value})
"""Why a page is off its post, and not by its own word: it is told."""


class Posts:
    """Who may take a post is the domain's to say (posts.sign_on); here it is asked, recorded and told."""

    def __init__(
        self,
        presence: Presence,
        streams: Streams,
        directory: Directory,
        today: Today,
        board: Board,
        clock: Clock,
        gate: ConsoleGate,
        left: Callable[[str], Awaitable[None]],
        rescoped: Callable[[Holder, frozenset[str]], Awaitable[None]],
    ) -> None:
        """`left` is called with the session of a post that is no longer held, before that is recorded.

        `rescoped` is called with a holder whose scope is another, and with the establishments that are gone from it.
        """
        self._presence = presence
        self._streams = streams
        self._directory = directory
        self._today = today
        self._board = board
        self._clock = clock
        self.gate = gate
        self._left = left
        self._rescoped = rescoped
        self.published: Collection[Policy] = POLICIES.values()

    def guidance(self) -> Policy:
        """Return the guidance in force: the published policy of this moment."""
        return in_force(self._clock.now(), self.published)

    async def agreed(self, number: str, places: Collection[str]) -> str | None:
        """Return the guidance that this person acknowledged last, as these establishments' records have it."""
        await self._today.at(places)
        return self._today.agreed.get(number)

    async def take(self, chair: StaffChair, session: str, wanted: HeldPost, guidance: str) -> Holder:
        """Take a post, with the guidance that was acknowledged. Raises Refused; the caller records the refusal."""
        staff, hall = chair.staff, wanted.hall_id if wanted.post is Post.SUPERVISOR else None
        profile, now = chair.session.profile, self._clock.now()
        holder = Holder(
            wanted.post,
            wanted.scope,
            hall,
            staff.number,
            staff.name,
            staff.grade,
            profile,
            session,
            now,
            guidance,
            wanted.pool,
        )
        if wanted.post is Post.SUPERVISOR:
            halls = await self._directory.halls(Scope(wanted.scope))
            if hall not in {row.id for row in halls}:
                raise Refused(Code.NOT_YOUR_HALL)
        today, console = await self._today.at(holder.places), await self.gate.now(chair.console)
        device = self.gate.check(holder, console)
        sign_on(holder, chair.grants, self._presence.holders, device, today, self.guidance().version)
        self._presence.take(holder)  # before the record, so that two sign-ons cannot both pass
        self.gate.follow(holder, console)
        await self._record_taken(holder)
        self._today.took(holder)
        self._drop_stale_twin(holder)
        self.tell(holder)
        await self.gate.confirm(session)
        return holder

    async def leave(self, session: str, why: str) -> None:
        """The post of this socket is held no more, because of `why`."""
        holder = self._presence.leave(session)
        self.gate.drop(session)
        if holder is None:
            return
        await self._left(session)
        await self._record_left(holder, holder.places, why)
        if why in TOLD:
            self._board.publish(PostLeft(session, why))
        self.tell(holder)

    async def may_add(self, holder: Holder, establishment: str) -> bool:
        """Say whether a monitor's scope may grow by an establishment: not where they supervise or did today."""
        today = await self._today.at({establishment})
        return (holder.number, Post.SUPERVISOR) not in today

    async def rescope(self, session: str, scope: frozenset[str], why: str) -> None:
        """Let a monitor's scope be another; each establishment that comes or goes has it on record."""
        before = self._presence.holder(session)
        if before is None or before.scope == scope:
            return
        holder = replace(before, scope=scope)
        self._presence.take(holder)
        gone, come = before.scope - scope, scope - before.scope
        await self._rescoped(holder, gone)
        await self._record_left(holder, gone, why)
        told = come | (holder.places - scope) if come else come  # the pool's own record knows of all that it took over
        for place in sorted(told):
            await self._streams.establishment(place).insist(TAKEN, f"staff:{holder.number}", _body(holder))
        self._today.took(replace(holder, scope=come))
        self._board.publish(ScopeChanged(session), *(PostsChanged(place) for place in sorted(gone | come)))

    def lost(self, session: str) -> None:
        """The socket is gone: the post is kept for its grace, and everybody may see that it is lost."""
        holder = self._presence.lose(session, self._clock.now())
        if holder is not None:
            self.tell(holder)

    def tell(self, holder: Holder) -> None:
        """Let every page of the holder's establishments look again."""
        self._board.publish(*(PostsChanged(place) for place in sorted(holder.places)))

    async def _record_taken(self, holder: Holder) -> None:
        recorded: list[str] = []
        try:
            for place in sorted(holder.places):
                await self._streams.establishment(place).append(TAKEN, f"staff:{holder.number}", _body(holder))
                recorded.append(place)
        except LogUnavailable:
            self._presence.leave(holder.session)
            self.gate.drop(holder.session)
            await self._record_left(holder, recorded, "not_recorded")
            raise Refused(Code.UNAVAILABLE) from None

    async def _record_left(self, holder: Holder, places: Collection[str], why: str) -> None:
        body = {"post": holder.post.value, "session": holder.session, "why": why}
        for place in sorted(places):
            try:
                await self._streams.establishment(place).insist("post.signed_off", f"staff:{holder.number}", body)
            except LogUnavailable:
                log.error("post change not recorded", session=holder.session, establishment=place)

    def _drop_stale_twin(self, holder: Holder) -> None:
        """The same person's post at a socket that is gone: the new one carries on."""
        for other in self._presence.holders:
            same = other.number == holder.number and other.post is holder.post
            if same and other.session != holder.session and self._presence.is_lost(other.session):
                self._presence.leave(other.session)
                self.gate.drop(other.session)


def _body(holder: Holder) -> dict[str, JSON]:
    return {
        "post": holder.post.value,
        "hall": holder.hall_id,
        "session": holder.session,
        "guidance": holder.guidance,
        "scope": sorted(holder.scope),
        "pool": holder.pool,
    }


def actor_of(chair: StaffChair, session: str, holder: Holder | None) -> Actor:
    """Return who acts at a staff socket: with the post that it holds, if it holds one."""
    asker = chair.asker(holder.held if holder else None)
    return Actor(f"staff:{chair.number}", chair.staff.name, chair.number, session, asker)
