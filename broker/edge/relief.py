"""What a monitor on post is told of relief: colleagues, the offer in progress, the next break; and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.handover import Offer
from broker.domain.posts import Holder
from broker.domain.transfer import Transfer, side_of
from broker.edge.session import Session
from broker.edge.stations import note_parts
from broker.engine.board import HandoverEnded
from broker.protocol import client
from broker.protocol.posts import ColleaguePart, HandoverOver, HandoverPart, Relief, TransferPart, WatchPart

RELIEF = (
    client.HandoverOffer
    | client.HandoverAccept
    | client.HandoverRefuse
    | client.HandoverWithdraw
    | client.MonitoringPropose
    | client.MonitoringAccept
    | client.MonitoringDecline
    | client.BreakSnooze
)


class ReliefDesk:
    """The part of one staff socket that deals with handovers and breaks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._engine = session.engine
        self._told: Relief | None = None

    async def do(self, message: RELIEF, number: str) -> None:
        """Do a command of relief; `number` is the person's at this socket. Raises Refused."""
        session, handovers = self._session.id, self._engine.handovers
        match message:
            case client.HandoverOffer(number=to):
                await handovers.offer(session, to)
            case client.HandoverAccept(handover_id=offer_id):
                await handovers.accept(session, offer_id)
            case client.HandoverRefuse(handover_id=offer_id):
                await handovers.refuse(session, offer_id)
            case client.HandoverWithdraw(handover_id=offer_id):
                await handovers.withdraw(session, offer_id)
            case client.MonitoringPropose(establishment=place, to=side, reason=reason):
                await self._engine.transfers.propose(session, place, side, reason)
            case client.MonitoringAccept(establishment=place):
                await self._engine.transfers.accept(session, place)
            case client.MonitoringDecline(establishment=place):
                await self._engine.transfers.decline(session, place)
            case client.BreakSnooze():
                self._engine.breaks.snooze(number)

    def show(self, now: datetime) -> None:
        """Tell what changed since it was told last."""
        holder = self._engine.presence.holder(self._session.id)
        if holder is None:
            self._told = None
            return
        offer = self._engine.handovers.of(self._session.id)
        due = self._engine.breaks.next(holder.number)
        relief = Relief(
            now=now,
            colleagues=[
                ColleaguePart(
                    number=one.holder.number,
                    name=one.holder.name,
                    grade=one.holder.grade.value,
                    since=one.holder.since,
                    live=one.live,
                    proven=one.proven,
                    code=one.code,
                )
                for one in self._engine.handovers.colleagues(self._session.id)
            ],
            handover=self._part(offer) if offer else None,
            pool=holder.pool,
            notes=note_parts(self._engine.notes, holder.places, holder.number),
            watch=self._watch(holder),
            break_at=due.at if due else None,
            break_due=due.asked if due else False,
            rest_s=self._engine.policy.break_rest_s,
        )
        if self._told is None or relief.model_copy(update={"now": self._told.now}) != self._told:
            self._told = relief
            self._session.socket.send(relief, "relief")

    def over(self, change: HandoverEnded) -> None:
        """Tell one of the two how the offer ended."""
        offer = change.offer
        self._session.socket.send(
            HandoverOver(
                now=self._session.services.clock.now(),
                handover_id=offer.id,
                role=self._role(offer),
                outcome=change.outcome.value,
                from_name=offer.outgoing.name,
                to_name=offer.incoming.name,
            )
        )

    def _watch(self, holder: Holder) -> list[WatchPart]:
        """The pool speaks for every establishment, a monitor of establishments for those of their scope."""
        transfers = self._engine.transfers
        places = [
            one for one in transfers.places.values() if not one.synthetic and (holder.pool or holder.covers(one.code))
        ]
        return [
            WatchPart(
                establishment=one.code,
                name=one.name,
                side=transfers.owner(one.code),
                transfer=_transfer(transfers.going(one.code), holder),
            )
            for one in sorted(places, key=lambda place: place.name)
        ]

    def _part(self, offer: Offer) -> HandoverPart:
        live = self._engine.handovers.live(offer.outgoing)
        return HandoverPart(
            id=offer.id,
            role=self._role(offer),
            from_name=offer.outgoing.name,
            to_name=offer.incoming.name,
            at=offer.at,
            until=offer.until,
            live=offer.matters.live,
            held=offer.matters.held,
            lobby=offer.matters.lobby,
            proven=len(self._engine.handovers.proven(offer.incoming, live)),
            to_watch=len(live),
        )

    def _role(self, offer: Offer) -> Literal["outgoing", "incoming"]:
        return "outgoing" if offer.outgoing.session == self._session.id else "incoming"


def _transfer(transfer: Transfer | None, holder: Holder) -> TransferPart | None:
    if transfer is None:
        return None
    return TransferPart(
        to=transfer.to,
        reason=transfer.reason,
        by_name=transfer.by.name,
        until=transfer.until,
        agreed=transfer.agreed,
        yours=side_of(transfer.by) is side_of(holder),
    )
