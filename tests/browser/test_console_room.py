"""The monitoring console has room for its words: sixteen calls on the screens of a hall, in Chromium."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from broker.domain.attention import AttentionState
from broker.protocol import client
from broker.protocol.attention import AttentionPart
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, cut_words
from tests.browser.wall import DESK, Wall, on_post, relief
from tests.web.support.fake_console import World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
PICTURES = os.environ.get("PICTURES")
LAPTOP = {"width": 1366, "height": 768}
WORDS = ".topbar > *, .tile .health, .tile .looked, .tile .quick"


def offered(to: str, name: str) -> AttentionPart:
    """Return how a call of tier 2 stands that nobody looked at, once it was offered to that monitor."""
    due = datetime.now(UTC) - timedelta(seconds=20)
    return AttentionPart(limit_s=30, unwatched_s=50, state=AttentionState.OFFERED, due_at=due, by=to, by_name=name)


def busy_world() -> World:
    """Return sixteen calls with every word of a link, of which one is offered here and one elsewhere."""
    world = World(16, lobby=2)
    world.health = {"v0001.2": "poor", "v0002.1": "bad", "v0005.1": "none"}
    world.sound_only = {"v0004.2"}
    world.calls["v0006"]["legs"][1]["connected"] = False
    world.attention = {"v0003": offered("S200", "R. Shah"), "v0008": offered("S100", "K. Adeyemi")}
    return world


async def kept(wall: Wall, name: str) -> None:
    if PICTURES:
        await wall.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


@pytest.mark.feature("F45")
@pytest.mark.parametrize("size", [LAPTOP, DESK])
async def test_no_word_of_the_top_bar_or_of_a_link_is_cut_with_sixteen_calls_and_a_break_due(sitting: Sitting, size):
    world = busy_world()
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, size)
        await world.tell(relief(break_due=True))
        await expect(wall.page.locator(".relief-button")).to_contain_text("Break due")
        await expect(wall.tile(1).locator(".health").last).to_have_attribute("title", t("health.poor"))
        await kept(wall, f"room-{size['width']}")
        assert await cut_words(wall.page, WORDS) == []
        assert await axe_findings(wall.page) == []

        await wall.page.locator(".layouts button").get_by_text("4", exact=True).click()
        await expect(wall.page.locator(".pages")).to_be_visible()
        await kept(wall, f"room-{size['width']}-pages")
        assert await cut_words(wall.page, WORDS) == []

        world.silent = True
        await expect(wall.page.locator(".count-stale")).to_be_visible(timeout=20_000)
        await kept(wall, f"room-{size['width']}-stale")
        assert await cut_words(wall.page, WORDS) == []


@pytest.mark.feature("F47")
async def test_a_look_that_is_offered_says_to_whom_and_is_taken_by_one_key(sitting: Sitting):
    world = busy_world()
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, LAPTOP)
        await expect(wall.tile(3).locator(".looked")).to_contain_text("R. Shah")
        await expect(wall.tile(8).get_by_role("button", name=t("monitor.attention.offered.you"))).to_be_visible()
        await expect(wall.page.locator("[role=status]").first).to_contain_text("Call 9")
        await wall.press("g")
        assert (await wall.says(client.WallFocus)).call_id == "v0008"
        await expect(wall.page.locator(".focus-head .state")).to_have_text(t("monitor.attention.offered.you"))


@pytest.mark.feature("F45")
@pytest.mark.parametrize("height", [384, 640])
async def test_the_strip_of_a_small_window_stays_within_it(sitting: Sitting, height):
    world = World(16)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, {"width": 683, "height": height})
        strip = wall.page.locator(".strip")
        box = await strip.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
        bar = await strip.evaluate("(strip) => getComputedStyle(strip).overflowY")
        within = await strip.evaluate("(strip) => strip.scrollHeight <= strip.clientHeight")
        assert within or bar == "auto"
