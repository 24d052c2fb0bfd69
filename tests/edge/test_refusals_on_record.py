"""What a socket of staff is refused is on record, whoever in the broker refuses it, and once."""

from __future__ import annotations

from typing import Any

import pytest

from broker.domain.records import Role
from tests.edge.post_pages import signed_in
from tests.edge.wire import Live, Wire, wire


async def denied(w: Wire) -> list[tuple[object, object, object]]:
    """Return every denial of the record: action, code, count."""
    records = await w.desk.log.read("establishment:HRD")
    return [(r.body["action"], r.body["code"], r.body["count"]) for r in records if r.type == "denied"]


async def flushed(w: Wire) -> list[tuple[object, object, object]]:
    """Return every denial of the record once repeats of its minute are in it too."""
    w.desk.clock.turn(61)
    await w.desk.office.denials.flush()
    return await denied(w)


async def privileged(live: Live) -> None:
    """Make the call a privileged one, as an authorising officer does."""
    w = live.wire
    await w.desk.person("gov", "HRD-gov", Role.DUTY_GOVERNOR)
    await signed_in(w, "gov", "base")
    where = f"/visits/{live.visit.id}"
    csrf = (await w.browser.get("base", f"{where}/authority")).csrf
    posted = await w.browser.post("base", f"{where}/privileged", {"csrf": csrf, "kind": "legal", "sure": "yes"})
    assert posted.status == 303


@pytest.mark.feature("F98")
@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("handover.offer", {"number": "HRD-nobody"}, "not_on_post"),
        ("handover.accept", {"handover_id": "r1"}, "unknown_handover"),
        ("monitoring.accept", {"establishment": "HRD"}, "unknown_transfer"),
        ("break.snooze", {}, "too_early"),
        ("attention.answer", {"check_id": "k1", "letter": "A"}, "wrong_phase"),
        ("alert.ack", {"alert_id": "a1"}, "unknown_alert"),
    ],
)
async def test_what_no_call_refuses_is_on_record_too(kind: str, values: dict[str, Any], code: str) -> None:
    async with wire() as w:
        mona = await w.on_post("mona", Role.MONITOR)
        before = await denied(w)
        assert await mona.refusal(kind, **values) == code
        assert (await flushed(w))[len(before) :] == [(kind, code, 1)]


@pytest.mark.feature("F98")
async def test_sound_and_looks_refused_of_a_privileged_call_are_on_record_once() -> None:
    async with wire() as w:
        live = await w.live_call()
        await privileged(live)
        before = await flushed(w)
        call = {"call_id": live.visit.id}
        assert await live.monitor.refusal("wall.focus", **call, sound=True) == "privileged"
        await live.family.done("look.refuse")
        assert await live.monitor.refusal("look.start", **call) == "looks_refused"
        assert (await flushed(w))[len(before) :] == [
            ("call.listen", "privileged", 1),
            ("look.start", "looks_refused", 1),
        ]
