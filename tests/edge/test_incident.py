"""The draft of an incident: what it holds, whose it is, and that hostile text stays text."""

from __future__ import annotations

import html
import re
import typing
from enum import StrEnum

import pytest

from broker.domain.codec import TYPES
from broker.domain.records import Role
from broker.edge.incident import WORDS
from broker.text import catalogue
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
async def test_a_draft_words_every_code_of_the_last_minute_and_shows_no_name_of_the_record() -> None:
    async with wire() as w:
        live = await w.live_call()
        monitor = await on_post(w, "rita", Role.MONITOR)
        call = {"call_id": live.visit.id}
        await monitor.done("call.warn", **call, warning="dress")
        await live.family.done("leg.help")
        await monitor.done("call.end", **call, reason="security")
        page = await w.browser.get("monitor", f"/calls/{live.visit.id}/incident")
    assert page.status == 200
    events = html.unescape(page.text).partition("Events from")[2].partition("What I saw")[0]
    lines = [line.partition(": ")[2] for line in events.splitlines()[1:] if line]
    assert "warning given (Please make sure that everybody is properly dressed.)" in lines
    assert "asked for staff" in lines
    assert "call ended (Security, Ended by staff)" in lines
    assert not [line for line in lines if re.match(r"[a-z]+\.[a-z]+", line)]


def test_every_code_that_an_event_of_the_draft_carries_has_words() -> None:
    words, codes = catalogue(), ("warning", "reason", "category", "identity", "outcome")
    for name, event in TYPES.items():
        if f"incident.event.{name}" not in words:
            continue
        hints = typing.get_type_hints(event)
        kinds = {part for code in codes if code in hints for part in (hints[code], *typing.get_args(hints[code]))}
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                assert {f"{WORDS[kind]}.{value}" for value in kind} <= set(words)


@pytest.mark.feature("F84")
async def test_a_draft_is_the_monitoring_posts_own() -> None:
    async with wire() as w:
        live = await w.live_call()
        where = f"/calls/{live.visit.id}/incident"
        assert (await w.browser.get("monitor", where)).status == 303
        await on_post(w, "olga", Role.MONITOR, "SKB")
        assert (await w.browser.get("monitor", where)).status == 404
        assert (await w.browser.get("hall", where)).status == 404
