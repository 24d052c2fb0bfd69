"""The hall page in Chromium, against a stand-in broker: seats, the check at the seat, pause and end; no picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from broker.domain.codes import HoldKind, Post
from broker.protocol import client
from broker.protocol.server import PostMessage
from broker.text import PSEUDO, catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.browser.pseudo import unmarked
from tests.web.support.fake_console import DATA, World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
TABLET = {"width": 1180, "height": 820}
UPRIGHT = {"width": 768, "height": 1024}


class Hall:
    """The hall page, and the world that it sees."""

    def __init__(self, page: Page, world: World) -> None:
        self.page = page
        self.world = world

    def seat(self, number: int) -> Any:
        """The card of a seat."""
        return self.page.locator(f".seat[data-seat='{number}']")

    async def press(self, key: str, **values: object) -> None:
        """Press the button of the open seat that carries these words."""
        await self.page.locator(".seat-panel").get_by_role("button", name=t(key, **values)).first.click()

    def of(self, kind: type) -> list[Any]:
        """What the page said of that kind."""
        return [message for message in self.world.said if isinstance(message, kind)]

    async def says(self, kind: type, count: int = 1) -> Any:
        """Return the `count`-th message of that kind as soon as the page has said it."""
        while len(self.of(kind)) < count:
            await asyncio.sleep(0.02)
        return self.of(kind)[count - 1]

    async def post(self, state: str) -> None:
        """Tell the page how the monitoring post is staffed."""
        self.world.other = state
        post = next(part for part in self.world.posts() if part.post is Post.MONITOR)
        await self.world.tell(PostMessage(now=self.world.news().now, post=post))


async def on_post(sitting: Sitting, origin: str, world: World, viewport: dict[str, int]) -> Hall:
    """Open the page and sign on to the hall."""
    page = await sitting.open(f"{origin}/hall", viewport=viewport, permissions=[])
    await page.locator("input[name=guidance]").check()
    await page.locator("button[type=submit]").click()
    await expect(page.locator(".topbar")).to_be_visible()
    return Hall(page, world)


@pytest_asyncio.fixture(loop_scope="session")
async def hall(sitting: Sitting) -> AsyncIterator[Hall]:
    """A hall of thirty seats: four calls, the last of them in the lobby."""
    world = World(4)
    async with served(world) as origin:
        yield await on_post(sitting, origin, world, TABLET)


@pytest.mark.feature("F29")
async def test_every_seat_is_there_with_one_state_in_a_word_and_a_shape(hall):
    await expect(hall.page.locator(".seat")).to_have_count(30)
    for number, state in ((1, "live"), (4, "verify"), (7, "offline"), (8, "free")):
        await expect(hall.seat(number)).to_have_attribute("data-state", state)
        await expect(hall.seat(number).locator(".seat-head")).to_contain_text(t(f"state.{state}"))
        await expect(hall.seat(number).locator(".seat-head svg")).to_have_count(1)


@pytest.mark.feature("F29")
async def test_a_fault_never_looks_like_a_sanction(hall):
    hall.world.hold("v0000", HoldKind.SECURITY, Post.MONITOR)
    hall.world.hold("v0001", HoldKind.TECHNICAL, Post.SUPERVISOR)
    hall.world.hold("v0002", HoldKind.INTERRUPTED, None)
    for call in ("v0000", "v0001", "v0002"):
        await hall.world.changed(call)
    for number, look in ((1, "security"), (2, "technical"), (3, "link")):
        await expect(hall.seat(number)).to_have_attribute("data-look", look)


async def test_the_page_has_no_picture_no_sound_and_opens_no_connection_for_them(hall):
    await hall.seat(1).click()
    await expect(hall.page.locator(".seat-panel")).to_be_visible()
    assert await hall.page.locator("video, audio, canvas").count() == 0
    assert hall.of(client.MediaOffer) == []


async def test_the_page_proves_each_second_that_it_is_there(hall):
    first, second = await hall.says(client.Presence), await hall.says(client.Presence, 2)
    assert (first.visible, second.n - first.n) == (True, 1)


@pytest.mark.parametrize("state", ["lost", "off"])
async def test_the_monitoring_post_is_always_in_sight(hall, state):
    await expect(hall.page.locator("[data-post-state=on]")).to_contain_text(
        t("console.post.on", post=t("console.monitoring"))
    )
    await hall.seat(1).click()
    await hall.post(state)
    await expect(hall.page.locator(f"[data-post-state={state}]")).to_be_visible()
    await expect(hall.page.get_by_text(t(f"hall.monitor_{state}"))).to_be_visible()
    await hall.post("on")
    await expect(hall.page.get_by_text(t(f"hall.monitor_{state}"))).to_have_count(0)


@pytest.mark.feature("F13")
async def test_the_prisoner_is_confirmed_only_when_both_ticks_are_in(hall):
    await hall.seat(4).click()
    await expect(hall.page.get_by_text(t("hall.verify.opens"))).to_be_visible()
    for box in await hall.page.get_by_role("checkbox").all():
        await box.check()
    await hall.press("hall.verify.do", number="A7791BA", seat=4)
    verified = await hall.says(client.LegVerify)
    assert (verified.leg_id, verified.people) == ("v0003.1", ["A7791BA"])
    await expect(hall.page.locator(".seat-panel")).to_contain_text(t("hall.verify.done"))


@pytest.mark.feature("F54", "F67")
async def test_a_pause_acts_at_once_then_asks_and_may_be_made_technical_and_cleared(hall):
    await hall.seat(2).click()
    await hall.press("hall.pause")
    assert (await hall.says(client.CallPause)).call_id == "v0001"
    await expect(hall.page.locator(".hold-security .closed")).to_have_text(t("hall.hold.opens.monitor"))
    await hall.press("pause.equipment")
    assert (await hall.says(client.HoldReason)).reason == "equipment"
    await hall.press("hall.pause.relabel")
    await hall.says(client.HoldRelabel)
    await hall.press("hall.hold.clear", hold=t("console.hold.technical"))
    assert (await hall.says(client.HoldClear)).call_id == "v0001"
    await expect(hall.page.locator(".hold")).to_have_count(0)


async def test_a_security_hold_of_the_monitor_has_no_button_here(hall):
    hall.world.hold("v0000", HoldKind.SECURITY, Post.MONITOR)
    await hall.world.changed("v0000")
    await hall.seat(1).click()
    await expect(hall.page.locator(".hold .closed")).to_have_text(t("hall.hold.opens.monitor"))
    await expect(hall.page.locator(".hold button")).to_have_count(0)


@pytest.mark.feature("F53")
async def test_an_end_takes_two_steps_and_a_reason(hall):
    await hall.seat(1).click()
    await hall.press("hall.end")
    await hall.press("hall.end.sure")
    assert hall.of(client.CallEnd) == []
    await hall.press("end.finished_early")
    assert (await hall.says(client.CallEnd)).reason == "finished_early"


async def test_what_waits_for_the_post_stands_in_its_tasks_and_opens_the_seat(hall):
    task = hall.page.locator(".tasks .alert").filter(has_text=t("hall.task.verify", seat=4))
    await task.get_by_role("button").click()
    await expect(hall.page.locator(".seat-panel")).to_have_attribute("data-seat", "4")
    await hall.page.keyboard.press("Escape")
    await expect(hall.page.locator(".seat-panel")).to_have_count(0)


@pytest.mark.feature("F98")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [TABLET, UPRIGHT])
async def test_no_screen_has_an_axe_violation_or_is_too_wide_and_each_is_marked(sitting, scheme, viewport):
    world = World(4)
    async with served(world) as origin:
        hall = await on_post(sitting, origin, world, viewport)
        await hall.page.evaluate(f"document.documentElement.dataset.scheme = '{scheme}'")
        world.hold("v0000", HoldKind.SECURITY, Post.MONITOR)
        world.hold("v0001", HoldKind.TECHNICAL, Post.SUPERVISOR)
        await world.changed("v0000")
        await world.changed("v0001")
        for seat in (None, 1, 2, 4):
            if seat:
                await hall.seat(seat).click()
            assert (seat, await axe_findings(hall.page), await overflow(hall.page)) == (seat, [], 0)
            assert await hall.page.get_by_text(t("console.official"), exact=True).count() == 2
            await hall.page.keyboard.press("Escape")


async def test_every_sentence_comes_from_the_catalogue(sitting):
    world = World(4)
    async with served(world, PSEUDO) as origin:
        hall = await on_post(sitting, origin, world, TABLET)
        world.hold("v0000", HoldKind.SECURITY, Post.MONITOR)
        world.hold("v0001", HoldKind.TECHNICAL, Post.SUPERVISOR)
        await world.changed("v0000")
        await world.changed("v0001")
        for seat in (None, 1, 2, 4):
            if seat:
                await hall.seat(seat).click()
            assert (seat, await unmarked(hall.page, data=[*DATA, "LT-"])) == (seat, [])
            await hall.page.keyboard.press("Escape")
