"""The draft of an incident: what it holds, whose it is, and that hostile text stays text."""

from __future__ import annotations

import html
import re

import pytest

from broker.domain.records import Role
from tests.edge.post_pages import on_post
from tests.edge.wire import wire

HOSTILE = "</textarea><script>alert(1)</script>"


@pytest.mark.feature("F84")
async def test_a_draft_holds_the_facts_what_was_written_and_the_last_minute_before_the_breach() -> None:
    async with wire() as w:
        live = await w.live_call()
        monitor = await on_post(w, "rita", Role.MONITOR)
        call = {"call_id": live.visit.id}
        await monitor.done("call.warn", **call, warning="dress")
        w.desk.clock.turn(90)
        await w.engine.renew()
        await monitor.done("call.pause", **call)
        await monitor.done("call.note", **call, code="child", text=HOSTILE)
        await monitor.done("call.breach", **call, category="dress", outcome="paused", text="Seen twice.")
        w.desk.clock.turn(5)
        await monitor.done("call.bookmark", **call)

        page = await w.browser.get("monitor", f"/calls/{live.visit.id}/incident")
        found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
        assert found
        text = html.unescape(found[1])
        assert page.status == 200
        assert "<script>alert" not in page.text
        for expected in (
            "OFFICIAL",
            "A1234BC",
            "MaryHRD",
            HOSTILE,
            "Dress. Paused Seen twice.",
            "media held",
            "Rita Moss",
        ):
            assert expected in text
        assert "warning given" not in text  # more than a minute before
        assert "moment marked" not in text  # after it


@pytest.mark.feature("F84")
async def test_a_draft_is_the_monitoring_posts_own() -> None:
    async with wire() as w:
        live = await w.live_call()
        where = f"/calls/{live.visit.id}/incident"
        assert (await w.browser.get("monitor", where)).status == 303
        await on_post(w, "olga", Role.MONITOR, "SKB")
        assert (await w.browser.get("monitor", where)).status == 404
        assert (await w.browser.get("hall", where)).status == 404
