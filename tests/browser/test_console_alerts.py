"""The alert list in Chromium: order, keys, filter, taking and closing, what is said once, and a hundred of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from broker.domain.alerts import RULES
from broker.domain.codes import AlertCode
from broker.protocol import client
from broker.protocol.alerts import Alert, LossHistory, LossPart
from broker.text import catalogue
from tests.browser.looks import axe_findings
from tests.browser.wall import DESK, Wall, on_post
from tests.web.support.fake_console import World, served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

t = catalogue("en")
AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def alert(id: str, code: str = "link_elsewhere", **more: Any) -> Alert:
    """Return an alert of the first call, a minute old for each that was made before."""
    made = {
        "id": id,
        "code": code,
        "level": "warn",
        "state": "open",
        "clears": RULES[AlertCode(code)].clears,
        "at": AT,
        "establishment": "HDN",
        "call_id": "v0000",
    }
    return Alert.model_validate({**made, **more})


@pytest_asyncio.fixture(loop_scope="session")
async def wall(sitting) -> AsyncIterator[Wall]:
    world = World(4)
    async with served(world) as origin:
        yield await on_post(sitting, origin, world, DESK)


def row(wall: Wall, code: str) -> Any:
    return wall.page.locator(f".rail [data-alert={code}]")


@pytest.mark.feature("F75")
async def test_an_alert_stands_with_its_time_text_whose_it_is_and_is_counted_on_its_tile_and_in_the_top_bar(wall):
    await wall.world.tell(alert("a1", post="monitor"), alert("a2", "help", post="supervisor", leg_id="v0000.1"))
    await expect(row(wall, "link_elsewhere")).to_contain_text(t("alert.link_elsewhere"))
    await expect(row(wall, "help")).to_contain_text(t("monitor.alerts.whose.supervisor"))
    await expect(row(wall, "help").get_by_role("button")).to_have_count(1)  # look: the other post's is not taken here
    await expect(wall.tile(0).locator(".alert-count b")).to_have_text("2")
    await expect(wall.tile(1).locator(".alert-count")).to_have_count(0)
    await expect(wall.page.locator(".counts")).to_contain_text(t("monitor.count.alerts.of", open=2, mine=1))


@pytest.mark.feature("F75")
async def test_who_looks_has_taken_it_and_who_closes_it_is_named(wall):
    await wall.world.tell(alert("a1", post="monitor"))
    await expect(row(wall, "link_elsewhere")).to_be_visible()
    await wall.press("a")
    await expect(row(wall, "link_elsewhere")).to_have_attribute("aria-current", "true")
    await wall.press("Enter")
    assert (await wall.says(client.AlertAck)).alert_id == "a1"
    await expect(wall.page.locator(".focus")).to_be_visible()
    taken = {"post": "monitor", "state": "acknowledged", "acked_by": "K. Adeyemi", "acked_at": AT}
    await wall.world.tell(alert("a1", **taken))
    await expect(row(wall, "link_elsewhere")).to_contain_text("K. Adeyemi")
    await row(wall, "link_elsewhere").get_by_role("button", name=t("monitor.alerts.done")).click()
    closed = await wall.says(client.AlertClear)
    assert (closed.alert_id, closed.outcome) == ("a1", "dealt")
    ended = {"state": "cleared", "cleared_by": "K. Adeyemi", "cleared_at": AT, "outcome": "dealt"}
    await wall.world.tell(alert("a1", **{**taken, **ended}))
    await expect(row(wall, "link_elsewhere")).to_have_count(0)
    await wall.page.get_by_role("button", name=t("monitor.alerts.filter.done")).first.click()
    await expect(row(wall, "link_elsewhere")).to_contain_text(
        t("monitor.alerts.done_by", name="K. Adeyemi", time="14:00:00")
    )


@pytest.mark.feature("F78")
async def test_advice_says_that_it_is_advice_and_may_be_called_a_false_alarm_at_once(wall):
    await wall.world.tell(alert("a1", "faces_more", post="monitor", leg_id="v0000.2"))
    await expect(row(wall, "faces_more")).to_contain_text("Advice only")
    await row(wall, "faces_more").get_by_role("button", name=t("monitor.alerts.no_issue")).click()
    assert (await wall.says(client.AlertClear)).outcome == "no_issue"


@pytest.mark.feature("F75")
async def test_the_list_is_filtered_by_whose_and_by_kind(wall):
    await wall.world.tell(alert("a1"), alert("a2", "help", post="supervisor"), alert("a3", "no_show"))
    await expect(wall.page.locator(".rail [data-alert]")).to_have_count(3)
    await wall.page.get_by_role("button", name=t("monitor.alerts.filter.mine")).click()
    await expect(wall.page.locator(".rail [data-alert]")).to_have_count(2)
    await wall.page.get_by_label(t("monitor.alerts.kind")).select_option("no_show")
    await expect(wall.page.locator(".rail [data-alert]")).to_have_count(1)


@pytest.mark.feature("F74")
async def test_an_urgent_alert_is_said_once_by_a_screen_reader_and_others_are_not(wall):
    said = wall.page.locator(".alerts [role=alert]")
    await wall.world.tell(alert("a1"))
    await expect(row(wall, "link_elsewhere")).to_be_visible()
    await expect(said).to_have_text("")
    await wall.world.tell(alert("a2", "unwatched", level="urgent", post="monitor"))
    await expect(said).to_contain_text(t("alert.unwatched"))
    await wall.world.tell(alert("a3", "unsupervised", level="urgent", call_id="v0001"))
    await expect(said).to_contain_text(t("alert.unsupervised"))
    await expect(said).not_to_contain_text(t("alert.unwatched"))


@pytest.mark.feature("F77")
async def test_focus_shows_a_quarter_of_an_hour_of_each_link_in_three_bands_and_in_words(wall):
    await wall.press("1")
    percent = [None] * 60 + [0] * 60 + [12] * 40 + [30] * 20
    legs = [LossPart(leg_id=f"v0000.{n}", percent=percent) for n in (1, 2)]
    await wall.world.tell(LossHistory(call_id="v0000", every_s=5, until=datetime.now(UTC), legs=legs))
    graph = wall.page.locator(".losses figure").last
    await expect(graph.locator(".band-high")).to_have_count(20)
    await expect(graph.locator(".band-middle")).to_have_count(40)
    await expect(graph).to_contain_text("15 % or more for 20")
    await wall.press("Escape", "2")
    await expect(wall.page.locator(".losses")).to_have_count(0)


@pytest.mark.feature("F75")
async def test_a_hundred_alerts_of_sixteen_calls_are_all_there_and_pass_the_accessibility_rules(sitting):
    world = World(16)
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        levels = ("urgent", "warn", "low", "info")
        for n in range(100):
            code = "unwatched" if n % 4 == 0 else "link_elsewhere"
            at = AT - timedelta(seconds=n)
            await world.tell(alert(f"a{n}", code, level=levels[n % 4], call_id=f"v{n % 16:04}", at=at, post="monitor"))
        await expect(wall.page.locator(".rail [data-alert]")).to_have_count(100, timeout=30_000)
        await wall.press("a", "a", "a")
        await expect(wall.page.locator(".rail [aria-current=true]")).to_have_count(1)
        assert await axe_findings(wall.page) == []


@pytest.mark.feature("F78")
async def test_a_covered_camera_is_advised_and_nothing_is_said_where_detectors_are_off(sitting):
    world = World(3)
    world.calls["v0000"]["detectors"] = True
    async with served(world) as origin:
        wall = await on_post(sitting, origin, world, DESK)
        await expect(wall.page.locator("video[data-leg='v0000.2'][data-moving=true]")).to_have_count(1)
        black = "function () { this.fillRect(0, 0, 32, 18); }"  # what a lens under a lid gives
        await wall.page.evaluate(f"() => {{ OffscreenCanvasRenderingContext2D.prototype.drawImage = {black} }}")
        advice = await wall.says(client.Advice)
        assert (advice.call_id, advice.code) == ("v0000", "covered")
        assert {one.call_id for one in world.said if isinstance(one, client.Advice)} == {"v0000"}
