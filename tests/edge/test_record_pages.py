"""The record of a call and a monitor's shift: checked first, within the reader's reach, and the reading on record."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest

from broker.domain.codes import Outcome
from broker.domain.records import Role
from broker.text import catalogue
from tests.edge.wire import Live, Wire, wire

TODAY = "2026-11-24"


async def called(w: Wire) -> Live:
    live = await w.live_call()
    for _ in range(4):
        w.desk.clock.turn(5)
        await w.engine.renew()
        await live.prove()
    return live


async def reader(w: Wire, role: Role = Role.AUDITOR) -> None:
    await w.desk.person("ian", "5001", role)
    await w.browser.sign_in("base", "ian")


@pytest.mark.feature("F90")
async def test_a_call_is_found_by_day_prisoner_number_and_outcome() -> None:
    async with wire() as w:
        live = await called(w)
        await reader(w)
        form = {"csrf": (await w.browser.get("base", "/audit")).csrf, "date": TODAY}
        asked: tuple[dict[str, str], ...] = (
            {},
            {"prisoner": "a1234bc"},
            {"prisoner": "Z9"},
            {"outcome": Outcome.COMPLETED_NORMALLY},
        )
        pages = [await w.browser.post("base", "/audit", form | more) for more in asked]

        assert [f"/audit/calls/{live.visit.id}" in page.text for page in pages] == [True, True, False, False]


async def test_no_address_of_the_record_names_a_person_and_only_its_own_page_searches() -> None:
    async with wire() as w:
        live = await called(w)
        await reader(w)
        by_address = await w.browser.get("base", f"/audit?date={TODAY}&prisoner=Z9")
        foreign = await w.browser.post("base", "/audit", {"csrf": "0" * 64, "date": TODAY, "prisoner": "A1234BC"})

        assert f"/audit/calls/{live.visit.id}" in by_address.text
        assert 'method="get"' not in by_address.text
        assert foreign.status == 403


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_day_beyond_every_calendar_has_no_calls(day: str) -> None:
    async with wire() as w:
        await reader(w)

        assert (await w.browser.get("base", f"/audit?date={day}")).status == 200


@pytest.mark.feature("F54")
async def test_a_calls_record_is_checked_shown_whole_and_its_reading_is_on_record() -> None:
    async with wire() as w:
        live = await called(w)
        await live.monitor.done("call.pause", call_id=live.visit.id)
        await reader(w)
        page = await w.browser.get("base", f"/audit/calls/{live.visit.id}")
        text = html.unescape(page.text)

        assert "Verified" in text
        assert all(word in text for word in ("call.scheduled", "hold.placed", "Mona-Hrd Moss"))
        assert "Ian Moss" in text[text.index("Opened by") :]
        assert w.desk.types("establishment:HRD")[-1] == "record.opened"


async def test_a_changed_entry_is_named_before_anything_else() -> None:
    async with wire() as w:
        live = await called(w)
        stream = w.desk.log.entries[f"call:{live.visit.id}"]
        stream[3] = replace(stream[3], actor="staff:somebody")
        await reader(w)
        page = await w.browser.get("base", f"/audit/calls/{live.visit.id}")

        assert "Broken at entry 4" in page.text
        assert "Verified" not in page.text


async def test_what_cannot_be_recorded_as_read_is_not_shown() -> None:
    async with wire() as w:
        live = await called(w)
        await reader(w)
        append = w.desk.log.append

        async def full(stream, after_seq, events, rows=()):
            if any(event.type == "record.opened" for event in events):
                w.desk.log.down = True
            return await append(stream, after_seq, events, rows)

        w.desk.log.append = full  # type: ignore[method-assign]
        page = await w.browser.get("base", f"/audit/calls/{live.visit.id}")
        w.desk.log.down = False

        assert (page.status, "call.scheduled" in page.text) == (503, False)


@pytest.mark.feature("F98")
async def test_another_prisons_call_is_no_call_and_leaves_no_trace_there() -> None:
    async with wire() as w:
        others = await w.live_call("SKB", "B")
        await reader(w)
        before = w.desk.types("establishment:SKB")
        page = await w.browser.get("base", f"/audit/calls/{others.visit.id}")
        nobody = await w.browser.get("base", "/audit/calls/vnobody")

        assert (page.status, nobody.status) == (404, 404)
        assert w.desk.types("establishment:SKB") == before


@pytest.mark.feature("F98")
async def test_every_page_and_file_of_the_record_is_marked() -> None:
    async with wire() as w:
        live = await called(w)
        await reader(w)
        shift = await w.browser.get("base", "/shifts")
        session = shift.text.partition('href="/shifts/')[2].partition('"')[0]
        for path in ("/audit", f"/audit/calls/{live.visit.id}", "/shifts", f"/shifts/{session}"):
            page = await w.browser.get("base", path)
            assert (path, page.status, page.text.count('<p class="marking">OFFICIAL</p>')) == (path, 200, 2)
        for path in (f"/audit/calls/{live.visit.id}.csv", f"/shifts/{session}.csv"):
            table = await w.browser.get("base", path)
            assert table.text.startswith("OFFICIAL")
            assert 'filename="OFFICIAL-' in table.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("role", "audit", "shifts"),
    [(Role.AUDITOR, 200, 200), (Role.DUTY_GOVERNOR, 200, 200), (Role.MONITOR, 403, 200), (Role.BOOKING, 403, 403)],
)
async def test_who_may_read_the_record(role: Role, audit: int, shifts: int) -> None:
    async with wire() as w:
        await reader(w, role)

        assert (await w.browser.get("base", "/audit")).status == audit
        assert (await w.browser.get("base", "/shifts")).status == shifts


@pytest.mark.feature("F43")
async def test_a_shift_tells_what_its_person_did_from_sign_on_to_sign_off() -> None:
    async with wire() as w:
        live = await called(w)
        await live.monitor.done("call.warn", call_id=live.visit.id, warning="dress")
        w.desk.clock.turn(30)
        await live.monitor.done("post.sign_off")
        await w.browser.sign_in("base", "mona-hrd")
        listed = await w.browser.get("base", "/shifts")
        session = listed.text.partition('href="/shifts/')[2].partition('"')[0]
        page = await w.browser.get("base", f"/shifts/{session}")
        table = await w.browser.get("base", f"/shifts/{session}.csv")

        assert page.status == 200
        assert all(word in page.text for word in ("Hand-over report, Mona-Hrd Moss", "Warning", "dress"))
        rows = dict(line.split(",", 1) for line in table.text.splitlines() if line.count(",") == 1)
        assert (rows["calls"], rows["number"]) == ("1", "HRD-MONA-HRD")
        assert float(rows["watched_s"]) >= 20


@pytest.mark.parametrize("why", ["console_revoked", "console_expired"])
async def test_a_shift_that_ended_with_its_console_says_so(why: str) -> None:
    async with wire() as w:
        mona = await w.on_post("mona-hrd", Role.MONITOR)
        await w.engine.posts.leave(w.engine.presence.holders[0].session, why)
        await mona.of_type("post.left", why=why)
        await w.browser.sign_in("base", "mona-hrd")
        session = (await w.browser.get("base", "/shifts")).text.partition('href="/shifts/')[2].partition('"')[0]

        assert catalogue()(f"shift.why.{why}") in (await w.browser.get("base", f"/shifts/{session}")).text


async def test_a_monitor_reads_nobody_elses_shift() -> None:
    async with wire() as w:
        await called(w)
        await reader(w, Role.AUDITOR)
        session = (await w.browser.get("base", "/shifts")).text.partition('href="/shifts/')[2].partition('"')[0]
        await w.desk.person("other", "1009", Role.MONITOR)
        await w.browser.sign_in("base", "other")

        assert (await w.browser.get("base", f"/shifts/{session}")).status == 404
        assert "Mona" not in (await w.browser.get("base", "/shifts")).text
