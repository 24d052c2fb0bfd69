"""The authorising officer's page: the tier with its reasons, set by who may and by nobody on a post."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from broker.domain.codes import Post
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, Role
from broker.engine.engine import Engine
from tests.edge.support import Browser, Page, pages
from tests.engine.hall import chair
from tests.fakes import FakePlane
from tests.fakes_storage import FakeRenewals
from tests.office import HRD, ZONE, Desk, request


@dataclass
class Room:
    """A browser, the engine behind it, and the visit whose call is open."""

    desk: Desk
    browser: Browser
    engine: Engine
    visit_id: str

    async def set_tier(self, who: str, **changes: str) -> Page:
        """Sign in, open the page and send the form."""
        await self.browser.sign_in("base", who)
        page = await self.browser.get("base", "/visits")
        form = {"csrf": page.csrf, "tier": "1", "reason": "Reported by the wing", **changes}
        return await self.browser.post("base", f"/visits/{self.visit_id}/tier", form)

    async def make_privileged(self, who: str, **changes: str) -> Page:
        """Sign in and send the form that makes the call privileged."""
        await self.browser.sign_in("base", who)
        page = await self.browser.get("base", "/visits")
        form = {"csrf": page.csrf, "kind": "legal", "sure": "yes", **changes}
        return await self.browser.post("base", f"/visits/{self.visit_id}/privileged", form)

    @property
    def kind(self) -> str:
        entry = self.engine.entry(self.visit_id)
        assert entry is not None
        return entry.actor.call.kind

    @property
    def tier(self) -> int:
        entry = self.engine.entry(self.visit_id)
        assert entry is not None
        return entry.actor.call.tier


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    desk = Desk()
    await desk.person("ana", "7001", Role.ANALYST)
    await desk.person("ruth", "3001", Role.BOOKING)
    visit = await desk.office.visits.book(HRD, request(), "test")
    desk.clock.turn(110 * 60)
    plane = FakePlane()
    engine = Engine(desk.log, desk.journal, FakeRenewals(), desk.directory, plane, desk.clock, DEFAULT, "node-1", ZONE)
    await engine.registry.sweep()
    async with pages(desk, engine) as browser:
        yield Room(desk, browser, engine, visit.id)


@pytest.mark.feature("F55")
async def test_the_analyst_sees_why_and_sets_the_tier_with_a_reason(room):
    answer = await room.set_tier("ana")
    assert (answer.status, answer.goes_to, room.tier) == (303, f"/visits/{room.visit_id}/authority", 1)

    page = await room.browser.get("base", f"/visits/{room.visit_id}/authority")
    assert "Tier 1" in page.text
    assert "Child on the call" in page.text


@pytest.mark.parametrize("changes", [{"reason": " "}, {"tier": "0"}, {"tier": "x"}])
async def test_a_tier_without_a_reason_or_out_of_range_is_told_at_the_field(room, changes):
    answer = await room.set_tier("ana", **changes)

    assert (answer.status, room.tier) == (400, 3)
    assert "govuk-error-message" in answer.text


async def test_a_clerk_may_not(room):
    answer = await room.set_tier("ruth")

    assert (answer.status, room.tier) == (403, 3)


@pytest.mark.feature("F63")
async def test_the_analyst_makes_a_call_privileged_once_and_for_good(room):
    unsure = await room.make_privileged("ana", sure="")
    social = await room.make_privileged("ana", kind="social")
    assert (unsure.status, social.status) == (400, 400)
    answer = await room.make_privileged("ana")
    assert (answer.status, room.kind) == (303, "legal")

    again = await room.make_privileged("ana", kind="official")
    assert (again.status, room.kind) == (409, "legal")


async def test_a_clerk_makes_no_call_privileged(room):
    answer = await room.make_privileged("ruth")

    assert (answer.status, room.kind) == (403, "social")


@pytest.mark.feature("F36")
async def test_who_is_on_a_post_may_not_either(room):
    seated = replace(chair("7001", Grade.OSG, "", Role.MONITOR), console=await room.desk.console("HRD", "WS-1"))
    await room.engine.sign_on(seated, "s1", HeldPost(Post.MONITOR, frozenset({"HRD"})), DEFAULT.version)
    answer = await room.set_tier("ana")

    assert (answer.status, room.tier) == (409, 3)
