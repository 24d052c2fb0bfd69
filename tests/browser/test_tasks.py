"""The tasks of one post in Chromium: keys and words by a stand-in, then warned and attended through the real broker."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from broker.domain.codes import Post
from broker.protocol import client, tasks
from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, WITHIN_MS, all_seated, sees, t, verify_both
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.flows.support import broker_in
from tests.web.support.fake_console import World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

PICTURES = os.environ.get("BROKER_TEST_PICTURES")
DESK, SMALL = {"width": 1920, "height": 1080}, {"width": 1366, "height": 768}
AT_200 = {"width": 683, "height": 384}  # what a window of 1366 × 768 has at 200 % zoom
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>' + " \u05d0\u05d1 " + "x" * 1800


async def keep(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"tasks-{name}.png"))


async def console(sitting: Sitting, origin: str, world: World, size: dict[str, int]) -> Page:
    """Open the console on its post."""
    page = await sitting.open(f"{origin}/monitor", viewport=size)
    await page.locator("input[name=guidance]").check()
    await page.locator("button[type=submit]").click()
    await expect(page.locator("[data-call]")).to_have_count(len(world.calls))
    return page


async def said(world: World, kind: type, page: Page) -> object:
    """Return the newest message of a kind, once the page has said one."""
    while not (found := [message for message in world.said if isinstance(message, kind)]):
        await page.wait_for_timeout(20)
    return found[-1]


def record(*entries: tasks.RecordPart, call_id: str = "v0000") -> list[tasks.RecordMessage]:
    return [tasks.RecordMessage(call_id=call_id, entries=list(entries))]


def attend(**more: object) -> tasks.RecordPart:
    now = datetime.now(UTC)
    told = {"id": "a1", "kind": "attend", "at": now, "by": "K. Adeyemi", "code": "unlisted_person"}
    return tasks.RecordPart.model_validate({**told, "until": now + timedelta(seconds=15), **more})


@pytest.mark.feature("F49", "F50", "F83", "F112")
@pytest.mark.parametrize("size", [DESK, SMALL])
async def test_note_bookmark_and_breach_by_keyboard_and_hostile_text_is_inert(sitting: Sitting, size) -> None:
    world = World(4)
    async with served(world) as origin:
        page = await console(sitting, origin, world, size)
        await page.keyboard.press("1")
        await page.keyboard.press("b")
        assert (await said(world, tasks.CallBookmark, page)).call_id == "v0000"
        await page.keyboard.press("n")
        await expect(page.locator("#note-text")).to_be_focused()
        await page.keyboard.insert_text("x" * 10_000)
        await expect(page.locator(".too-long")).to_have_text(t("monitor.task.too_long", n=8000))
        await expect(page.get_by_role("button", name=t("monitor.task.note.do"))).to_have_count(0)
        await page.keyboard.press("Control+a")
        await page.keyboard.insert_text(HOSTILE)
        await keep(page, f"note-{size['width']}")
        assert await axe_findings(page) == []
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        note = await said(world, tasks.CallNote, page)
        assert (note.text, note.code) == (HOSTILE, "observation")

        entry = tasks.RecordPart(
            id="n9", kind="note", at=datetime.now(UTC), by="K. Adeyemi", clock_s=61, code="child", text=HOSTILE
        )
        await world.tell(*record(entry))
        written = page.locator(".entry .written")
        await expect(written).to_have_text(HOSTILE)
        assert await page.locator(".entry img, .entry script").count() == 0
        await expect(page.locator(".entry")).to_contain_text("1:01")
        assert await overflow(page) == 0

        await page.get_by_role("button", name=t("monitor.task.breach"), exact=True).click()
        await page.locator("#breach-category").select_option("dress")
        await page.locator("#breach-outcome").select_option("warned")
        assert await axe_findings(page) == []
        await page.get_by_role("button", name=t("monitor.task.breach.do")).press("Enter")
        breach = await said(world, tasks.CallBreach, page)
        assert (breach.category, breach.outcome) == ("dress", "warned")
        await expect(page.locator("#breach-text")).to_have_count(0)


@pytest.mark.feature("F13", "F14", "F112")
@pytest.mark.parametrize("size", [DESK, SMALL])
async def test_a_family_is_checked_by_keyboard_alone_beside_its_photos_and_who_is_absent_is_left_out(
    sitting: Sitting, size: dict[str, int]
) -> None:
    world = World(4)
    world.photos = {"c3", "k3"}
    async with served(world) as origin:
        page = await console(sitting, origin, world, size)
        await page.keyboard.press("i")
        await expect(page.locator("#panel-title")).to_be_focused()
        photos = page.locator("img.photo")
        await expect(photos).to_have_count(2)
        await expect(photos.first).to_have_js_property("naturalWidth", 192)
        await expect(page.locator(".admit .closed")).to_contain_text(t("monitor.identity.short.document"))
        await keep(page, f"identity-open-{size['width']}")

        for keys in (
            ["Tab", "Tab", "Space"],
            ["Tab", "Space"],
            ["Tab", "Tab", "Space"],
        ):  # past "Close": name, face, licence
            for key in keys:
                await page.keyboard.press(key)
        await expect(page.locator(".person").first).to_have_attribute("data-ticked", "true")
        await expect(page.locator(".admit .closed")).to_contain_text("Mia Bell")
        for key in ("Tab", "Tab", "Tab", "Tab", "Tab", "Space"):  # past the third document and the child's three ticks
            await page.keyboard.press(key)
        await expect(page.locator(".person").nth(1)).to_have_attribute("data-absent", "true")
        assert (await axe_findings(page), await overflow(page)) == ([], 0)
        await keep(page, f"identity-{size['width']}")
        await page.get_by_role("checkbox").first.focus()
        await page.keyboard.press("Enter")
        verified = await said(world, client.LegVerify, page)
        assert (verified.people, [one.document for one in verified.checks]) == (["c3"], ["driving_licence"])


@pytest.mark.feature("F51")
async def test_an_end_that_did_not_show_a_warning_is_named_and_is_given_it_again_alone(sitting: Sitting) -> None:
    world = World(4)
    async with served(world) as origin:
        page = await console(sitting, origin, world, DESK)
        legs = [
            tasks.ReceiptPart(leg_id="v0000.1", state="shown", after_s=0.4),
            tasks.ReceiptPart(leg_id="v0000.2", state="missed"),
        ]
        at = datetime.now(UTC)
        told = {"call_id": "v0000", "warning_id": "w1", "warning": "dress", "at": at, "shown_by": ["v0000.1"]}
        await world.tell(tasks.WarningState.model_validate({**told, "legs": legs}))
        await expect(page.locator("[data-receipt=missed]")).to_have_text(
            t("monitor.receipt.missed", who=t("monitor.family"))
        )
        await keep(page, "receipts")
        await page.get_by_role("button", name=t("monitor.warn.again")).click()
        again = await said(world, client.CallWarn, page)
        assert (again.warning, again.legs) == ("dress", ["v0000.2"])


@pytest.mark.feature("F69", "F112")
@pytest.mark.parametrize("size", [SMALL, {"width": 1180, "height": 820}, AT_200])
async def test_the_hall_is_rung_for_and_answers_with_one_press_and_closes_with_an_outcome(
    sitting: Sitting, size
) -> None:
    world = World(4)
    async with served(world) as origin:
        page = await sitting.open(f"{origin}/hall", viewport=size)
        await page.locator("input[name=guidance]").check()
        await page.locator("button[type=submit]").click()
        await expect(page.locator("[data-seat]").first).to_be_visible()
        await world.tell(*record(attend()))
        takeover = page.get_by_role("alertdialog")
        await expect(takeover).to_contain_text(t("hall.attend.title", seat=1))
        await expect(takeover).to_contain_text(t("attend.unlisted_person"))
        await expect(page.get_by_role("button", name=t("hall.attend.going"))).to_be_focused()
        await keep(page, f"attend-{size['width']}")
        assert (await axe_findings(page), await overflow(page)) == ([], 0)
        await page.keyboard.press("Escape")
        await expect(takeover).to_be_visible()
        await page.keyboard.press("Enter")
        assert (await said(world, tasks.AttendAcknowledge, page)).attend_id == "a1"

        await world.tell(*record(attend(acknowledged_at=datetime.now(UTC), acknowledged_by="T. Okafor")))
        await expect(takeover).to_have_count(0)
        await page.get_by_role("button", name=t("attend_outcome.settled")).click()
        assert (await said(world, tasks.AttendClose, page)).outcome == "settled"


@pytest.mark.feature("F71")
async def test_a_line_is_written_in_the_hall_and_both_posts_lines_are_read_there(sitting: Sitting) -> None:
    world = World(4)
    async with served(world) as origin:
        page = await sitting.open(f"{origin}/hall", viewport=DESK)
        await page.locator("input[name=guidance]").check()
        await page.locator("button[type=submit]").click()
        await page.locator("[data-seat='1']").click()
        line = tasks.RecordPart(
            id="l1", kind="line", at=datetime.now(UTC), by="K. Adeyemi", post=Post.MONITOR, text=HOSTILE[:400]
        )
        await world.tell(*record(line))
        await expect(page.locator(".line-said .written")).to_have_text(HOSTILE[:400])
        assert await page.locator(".line-said img, .line-said script").count() == 0
        await page.locator("#hall-line").fill("Seat one is quiet.")
        await page.get_by_role("button", name=t("hall.line.do")).click()
        assert (await said(world, tasks.CallSay, page)).text == "Seat one is quiet."
        await expect(page.locator("#hall-line")).to_have_value("")
        assert await axe_findings(page) == []


@pytest.mark.feature("F51", "F69", "F71")
async def test_a_warning_and_an_attendance_across_the_pages_of_a_real_call(sitting: Sitting, tmp_path: Path) -> None:
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        chairs = await all_seated(sitting, site, await ask_for_calls(site, broker.credential, 1))
        monitor, hall = chairs.monitor, chairs.hall
        await verify_both(chairs)
        await sees(chairs.family, ".far video", BLUE)

        for key in ("1", "w", "5", "Enter"):
            await monitor.keyboard.press(key)
        await expect(chairs.family.get_by_text(t("warning.unlisted_person"))).to_be_visible(timeout=WITHIN_MS)
        await expect(monitor.locator("[data-receipt=shown]")).to_have_count(2, timeout=WITHIN_MS)
        await keep(monitor, "call-warned")

        await monitor.keyboard.press("h")
        await monitor.keyboard.press("1")
        await expect(hall.get_by_role("alertdialog")).to_be_visible(timeout=WITHIN_MS)
        await keep(hall, "call-attend")
        await hall.get_by_role("button", name=t("hall.attend.going")).click()
        entry = monitor.locator(".entry-attend")
        await expect(entry).to_contain_text("is going", timeout=WITHIN_MS)
        await hall.get_by_role("button", name=t("attend_outcome.no_issue")).first.click()
        await expect(entry).to_contain_text(t("attend_outcome.no_issue"), timeout=WITHIN_MS)
        await keep(monitor, "call-attended")
        await sitting.close()
