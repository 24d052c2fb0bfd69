"""The family's page in Chromium, against a broker that says what the test tells it to."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from broker.text import PSEUDO, catalogue
from tests.browser.conftest import AUTOPLAY, DEVICES, Sitting
from tests.browser.fake_broker import FakeBroker, served, visit
from tests.browser.looks import axe_findings, colour_of, focused, has_focus, moves, overflow
from tests.browser.pseudo import unmarked

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
FAR = ".far video"
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the page looks like
DANIEL = {
    "type": "media.lines",
    "lines": [{"kind": kind, "index": 0, "call_id": "v1", "leg_id": "v1.1"} for kind in ("audio", "video")],
}
WAITING = [
    {"who": "you", "ready": True, "detail": None},
    {"who": "prisoner", "ready": False, "detail": None},
    {"who": "officer", "ready": False, "detail": None},
    {"who": "hall", "ready": True, "detail": None},
]
ENDED = {"end": "staff", "end_reason": "hall_closing", "started": True, "returned_s": 180, "rebook_s": 300}
SCREENS: dict[str, dict[str, Any]] = {
    "lobby": visit("lobby", waiting=WAITING, late_min=4),
    "call": visit("call"),
    "paused by staff": visit("paused", pause="staff", pause_reason="dress"),
    "paused by a fault": visit("paused", pause="fault", clock_runs=False),
    "paused for the other end": visit("paused", pause="other_end", clock_runs=False),
    "paused for an officer": visit("paused", pause="no_officer"),
    "reconnecting": visit("paused", pause="you"),
    "ended": visit("ended", **ENDED),
}
HEADINGS = {
    "lobby": t("family.lobby.title"),
    "call": "Daniel",
    "paused by staff": t("common.pause.staff.title"),
    "paused by a fault": t("common.pause.fault.title"),
    "paused for the other end": t("common.pause.other_end.title", name="Daniel"),
    "paused for an officer": t("common.pause.no_officer.title"),
    "reconnecting": t("family.reconnecting.title"),
    "ended": t("family.ended.title", name="Daniel"),
}


async def heading(page: Page, text: str) -> None:
    """Wait until the page's heading reads so."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)


async def press(page: Page, key: str, **values: object) -> None:
    """Press the button that carries these words."""
    await page.get_by_role("button", name=t(key, **values), exact=True).click()


async def in_call(fake: FakeBroker, sitting: Sitting, **context: Any) -> Page:
    """Open the page in a call whose far picture moves."""
    fake.on_open = [visit("call"), DANIEL]
    page = await sitting.open(f"{fake.origin}/visit#token", **context)
    await moves(page, FAR)
    return page


@pytest.mark.feature("F1", "F10", "F16", "F19")
async def test_a_family_comes_from_the_link_to_the_picture_without_installing_anything(fake, sitting):
    fake.on_open = [visit("notice")]
    page = await sitting.open(f"{fake.origin}/visit#token")
    await press(page, "family.landing.start")
    await expect(page.get_by_text(t("family.notice.full.see"))).to_be_visible()
    await expect(page.get_by_text(t("family.notice.full.hear"))).to_be_visible()
    await expect(page.get_by_text(t("family.notice.not_recorded"))).to_be_visible()
    await press(page, "family.notice.accept")
    assert (await fake.hear("consent.accept"))["notice_version"] == "2026-11"

    await fake.say(visit("check"))
    await press(page, "family.check.turn_on")
    await moves(page, ".self-check video")
    await press(page, "family.check.continue")
    report = await fake.hear("check.report")
    assert (report["camera"], report["microphone"]) == ("ok", "ok")

    await fake.say(SCREENS["lobby"])
    await fake.hear("lobby.enter")
    await fake.hear("media.offer")
    await expect(page.get_by_text(t("common.wait.prisoner.waiting"))).to_be_visible()
    await expect(page.get_by_text(t("family.lobby.late", n=4))).to_be_visible()

    await fake.say(visit("call"))
    await fake.say(DANIEL)
    await moves(page, FAR)
    assert near(await colour_of(page, FAR), fake.colour)
    await expect(page.get_by_text(t("common.minutes_left", n=28))).to_be_visible()
    await expect(page.locator(".notice-line")).to_have_text(f"{t('common.watched.full')} {t('common.not_recorded')}")


def near(seen: list[int] | None, sent: tuple[int, int, int]) -> bool:
    """Say whether a colour is the one that was sent, after a codec and the white band that moves through it."""
    return seen is not None and all(abs(one - other) < 70 for one, other in zip(seen, sent, strict=True))


@pytest.mark.feature("F74")
async def test_a_family_raises_its_hand_before_in_and_after_a_pause_and_takes_it_back(fake, sitting):
    fake.on_open = [SCREENS["lobby"], DANIEL]
    page = await sitting.open(f"{fake.origin}/visit#token")
    for screens, name in enumerate(("lobby", "call", "paused by staff")):
        said = SCREENS[name]
        await fake.say(said)
        await press(page, "family.hand.ask")
        assert (await fake.hear("leg.help", 2 * screens + 1))["raised"] is True
        await fake.say({**said, "hand": True})
        await expect(page.get_by_role("status").filter(has_text=t("family.hand.asked"))).to_be_visible()
        if PICTURES:
            await page.screenshot(path=str(Path(PICTURES) / f"hand-{name}.png"))
        assert await axe_findings(page) == []
        assert await overflow(page) <= 0
        await press(page, "family.hand.cancel")
        assert (await fake.hear("leg.help", 2 * screens + 2))["raised"] is False
        await fake.say(said)
        await expect(page.get_by_text(t("family.hand.asked"))).to_have_count(0)


async def test_nothing_of_the_far_end_is_on_the_page_before_the_call(fake, sitting):
    fake.on_open = [visit("lobby"), DANIEL]
    page = await sitting.open(f"{fake.origin}/visit#token")
    await heading(page, HEADINGS["lobby"])
    await fake.hear("leg.progress", 4)

    assert [await page.locator(FAR).count(), await page.locator("audio").count()] == [0, 0]


@pytest.mark.feature("F17", "F46")
async def test_a_pause_takes_picture_and_sound_off_the_page_and_says_why(fake, sitting):
    page = await in_call(fake, sitting)
    assert await page.locator("audio").count() == 1
    await page.evaluate("window.before = [...document.querySelectorAll('.far video, audio')]")

    await fake.say(SCREENS["paused by staff"])
    await heading(page, t("common.pause.staff.title"))

    assert await page.evaluate("window.before.map((element) => element.srcObject)") == [None, None]
    assert await page.locator("video, audio").count() == 0
    await expect(page.get_by_text(t("common.why.dress"))).to_be_visible()
    await fake.say(visit("call"))
    await moves(page, FAR)


async def test_while_paused_the_page_sends_no_picture_and_no_sound(fake, sitting):
    fake.on_open = [visit("call"), DANIEL]
    page = await sitting.open("about:blank")
    await page.add_init_script(
        """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await real(wanted));"""
    )
    await page.goto(f"{fake.origin}/visit#token")
    await moves(page, FAR)
    sending = "window.stream.getTracks().map((track) => track.enabled)"
    assert await page.evaluate(sending) == [True, True]
    await fake.say(SCREENS["paused by staff"])
    await heading(page, t("common.pause.staff.title"))

    assert await page.evaluate(sending) == [False, False]


@pytest.mark.feature("F23", "F24")
async def test_a_weak_connection_keeps_the_sound_and_says_so_calmly_until_the_picture_is_back(fake, sitting):
    page = await in_call(fake, sitting)
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


@pytest.mark.feature("F17")
async def test_a_fault_is_never_worded_as_a_decision_of_staff(fake, sitting):
    page = await in_call(fake, sitting)
    for name in ("paused by a fault", "paused for the other end", "reconnecting"):
        await fake.say(SCREENS[name])
        await heading(page, HEADINGS[name])
        await expect(page.locator(".page.is-slate")).to_be_visible()
        await expect(page.get_by_text(re.compile("Nobody has stopped your call"))).to_be_visible()
    await fake.say(SCREENS["paused by staff"])
    await expect(page.locator(".page.is-plum")).to_be_visible()


@pytest.mark.feature("F17")
async def test_the_end_is_told_plainly_with_what_was_given_back(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.say(SCREENS["ended"])
    await heading(page, HEADINGS["ended"])

    await expect(page.get_by_text(t("common.end.hall_closing"))).to_be_visible()
    await expect(page.get_by_text(t("family.ended.returned", n=3))).to_be_visible()
    await expect(page.get_by_text(t("family.ended.rebook", n=5))).to_be_visible()
    assert await page.locator("video, audio").count() == 0


@pytest.mark.feature("F2", "F4")
@pytest.mark.parametrize("code", ["link_invalid", "link_elsewhere"])
async def test_a_wrong_link_gets_a_plain_page_that_tells_what_to_do_and_nothing_of_a_visit(fake, sitting, code):
    fake.redeem = (403, {"code": code})
    page = await sitting.open(f"{fake.origin}/visit#token")

    await heading(page, t(f"family.closed.{code}.title"))
    await expect(page.get_by_text(t(f"family.closed.{code}.next"))).to_be_visible()
    assert "Daniel" not in await page.content()


async def test_the_token_leaves_the_address_at_once(fake, sitting):
    fake.on_open = [visit("notice")]
    page = await sitting.open(f"{fake.origin}/visit#token")

    assert page.url == f"{fake.origin}/visit"


@pytest.mark.feature("F4")
async def test_a_withdrawn_link_closes_the_call_and_the_camera(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.say({"type": "bye", "code": "revoked"})

    await heading(page, t("family.closed.revoked.title"))
    assert await page.locator("video, audio").count() == 0


@pytest.mark.feature("F20")
async def test_a_lost_socket_comes_back_by_itself_with_media_and_without_asking_again(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.drop()
    await fake.hear("hello", 2)
    await fake.hear("media.offer", 2)
    await moves(page, FAR)

    assert fake.of("consent.accept") == []


@pytest.mark.feature("F20")
async def test_lost_media_is_made_anew_over_the_same_socket(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.lose_media()
    await fake.hear("media.offer", 2)
    await moves(page, FAR)

    assert len(fake.of("hello")) == 1


async def test_a_reload_in_the_call_goes_straight_back_to_it(fake, sitting):
    page = await in_call(fake, sitting)
    await page.reload()
    await moves(page, FAR)

    assert fake.of("consent.accept") == []


async def test_leaving_asks_once_and_escape_stays(fake, sitting):
    page = await in_call(fake, sitting)
    await press(page, "family.call.leave")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press(page, "family.call.leave")
    await press(page, "family.leave.no")
    assert fake.of("leg.leave") == []
    await press(page, "family.call.leave")
    await press(page, "family.leave.yes")
    await fake.hear("leg.leave")


async def test_mute_and_camera_say_what_the_next_press_does(fake, sitting):
    page = await in_call(fake, sitting)
    await press(page, "family.call.mute")
    await expect(page.get_by_role("button", name=t("family.call.unmute"), exact=True)).to_be_visible()
    await press(page, "family.call.camera_off")
    await expect(page.get_by_text(t("family.call.camera_is_off"))).to_be_visible()
    await press(page, "family.call.camera_on")
    await expect(page.get_by_text(t("family.call.camera_is_off"))).to_have_count(0)


async def test_a_message_of_the_officer_stays_until_it_is_read(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.say({"type": "warning", "warning_id": "w1", "warning": "language", "at": "2026-11-24T14:00:00Z"})
    await expect(page.get_by_text(t("common.message_from_officer"))).to_be_visible()
    assert (await fake.hear("warning.shown"))["warning_id"] == "w1"
    await press(page, "common.warning_read")
    await expect(page.get_by_text(t("common.message_from_officer"))).to_have_count(0)


@pytest.mark.feature("F51")
@pytest.mark.parametrize(
    ("hide", "show"),
    [
        (
            "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })",
            "delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))",
        ),
        (
            "document.body.style.cssText = 'margin-left: 200vw; overflow: hidden'",
            "document.body.style.cssText = ''",
        ),
    ],
    ids=["hidden", "out_of_view"],
)
async def test_a_message_is_receipted_only_once_it_is_presented(fake, sitting, hide, show):
    page = await in_call(fake, sitting)
    await page.evaluate(f"void ({{ do() {{ {hide} }} }}).do()")
    await fake.say({"type": "warning", "warning_id": "w1", "warning": "language", "at": "2026-11-24T14:00:00Z"})
    await expect(page.get_by_text(t("common.message_from_officer"))).to_have_count(1)
    await page.evaluate("new Promise((done) => setTimeout(done, 300))")  # eighteen frames, each of which might say so
    assert fake.of("warning.shown") == []
    await page.evaluate(f"void ({{ do() {{ {show} }} }}).do()")
    assert (await fake.hear("warning.shown"))["warning_id"] == "w1"


@pytest.mark.feature("F19")
async def test_ten_five_and_one_minutes_are_said_aloud_and_no_second_is(fake, sitting):
    page = await in_call(fake, sitting)
    aloud = page.locator("[aria-live=polite].visually-hidden")
    await expect(aloud).to_have_text("")
    for left in (10, 5, 1):
        soon = datetime.now(UTC) + timedelta(minutes=left, seconds=-20)
        await fake.say(visit("call", ends_at=soon.isoformat()))
        await expect(aloud).to_have_text(t("common.minutes_left", n=left))
    await expect(page.locator(".time-left.is-short")).to_be_visible()


async def test_the_whole_way_to_the_lobby_works_by_keys_alone(fake, sitting):
    fake.on_open = [visit("notice")]
    page = await sitting.open(f"{fake.origin}/visit#token", viewport={"width": 1280, "height": 800})
    await page.get_by_role("button").first.wait_for()

    async def enter(key: str) -> None:
        for _ in range(12):
            await page.keyboard.press("Tab")
            if t(key) in await focused(page):
                return await page.keyboard.press("Enter")
        raise AssertionError(f"no way by Tab to {key}")

    await enter("family.landing.start")
    await enter("family.notice.accept")
    await fake.hear("consent.accept")
    await fake.say(visit("check"))
    await heading(page, t("family.check.ask_title"))
    await enter("family.check.turn_on")
    await heading(page, t("family.check.title"))
    await enter("family.check.continue")
    await fake.hear("check.report")


async def test_each_new_screen_takes_the_focus_to_its_heading(fake, sitting):
    page = await in_call(fake, sitting)
    for name in ("paused by staff", "paused by a fault", "call", "reconnecting", "ended"):
        await fake.say(SCREENS[name])
        await heading(page, HEADINGS[name])
        await has_focus(page, HEADINGS[name])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_screen_breaks_a_rule_of_axe_or_is_wider_than_a_small_phone(fake, sitting, scheme):
    fake.on_open = [visit("notice")]
    page = await sitting.open(
        f"{fake.origin}/visit#token",
        viewport={"width": 320, "height": 640},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    found: dict[str, Any] = {}

    async def look(name: str) -> None:
        await page.get_by_role("heading", level=1).wait_for()
        if wrong := [*await axe_findings(page), *([f"{wider} px too wide"] if (wider := await overflow(page)) else [])]:
            found[name] = wrong

    await look("landing")
    await press(page, "family.landing.start")
    await look("notice")
    await fake.say(visit("check"))
    await heading(page, t("family.check.ask_title"))
    await look("before the check")
    await press(page, "family.check.turn_on")
    await heading(page, t("family.check.title"))
    await look("check")
    for name, message in SCREENS.items():
        await fake.say(message)
        await heading(page, HEADINGS[name])
        await look(name)
    assert found == {}


async def test_leaving_and_a_message_break_no_rule_of_axe(fake, sitting):
    page = await in_call(fake, sitting)
    await fake.say({"type": "warning", "warning_id": "w1", "warning": "language", "at": "2026-11-24T14:00:00Z"})
    await expect(page.get_by_text(t("common.message_from_officer"))).to_be_visible()
    assert await axe_findings(page) == []
    await press(page, "family.call.leave")
    assert await axe_findings(page) == []


async def test_every_sentence_comes_from_the_catalogue(sitting):
    broker = FakeBroker(language=PSEUDO)
    strange = catalogue(PSEUDO)
    async with served(broker) as fake:
        fake.on_open = [visit("notice")]
        page = await sitting.open(f"{fake.origin}/visit#token")
        await page.get_by_role("button", name=strange("family.landing.start")).click()
        found = await unmarked(page, data=["Daniel"])
        for message in SCREENS.values():
            await fake.say(message)
            await page.wait_for_timeout(50)
            found += await unmarked(page, data=["Daniel"])
        fake.redeem = (403, {"code": "link_invalid"})
        page = await sitting.open(f"{fake.origin}/visit#token")
        await page.get_by_role("heading", name=strange("family.closed.link_invalid.title")).wait_for()
        found += await unmarked(page)
    assert found == []


# --- devices ------------------------------------------------------------------


@pytest.mark.feature("F9")
async def test_a_blocked_camera_is_explained_and_nothing_is_reported_as_working(fake, launch):
    pages = Sitting(await launch(DEVICES[0], AUTOPLAY))
    fake.on_open = [visit("check")]
    page = await pages.open(f"{fake.origin}/visit#token", permissions=[])
    await press(page, "family.check.turn_on")
    await heading(page, t("family.device.blocked.title"))
    assert await axe_findings(page) == []
    report = await fake.hear("check.report")
    assert (report["camera"], report["microphone"]) == ("blocked", "blocked")
    assert len(fake.of("check.report")) == 1
    await pages.close()


async def test_where_there_is_no_camera_the_page_says_so(fake, launch):
    pages = Sitting(await launch(AUTOPLAY))
    fake.on_open = [visit("check")]
    page = await pages.open(f"{fake.origin}/visit#token")
    await press(page, "family.check.turn_on")
    await heading(page, t("family.device.none.title"))
    assert await page.get_by_text(t("family.device.use_test")).count() == 0
    await pages.close()


async def test_the_demo_stands_in_for_what_is_not_there_and_says_so(launch):
    pages = Sitting(await launch(AUTOPLAY))
    async with served(FakeBroker(demo=True)) as fake:
        fake.on_open = [visit("check")]
        page = await pages.open(f"{fake.origin}/visit#token")
        await press(page, "family.check.turn_on")
        await heading(page, t("family.check.title_test"))
        await expect(page.get_by_text(t("family.check.test_note"))).to_be_visible()
        await moves(page, ".self-check video")
        await press(page, "family.check.continue")
        report = await fake.hear("check.report")
        assert (report["camera"], report["microphone"]) == ("test_picture", "test_tone")
        await pages.close()


async def test_a_browser_that_wants_a_tap_before_sound_gets_a_button_for_it(fake, launch):
    pages = Sitting(await launch(*DEVICES))
    fake.on_open = [visit("call"), DANIEL]
    page = await pages.open(f"{fake.origin}/visit#token")
    await moves(page, FAR)
    playing = "[...document.querySelectorAll('audio')].map((sound) => !sound.paused)"
    if await page.evaluate(playing) != [True]:
        await press(page, "common.tap_to_hear")
        await page.wait_for_function(f"{playing}.every(Boolean)")
    await expect(page.get_by_role("button", name=t("common.tap_to_hear"))).to_have_count(0)
    await pages.close()


async def test_a_browser_without_calls_is_told_what_to_use(fake, sitting):
    page = await sitting.open("about:blank")
    await page.add_init_script("delete window.RTCPeerConnection")
    await page.goto(f"{fake.origin}/visit#token")

    await heading(page, t("family.unsupported.title"))
    assert await axe_findings(page) == []
