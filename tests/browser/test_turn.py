"""Every chair behind a TURN server: a call whose pages may use nothing else, through a real coturn."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from broker.config import Config
from broker.media.local import own_addresses
from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, FAMILY_HZ, RED, all_seated, hears, sees, verify_both
from tests.browser.conftest import Sitting
from tests.flows.support import broker_in
from tests.turn import coturn_for

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

_RELAYED_ONLY = """
  const Real = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: "relay" });
      connections.push(this);
    }
  };"""

# Of the newest connection: what kind of candidate carries it, and over what the TURN server is reached.
_CARRIER = """async () => {
  const found = [...(await connections.at(-1).getStats()).values()];
  const by = (id) => found.find((one) => one.id === id);
  const local = by(by(found.find((one) => one.type === "transport").selectedCandidatePairId).localCandidateId);
  return [local.candidateType, local.relayProtocol];
}"""


async def carrier(page: Page) -> list[str]:
    """Return how the page's media travels."""
    answer: list[str] = await page.evaluate(_CARRIER)
    return answer


async def test_a_call_comes_up_where_pages_reach_a_turn_server_and_nothing_else(
    sitting: Sitting, tmp_path: Path
) -> None:
    sitting.scripts.append(_RELAYED_ONLY)
    (tmp_path / "coturn").mkdir()
    async with coturn_for(Config(), tmp_path / "coturn", own_addresses()) as coturn:
        told = {"turn_urls": coturn.config.turn_urls, "turn_secret": coturn.config.turn_secret}
        async with broker_in(tmp_path / "broker", **told) as broker, Site(broker.url) as site:
            chairs = await all_seated(sitting, site, await ask_for_calls(site, broker.credential, 1))
            await verify_both(chairs)
            await sees(chairs.family, ".far video", BLUE)
            await sees(chairs.laptop, ".far video", RED)
            await sees(chairs.monitor, f"video[data-leg='{chairs.call.prisoner_leg}']", BLUE)
            await hears(chairs.laptop, FAMILY_HZ)
            for page in (chairs.family, chairs.laptop, chairs.monitor):
                assert await carrier(page) == ["relay", "udp"]
            await sitting.close()
