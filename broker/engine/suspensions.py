"""Suspensions of visitors: a decision with a reason, an end and a way to appeal; for the next join (features F85)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo

from broker.domain.bookings import suspensions
from broker.domain.codes import Code, Refused, SuspensionReason
from broker.domain.free_text import kept_text
from broker.domain.policy import Policy
from broker.domain.records import Contact, Restriction, Scope, Visit
from broker.engine.secrets import new_id
from broker.engine.stream import Change, Fact, Streams
from broker.ports import Clock, Directory

CODE = "BAN"
"""As the prison's own systems name it (hmpps-contacts)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is suspended and why, up to and with `ends_on`; `appeal` is told to them as it is written."""

    contact_id: str
    reason: SuspensionReason
    ends_on: date
    appeal: str


class Suspensions:
    """Makes, lifts and finds suspensions. A no-contact restriction is none, and nothing here touches one."""

    def __init__(self, directory: Directory, streams: Streams, clock: Clock, zone: tzinfo, policy: Policy) -> None:
        self._directory = directory
        self._streams = streams
        self._clock = clock
        self._zone = zone
        self._policy = policy

    async def of(self, establishment: str, contact_ids: Iterable[str]) -> list[tuple[Contact, Restriction]]:
        """Return who of these contacts is suspended today, each with the suspension that ends last."""
        scope = Scope(frozenset({establishment}))
        restrictions = await self._directory.restrictions(scope)
        if all(row.reason is None for row in restrictions):
            return []
        contacts, wanted = await self._directory.contacts(scope), set(contact_ids)
        people = [contact for contact in contacts if contact.id in wanted]
        return suspensions(people, contacts, restrictions, self._clock.now().astimezone(self._zone))

    async def suspend(self, visit: Visit, decision: Decision, actor: str) -> Restriction:
        """Suspend a person of a visit from every visit of its establishment, from today on.

        Raises:
            Refused: `not_on_visitor_list`, `bad_end`, `text_missing`, `text_too_long`, `text_controls`,
                `already_suspended`.
            LogUnavailable: It cannot be recorded, and does not stand.
        """
        today = self._today()
        if decision.contact_id not in visit.contact_ids:
            raise Refused(Code.NOT_ON_VISITOR_LIST)
        if not today <= decision.ends_on <= today + timedelta(days=self._policy.suspension_most_days):
            raise Refused(Code.BAD_END)
        appeal = kept_text(decision.appeal, self._policy.appeal_most_chars)
        who, place, until = decision.contact_id, visit.establishment, decision.ends_on
        row = Restriction(new_id("r"), place, who, None, CODE, today, until, decision.reason, appeal)

        async def work() -> Change:
            if await self.of(place, [who]):
                raise Refused(Code.ALREADY_SUSPENDED)
            body = {**_about(visit, row), "reason": row.reason, "until": until.isoformat(), "appeal": appeal}
            return Change([Fact("contact.suspended", body)], [row])

        await self._streams.establishment(place).change(actor, work)
        return row

    async def lift(self, visit: Visit, suspension_id: str, why: str, actor: str) -> None:
        """End a suspension of a person of a visit before its time; it stands no more from now on.

        Raises:
            Refused: `not_suspended` (a no-contact restriction is no suspension), `text_missing`, `text_too_long`,
                `text_controls`.
            LogUnavailable: It cannot be recorded, and stands on.
        """
        kept = kept_text(why, self._policy.text_most_chars)

        async def work() -> Change:
            standing = await self.of(visit.establishment, visit.contact_ids)
            row = next((row for _, row in standing if row.id == suspension_id), None)
            if row is None:
                raise Refused(Code.NOT_SUSPENDED)
            fact = Fact("contact.suspension_lifted", {**_about(visit, row), "why": kept})
            return Change([fact], [replace(row, ends_on=self._today() - timedelta(days=1))])

        await self._streams.establishment(visit.establishment).change(actor, work)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()


def _about(visit: Visit, row: Restriction) -> dict[str, str]:
    return {"suspension_id": row.id, "contact_id": row.contact_id, "visit_id": visit.id}
