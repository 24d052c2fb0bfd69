"""A legal call in Chromium: a padlock on the wall, a look that both ends are told of, a refusal, a patrol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from broker.synthetic.site import Site
from broker.synthetic.stage import ask_for_calls
from tests.browser.chairs import BLUE, RED, WITHIN_MS, Chairs, all_seated, hears, keep_pictures, press, sees, t
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.flows.support import broker_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(loop_scope="session")
async def chairs(sitting: Sitting, tmp_path: Path) -> AsyncIterator[Chairs]:
    """Four chairs of one legal call; nobody is verified yet."""
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        yield await all_seated(sitting, site, await ask_for_calls(site, broker.credential, 1, "legal"))
        await sitting.close()


async def verified(chairs: Chairs) -> None:
    """The monitor looks, ticks and admits; the supervisor verifies the prisoner at the seat."""
    monitor, hall = chairs.monitor, chairs.hall
    await expect(monitor.locator(".padlock").first).to_be_visible(timeout=WITHIN_MS)
    await (
        monitor.locator(f"[data-call='{chairs.call.call_id}']")
        .get_by_role("button", name=t("monitor.identity.check.short"))
        .first.click(timeout=WITHIN_MS)
    )
    await monitor.locator("#panel-title").focus()
    await monitor.keyboard.press("v")
    await sees(monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)
    for box in await monitor.locator(".panel input[type=checkbox]").all():
        await box.check()
    for seen in await monitor.locator(".panel [data-document=passport]").all():
        await seen.click()
    await monitor.locator("#panel-title").focus()
    await monitor.keyboard.press("Enter")
    await hall.locator("[data-state=verify]").first.click(timeout=WITHIN_MS)
    for box in await hall.locator(".seat-panel input[type=checkbox]").all():
        await box.check()
    await hall.locator(".seat-panel button.primary").last.click(timeout=WITHIN_MS)


@pytest.mark.feature("F63", "F64", "F65", "F66")
async def test_a_legal_call_is_looked_at_and_never_heard_until_the_caller_refuses(chairs: Chairs) -> None:
    family, laptop, monitor, hall = chairs.family, chairs.laptop, chairs.monitor, chairs.hall
    await verified(chairs)
    await sees(family, ".far video", BLUE)
    await expect(monitor.locator(".padlock").first).to_be_visible(timeout=WITHIN_MS)
    await keep_pictures(chairs, "legal-1-padlock")

    await monitor.keyboard.press("1")
    await expect(monitor.locator(".privileged")).to_contain_text(t("monitor.privileged.no_sound"), timeout=WITHIN_MS)
    await monitor.keyboard.press("v")
    for page in (family, laptop):
        await expect(page.locator(".looks.is-looking")).to_contain_text(t("common.looks.now"), timeout=WITHIN_MS)
    await sees(monitor, f"video[data-leg='{chairs.call.family_leg}']", RED)
    await hears(monitor)
    await keep_pictures(chairs, "legal-2-look")
    await monitor.set_viewport_size({"width": 1366, "height": 768})
    assert await overflow(monitor) == 0
    for page in (family, laptop, monitor):
        assert await axe_findings(page) == []

    await press(family, "common.looks.refuse")
    await press(family, "common.looks.refuse_yes")
    for page in (family, laptop):
        await expect(page.locator(".looks")).to_contain_text(t("common.looks.refused"), timeout=WITHIN_MS)
    await expect(monitor.locator(".padlock[data-patrol=true]").first).to_be_visible(timeout=WITHIN_MS)
    assert await monitor.locator("video").count() == 0
    await press(hall, "hall.patrol.log", seat=1)
    await expect(hall.locator(".seat-panel")).to_contain_text(t("patrol.refused"), timeout=WITHIN_MS)
    await keep_pictures(chairs, "legal-3-patrol")
