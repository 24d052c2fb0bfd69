"""Takeover of an establishment by the national pool, and back: proposed, agreed, proven, then passed on the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from broker.domain.call import Phase
from broker.domain.codes import Code, Post, Refused
from broker.domain.policy import Policy
from broker.domain.posts import Holder
from broker.domain.records import Establishment, Scope
from broker.domain.transfer import Reason, Side, Transfer, propose, side_of, speaks_for
from broker.engine.board import Board, PostsChanged
from broker.engine.handovers import Handovers
from broker.engine.posts import Posts
from broker.engine.presence import Presence
from broker.engine.registry import Registry
from broker.engine.stream import Streams
from broker.ports import Clock, Directory, LogUnavailable

log = structlog.get_logger()

PASSED = "monitoring.transferred"


class Transfers:
    """Which side monitors each establishment: read from the record once, kept up by what is recorded here."""

    def __init__(
        self,
        presence: Presence,
        posts: Posts,
        handovers: Handovers,
        registry: Registry,
        directory: Directory,
        streams: Streams,
        board: Board,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._presence = presence
        self._posts = posts
        self._handovers = handovers
        self._registry = registry
        self._directory = directory
        self._streams = streams
        self._board = board
        self._clock = clock
        self._policy = policy
        self._owner: dict[str, Side] = {}
        self._going: dict[str, Transfer] = {}
        self.places: dict[str, Establishment] = {}

    async def load(self) -> None:
        """Read which side monitors each establishment, of those that are not known yet. Raises LogUnavailable."""
        scope = await self._directory.all_establishments()
        for place in await self._directory.establishments(Scope(scope.establishments - set(self._owner))):
            records = await self._streams.establishment(place.code).read()
            passed = [record.body["to"] for record in records if record.type == PASSED]
            self._owner[place.code] = Side(passed[-1]) if passed else Side.ESTABLISHMENT
            self.places[place.code] = place

    def owner(self, establishment: str) -> Side:
        """Return who monitors an establishment."""
        return self._owner.get(establishment, Side.ESTABLISHMENT)

    def of_pool(self) -> frozenset[str]:
        """Return the establishments that the pool monitors."""
        return frozenset(place for place, side in self._owner.items() if side is Side.POOL)

    def going(self, establishment: str) -> Transfer | None:
        """Return the transfer in progress there."""
        return self._going.get(establishment)

    async def propose(self, session: str, establishment: str, to: Side, reason: Reason) -> None:
        """Propose that an establishment passes. Raises Refused."""
        await self.load()
        by = self._holder(session)
        place = self.places.get(establishment)
        if place is None or place.synthetic:  # a synthetic one is joined with nothing real
            raise Refused(Code.NOT_YOUR_HALL)
        if establishment in self._going:
            raise Refused(Code.TRANSFER_PENDING)
        agreed = propose(
            by, establishment, to, self.owner(establishment), bool(self._on(establishment, side_of(by).other))
        )
        now = self._clock.now()
        transfer = Transfer(
            establishment, to, reason, by, now, now + timedelta(seconds=self._policy.transfer_offer_s), False
        )
        self._going[establishment] = transfer
        try:
            await self._record("monitoring.proposed", transfer, by)
            if agreed:
                await self._begin(transfer)
        except LogUnavailable:
            self._going.pop(establishment, None)
            raise Refused(Code.UNAVAILABLE) from None
        self._tell(establishment)

    async def accept(self, session: str, establishment: str) -> None:
        """Agree to a transfer that the other side proposed. Raises Refused."""
        holder, transfer = self._holder(session), self._open(establishment)
        if side_of(holder) is side_of(transfer.by) or not speaks_for(holder, establishment, self.owner(establishment)):
            raise Refused(Code.UNKNOWN_TRANSFER)
        await self._record_or_refuse("monitoring.agreed", transfer, holder)
        await self._begin(transfer)
        self._tell(establishment)

    async def decline(self, session: str, establishment: str) -> None:
        """Turn a proposal down, or take one's own back. Raises Refused."""
        holder, transfer = self._holder(session), self._open(establishment)
        if not speaks_for(holder, establishment, self.owner(establishment)):
            raise Refused(Code.UNKNOWN_TRANSFER)
        await self._stop(transfer, "declined", holder)

    async def look(self) -> None:
        """Pass what is proven, and end what has run out. Call it every second."""
        now = self._clock.now()
        for transfer in tuple(self._going.values()):
            if transfer.agreed and self._proven(transfer):
                await self._pass(transfer)
            elif now >= transfer.until:
                await self._stop(transfer, "unproven" if transfer.agreed else "timed_out", None)

    # --- the passage ----------------------------------------------------------

    async def _begin(self, transfer: Transfer) -> None:
        """Both sides watch from now on; the old one until the new one is proven."""
        place = transfer.establishment
        until = self._clock.now() + timedelta(seconds=self._policy.transfer_proof_s)
        if transfer.to is Side.POOL and not await self._widen(place):
            self._going.pop(place, None)
            raise Refused(Code.OTHER_POST_HELD)
        if self._going.get(place) is not transfer:  # it was declined, or has run out, meanwhile
            if place not in self._going and self.owner(place) is not Side.POOL:
                await self._release(place, Side.POOL)
            return
        self._going[place] = agreed = replace(transfer, agreed=True, until=until)
        if self._proven(agreed):
            await self._pass(agreed)

    async def _widen(self, place: str) -> bool:
        """Let every monitor of the pool who may watch an establishment too; say whether anybody does."""
        fit = [one.session for one in self._pool() if await self._posts.may_add(one, place)]
        for session in fit:
            holder = self._presence.holder(session)
            if holder is not None:
                await self._posts.rescope(session, holder.scope | {place}, "transferred")
        return bool(fit)

    def _proven(self, transfer: Transfer) -> bool:
        """Say whether one console of the new side displays every live call, or there is none."""
        calls = (entry.actor.call for entry in self._registry)
        live = [c.id for c in calls if c.establishment == transfer.establishment and c.phase is Phase.LIVE]
        takers = self._on(transfer.establishment, transfer.to)
        return any(len(self._handovers.proven(one, live)) == len(live) for one in takers)

    async def _pass(self, transfer: Transfer) -> None:
        place = transfer.establishment
        try:
            await self._record(PASSED, transfer, transfer.by)
        except LogUnavailable:
            log.warning("transfer not recorded yet", establishment=place)
            return  # both sides watch on, and it is tried again
        self._going.pop(place, None)
        self._owner[place] = transfer.to
        if transfer.to is Side.POOL:
            await self._widen(place)  # for whoever came while it was being proven
        await self._release(place, transfer.to.other)
        for entry in self._registry:
            if entry.actor.call.establishment == place:
                await entry.actor.tick()
        self._tell(place)

    async def _stop(self, transfer: Transfer, why: str, by: Holder | None) -> None:
        place = transfer.establishment
        self._going.pop(place, None)
        body = {"to": transfer.to.value, "number": transfer.by.number, "why": why}
        try:
            actor = f"staff:{by.number}" if by else "system"
            await self._streams.establishment(place).insist("monitoring.declined", actor, body)
        except LogUnavailable:
            log.error("end of a transfer not recorded", establishment=place)
        if transfer.agreed and transfer.to is Side.POOL:
            await self._release(place, Side.POOL)
        self._tell(place)

    async def _release(self, place: str, side: Side) -> None:
        """Take an establishment out of the scope of a side's monitors."""
        for holder in self._on(place, side):
            rest = holder.scope - {place}
            if rest or holder.pool:
                await self._posts.rescope(holder.session, rest, "transferred")
            else:
                await self._posts.leave(holder.session, "transferred")

    # --- who ------------------------------------------------------------------

    def _holder(self, session: str) -> Holder:
        holder = self._presence.holder(session)
        if holder is None or holder.post is not Post.MONITOR:
            raise Refused(Code.NOT_ON_POST)
        return holder

    def _open(self, establishment: str) -> Transfer:
        transfer = self._going.get(establishment)
        if transfer is None or transfer.agreed:
            raise Refused(Code.UNKNOWN_TRANSFER)
        return transfer

    def _pool(self) -> list[Holder]:
        there = (one for one in self._presence.holders if one.pool)
        return [one for one in there if not self._presence.is_lost(one.session)]

    def _on(self, establishment: str, side: Side) -> Sequence[Holder]:
        """Return a side's monitors: those of the establishment there, those of the pool wherever they are needed."""
        monitors = [one for one in self._presence.holders if one.post is Post.MONITOR and side_of(one) is side]
        asked = side is Side.POOL and self.owner(establishment) is Side.ESTABLISHMENT
        pending = self._going.get(establishment)
        if asked and (pending is None or not pending.agreed):
            return monitors
        return [one for one in monitors if one.covers(establishment)]

    def _tell(self, establishment: str) -> None:
        self._board.publish(PostsChanged(establishment))

    async def _record(self, type: str, transfer: Transfer, by: Holder) -> None:
        body = {"to": transfer.to.value, "number": transfer.by.number, "reason": transfer.reason.value}
        await self._streams.establishment(transfer.establishment).append(type, f"staff:{by.number}", body)

    async def _record_or_refuse(self, type: str, transfer: Transfer, by: Holder) -> None:
        try:
            await self._record(type, transfer, by)
        except LogUnavailable:
            raise Refused(Code.UNAVAILABLE) from None
