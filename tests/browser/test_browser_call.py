"""The browser call: Chromium plays family, laptop, console and hall at once, through the real broker and its relay.

The spine of the project, with tests/flows/test_supervised_call.py: never skipped, weakened or renamed.
Who is seen is told by colour (the family is red, the prisoner blue), who is heard by pitch; everything
between the made-up camera and the screen is real: encoder, DTLS, SRTP, relay, decoder.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from broker.media.local import own_addresses
from broker.synthetic.site import Site
from broker.synthetic.stage import Booked, Cast, ask_for_calls
from broker.text import catalogue
from tests.browser.conftest import AUTOPLAY, DEVICES, Sitting
from tests.browser.looks import axe_findings, colour_of
from tests.flows.support import broker_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

t = catalogue("en")
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the four chairs look like
WITHIN_MS = 60_000
RED, BLUE = (200, 30, 30), (30, 30, 200)
FAMILY_HZ, PRISONER_HZ = 440, 1000

# A person in front of the camera: one colour with a bar that moves, and one steady tone.
_PERSON = """([colour, hertz]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const pen = canvas.getContext("2d");
  let at = 0;
  const draw = () => {
    pen.fillStyle = `rgb(${colour})`; pen.fillRect(0, 0, 320, 240);
    pen.fillStyle = "#fff"; pen.fillRect((at += 4) % 320, 232, 12, 8);
  };
  draw(); setInterval(draw, 66);
  navigator.mediaDevices.getUserMedia = async () => {
    const sound = new AudioContext();
    const tone = new OscillatorNode(sound, { frequency: hertz });
    const out = sound.createMediaStreamDestination();
    tone.connect(out); tone.start(); await sound.resume();
    return new MediaStream([...canvas.captureStream(15).getTracks(), ...out.stream.getTracks()]);
  };
}"""

# Every pitch that stands out in what the page plays, in hertz; nothing where it is silent.
_HEARD = """async () => {
  const pitches = [];
  for (const element of document.querySelectorAll("audio, video")) {
    const tracks = element.srcObject?.getAudioTracks?.() ?? [];
    if (!tracks.length || element.muted) continue;
    const sound = new AudioContext();
    await sound.resume();
    const ear = new AnalyserNode(sound, { fftSize: 4096, smoothingTimeConstant: 0 });
    sound.createMediaStreamSource(new MediaStream(tracks)).connect(ear);
    await new Promise((done) => setTimeout(done, 400));
    const bins = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(bins);
    const loudest = bins.reduce((best, value, at) => (value > bins[best] ? at : best), 0);
    if (bins[loudest] > -60) pitches.push(Math.round((loudest * sound.sampleRate) / 4096));
    await sound.close();
  }
  return pitches.sort((one, other) => one - other);
}"""


@dataclass(frozen=True, slots=True)
class Chairs:
    """The four pages of one call."""

    family: Page
    laptop: Page
    monitor: Page
    hall: Page
    call: Booked


async def sit(sitting: Sitting, url: str, person: tuple[tuple[int, int, int], int]) -> Page:
    """Open a caller's page with that person in front of its camera."""
    page = await sitting.open("about:blank", viewport={"width": 900, "height": 700})
    colour, hertz = person
    await page.add_init_script(f"({_PERSON})([{list(colour)}, {hertz}])")
    await page.goto(url)
    return page


async def staff(sitting: Sitting, origin: str, account: tuple[str, str]) -> Page:
    """Sign in at a staff page and sign on to its post."""
    page = await sitting.open(f"{origin}/", viewport={"width": 1600, "height": 900}, permissions=[])
    await page.get_by_label(t("staff.sign_in.username")).fill(account[0])
    await page.get_by_label(t("staff.sign_in.password")).fill(account[1])
    await page.keyboard.press("Enter")
    await page.locator("main#main form button[type=submit]").click(timeout=WITHIN_MS)
    await expect(page.locator(".topbar")).to_be_visible(timeout=WITHIN_MS)
    return page


async def press(page: Page, key: str, **values: object) -> None:
    """Press the button that carries these words."""
    await page.get_by_role("button", name=t(key, **values)).first.click(timeout=WITHIN_MS)


@pytest_asyncio.fixture(loop_scope="session")
async def chairs(sitting: Sitting, tmp_path: Path) -> AsyncIterator[Chairs]:
    """Four chairs in one browser, both posts taken, both callers in the lobby; nobody is verified yet."""
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        cast = await ask_for_calls(site, broker.credential, 1)
        yield await all_seated(sitting, site, cast)
        await sitting.close()  # pages first: they would complain of a broker that goes


async def all_seated(sitting: Sitting, site: Site, cast: Cast) -> Chairs:
    """Open all four pages."""
    call = cast.calls[0]
    monitor = await staff(sitting, site.origin("monitor").text, cast.monitor)
    hall = await staff(sitting, site.origin("hall").text, cast.supervisor)
    laptop = await sit(sitting, f"{site.origin('laptop').text}/laptop#{call.laptop_token}", (BLUE, PRISONER_HZ))
    family = await sit(sitting, f"{site.origin('family').text}/visit#{call.family_token}", (RED, FAMILY_HZ))
    await press(family, "family.landing.start")
    await press(family, "family.notice.accept")
    await press(family, "family.check.turn_on")
    await press(family, "family.check.continue")
    return Chairs(family, laptop, monitor, hall, call)


async def sees(page: Page, selector: str, colour: tuple[int, int, int]) -> None:
    """Wait until a moving picture on the page has that colour."""
    async with asyncio.timeout(WITHIN_MS / 1000):
        while not near(await colour_of(page, selector), colour):
            await asyncio.sleep(0.1)


def near(seen: list[int] | None, sent: tuple[int, int, int]) -> bool:
    return seen is not None and all(abs(one - other) < 60 for one, other in zip(seen, sent, strict=True))


async def hears(page: Page, *hertz: int) -> None:
    """Wait until the page plays exactly these pitches."""
    heard: list[int] = []
    async with asyncio.timeout(WITHIN_MS / 1000):
        while len(heard) != len(hertz) or any(abs(a - b) > 25 for a, b in zip(heard, sorted(hertz), strict=True)):
            heard = await page.evaluate(_HEARD)


async def keep_pictures(chairs: Chairs, name: str) -> None:
    if PICTURES:
        for chair in ("family", "laptop", "monitor", "hall"):
            await getattr(chairs, chair).screenshot(path=str(Path(PICTURES) / f"call-{name}-{chair}.png"))


async def verify_both(chairs: Chairs) -> None:
    """The monitor ticks the family's people and admits them; the supervisor verifies the prisoner at the seat."""
    call_id = chairs.call.call_id
    await sees(chairs.monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)
    assert await chairs.monitor.locator(f"video[data-leg='{chairs.call.prisoner_leg}']").count() == 0
    await keep_pictures(chairs, "1-lobby")
    await (
        chairs.monitor.locator(f"[data-call='{call_id}']")
        .get_by_role("button", name=t("monitor.identity.check.short"))
        .first.click()
    )
    for box in await chairs.monitor.locator(".panel input[type=checkbox]").all():
        await box.check()
    await keep_pictures(chairs, "2-identity")
    await chairs.monitor.keyboard.press("Enter")
    await chairs.hall.locator("[data-state=verify]").first.click(timeout=WITHIN_MS)
    for box in await chairs.hall.locator(".seat-panel input[type=checkbox]").all():
        await box.check()
    await keep_pictures(chairs, "3-seat")
    await chairs.hall.locator(".seat-panel button.primary").click(timeout=WITHIN_MS)


@pytest.mark.feature("F1", "F13", "F17", "F34", "F44", "F46", "F52", "F53")
async def test_the_browser_call(chairs: Chairs) -> None:
    family, laptop, monitor, call = chairs.family, chairs.laptop, chairs.monitor, chairs.call
    await verify_both(chairs)

    await sees(family, ".far video", BLUE)
    await sees(laptop, ".far video", RED)
    await sees(monitor, f"video[data-leg='{call.prisoner_leg}']", BLUE)
    await sees(monitor, f"video[data-leg='{call.family_leg}']", RED)
    await hears(family, PRISONER_HZ)
    await hears(laptop, FAMILY_HZ)
    await hears(monitor)
    await keep_pictures(chairs, "4-live")
    await monitor.keyboard.press("1")
    await hears(monitor, FAMILY_HZ, PRISONER_HZ)
    await keep_pictures(chairs, "5-focus")

    await monitor.keyboard.press("p")
    for page in (family, laptop):
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            t("common.pause.staff.title"), timeout=WITHIN_MS
        )
        assert await page.locator("video, audio").count() == 0
    await hears(monitor)
    await keep_pictures(chairs, "6-paused")
    await monitor.keyboard.press("u")
    await sees(family, ".far video", BLUE)
    await hears(laptop, FAMILY_HZ)

    await end_in_the_hall(chairs.hall)
    for page in (family, laptop):
        await expect(page.locator("video, audio")).to_have_count(0, timeout=WITHIN_MS)
    await expect(family.get_by_role("heading", level=1)).to_contain_text("call", timeout=WITHIN_MS)
    await keep_pictures(chairs, "8-ended")


async def end_in_the_hall(hall: Page) -> None:
    """End from the open seat: asked twice, then the reason."""
    await press(hall, "hall.end")
    await press(hall, "hall.end.sure")
    await press(hall, "end.finished_early")


@pytest.mark.feature("F112")
async def test_the_four_chairs_have_nothing_that_axe_finds(chairs: Chairs) -> None:
    await verify_both(chairs)
    await sees(chairs.family, ".far video", BLUE)
    for page in (chairs.family, chairs.laptop, chairs.monitor, chairs.hall):
        assert await axe_findings(page) == []


@pytest.mark.feature("F1")
async def test_a_page_with_a_camera_connects_in_a_browser_as_people_have_it(launch: Any, tmp_path: Path) -> None:
    """Without the test's flag for loopback, a page with permission sends from the machine's own address alone."""
    assert len(own_addresses()) > 1, "a machine without a network shows nothing here"
    pages = Sitting(await launch(*DEVICES, AUTOPLAY, loopback=False))
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        chairs = await all_seated(pages, site, await ask_for_calls(site, broker.credential, 1))
        await verify_both(chairs)
        await sees(chairs.family, ".far video", BLUE)
        await sees(chairs.laptop, ".far video", RED)
        await pages.close()
