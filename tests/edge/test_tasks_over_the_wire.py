"""The tasks of one post over real sockets: who is told what, who is refused what, and what callers never hear."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broker.domain.records import Role
from tests.edge.wire import Live, Said, Talk, wire

HOSTILE = "<img src=x onerror=alert(1)> " + "<script>" * 20


async def entry_of(talk: Talk, kind: str, *set_fields: str, **values: object) -> Said:
    """Return an entry of a call's record, heard or to come, that has these fields and holds these values."""

    def wanted(message: Said) -> list[Said]:
        return [
            entry
            for entry in message.get("entries", [])
            if entry["kind"] == kind
            and all(entry[name] is not None for name in set_fields)
            and all(entry[name] == value for name, value in values.items())
        ]

    heard = next(filter(wanted, talk.heard), None) or await talk.until(lambda message: bool(wanted(message)))
    return wanted(heard)[0]


@pytest.mark.feature("F49", "F50", "F83")
async def test_notes_bookmarks_and_breaches_reach_the_monitoring_post_with_who_and_when_and_nobody_else() -> None:
    async with wire() as w:
        live = await w.live_call()
        call = {"call_id": live.visit.id}

        await live.monitor.done("call.note", **call, code="child", text=HOSTILE)
        note = await entry_of(live.monitor, "note")
        assert (note["by"], note["text"], note["code"]) == ("Mona-Hrd Moss", HOSTILE, "child")
        w.desk.clock.turn(5)
        await live.monitor.done("call.bookmark", **call)
        assert (await entry_of(live.monitor, "bookmark"))["clock_s"] == 5
        await live.monitor.done("call.breach", **call, category="dress", outcome="warned", text="Seen.")
        breach = await entry_of(live.monitor, "breach")
        await live.monitor.done("breach.withdraw", **call, breach_id=breach["id"])
        assert (await entry_of(live.monitor, "breach", withdrawn=True))["id"] == breach["id"]

        await live.monitor.done("call.pause", **call)  # the last word that all the others hear
        for talk in (live.family, live.laptop):
            await talk.of_type("visit", screen="paused")
        await live.supervisor.now("call", lambda m: bool(m["call"]["holds"]))
        for talk in (live.family, live.laptop, live.supervisor):
            assert "call.record" not in {message["type"] for message in talk.heard}
            assert "onerror" not in json.dumps(talk.heard)


@pytest.mark.feature("F49")
@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 10_000, "text_too_long"), ("a\u202eb", "text_controls"), ("\u0007", "text_controls"), ("", "text_missing")],
)
async def test_a_hostile_note_is_refused_with_a_reason_and_the_socket_stays(text: str, code: str) -> None:
    async with wire() as w:
        live = await w.live_call()

        assert await live.monitor.refusal("call.note", call_id=live.visit.id, code="other", text=text) == code
        await live.monitor.done("call.note", call_id=live.visit.id, code="other", text="Plain.")
        types = w.desk.types(f"call:{live.visit.id}")
        assert types.count("note.added") == 1


@pytest.mark.feature("F71")
async def test_the_line_between_the_posts_is_heard_at_both_and_never_by_a_caller() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("call.say", call_id=live.visit.id, text="Seat one, please look.")
        await live.supervisor.done("call.say", call_id=live.visit.id, text="Looking now.")

        for talk in (live.monitor, live.supervisor):
            assert (await entry_of(talk, "line", post="monitor"))["text"] == "Seat one, please look."
            assert (await entry_of(talk, "line", post="supervisor"))["text"] == "Looking now."
        await live.supervisor.done("call.pause", call_id=live.visit.id)
        for caller in (live.family, live.laptop):
            await caller.of_type("visit", screen="paused")
            assert not {"please look", "Looking"} & {
                word for word in ("please look", "Looking") if word in str(caller.heard)
            }
            assert "call.record" not in {message["type"] for message in caller.heard}
        assert w.desk.types(f"call:{live.visit.id}").count("line.said") == 2


@pytest.mark.feature("F69")
async def test_the_hall_is_asked_answers_and_closes_and_the_monitor_sees_each_state() -> None:
    async with wire() as w:
        live = await w.live_call()
        call = {"call_id": live.visit.id}
        await live.monitor.done("attend.request", **call, reason="unlisted_person")
        asked = await entry_of(live.supervisor, "attend")
        assert (asked["code"], asked["by"]) == ("unlisted_person", "Mona-Hrd Moss")

        await live.supervisor.done("attend.acknowledge", **call, attend_id=asked["id"])
        assert (await entry_of(live.monitor, "attend", "acknowledged_by"))["acknowledged_by"] == "Sam-Hrd Moss"
        await live.supervisor.done("attend.close", **call, attend_id=asked["id"], outcome="settled")
        assert await entry_of(live.monitor, "attend", outcome="settled")


@pytest.mark.feature("F69")
async def test_a_request_that_nobody_answers_is_an_alert_at_both_posts() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("attend.request", call_id=live.visit.id, reason="self_harm")
        w.desk.clock.turn(15)
        await w.engine.renew()
        await live.prove()
        for talk in (live.monitor, live.supervisor):
            assert (await talk.now("alert", lambda m: m["code"] == "attend_escalated"))["call_id"] == live.visit.id
            assert await entry_of(talk, "attend", "escalated_at")


@pytest.mark.feature("F51")
async def test_a_receipt_in_time_is_shown_a_missing_one_is_told_and_a_replayed_one_adds_nothing() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("call.warn", call_id=live.visit.id, warning="language")
        warning = (await live.family.of_type("warning"))["warning_id"]
        await live.family.say("warning.shown", warning_id=warning)
        await live.family.say("warning.shown", warning_id=warning)
        w.desk.clock.turn(1)
        state = await live.monitor.until(lambda m: m["type"] == "warning.state" and live.legs[1] in m["shown_by"])
        assert {one["leg_id"]: one["state"] for one in state["legs"]} == {
            live.legs[0]: "waiting",
            live.legs[1]: "shown",
        }

        w.desk.clock.turn(2)
        await live.prove()
        state = await live.monitor.until(lambda m: m["type"] == "warning.state" and m["legs"][0]["state"] == "missed")
        assert w.desk.types(f"call:{live.visit.id}").count("warning.displayed") == 1
        await live.laptop.say("warning.shown", warning_id=warning)
        await live.monitor.until(lambda m: m["type"] == "warning.state" and m["legs"][0]["state"] == "late")


@pytest.mark.feature("F51")
async def test_a_warning_given_again_goes_to_the_leg_that_missed_it_alone() -> None:
    async with wire() as w:
        live = await w.live_call()
        await live.monitor.done("call.warn", call_id=live.visit.id, warning="language", legs=[live.legs[0]])
        await live.laptop.of_type("warning")
        await live.monitor.done("call.pause", call_id=live.visit.id)
        await live.family.of_type("visit", screen="paused")
        assert "warning" not in {message["type"] for message in live.family.heard}


def exclusive(live: Live) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each task of one post: whose it is, the message, its values."""
    prisoner, family = live.legs
    return [
        ("monitor", "wall.focus", {}),
        ("monitor", "call.warn", {"warning": "final"}),
        ("monitor", "call.note", {"code": "other", "text": "x"}),
        ("monitor", "call.bookmark", {}),
        ("monitor", "call.breach", {"category": "dress", "outcome": "warned"}),
        ("monitor", "breach.withdraw", {"breach_id": "x1"}),
        ("monitor", "attend.request", {"reason": "other"}),
        ("monitor", "leg.verify", {"leg_id": family, "people": ["c1-HRD"], "version": 999}),
        ("monitor", "leg.refuse", {"leg_id": family}),
        ("supervisor", "attend.acknowledge", {"attend_id": "a1"}),
        ("supervisor", "attend.escalate", {"attend_id": "a1"}),
        ("supervisor", "attend.close", {"attend_id": "a1", "outcome": "settled"}),
        ("supervisor", "leg.verify", {"leg_id": prisoner, "people": ["A1234BC"], "version": 999}),
        ("supervisor", "leg.refuse", {"leg_id": prisoner}),
    ]


@pytest.mark.feature("F39")
async def test_each_task_of_one_post_is_refused_to_the_other_put_on_record_and_shown_to_whose_it_is() -> None:
    async with wire() as w:
        live = await w.live_call()
        for whose, kind, values in exclusive(live):
            asker, owner = (live.supervisor, live.monitor) if whose == "monitor" else (live.monitor, live.supervisor)
            assert (kind, await asker.refusal(kind, call_id=live.visit.id, **values)) == (kind, "not_your_post")
            assert await owner.now(
                "alert", lambda m: m["code"] == "denied_attempt"
            )  # one stands until it is dealt with
        denied = [entry for entry in w.desk.log.entries["establishment:HRD"] if entry.type == "denied"]
        assert len(denied) >= len({kind for _, kind, _ in exclusive(live)}) - 1


@pytest.mark.feature("F54")
async def test_a_clear_that_crosses_another_monitors_pause_is_refused_and_the_call_stays_silent() -> None:
    async with wire() as w:
        live = await w.live_call()
        relief = await w.on_post("rita", Role.MONITOR)
        first = (await live.monitor.done("call.pause", call_id=live.visit.id))["hold_id"]
        seen = live.seq()
        await relief.done("call.pause", call_id=live.visit.id)

        clear = {"call_id": live.visit.id, "hold_id": first}
        assert await live.monitor.refusal("hold.clear", **clear, version=seen) == "stale_version"
        await live.monitor.done("hold.clear", **clear, version=live.seq())
        assert w.plane.now_for(live.visit.id).routes == frozenset()


async def test_a_long_record_is_told_to_a_page_that_comes_back_without_flooding_it() -> None:
    async with wire() as w:
        live = await w.live_call()
        for number in range(120):
            w.desk.clock.turn(0.01)
            await live.monitor.done("call.note", call_id=live.visit.id, code="other", text=f"Note {number}.")
        relief = await w.on_post("rita", Role.MONITOR)

        told = [m for m in relief.heard if m["type"] == "call.record"]
        notes = [entry["text"] for message in told for entry in message["entries"] if entry["kind"] == "note"]
        assert notes == [f"Note {number}." for number in range(120)]
        assert len(told) == 3
