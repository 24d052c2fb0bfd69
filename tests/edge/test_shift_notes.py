"""Notes of a shift: written by its own person, on the record, read by whoever takes over."""

from __future__ import annotations

import html

import pytest

from broker.domain.records import Role
from tests.edge.wire import Wire, wire

pytestmark = pytest.mark.feature("F43")

NOTE = "Seat 3: <b>headset</b> worn out.\nThe family of 14:00 asks for an interpreter."


async def report_of(w: Wire, username: str) -> str:
    """Sign somebody in and return where their newest shift's report is."""
    await w.browser.sign_in("base", username)
    led = await w.browser.get("base", "/shifts/last")
    assert led.status == 200
    return "/shifts/" + led.text.partition('action="/shifts/')[2].partition('"')[0]


async def write(w: Wire, path: str, text: str, **more: str):
    csrf = (await w.browser.get("base", path)).csrf
    return await w.browser.post("base", path, {"csrf": csrf, "note": text, **more})


async def test_who_is_relieved_writes_notes_and_the_relief_on_post_and_the_next_to_sign_on_read_them() -> None:
    async with wire() as w:
        mona, rita = await w.on_post("mona", Role.MONITOR), await w.on_post("rita", Role.MONITOR)
        w.desk.clock.turn(60)
        await mona.done("handover.offer", number="HRD-RITA")
        offer = await rita.now("relief", lambda m: m["handover"] is not None)
        await rita.done("handover.accept", handover_id=offer["handover"]["id"])
        path = await report_of(w, "mona")
        saved = await write(w, path, NOTE)
        page = await w.browser.get("base", path)

        assert (saved.status, saved.headers["Location"]) == (303, path)
        assert html.escape(NOTE.splitlines()[0]) in page.text and "<b>headset" not in page.text
        assert "Seat 3" in (await w.browser.get("base", f"{path}.csv")).text
        told = await rita.now("relief", lambda m: bool(m["notes"]))
        assert [(note["name"], note["text"]) for note in told["notes"]] == [("Mona Moss", NOTE)]
        await w.desk.person("otto", "N-otto", Role.MONITOR, "HRD")
        otto = await w.staff("otto")
        stations = await otto.now("stations", lambda m: bool(m["stations"]))
        assert [note["text"] for note in stations["stations"][0]["notes"]] == [NOTE]
        noted = [e for e in await w.desk.log.read("establishment:HRD") if e.type == "shift.noted"]
        assert [(e.actor, e.body["text"]) for e in noted] == [("staff:HRD-MONA", NOTE)]


@pytest.mark.parametrize(
    "text",
    ["x" * 10_240, "left \u202eright", "bell \x07", "  "],
)
async def test_a_note_too_long_or_with_signs_that_hide_its_sense_is_given_back_and_not_kept(text: str) -> None:
    async with wire() as w:
        await w.on_post("mona", Role.MONITOR)
        path = await report_of(w, "mona")
        page = await write(w, path, text)

        assert (page.status, "govuk-error-message" in page.text) == (400, True)
        assert "shift.noted" not in w.desk.types("establishment:HRD")


async def test_nobody_notes_on_a_shift_that_is_not_their_own_nor_on_one_long_over() -> None:
    async with wire() as w:
        mona = await w.on_post("mona", Role.MONITOR)
        await mona.done("post.sign_off")
        path = await report_of(w, "mona")
        w.desk.clock.turn(13 * 3600)
        await w.browser.sign_in("base", "mona")
        late = await write(w, path, "Late.")
        await w.desk.person("ian", "5001", Role.DUTY_GOVERNOR)
        await w.browser.sign_in("base", "ian")
        page = await w.browser.get("base", path)
        foreign = await w.browser.post("base", path, {"csrf": page.csrf, "note": "Not mine."})

        assert late.status == 400
        assert (page.status, 'name="note"' in page.text, foreign.status) == (200, False, 403)
        assert "shift.noted" not in w.desk.types("establishment:HRD")


async def test_a_supervisor_is_told_no_notes_of_the_monitoring_post() -> None:
    async with wire() as w:
        await w.on_post("mona", Role.MONITOR)
        await write(w, await report_of(w, "mona"), NOTE)
        await w.desk.person("olga", "N-olga", Role.SUPERVISOR, "HRD")
        olga = await w.staff("olga", "hall")
        stations = await olga.now("stations", lambda m: bool(m["stations"]))

        assert [station["notes"] for station in stations["stations"]] == [[]]
