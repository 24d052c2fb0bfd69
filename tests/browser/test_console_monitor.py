"""The monitoring console in Chromium, against a stand-in broker that speaks broker/protocol; its pictures are drawn."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import AsyncIterator
from fractions import Fraction

import av
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from broker.domain.codes import Code, HoldKind, Post
from broker.protocol import client, server
from broker.text import PSEUDO, catalogue
from tests.browser.conftest import AUTOPLAY, DEVICES, LOOPBACK, QUIET, Sitting
from tests.browser.looks import axe_findings, has_focus, overflow
from tests.browser.pseudo import unmarked
from tests.browser.wall import DESK, Wall, on_post, signed_on
from tests.web.support.fake_console import DATA, World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
SMALL = {"width": 1280, "height": 720}


def shown(leg: client.ShownLeg) -> bool:
    """Say whether the page claims that it displays this picture or its placeholder."""
    moves = leg.line is None or (leg.frames > 0 and leg.advanced)
    return leg.unobscured and leg.ratio >= 0.95 and leg.width >= 96 and leg.height >= 54 and moves


def all_shown(proof: client.WallProof) -> bool:
    """Say whether every leg of every call is claimed as displayed."""
    return proof.visible and all(shown(leg) for tile in proof.tiles for leg in tile.legs)


def legs_of(proof: client.WallProof, call_id: str) -> list[client.ShownLeg]:
    """Return what a proof says of the legs of a call."""
    return next(tile.legs for tile in proof.tiles if tile.call_id == call_id)


def still(call_id: str, leg_id: str, n: int) -> server.StillMessage:
    """Return a grey still of a leg."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 180, "yuvj420p", Fraction(1)
    frame = av.VideoFrame(320, 180, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts = 0
    jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    return server.StillMessage(call_id=call_id, leg_id=leg_id, n=n, jpeg=b64encode(jpeg).decode())


@pytest_asyncio.fixture(loop_scope="session")
async def wall(sitting: Sitting) -> AsyncIterator[Wall]:
    """A wall of four calls, the last of them in the lobby."""
    world = World(4)
    async with served(world) as origin:
        yield await on_post(sitting, origin, world, DESK)


@pytest.mark.feature("F44")
@pytest.mark.parametrize(("calls", "viewport"), [(1, SMALL), (4, SMALL), (9, SMALL), (16, SMALL), (20, DESK)])
async def test_every_call_is_on_the_page_and_in_the_proof_in_every_layout(sitting, calls, viewport):
    world = World(calls)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, viewport)
        for choice in (None, "1", "16"):
            if choice:
                await wall.page.locator(".layouts button").get_by_text(choice, exact=True).click()
            proof = await wall.proves(all_shown)
            assert {f"v{number:04}" for number in range(calls)} == {tile.call_id for tile in proof.tiles}
            await expect(wall.page.locator("[data-call]")).to_have_count(calls)
        await wall.press("1")
        await expect(wall.page.locator(".focus")).to_be_visible()
        assert len((await wall.proves(all_shown)).tiles) == calls


@pytest.mark.feature("F44", "F112")
@pytest.mark.parametrize("zoom", [1.25, 2, 4])
async def test_at_any_zoom_the_strip_has_every_call_in_sight_wherever_the_page_is_scrolled(
    chromium_path, tmp_path, zoom
):
    """The browser's own zoom, as a person sets it: a profile whose default it is (level = log(zoom) to base 1.2)."""
    profile = tmp_path / "Default"
    profile.mkdir()
    level = {"partition": {"default_zoom_level": {"x": math.log(zoom, 1.2)}}}
    (profile / "Preferences").write_text(json.dumps(level))
    world = World(16)
    args = [*QUIET, *DEVICES, AUTOPLAY, LOOPBACK, "--window-size=1366,768"]
    async with served(world) as origin, async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium_path, args=args, no_viewport=True
        )
        page = context.pages[0]
        await page.goto(f"{origin}/monitor")
        wall = await signed_on(page, world)
        assert len((await wall.proves(all_shown)).tiles) == 16
        await page.locator("[data-tile='v0004']").first.click()
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        assert len((await wall.proves(all_shown)).tiles) == 16
        assert await overflow(page) <= 0
        await context.close()


@pytest.mark.feature("F44", "F45")
async def test_a_page_is_turned_by_key_and_button_and_the_strip_marks_what_the_grid_shows(sitting):
    world = World(6)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await wall.page.locator(".layouts button").get_by_text("4", exact=True).click()
        grid, marks = wall.page.locator(".tile[data-call]"), wall.page.locator("[data-mark]")
        await expect(grid).to_have_count(4)
        await expect(marks).to_have_count(4)
        await wall.press("PageDown")
        await expect(grid).to_have_count(2)
        await expect(wall.page.locator(".pages")).to_contain_text(t("monitor.pages.of", n=2, of=2))
        await wall.page.get_by_label(t("monitor.pages.back")).click()
        await expect(grid).to_have_count(4)
        assert await wall.proves(all_shown)


async def test_a_tile_keeps_its_place_when_others_end_and_come(wall):
    await expect(wall.page.locator(".tile")).to_have_count(4)
    wall.world.calls["v0000"].update(phase="ended", holds=[], outcome="COMPLETED_NORMALLY")
    await wall.world.changed("v0000")
    await expect(wall.tile(0)).to_contain_text(t("monitor.ended"))
    order = await wall.page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.call)")
    assert order == ["v0000", "v0001", "v0002", "v0003"]


@pytest.mark.feature("F44")
async def test_the_counts_agree_with_the_wall(wall):
    counts = wall.page.locator(".counts dd")
    await expect(counts).to_have_text(["3", "1", "0", "4", "0", "0"])
    wall.world.hold("v0001", HoldKind.TECHNICAL, Post.SUPERVISOR)
    wall.world.proof_age = {"v0000": 6.0}
    await wall.world.changed("v0001")
    await expect(counts).to_have_text(["3", "1", "1", "4", "2 (1 yours)", "1"])
    await expect(wall.page.locator(".tile[data-look=unwatched]")).to_have_count(1)
    await expect(wall.page.locator(".tile[data-look=technical]")).to_have_count(1)


@pytest.mark.feature("F24", "F77")
async def test_each_leg_tells_how_its_link_does_and_where_it_is_sound_only_while_its_picture_stays_on_the_wall(wall):
    one, other = (leg["id"] for leg in wall.world.calls["v0000"]["legs"])
    wall.world.health = {one: "poor"}
    wall.world.sound_only = {other}
    healths = wall.tile(0).locator(".health")
    await expect(healths.filter(has_text=t("health.poor"))).to_have_count(1)
    await expect(healths.filter(has_text=t("health.sound_only"))).to_have_count(1)
    await expect(wall.tile(0).locator(".health[data-weak=true]")).to_have_count(2)
    assert await wall.proves(all_shown)
    await expect(wall.tile(0).locator(f"video[data-leg='{other}'][data-moving=true]")).to_have_count(1)


async def test_no_prisoner_is_shown_before_the_check_and_the_family_is(wall):
    lobby = wall.tile(3)
    await expect(lobby.locator("video")).to_have_count(1)
    await expect(lobby).to_contain_text(t("monitor.picture.not_before_check"))


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        (
            "document.body.append(Object.assign(document.createElement('div'), { id: 'lid' })) || "
            "(document.getElementById('lid').style.cssText = "
            "'position:fixed;left:0;top:100px;width:700px;height:300px;background:#000')",
            "document.getElementById('lid').remove()",
        ),
        ("document.querySelector('.grid').style.opacity = 0.1", "document.querySelector('.grid').style.opacity = ''"),
        ("window.peerStopped = true", "window.peerStopped = false"),
    ],
    ids=["covered", "faint", "stopped"],
)
async def test_what_is_not_displayed_is_not_claimed(wall, change, undo):
    await wall.proves(all_shown)
    await wall.page.evaluate(f"void ({change})")
    if "peerStopped" in change:
        proof = await wall.proves(lambda one: any(leg.line is None for leg in one.tiles[0].legs))
        assert all(leg.frames == 0 for leg in proof.tiles[0].legs)
    else:
        await wall.proves(lambda one: not all_shown(one))
        await expect(wall.page.locator(".keyline-proof")).to_have_attribute("data-bad", "true")
    await wall.page.evaluate(f"void ({undo})")
    await wall.proves(all_shown)


@pytest.mark.feature("F44")
async def test_without_news_nothing_is_claimed_and_the_counts_are_withdrawn(wall):
    await wall.proves(all_shown)
    wall.world.silent = True
    await wall.proves(lambda proof: not proof.visible)
    await expect(wall.page.locator(".counts")).to_have_count(0)
    await expect(wall.page.locator(".old").first).to_have_text(t("monitor.old_picture"))
    wall.world.silent = False
    await wall.proves(all_shown)
    await expect(wall.page.locator(".counts")).to_have_count(1)


@pytest.mark.feature("F45")
async def test_a_leg_beyond_the_lines_is_seen_by_stills_under_their_numbers_until_they_are_old(wall):
    wall.world.without_line = {"v0001.2"}
    await wall.world.tell(wall.world.lines(), still("v0001", "v0001.2", 1))
    picture = wall.tile(1).locator("img")
    await expect(picture).to_have_js_property("naturalWidth", 320)
    await wall.proves(lambda proof: legs_of(proof, "v0001")[1].still == 1)
    await wall.world.tell(still("v0001", "v0001.2", 2))
    proof = await wall.proves(lambda proof: legs_of(proof, "v0001")[1].still == 2)
    assert (legs_of(proof, "v0001")[1].line, legs_of(proof, "v0001")[1].unobscured) == (None, True)
    await wall.proves(lambda proof: legs_of(proof, "v0001")[1].still is None)
    await expect(picture).to_have_count(0)


@pytest.mark.feature("F54")
async def test_pause_acts_on_one_key_asks_the_reason_after_and_covers_no_other_call(wall):
    await wall.press("ArrowRight", "p")
    assert (await wall.says(client.CallPause)).call_id == "v0001"
    await expect(wall.tile(1)).to_have_attribute("data-look", "security")
    await expect(wall.page.get_by_role("button", name=t("monitor.pause.undo"))).to_be_focused()
    await wall.proves(all_shown)
    await wall.press("6")
    assert (await wall.says(client.HoldReason)).reason == "welfare"
    await expect(wall.page.locator(".panel .chosen")).to_be_visible()
    await wall.press("r")
    cleared = await wall.says(client.HoldClear)
    assert (cleared.call_id, cleared.version) == ("v0001", wall.world.calls["v0001"]["seq"] - 1)
    await expect(wall.tile(1)).to_have_attribute("data-look", "calm")


async def test_a_pause_is_undone_within_its_seconds_and_made_technical_within_the_minute(wall):
    await wall.press("p")
    await expect(wall.tile(0)).to_have_attribute("data-look", "security")  # else "calm" is still that from before
    await wall.press("u")
    await wall.says(client.HoldUndo)
    await expect(wall.tile(0)).to_have_attribute("data-look", "calm")
    await wall.press("p", "t")
    await wall.says(client.HoldRelabel)
    await expect(wall.tile(0)).to_have_attribute("data-look", "technical")
    await wall.press("r")
    await expect(wall.page.locator("[aria-live]")).to_have_text(t("monitor.clear.not_yours"))
    assert wall.of(client.HoldClear) == []


@pytest.mark.feature("F53")
async def test_an_end_takes_two_steps_and_a_reason(wall):
    await wall.press("e", "1")
    await expect(wall.page.get_by_role("button", name=t("monitor.end.keep"))).to_be_visible()
    assert wall.of(client.CallEnd) == []
    await wall.page.get_by_role("button", name=t("monitor.end.sure")).click()
    await wall.press("2")
    ended = await wall.says(client.CallEnd)
    assert (ended.call_id, ended.reason) == ("v0000", "conduct")
    await expect(wall.tile(0)).to_contain_text(t("monitor.ended"))


async def test_e_held_down_is_the_first_step(wall):
    await wall.page.keyboard.down("e")
    await expect(wall.page.get_by_role("heading", name=t("monitor.end.why"))).to_be_visible()
    await wall.page.keyboard.up("e")
    assert wall.of(client.CallEnd) == []


@pytest.mark.feature("F13")
async def test_the_family_is_admitted_only_when_everyone_is_ticked(wall):
    await wall.press("i")
    await expect(wall.page.locator(".focus")).to_have_attribute("data-call", "v0003")
    await wall.press("Enter")
    await expect(wall.page.locator(".panel .closed")).to_be_visible()
    assert wall.of(client.LegVerify) == []
    for box in await wall.page.get_by_role("checkbox").all():
        await box.press("Space")
    await expect(wall.page.locator(".panel .closed")).to_contain_text(t("monitor.identity.short.document"))
    await wall.page.get_by_role("button", name=t("document.driving_licence")).press("Space")
    await wall.page.get_by_role("checkbox").first.focus()
    await wall.press("Enter")
    verified = await wall.says(client.LegVerify)
    assert (verified.call_id, verified.people) == ("v0003", ["c3", "k3"])
    assert [one.document for one in verified.checks] == ["driving_licence", "with_adult"]
    await expect(wall.page.locator(".focus")).to_have_count(0)


@pytest.mark.feature("F13")
async def test_a_family_is_refused_in_two_steps_with_a_reason_and_enter_admits_nobody_between_them(wall):
    await wall.press("i")
    await wall.page.get_by_role("button", name=t("monitor.identity.refuse")).click()
    await has_focus(wall.page, t("monitor.identity.refuse_why"))
    await wall.press("Enter")
    await wall.page.get_by_role("button", name=t("monitor.identity.keep")).click()
    await wall.page.get_by_role("button", name=t("monitor.identity.refuse")).click()
    assert (wall.of(client.LegRefuse), wall.of(client.LegVerify)) == ([], [])
    await wall.press("2")
    refused = await wall.says(client.LegRefuse)
    assert (refused.call_id, refused.reason) == ("v0003", "photo_differs")


@pytest.mark.feature("F46")
async def test_one_call_is_heard_while_it_is_in_focus_and_none_on_the_wall(wall):
    await wall.press("2")
    assert (await wall.says(client.WallFocus)).call_id == "v0001"
    heard = wall.page.locator("audio[data-open=true]")
    await expect(heard).to_have_count(2)
    assert await heard.evaluate_all("all => all.every((one) => one.dataset.leg.startsWith('v0001') && !one.muted)")
    await wall.press("Escape")
    assert (await wall.says(client.WallFocus, 2)).call_id is None
    await expect(heard).to_have_count(0)


async def test_a_warning_is_chosen_and_confirmed_by_keys(wall):
    await wall.press("w", "3", "Enter")
    warned = await wall.says(client.CallWarn)
    assert (warned.call_id, warned.warning) == ("v0000", "stay_in_view")


async def test_a_refused_command_is_worded_and_covers_no_picture(wall):
    wall.world.refuse_next = Code.STALE_VERSION
    await wall.press("p")
    await expect(wall.page.get_by_role("alert").filter(has_text=t("refused.stale_version"))).to_be_visible()
    await wall.proves(all_shown)


async def test_a_lost_socket_comes_back_to_the_post_by_itself(wall):
    await wall.says(client.PostSignOn)
    for socket in [*wall.world.sockets]:
        await socket.close()
    await wall.says(client.PostSignOn, 2)
    await wall.proves(all_shown)
    await expect(wall.page.locator(".tile")).to_have_count(4)


async def test_single_letters_can_be_turned_off(wall):
    await wall.press("?")
    await wall.page.get_by_role("button", name=t("monitor.keys.letters")).click()
    await wall.press("Escape", "p")
    await wall.press("Enter")
    await expect(wall.page.locator(".focus")).to_be_visible()
    assert wall.of(client.CallPause) == []


SCREENS = {
    "wall": [],
    "focus": ["2"],
    "pause": ["p"],
    "warn": ["w", "1"],
    "end": ["e"],
    "identity": ["i"],
    "keys": ["?"],
}


@pytest.mark.feature("F98")
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_no_screen_has_an_axe_violation_and_each_is_marked_official(wall, scheme):
    await wall.page.evaluate(f"document.documentElement.dataset.scheme = '{scheme}'")
    wall.world.hold("v0001", HoldKind.TECHNICAL, Post.SUPERVISOR)
    wall.world.hold("v0002", HoldKind.UNMONITORED, None)
    await wall.world.changed("v0001")
    await wall.world.changed("v0002")
    for name, keys in SCREENS.items():
        await wall.press("Escape", "Escape", *keys)
        assert (name, await axe_findings(wall.page)) == (name, [])
        marks = wall.page.get_by_text(t("console.official"), exact=True)
        assert (name, await marks.count()) == (name, 2)


_BEYOND = """() => [...document.querySelectorAll(".topbar > *, .rail, .tile, .cell, .focus, .panel, .keyline > *")]
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5
    || part.getBoundingClientRect().bottom > innerHeight + 0.5 && !part.closest(".rail"))
  .map((part) => part.className)"""


@pytest.mark.parametrize("viewport", [SMALL, DESK])
async def test_nothing_stands_beyond_the_window_on_any_screen(sitting, viewport):
    world = World(4)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, viewport)
        for name, keys in SCREENS.items():
            await wall.press("Escape", "Escape", *keys)
            assert (name, await wall.page.evaluate(_BEYOND), await overflow(wall.page)) == (name, [], 0)
        world.silent = True
        await expect(wall.page.locator(".count-stale")).to_be_visible()
        assert await wall.page.evaluate(_BEYOND) == []


async def test_every_sentence_comes_from_the_catalogue(sitting):
    world = World(4)
    async with served(world, PSEUDO) as origin:
        page = await sitting.open(f"{origin}/monitor", viewport=DESK)
        await expect(page.locator("button[type=submit]")).to_be_visible()
        assert await unmarked(page, data=DATA) == []
        await page.locator("input[name=guidance]").check()
        await page.locator("button[type=submit]").click()
        wall = Wall(page, world)
        await expect(page.locator(".topbar")).to_be_visible()
        for name, keys in SCREENS.items():
            await wall.press("Escape", "Escape", *keys)
            assert (name, await unmarked(page, data=DATA)) == (name, [])
