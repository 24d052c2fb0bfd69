"""The duty governor's page in Chromium, on no post: it learns by itself of a call whose monitor's console died."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from broker.domain.records import Grade, Role
from broker.engine.accounts import NewAccount
from broker.synthetic.caller import both
from broker.synthetic.staff import Monitor
from broker.synthetic.stage import ends_of
from broker.text import catalogue
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.flows.prison import PLACE, a_prison

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

t = catalogue("en")
PICTURES = os.environ.get("BROKER_TEST_PICTURES")  # a folder: keep what the page looks like
WITHIN_MS = 60_000
PASSWORD = "correct horse battery"
GOVERNOR = NewAccount("grace", "7001", "Grace Governor", Grade.GOVERNOR, PASSWORD, ((PLACE, Role.DUTY_GOVERNOR),))
DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@pytest.mark.feature("F40", "F74", "F98")
async def test_a_duty_governor_learns_at_once_that_nobody_watches_a_call_and_when_it_is_over(
    sitting: Sitting, tmp_path: Path
) -> None:
    async with a_prison(tmp_path, GOVERNOR) as prison, ends_of(prison.stage, prison.stage.cast.calls[0], 0) as ends:
        stage = prison.stage
        await both(ends.laptop, ends.family)
        await ends.media("media at both ends")
        page = await sitting.open(f"{prison.config.base_url}/sign-in", viewport=DESK, permissions=[])
        await page.get_by_label(t("staff.sign_in.username")).fill("grace")
        await page.get_by_label(t("staff.sign_in.password")).fill(PASSWORD)
        await page.get_by_role("button", name=t("staff.sign_in.button")).click()
        await page.get_by_role("link", name=t("staff.nav.duty")).click()
        await expect(page.get_by_text(t("duty.none"))).to_be_visible()
        await page.get_by_role("button", name=t("duty.sound")).click()
        await expect(page.get_by_role("button", name=t("duty.sound_on"))).to_be_disabled()

        await stage.monitor.go()
        alert = page.locator("[data-alert]").filter(has_text=t("alert.unmonitored"))
        await expect(alert).to_be_visible(timeout=WITHIN_MS)
        await expect(page).to_have_title(f"(1) {t('duty.title')} - {t('staff.service')} - {t('staff.official')}")
        await expect(page.locator(".duty-posts [data-state=lost]")).to_have_count(1)
        await expect(page.get_by_text(t("duty.calls", live=0, held=1, lobby=0))).to_be_visible(timeout=WITHIN_MS)
        for name, size in (("desk", DESK), ("phone", PHONE)):
            await page.set_viewport_size({"width": size["width"], "height": size["height"]})
            if PICTURES:
                await page.screenshot(path=str(Path(PICTURES) / f"duty-{name}.png"), full_page=True)
            assert await axe_findings(page) == []
            assert await overflow(page) <= 0

        async with Monitor(stage.site, stage.pacer, *stage.cast.monitor, stage.monitor.browser) as again:
            await again.sign_in()
            await again.take_post(PLACE)
            await again.connect_wall()
            await expect(alert).to_have_count(0, timeout=WITHIN_MS)
            await expect(page.get_by_text(t("duty.none"))).to_be_visible()

        await page.route("**/duty/now", lambda route: route.abort())
        await expect(page.get_by_role("alert")).to_have_text(t("duty.stale"), timeout=WITHIN_MS)
        await sitting.close()
