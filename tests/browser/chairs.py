"""The four chairs of one call in Chromium: opened, seated, verified; and what a page shows and plays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect

from broker.synthetic.site import Site
from broker.synthetic.stage import Booked, Cast
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import colour_of

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


async def staff(sitting: Sitting, origin: str, account: Sequence[str]) -> Page:
    """Sign in at a staff page and sign on to its post; a third word of `account` enrols the browser first."""
    page = await sitting.open("about:blank", viewport={"width": 1600, "height": 900}, permissions=[])
    if len(account) > 2:
        await page.goto(f"{origin}/enrol#{account[2]}")
        await page.get_by_role("button", name=t("enrol.do")).click()
    else:
        await page.goto(f"{origin}/")
    await page.get_by_label(t("staff.sign_in.username")).fill(account[0])
    await page.get_by_label(t("staff.sign_in.password")).fill(account[1])
    await page.keyboard.press("Enter")
    await page.locator("input[name=guidance]").check(timeout=WITHIN_MS)
    await page.locator("main#main form button[type=submit]").click(timeout=WITHIN_MS)
    await expect(page.locator(".topbar")).to_be_visible(timeout=WITHIN_MS)
    return page


async def press(page: Page, key: str, **values: object) -> None:
    """Press the button that carries these words."""
    await page.get_by_role("button", name=t(key, **values)).first.click(timeout=WITHIN_MS)


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
    for seen in await chairs.monitor.locator(".panel [data-document=passport]").all():
        await seen.click()
    await chairs.monitor.locator("#panel-title").focus()
    await keep_pictures(chairs, "2-identity")
    await chairs.monitor.keyboard.press("Enter")
    await chairs.hall.locator("[data-state=verify]").first.click(timeout=WITHIN_MS)
    for box in await chairs.hall.locator(".seat-panel input[type=checkbox]").all():
        await box.check()
    await keep_pictures(chairs, "3-seat")
    await chairs.hall.locator(".seat-panel button.primary").click(timeout=WITHIN_MS)


async def end_in_the_hall(hall: Page) -> None:
    """End from the open seat: asked twice, then the reason."""
    await press(hall, "hall.end")
    await press(hall, "hall.end.sure")
    await press(hall, "end.finished_early")
