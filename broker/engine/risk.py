"""Risk on a running node: every open call is assessed when it is scheduled and every few seconds after (features F107).

The directory is read once for all calls of an establishment in a sweep; the rules are broker/domain/risk.py.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.policy import Policy
from broker.domain.records import Scope, Visit
from broker.domain.risk import Assessment, Rows, assess, facts_on
from broker.ports import Directory


class Risks:
    """The directory as the rules read it, kept for the length of one sweep."""

    def __init__(self, directory: Directory, policy: Policy, zone: tzinfo) -> None:
        self._directory = directory
        self._policy = policy
        self._zone = zone
        self._rows: dict[str, Rows] = {}

    def begin(self) -> None:
        """Read the directory anew from here on."""
        self._rows.clear()

    async def of(self, visit: Visit, now: datetime) -> Assessment:
        """Return the tier of a visit's call, on today's day of the halls' zone. Raises LogUnavailable."""
        rows = await self.rows(visit.establishment)
        on = now.astimezone(self._zone).date()
        return assess(facts_on(rows, visit.prisoner_number, visit.contact_ids, on, self._policy))

    async def command(self, visit: Visit, now: datetime) -> c.AssessRisk:
        """Return what tells the visit's call how the rules see it now."""
        found = await self.of(visit, now)
        return c.AssessRisk(SYSTEM, found.tier, found.reasons)

    async def rows(self, establishment: str) -> Rows:
        """Return what an establishment's directory says, read at most once since `begin`. Raises LogUnavailable."""
        if establishment not in self._rows:
            scope = Scope(frozenset({establishment}))
            self._rows[establishment] = Rows(
                await self._directory.prisoners(scope),
                await self._directory.contacts(scope),
                await self._directory.restrictions(scope),
                await self._directory.prisoner_alerts(scope),
                await self._directory.authorisations(scope),
                await self._directory.watches(scope),
            )
        return self._rows[establishment]
