"""The laptop's page in Chromium, against a broker that says what the test tells it to."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from broker.text import PSEUDO, catalogue
from tests.browser.conftest import AUTOPLAY, Sitting
from tests.browser.fake_broker import FakeBroker, served, visit
from tests.browser.looks import axe_findings, has_focus, moves, overflow
from tests.browser.pseudo import unmarked

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
FAR = ".far video"
SCREEN = {"width": 1366, "height": 768}
LAPTOP = {"chair": "laptop", "device_id": "d1", "asset_tag": "L-007", "seat": 7}
SARAH = [{"leg_id": "v1.2", "role": "family", "name": "Sarah", "connected": True}]
UNNAMED = [{"leg_id": "v1.2", "role": "family", "name": "", "connected": True}]
NOTHING = {
    **visit("none"),
    "call_id": None,
    "leg_id": None,
    "starts_at": None,
    "ends_at": None,
    "others": [],
    "notice": None,
}
WAITING = [
    {"who": "you", "ready": True, "detail": None},
    {"who": "family", "ready": False, "detail": None},
    {"who": "officer", "ready": True, "detail": None},
    {"who": "hall", "ready": False, "detail": "seat"},
]
SCREENS: dict[str, dict[str, Any]] = {
    "lobby": visit("lobby", others=UNNAMED, waiting=WAITING, late_min=2),
    "call": visit("call", others=SARAH),
    "paused by staff": visit("paused", others=SARAH, pause="staff", pause_reason="equipment"),
    "paused by a fault": visit("paused", others=SARAH, pause="other_end", clock_runs=False),
    "paused for an officer": visit("paused", others=SARAH, pause="no_officer"),
    "reconnecting": visit("paused", others=SARAH, pause="you"),
    "ended": visit("ended", others=SARAH, end="staff", end_reason="conduct", started=True, returned_s=60, rebook_s=120),
}
HEADINGS = {
    "lobby": t("laptop.lobby.title"),
    "call": t("laptop.call.title", name="Sarah"),
    "paused by staff": t("common.pause.staff.title"),
    "paused by a fault": t("common.pause.other_end.title", name="Sarah"),
    "paused for an officer": t("common.pause.no_officer.title"),
    "reconnecting": t("laptop.reconnecting.title"),
    "ended": t("laptop.ended.title"),
}


async def heading(page: Page, text: str) -> None:
    """Wait until the page's heading reads so."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)


async def press(page: Page, key: str) -> None:
    """Press the button that carries these words."""
    await page.get_by_role("button", name=t(key), exact=True).click()


async def stand(fake: FakeBroker, sitting: Sitting, *said: dict[str, Any], **context: Any) -> Page:
    """Open the laptop's page of seat 7."""
    fake.you = LAPTOP
    fake.on_open = list(said)
    return await sitting.open(f"{fake.origin}/laptop#token", **{"viewport": SCREEN, **context})


async def test_a_laptop_that_is_not_enrolled_says_so_to_staff(fake, sitting):
    fake.redeem = (403, {"code": "laptop_unknown"})
    page = await stand(fake, sitting)

    await heading(page, t("laptop.out.title"))
    await expect(page.get_by_text(t("laptop.out.laptop_unknown"))).to_be_visible()
    assert await axe_findings(page) == []


async def test_a_ready_laptop_shows_its_seat_and_the_time_and_no_name(fake, sitting):
    page = await stand(fake, sitting, NOTHING)

    await heading(page, t("laptop.ready.title"))
    await expect(page.locator(".seat-number")).to_have_text("7")
    await expect(page.locator(".big-clock")).to_have_text(await page.locator(".screen-top strong").inner_text())
    assert await axe_findings(page) == []
    assert fake.of("media.offer") == []


async def test_the_laptop_follows_its_seat_by_itself_from_check_to_picture(fake, sitting):
    page = await stand(fake, sitting, NOTHING)
    await heading(page, t("laptop.ready.title"))
    await fake.say(visit("check", others=UNNAMED))
    report = await fake.hear("check.report")
    assert (report["camera"], report["microphone"]) == ("ok", "ok")
    await fake.say(SCREENS["lobby"])
    await fake.hear("lobby.enter")
    await fake.hear("media.offer")
    await moves(page, ".own-large video")
    await fake.say(SCREENS["call"])
    await moves(page, FAR)

    await heading(page, HEADINGS["call"])


async def test_no_name_and_no_picture_of_the_visitors_is_on_the_page_before_the_call(fake, sitting):
    page = await stand(fake, sitting, SCREENS["lobby"])
    await heading(page, HEADINGS["lobby"])
    await fake.hear("leg.progress", 4)

    assert "Sarah" not in await page.content()
    assert await page.locator(FAR).count() == 0


@pytest.mark.feature("F46")
async def test_a_pause_takes_picture_and_sound_off_the_laptop(fake, sitting):
    page = await stand(fake, sitting, SCREENS["call"])
    await moves(page, FAR)
    await fake.say(SCREENS["paused by staff"])
    await heading(page, HEADINGS["paused by staff"])

    assert await page.locator("video, audio").count() == 0
    await expect(page.get_by_text(t("common.why.equipment"))).to_be_visible()
    await fake.say(SCREENS["call"])
    await moves(page, FAR)


@pytest.mark.feature("F74")
async def test_the_prisoner_can_call_staff_on_every_screen_of_a_call_and_take_it_back(fake, sitting):
    page = await stand(fake, sitting, SCREENS["call"])
    await moves(page, FAR)
    for calls, name in enumerate(("lobby", "call", "paused by staff", "reconnecting")):
        await fake.say(SCREENS[name])
        await heading(page, HEADINGS[name])
        await press(page, "laptop.call_staff")
        assert (await fake.hear("leg.help", 2 * calls + 1))["raised"] is True
        await expect(page.get_by_text(t("laptop.staff_called"))).to_have_count(0)  # the broker's word, not the press
        await fake.say({**SCREENS[name], "hand": True})
        await expect(page.get_by_text(t("laptop.staff_called")).first).to_be_visible()
        await press(page, "laptop.staff_not_needed")
        assert (await fake.hear("leg.help", 2 * calls + 2))["raised"] is False


@pytest.mark.feature("F23", "F24")
async def test_a_weak_connection_keeps_the_sound_and_says_so_calmly_until_the_picture_is_back(fake, sitting):
    page = await stand(fake, sitting, SCREENS["call"])
    await moves(page, FAR)
    said = page.locator(".weak-link[aria-live=polite]")
    await expect(said).to_have_text("")
    await fake.say({"type": "media.quality", "picture": "none", "dropped": [0]})

    await expect(said).to_have_text(t("common.link.weak"))
    await expect(page.locator(".far")).to_contain_text(t("common.link.sound_only"))
    assert await page.locator(FAR).count() == 0
    assert await page.locator(".far audio").count() == 1
    assert await axe_findings(page) == []
    await fake.say({"type": "media.quality", "picture": "reduced", "dropped": []})
    await moves(page, FAR)
    await expect(said).to_have_text(t("common.link.back"))


async def test_ending_asks_once(fake, sitting):
    page = await stand(fake, sitting, SCREENS["call"])
    await moves(page, FAR)
    await press(page, "laptop.call.end")
    await press(page, "laptop.end.no")
    assert fake.of("leg.leave") == []
    await press(page, "laptop.call.end")
    await press(page, "laptop.end.yes")
    await fake.hear("leg.leave")


async def test_after_a_call_the_laptop_waits_for_the_next_with_its_camera_off(fake, sitting):
    page = await stand(fake, sitting, SCREENS["call"])
    await moves(page, FAR)
    await fake.say(SCREENS["ended"])
    await heading(page, HEADINGS["ended"])
    await fake.say(NOTHING)
    await heading(page, t("laptop.ready.title"))

    assert await page.locator("video, audio").count() == 0
    assert "Sarah" not in await page.content()
    await fake.say(visit("check", call_id="v2", others=UNNAMED))
    await fake.hear("check.report")


async def test_without_a_camera_the_laptop_is_not_in_use_and_says_why_to_staff(fake, launch):
    pages = Sitting(await launch(AUTOPLAY))
    page = await stand(fake, pages, visit("check", others=UNNAMED))

    await heading(page, t("laptop.out.title"))
    await expect(page.get_by_text(t("laptop.out.none"))).to_be_visible()
    await expect(page.locator(".seat-number")).to_have_text("7")
    assert {(report["camera"], report["microphone"]) for report in fake.of("check.report")} == {("none", "none")}
    await pages.close()


async def test_the_demo_stands_in_for_a_camera(launch):
    pages = Sitting(await launch(AUTOPLAY))
    async with served(FakeBroker(demo=True)) as fake:
        page = await stand(fake, pages, visit("check", others=UNNAMED))
        report = await fake.hear("check.report")
        assert (report["camera"], report["microphone"]) == ("test_picture", "test_tone")
        await fake.say(SCREENS["lobby"])
        await expect(page.get_by_text(t("laptop.check.test_note"))).to_be_visible()
        await moves(page, ".own-large video")
        await pages.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", SCREEN), ("dark", {"width": 320, "height": 640})])
async def test_no_screen_breaks_a_rule_of_axe_or_is_wider_than_its_window(fake, sitting, scheme, size):
    page = await stand(fake, sitting, NOTHING, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    await heading(page, t("laptop.ready.title"))
    found: dict[str, Any] = {}
    for name, message in SCREENS.items():
        await fake.say(message)
        await heading(page, HEADINGS[name])
        await has_focus(page, HEADINGS[name])
        if wrong := [*await axe_findings(page), *([f"{wider} px too wide"] if (wider := await overflow(page)) else [])]:
            found[name] = wrong
    assert found == {}


async def test_every_sentence_comes_from_the_catalogue(sitting):
    broker = FakeBroker(language=PSEUDO)
    async with served(broker) as fake:
        page = await stand(fake, sitting, NOTHING)
        await page.get_by_role("heading", name=catalogue(PSEUDO)("laptop.ready.title")).wait_for()
        date = (await page.locator(".screen-top p").last.inner_text()).split(",")[0]
        found = await unmarked(page, data=[date])
        for message in SCREENS.values():
            await fake.say(message)
            await page.wait_for_timeout(50)
            found += await unmarked(page, data=[date, "Sarah"])
    assert found == []
