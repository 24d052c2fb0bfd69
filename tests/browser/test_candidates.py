"""A page's own candidates are of no use to the relay, so names under `.local` (RFC 8828) delay nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.media.local import own_addresses
from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import RED, WITHIN_MS, all_seated, sees
from tests.browser.conftest import AUTOPLAY, DEVICES, Sitting
from tests.flows.support import broker_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

# Keeps what each connection offers, which candidates it gathers, and when it had the answer and was connected.
_KEEP = """
  const Real = RTCPeerConnection;
  window.kept = { offers: [], candidates: [], answered: 0, connected: 0 };
  window.RTCPeerConnection = class extends Real {
    constructor(...options) {
      super(...options);
      this.addEventListener("icecandidate", ({ candidate }) => candidate && kept.candidates.push(candidate.address));
      this.addEventListener("connectionstatechange", () => {
        if (this.connectionState === "connected") kept.connected = performance.now();
      });
    }
    async createOffer(...options) {
      const offer = await super.createOffer(...options);
      kept.offers.push(offer.sdp);
      return offer;
    }
    setRemoteDescription(description) {
      kept.answered = performance.now();
      return super.setRemoteDescription(description);
    }
  };"""


async def test_a_page_whose_addresses_are_hidden_connects(launch: Any, tmp_path: Path) -> None:
    """The wall has no camera, so no permission: Chromium hides its addresses behind names that nobody can look up."""
    assert len(own_addresses()) > 1, "a machine without a network shows nothing here"
    pages = Sitting(await launch(*DEVICES, AUTOPLAY, loopback=False))
    pages.scripts.append(_KEEP)
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        chairs = await all_seated(pages, site, await ask_for_calls(site, broker.credential, 1))
        await sees(chairs.monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)
        await chairs.monitor.wait_for_function("kept.connected > 0 && kept.candidates.length > 0", timeout=WITHIN_MS)
        kept = await chairs.monitor.evaluate("kept")
        await pages.close()
    assert all(address.endswith(".local") for address in kept["candidates"])
    assert all("a=candidate" not in offer for offer in kept["offers"]), (
        "the relay is told of none, so it waits for none"
    )
    print(f"\nfrom the answer to connected: {kept['connected'] - kept['answered']:.0f} ms")
