"""What a member of staff reads before signing on: the guidance in force, and how each place stands now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from broker.domain.call import Phase
from broker.domain.codes import Code, Post
from broker.domain.console_device import renewal_due, why_not
from broker.domain.posts import ROLE, Check
from broker.domain.records import NATIONAL_POOL, Role, Scope
from broker.edge.presenter import Presenter
from broker.engine.chairs import StaffChair
from broker.engine.engine import Engine
from broker.engine.notes import ShiftNotes
from broker.ports import Directory
from broker.protocol.posts import CheckPart, ConsolePart, GuidancePart, HallPart, MayPart, ShiftNotePart, StationPart

_MONITORS: Final = frozenset({Role.MONITOR, Role.NATIONAL_MONITOR})


class StationBoard:
    """The places where one person may take a post. Counts and names of who is on post; nothing of any call."""

    def __init__(self, engine: Engine, directory: Directory, presenter: Presenter, chair: StaffChair) -> None:
        self._engine = engine
        self._directory = directory
        self._presenter = presenter
        self._chair = chair
        self._halls: dict[str, list[str]] = {}
        self._pool = False

    async def may(self) -> list[MayPart]:
        """Return the posts that the person may take, place by place."""
        grants = self._chair.grants
        scope = Scope(frozenset(grant.establishment for grant in grants))
        halls = await self._directory.halls(scope)
        parts = []
        for place in await self._directory.establishments(scope):
            roles = {grant.role for grant in grants if grant.establishment == place.code}
            posts = [post for post in Post if ROLE[post] in roles]
            rooms = [HallPart(id=hall.id, name=hall.name) for hall in halls if hall.establishment == place.code]
            if posts:
                self._halls[place.code] = [room.id for room in rooms]
                parts.append(
                    MayPart(
                        establishment=place.code, name=place.name, posts=posts, halls=rooms, synthetic=place.synthetic
                    )
                )
        if any(grant.role is Role.NATIONAL_MONITOR for grant in grants):
            await self._engine.transfers.load()
            self._pool = True
            parts.append(MayPart(establishment=NATIONAL_POOL, name="", posts=[Post.MONITOR], halls=[], pool=True))
        if any(Post.MONITOR in part.posts for part in parts):
            await self._engine.notes.load([part.establishment for part in parts])
        return parts

    async def guidance(self) -> GuidancePart:
        """Return the guidance in force, and what the person agreed to last."""
        found = self._engine.posts.guidance()
        agreed = await self._engine.posts.agreed(
            self._chair.number, [*self._halls, *([NATIONAL_POOL] if self._pool else [])]
        )
        return GuidancePart(
            version=found.version,
            effective_from=found.effective_from,
            changes=list(found.changes),
            agreed=agreed,
        )

    async def console(self, now: datetime) -> ConsolePart | None:
        """Return what this browser is enrolled as, read anew; None where policy wants no console for any post."""
        if not self._engine.policy.console_posts:
            return None
        row = await self._engine.posts.gate.now(self._chair.console)
        if row is None:
            return ConsolePart(code=Code.CONSOLE_NOT_ENROLLED)
        return ConsolePart(
            establishment=row.establishment,
            asset_tag=row.asset_tag,
            assured_until=row.assured_until,
            code=why_not(row, {row.establishment}, now),
            renew=renewal_due(row, self._engine.policy, now),
        )

    def stations(self, now: datetime) -> list[StationPart]:
        """Return how each place stands at `now`; `may` has been asked before."""
        found = [self._station(place, halls, now) for place, halls in self._halls.items()]
        return [*found, self._pool_station()] if self._pool else found

    def _pool_station(self) -> StationPart:
        held = self._engine.transfers.of_pool()
        calls = [entry.actor.call for place in sorted(held) for entry in self._engine.entries(place)]
        return StationPart(
            establishment=NATIONAL_POOL,
            posts=[],
            monitors=[one.name for one in self._engine.presence.holders if one.pool],
            live=sum(call.phase is Phase.LIVE for call in calls),
            lobby=sum(call.phase in (Phase.LOBBY, Phase.READY) for call in calls),
            notes=self._notes(NATIONAL_POOL),
        )

    def _notes(self, place: str) -> list[ShiftNotePart]:
        monitors = any(grant.role in _MONITORS and grant.establishment == place for grant in self._chair.grants)
        return note_parts(self._engine.notes, [place]) if monitors else []

    def _station(self, place: str, halls: list[str], now: datetime) -> StationPart:
        calls = [entry.actor.call for entry in self._engine.entries(place)]
        on = [one for one in self._engine.presence.holders if one.post is Post.MONITOR and place in one.scope]
        return StationPart(
            establishment=place,
            posts=self._presenter.posts([place], [(place, hall) for hall in halls], "", now),
            monitors=[one.name for one in sorted(on, key=lambda one: one.since)],
            live=sum(call.phase is Phase.LIVE for call in calls),
            lobby=sum(call.phase in (Phase.LOBBY, Phase.READY) for call in calls),
            notes=self._notes(place),
        )


def check_parts(checks: tuple[Check, ...]) -> list[CheckPart]:
    """Return the conditions of a refused sign-on, as the page tells them."""
    return [
        CheckPart.model_validate({"name": one.name, "met": one.met, "needed": one.needed, "held": one.held})
        for one in checks
    ]


def note_parts(notes: ShiftNotes, places: Collection[str], number: str = "") -> list[ShiftNotePart]:
    """Return what the shift before left to read at these establishments, but for one's own notes."""
    found = notes.before(places, number)
    return [ShiftNotePart(id=note.id, name=notes.name(note), at=note.at, text=note.text) for note in found]
