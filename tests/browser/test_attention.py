"""Looks and attention checks at the monitoring console in Chromium, against a stand-in broker."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from broker.domain.attention import AttentionState
from broker.domain.checks import CheckStage
from broker.protocol import client
from broker.protocol.attention import AttentionCheck, AttentionPart
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings
from tests.browser.wall import DESK, Wall, on_post
from tests.web.support.fake_console import World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("PICTURES")


@pytest_asyncio.fixture(loop_scope="session")
async def wall(sitting: Sitting) -> AsyncIterator[Wall]:
    """A wall of four calls, the last of them in the lobby."""
    world = World(4)
    async with served(world) as origin:
        yield await on_post(sitting, origin, world, DESK)


def late(seconds: float) -> AttentionPart:
    """Return how a call of tier 2 stands that many seconds after its last look."""
    due = datetime.now(UTC) + timedelta(seconds=30 - seconds)
    state = AttentionState.OVERDUE if seconds >= 30 else AttentionState.FINE
    return AttentionPart(limit_s=30, unwatched_s=seconds, state=state, due_at=due, by="M1")


@pytest.mark.feature("F47")
async def test_a_call_past_its_limit_turns_red_and_a_look_by_key_clears_it(wall):
    wall.world.attention = {"v0000": late(5), "v0001": late(47)}
    tile = wall.tile(1)
    await expect(tile).to_have_attribute("data-look", "unwatched")
    await expect(tile.locator(".looked")).to_contain_text("limit 30")
    await expect(wall.tile(0).locator(".looked-bar")).to_be_visible()
    assert await axe_findings(wall.page) == []
    if PICTURES:
        await wall.page.screenshot(path=str(Path(PICTURES) / "attention-late.png"))

    await wall.press("g")
    await expect(wall.page.locator(".focus[data-call='v0001']")).to_be_visible()
    focused = await wall.says(client.WallFocus)
    assert focused.call_id == "v0001"
    wall.world.attention = {"v0000": late(8), "v0001": late(0)}
    await wall.press("g")
    await expect(wall.tile(1)).to_have_attribute("data-look", "calm")
    await expect(wall.page.locator(".focus")).to_have_count(0)


@pytest.mark.feature("F58")
async def test_an_attention_check_is_answered_by_its_letter(wall):
    asked = {"check_id": "k1", "call_id": "v0002", "letter": "K", "asked_at": datetime.now(UTC)}
    await wall.world.tell(AttentionCheck.model_validate({**asked, "stage": CheckStage.RING}))
    await expect(wall.tile(2)).to_have_attribute("data-check", "true")
    await expect(wall.page.locator("[role=status]").first).to_contain_text("press K")
    if PICTURES:
        await wall.page.screenshot(path=str(Path(PICTURES) / "attention-check.png"))
    await wall.press("k")
    answer = await wall.says(client.AttentionAnswer)
    assert (answer.check_id, answer.letter) == ("k1", "K")
    await wall.world.tell(AttentionCheck.model_validate({**asked, "stage": None}))
    await expect(wall.tile(2)).to_have_attribute("data-check", "false")


@pytest.mark.feature("F44")
async def test_the_foot_names_the_calls_that_are_not_proven(wall):
    wall.world.proof_age = {"v0001": 9.0}
    await expect(wall.page.locator(".keyline-proof")).to_contain_text("Not proven to be displayed: call 2")
