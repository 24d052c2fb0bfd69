"""Relief handovers in progress: offered, answered, run out; each step on the record with both names."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from broker.domain.call import Call, Phase
from broker.domain.codes import Code, Post, Refused
from broker.domain.handover import Matters, Offer, Outcome, require, why_not
from broker.domain.policy import Policy
from broker.domain.posts import Holder
from broker.engine.board import Board, HandoverEnded
from broker.engine.posts import Posts
from broker.engine.presence import Presence
from broker.engine.registry import Registry
from broker.engine.stream import Streams
from broker.ports import Clock, LogUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another monitor on post: how much of one's own scope their console displays, and why they cannot take over."""

    holder: Holder
    live: int
    proven: int
    code: Code | None


class Handovers:
    """The offers of one node. A post passes only by `accept`; whatever else happens, who was responsible stays so."""

    def __init__(
        self,
        presence: Presence,
        posts: Posts,
        registry: Registry,
        streams: Streams,
        board: Board,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._presence = presence
        self._posts = posts
        self._registry = registry
        self._streams = streams
        self._board = board
        self._clock = clock
        self._policy = policy
        self._offers: dict[str, Offer] = {}

    def of(self, session: str) -> Offer | None:
        """Return the offer in which this socket is one of the two."""
        return next((offer for offer in self._offers.values() if offer.concerns(session)), None)

    def colleagues(self, session: str) -> list[Colleague]:
        """Return the other monitors whose scope touches this one's, longest on post first."""
        mine = self._presence.holder(session)
        if mine is None or mine.post is not Post.MONITOR:
            return []
        live = self.live(mine)
        found = []
        for other in sorted(self._presence.holders, key=lambda one: one.since):
            if other.post is Post.MONITOR and other.number != mine.number and other.scope & mine.scope:
                proven = self.proven(other, live)
                found.append(Colleague(other, len(live), len(proven), why_not(mine, other, live, proven)))
        return found

    def proven(self, holder: Holder, calls: Sequence[str]) -> list[str]:
        """Return those calls that this console was proven to display a moment ago (policy handover_proof_s)."""
        now, within_s = self._clock.now(), self._policy.handover_proof_s
        return [call for call in calls if self._presence.proven(holder.session, call, within_s, now)]

    async def offer(self, session: str, number: str) -> Offer:
        """Offer the post of this socket to the monitor with that staff number. Raises Refused."""
        mine = self._holder(session)
        other = next((one for one in self._presence.holders if one.post is Post.MONITOR and one.number == number), None)
        if other is None:
            raise Refused(Code.NOT_ON_POST)
        if self.of(session) or self.of(other.session):
            raise Refused(Code.HANDOVER_PENDING)
        self._check(mine, other)
        now = self._clock.now()
        until = now + timedelta(seconds=self._policy.handover_offer_s)
        offer = Offer(f"r{secrets.token_hex(8)}", mine, other, now, until, self._matters(mine))
        self._offers[offer.id] = offer
        try:
            await self._record("handover.offered", offer, mine)
        except LogUnavailable:
            self._offers.pop(offer.id, None)
            raise Refused(Code.UNAVAILABLE) from None
        self._posts.tell(mine)
        return offer

    async def accept(self, session: str, offer_id: str) -> None:
        """The one coming on takes the post, and the one going off is released. Raises Refused."""
        offered = self._mine(session, offer_id, lambda offer: offer.incoming)
        # Both as they are now: a transfer may have changed their scopes since the offer.
        outgoing, incoming = self._holder(offered.outgoing.session), self._holder(session)
        self._check(outgoing, incoming)
        await self._posts.gate.require(incoming)
        if self._offers.get(offered.id) is not offered:
            raise Refused(Code.UNKNOWN_HANDOVER)  # it ended while the console was asked about
        del self._offers[offered.id]
        offer = replace(offered, outgoing=outgoing, incoming=incoming)
        try:
            await self._record("handover.accepted", offer, incoming)
        except LogUnavailable:
            await self._over(offered, Outcome.NOT_RECORDED, incoming)
            raise Refused(Code.UNAVAILABLE) from None
        await self._posts.leave(outgoing.session, "handed_over")
        self._board.publish(HandoverEnded(offer, Outcome.ACCEPTED))
        for entry in self._registry:  # the cover passes now, while the proofs that were asked for are young
            if outgoing.covers(entry.actor.call.establishment):
                await entry.actor.tick()

    async def refuse(self, session: str, offer_id: str) -> None:
        """The one coming on will not take it. Raises Refused."""
        offer = self._mine(session, offer_id, lambda offer: offer.incoming)
        del self._offers[offer.id]
        await self._over(offer, Outcome.REFUSED, offer.incoming)

    async def withdraw(self, session: str, offer_id: str) -> None:
        """The one going off takes the offer back. Raises Refused."""
        offer = self._mine(session, offer_id, lambda offer: offer.outgoing)
        del self._offers[offer.id]
        await self._over(offer, Outcome.WITHDRAWN, offer.outgoing)

    async def expire(self) -> None:
        """End the offers whose time is over, or one of whose two is on post no more. Call it every second."""
        now = self._clock.now()
        for offer in tuple(self._offers.values()):
            there = all(self._presence.holder(one.session) for one in (offer.outgoing, offer.incoming))
            if there and now < offer.until:
                continue
            if self._offers.pop(offer.id, None) is not None:
                await self._over(offer, Outcome.TIMED_OUT if there else Outcome.LOST, None)

    async def _over(self, offer: Offer, outcome: Outcome, by: Holder | None) -> None:
        body = {**_names(offer), "why": outcome.value}
        for place in sorted(offer.outgoing.scope):
            actor = f"staff:{by.number}" if by else "system"
            try:
                await self._streams.establishment(place).insist("handover.withdrawn", actor, body)
            except LogUnavailable:
                log.error("end of a handover not recorded", establishment=place)
        self._board.publish(HandoverEnded(offer, outcome))

    def _check(self, outgoing: Holder, incoming: Holder) -> None:
        live = self.live(outgoing)
        require(outgoing, incoming, live, self.proven(incoming, live))

    def _holder(self, session: str) -> Holder:
        holder = self._presence.holder(session)
        if holder is None:
            raise Refused(Code.NOT_ON_POST)
        return holder

    def _mine(self, session: str, offer_id: str, whose: Callable[[Offer], Holder]) -> Offer:
        offer = self._offers.get(offer_id)
        if offer is None or whose(offer).session != session:
            raise Refused(Code.UNKNOWN_HANDOVER)
        return offer

    def _calls(self, holder: Holder) -> list[Call]:
        calls = (entry.actor.call for entry in self._registry)
        return [call for call in calls if holder.covers(call.establishment, call.hall_id)]

    def live(self, holder: Holder) -> list[str]:
        """Return the calls that are live in a holder's scope."""
        return [call.id for call in self._calls(holder) if call.phase is Phase.LIVE]

    def _matters(self, holder: Holder) -> Matters:
        calls = [call for call in self._calls(holder) if call.phase is not Phase.ENDED]
        return Matters(
            live=sum(call.phase is Phase.LIVE for call in calls),
            held=sum(bool(call.holds) for call in calls),
            lobby=sum(call.phase in (Phase.LOBBY, Phase.READY) for call in calls),
        )

    async def _record(self, type: str, offer: Offer, by: Holder) -> None:
        matters = offer.matters
        body = {**_names(offer), "live": matters.live, "held": matters.held, "lobby": matters.lobby}
        for place in sorted(offer.outgoing.scope):
            await self._streams.establishment(place).append(type, f"staff:{by.number}", body)


def _names(offer: Offer) -> dict[str, str]:
    return {
        "from": offer.outgoing.number,
        "to": offer.incoming.number,
        "session": offer.outgoing.session,
        "to_session": offer.incoming.session,
    }
