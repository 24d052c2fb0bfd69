"""Unmodified Chromium over a bad line, through the proxy: sound goes on, and a new address is a moment's matter."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls, both_posts, staffed
from broker.synthetic.tasks import Tasks
from tests.browser.conftest import AUTOPLAY
from tests.flows.support import broker_in
from tests.network.bots import SystemHolds
from tests.network.pages import camera_and_microphone, page_ends, samples_of
from tests.network.profiles import PROFILES
from tests.network.proxy import UdpProxy

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

WITHIN_S = 30.0
SOUND = 3 * 48_000  # samples: three seconds of sound


@pytest.mark.feature("F23")
async def test_sound_and_picture_go_on_at_five_percent_loss_and_nobody_is_held(launch: Any, tmp_path: Path) -> None:
    browser = await launch(AUTOPLAY, *camera_and_microphone(tmp_path))
    profile, tasks = PROFILES["5 % loss"], Tasks()
    async with broker_in(tmp_path / "broker") as broker, Site(broker.url) as site, UdpProxy(seed=1) as proxy:
        cast = await ask_for_calls(site, broker.credential, 1)
        async with staffed(site, cast) as stage:
            await both_posts(stage)
            async with page_ends(browser, site, cast.calls[0], proxy) as ends:
                holds = SystemHolds(stage.monitor)
                tasks.start(holds.watch())
                proxy.impair(profile.up, profile.down)
                for page in (ends.family, ends.laptop):
                    await more_comes(page)
                assert proxy.up.lost
                assert proxy.down.lost
                assert holds.of([cast.calls[0].call_id]) == []
            await tasks.close()


async def more_comes(page: Page) -> None:
    """Wait until the page has played three more seconds of sound that was really sent, and shown more frames."""
    played, shown = await _counts(page)
    async with asyncio.timeout(WITHIN_S):
        while True:
            now_played, now_shown = await _counts(page)
            if now_played >= played + SOUND and now_shown > shown:
                return
            await asyncio.sleep(0.2)


async def _counts(page: Page) -> tuple[int, int]:
    last = (await samples_of(page))[-1]
    sound, picture = last.get("audio", {}), last.get("video", {})
    played = sound.get("totalSamplesReceived", 0) - sound.get("concealedSamples", 0)
    return played, picture.get("framesDecoded", 0)
