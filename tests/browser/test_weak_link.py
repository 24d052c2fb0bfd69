"""A family whose line becomes too narrow for a picture: Chromium behind a bad network, in a real call."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from broker.synthetic.caller import Laptop
from broker.synthetic.people import person
from broker.synthetic.stage import Stage, both_posts
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import moves
from tests.flows.support import stage_in
from tests.network.impairment import CLEAR, Conditions
from tests.network.impairment import Path as NetworkPath
from tests.network.proxy import UdpProxy

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

t = catalogue("en")
FAR = ".far video"
WITHIN_MS = 40_000
NARROW = NetworkPath.steady(Conditions(rate_bps=110_000, queue_s=0.4, delay_s=0.02))  # the sound, and no picture

# The page's media goes where `lead` says, and its connections can be asked what they hear.
_LED = """
  const take = RTCPeerConnection.prototype.setRemoteDescription;
  window.connections = [];
  RTCPeerConnection.prototype.setRemoteDescription = async function (answer) {
    connections.push(this);
    return take.call(this, { type: answer.type, sdp: await lead(answer.sdp) });
  };"""

_SOUND = """async () => {
  const found = [...(await connections.at(-1).getStats()).values()];
  return found.find((one) => one.type === "inbound-rtp" && one.kind === "audio")?.packetsReceived ?? 0;
}"""


@dataclass(frozen=True, slots=True)
class Call:
    """A live call: the family's page, and the line that it is behind."""

    stage: Stage
    family: Page
    line: Line


class Line:
    """The network between the page and the relay, laid once the relay's answer tells where that is."""

    def __init__(self, open_here: AsyncExitStack) -> None:
        self._open_here = open_here
        self.proxy: UdpProxy | None = None

    async def lead(self, answer: str) -> str:
        """Return the relay's answer with this line's end in place of the relay's address."""
        if self.proxy is None:
            candidate = re.search(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer, re.MULTILINE)
            assert candidate is not None
            relay = (candidate[1], int(candidate[2]))
            self.proxy = await self._open_here.enter_async_context(UdpProxy(relay, seed=1))
        return self.proxy.rewrite(answer)

    def becomes(self, down: NetworkPath) -> None:
        """Treat what comes down the line so from now on."""
        assert self.proxy is not None
        self.proxy.impair(CLEAR, down)


@asynccontextmanager
async def call_behind_a_line(sitting: Sitting, folder: Path) -> AsyncIterator[Call]:
    """Bring a call to life with bots on both posts and at the seat, and a page for the family."""
    async with stage_in(folder) as stage, AsyncExitStack() as open_here:
        line = Line(open_here)
        booked = stage.cast.calls[0]
        await both_posts(stage)
        async with Laptop(stage.site, stage.pacer, booked.laptop_token, person(0)) as laptop:
            await laptop.arrive()
            page = await sitting.open("about:blank", viewport={"width": 900, "height": 700})
            await page.expose_function("lead", line.lead)
            await page.add_init_script(_LED)
            await page.goto(f"{stage.site.origin('family').text}/visit#{booked.family_token}")
            for step in ("landing.start", "notice.accept", "check.turn_on", "check.continue"):
                await page.get_by_role("button", name=t(f"family.{step}")).first.click(timeout=WITHIN_MS)
            await page.locator(FAR).wait_for(timeout=WITHIN_MS)
            await moves(page, FAR)
            yield Call(stage, page, line)
            await sitting.close()  # pages first: they would complain of a broker that goes


@pytest.mark.feature("F23", "F24")
async def test_a_line_too_narrow_for_a_picture_keeps_the_sound_says_so_and_brings_the_picture_back(
    sitting: Sitting, tmp_path: Path
) -> None:
    async with call_behind_a_line(sitting, tmp_path) as call:
        said = call.family.locator(".weak-link")
        call.line.becomes(NARROW)
        await expect(said).to_have_text(t("common.link.weak"), timeout=WITHIN_MS)
        await expect(call.family.locator(".far")).to_contain_text(t("common.link.sound_only"))
        assert await call.family.locator(FAR).count() == 0
        before = await call.family.evaluate(_SOUND)
        await call.family.wait_for_function(f"async () => (await ({_SOUND})()) > {before + 50}", timeout=WITHIN_MS)
        booked = call.stage.cast.calls[0]
        assert call.stage.monitor.phase(booked.call_id) == "live", "nobody is held for it"

        call.line.becomes(CLEAR)
        await expect(said).to_have_text(t("common.link.back"), timeout=WITHIN_MS)
        await moves(call.family, FAR)
