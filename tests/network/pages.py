"""Unmodified Chromium at an end of a call: it talks to the relay through a proxy and tells what it measures itself."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Page

from broker.synthetic import picture, voice
from broker.synthetic.site import Site
from broker.synthetic.stage import Booked
from broker.text import catalogue
from tests.browser.conftest import AUTOPLAY, LOOPBACK, QUIET
from tests.network.proxy import UdpProxy

WATCH = (Path(__file__).parent / "watch.js").read_text()
LAUNCH = (*QUIET, LOOPBACK, AUTOPLAY)  # with what camera_and_microphone returns
WITHIN_MS = 60_000
LOOK_S = 0.1
MEDIA_S = 4
GRAIN = 4  # levels: what a webcam's sensor adds, so that the encoder has work as with a real picture
PERSON = 7

t = catalogue("en")


def camera_and_microphone(folder: Path) -> list[str]:
    """Write a person's picture (640×480, 15 fps) and voice to `folder` and return Chromium's flags that play them."""
    video, sound = folder / "person.y4m", folder / "person.wav"
    grain = np.random.default_rng(PERSON)
    with video.open("wb") as out:
        out.write(f"YUV4MPEG2 W640 H480 F{picture.FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for at in range(MEDIA_S * picture.FPS):
            out.write(b"FRAME\n" + _yuv(picture.draw(PERSON, at), grain))
    with wave.open(str(sound), "wb") as out_wave:
        out_wave.setnchannels(1)
        out_wave.setsampwidth(2)
        out_wave.setframerate(voice.RATE)
        out_wave.writeframes(voice.speak(PERSON).tobytes())
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
        f"--use-file-for-fake-audio-capture={sound}",
    ]


def _yuv(rgb: picture.Pixels, grain: np.random.Generator) -> bytes:
    """Return a picture of twice the size with grain, as planes of Y, U and V (BT.601, full range)."""
    r, g, b = (rgb[:, :, at].astype(np.float32) for at in range(3))
    y = (0.299 * r + 0.587 * g + 0.114 * b).repeat(2, axis=0).repeat(2, axis=1)
    y += grain.normal(0, GRAIN, y.shape).astype(np.float32)
    planes = (y, 128 - 0.169 * r - 0.331 * g + 0.5 * b, 128 + 0.5 * r - 0.419 * g - 0.081 * b)
    return b"".join(np.clip(plane, 0, 255).astype(np.uint8).tobytes() for plane in planes)


@dataclass(frozen=True, slots=True)
class PageEnds:
    """Both ends of a call as pages."""

    booked: Booked
    family: Page
    laptop: Page

    async def samples(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what the family's page and the laptop's page have measured so far."""
        return await samples_of(self.family), await samples_of(self.laptop)


async def samples_of(page: Page) -> list[dict[str, Any]]:
    """Return what a page has measured so far, five samples a second (see watch.js)."""
    found: list[dict[str, Any]] = await page.evaluate("networkSamples")
    return found


async def hears_and_sees(page: Page) -> None:
    """Wait until a page decodes the other end's picture and sound."""
    async with asyncio.timeout(WITHIN_MS / 1000):
        while not await page.evaluate(_DECODES):
            await asyncio.sleep(LOOK_S)


_DECODES = """() => {
  const last = networkSamples.at(-1);
  return Boolean(last?.video?.framesDecoded && last?.audio?.totalSamplesReceived);
}"""


@asynccontextmanager
async def page_ends(browser: Browser, site: Site, booked: Booked, via: UdpProxy | None) -> AsyncIterator[PageEnds]:
    """Open both pages of a call until both hear and see, the family's through `via`; both posts must be staffed."""
    async with laptop_page(browser, site, booked, None) as laptop, _page(browser, via) as family:
        await family.goto(f"{site.origin('family').text}/visit#{booked.family_token}")
        for key in ("family.landing.start", "family.notice.accept", "family.check.turn_on", "family.check.continue"):
            await family.get_by_role("button", name=t(key)).first.click(timeout=WITHIN_MS)
        await hears_and_sees(family)
        await hears_and_sees(laptop)
        yield PageEnds(booked, family, laptop)


@asynccontextmanager
async def laptop_page(browser: Browser, site: Site, booked: Booked, via: UdpProxy | None) -> AsyncIterator[Page]:
    """Open the page of a call's laptop, which finds the way to its seat by itself."""
    async with _page(browser, via) as page:
        await page.goto(f"{site.origin('laptop').text}/laptop#{booked.laptop_token}")
        yield page


@asynccontextmanager
async def _page(browser: Browser, via: UdpProxy | None) -> AsyncIterator[Page]:
    """An empty page in a profile of its own, whose media will go through `via`."""
    context = await browser.new_context(viewport={"width": 900, "height": 700}, permissions=["camera", "microphone"])
    try:
        page = await context.new_page()
        await page.expose_function("networkLead", via.rewrite if via is not None else lambda answer: answer)
        await page.add_init_script(f"({_SCRIPT})()")
        yield page
    finally:
        await context.close()


_SCRIPT = WATCH.strip().rstrip(";")
