"""Enrolment in Chromium: refused with what to do, enrolled by a press, on post, and off it with the console."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from broker.domain.records import Grade, Role
from broker.engine.accounts import NewAccount
from broker.synthetic.site import Site
from tests.browser.chairs import WITHIN_MS, t
from tests.browser.conftest import Sitting
from tests.browser.looks import axe_findings, overflow
from tests.flows.support import PLACE, broker_in, command, console_code

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

PICTURES = os.environ.get("BROKER_TEST_PICTURES")
DESK = {"width": 1366, "height": 768}
PASSWORD = "correct horse battery"
AMY = NewAccount("amy", "1001", "Amy Moss", Grade.OSG, PASSWORD, ((PLACE, Role.MONITOR),))


async def looked_at(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"enrol-{name}.png"), full_page=True)
    assert await axe_findings(page) == []
    assert await overflow(page) <= 0


async def sign_in(page: Page) -> None:
    await page.get_by_label(t("staff.sign_in.username")).fill("amy")
    await page.get_by_label(t("staff.sign_in.password")).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("input[name=guidance]")).to_be_visible(timeout=WITHIN_MS)


async def ask_for_the_post(page: Page) -> None:
    await expect(page.get_by_role("button", name=t("console.sign_on.do.monitor"))).to_be_visible(timeout=WITHIN_MS)
    for box in await page.locator("input[name=guidance]").all():  # once it was agreed to, it is not asked again
        await box.check()
    await page.get_by_role("button", name=t("console.sign_on.do.monitor")).click()


async def test_a_browser_is_refused_then_enrolled_then_on_post_until_its_console_is_revoked(
    sitting: Sitting, tmp_path: Path
) -> None:
    async with broker_in(tmp_path) as broker, Site(broker.url) as site:
        await broker.office.accounts.add(AMY, "test")
        origin = site.origin("monitor").text
        page = await sitting.open(f"{origin}/", viewport=DESK, permissions=[])
        await sign_in(page)
        await expect(page.get_by_text(t("refused.console_not_enrolled"))).to_be_visible()
        await looked_at(page, "1-not-enrolled")
        await ask_for_the_post(page)
        await expect(page.get_by_role("heading", name=t("console.sign_on.refused.monitor"))).to_be_visible()
        await expect(page.get_by_text(t("refused.console_not_enrolled"))).to_be_visible()
        await expect(page.get_by_text(t("console.sign_on.way.console"))).to_be_visible()
        await looked_at(page, "2-refused")

        code = await console_code(broker.office, "WS-0007")
        await page.goto(f"{origin}/enrol#{code}")
        button = page.get_by_role("button", name=t("enrol.do"))
        await expect(button).to_be_visible()
        assert code not in page.url
        await expect(page.locator(".govuk-error-message:visible")).to_have_count(0)
        await looked_at(page, "3-enrol")
        await button.click()
        await expect(page.get_by_text("WS-0007")).to_be_visible(timeout=WITHIN_MS)
        await looked_at(page, "4-enrolled")
        await ask_for_the_post(page)
        await expect(page.locator(".topbar")).to_be_visible(timeout=WITHIN_MS)

        copied = [one for one in await page.context.cookies() if one["name"] in ("__Host-staff", "__Host-profile")]
        other = await sitting.open("about:blank", viewport=DESK, permissions=[])
        await other.context.add_cookies(copied)  # type: ignore[arg-type]
        await other.goto(f"{origin}/monitor")
        await expect(other.get_by_text(t("refused.console_not_enrolled"))).to_be_visible(timeout=WITHIN_MS)
        await ask_for_the_post(other)
        await expect(other.get_by_role("heading", name=t("console.sign_on.refused.monitor"))).to_be_visible()
        await other.goto(f"{origin}/enrol#{code}")
        await other.get_by_role("button", name=t("enrol.do")).click()
        await expect(other.locator(".govuk-error-message:visible")).to_have_text(t("enrol.unknown"))
        await other.close()

        assert await (await command(broker.config, "console", "revoke", PLACE, "WS-0007")).wait() == 0
        told = page.get_by_role("alert").filter(has_text=t("console.left.console_revoked", time="@").split("@")[0])
        await expect(told).to_be_visible(timeout=WITHIN_MS)
        await expect(page.get_by_text(t("refused.console_revoked"))).to_be_visible()
        await looked_at(page, "5-revoked")
        await sitting.close()
