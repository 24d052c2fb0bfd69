"""The page of figures: the same numbers as the record's own report, within the person's reach, marked OFFICIAL."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from broker.domain.records import Role
from broker.domain.report import Asked
from broker.engine.figures import Figures, as_csv
from tests.edge.wire import Live, Wire, wire
from tests.office import ZONE

TODAY = "?from=2026-11-24&to=2026-11-24"


async def called(w: Wire) -> Live:
    """A call of ours that was live for twenty seconds."""
    live = await w.live_call()
    for _ in range(4):
        w.desk.clock.turn(5)
        await w.engine.renew()
        await live.prove()
    return live


async def governor(w: Wire, role: Role = Role.DUTY_GOVERNOR) -> None:
    await w.desk.person("grace", "7001", role)
    await w.browser.sign_in("base", "grace")


@pytest.mark.feature("F82")
async def test_the_page_shows_what_the_record_comes_to_and_the_csv_is_the_command_lines() -> None:
    async with wire() as w:
        await called(w)
        await governor(w)
        page = await w.browser.get("base", f"/figures{TODAY}")
        table = await w.browser.get("base", f"/figures.csv{TODAY}")
        reader = Figures(w.desk.log, w.desk.directory, w.desk.clock, ZONE)
        start = w.desk.clock.now().astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        found = await reader.report(Asked(start, start + timedelta(days=1), frozenset({"HRD"})))

        assert found.figures["calls"] == 1
        assert found.figures["two_post_pct"] == 100
        assert table.text.replace("\r", "") == as_csv(found.as_rows(), "OFFICIAL").replace("\r", "")
        values = re.findall(r'figure-value">\s*([^<]*?)\s*<', html.unescape(page.text))
        assert values[0] == "1"
        assert values[2] == "100 %"
        assert "No gap: both posts were proven" in page.text


@pytest.mark.feature("F43")
async def test_a_gap_stands_on_the_page_by_name_and_second() -> None:
    async with wire() as w:
        live = await called(w)
        for _ in range(8):
            w.desk.clock.turn(5)
            await w.engine.renew()
            await live.supervisor.say("presence", n=9, heard=w.desk.clock.now().isoformat(), visible=True)
            await live.supervisor.ask("media.offer", sdp="nothing=1")
            await w.tick()
        await governor(w)
        page = await w.browser.get("base", f"/figures{TODAY}")

        assert "Mona-Hrd Moss" in page.text
        assert re.search(r"2026-11-24 12:0\d:\d\d", page.text)
        assert "Held after 15" in html.unescape(page.text) or "Held after 2" in html.unescape(page.text)


@pytest.mark.feature("F98")
async def test_the_page_the_file_and_its_name_are_marked() -> None:
    async with wire() as w:
        await governor(w)
        page = await w.browser.get("base", f"/figures{TODAY}")
        table = await w.browser.get("base", f"/figures.csv{TODAY}")

        assert page.text.count('<p class="marking">OFFICIAL</p>') == 2
        assert "OFFICIAL</title>" in page.text
        assert table.text.startswith("OFFICIAL")
        assert 'filename="OFFICIAL-figures-2026-11-24-2026-11-24.csv"' in table.headers["Content-Disposition"]


@pytest.mark.parametrize(("role", "status"), [(Role.DUTY_GOVERNOR, 200), (Role.AUDITOR, 200), (Role.BOOKING, 403)])
async def test_figures_are_for_those_who_answer_for_them(role: Role, status: int) -> None:
    async with wire() as w:
        await governor(w, role)

        assert (await w.browser.get("base", "/figures")).status == status
        assert (await w.browser.get("base", "/figures.csv")).status == status


async def test_a_monitor_reads_the_figures_of_their_own_scope_while_on_post_and_not_after() -> None:
    async with wire() as w:
        live = await called(w)
        await w.browser.sign_in("base", "mona-hrd")
        on_post = await w.browser.get("base", f"/figures{TODAY}")
        await live.monitor.done("post.sign_off")
        after = await w.browser.get("base", f"/figures{TODAY}")

        assert (on_post.status, after.status) == (200, 403)


async def test_an_establishment_that_is_not_theirs_is_no_choice_and_counts_for_nothing() -> None:
    async with wire() as w:
        await w.live_call("SKB", "B")
        await governor(w)
        page = await w.browser.get("base", f"/figures{TODAY}&place=SKB&monitor=SKB-MONA-SKB")

        assert not [word for word in ("Stoke", "B1234BC", "Mona-Skb") if word in page.text]
        assert re.findall(r'figure-value">\s*([^<]*?)\s*<', page.text)[0] == "0"


@pytest.mark.parametrize(
    "query",
    [
        "?from=soon",
        "?from=2026-02-31&to=x",
        "?from=2026-11-25&to=2020-01-01",
        "?by=x&tier=9",
        "?to=9999-12-31",
        "?from=0001-01-01&to=0001-01-01",
    ],
)
async def test_an_address_that_makes_no_sense_is_a_page_all_the_same(query: str) -> None:
    async with wire() as w:
        await called(w)
        await governor(w)

        assert (await w.browser.get("base", f"/figures{query}")).status == 200
        assert (await w.browser.get("base", f"/figures.csv{query}")).status == 200


async def test_no_address_of_the_figures_names_a_person_and_what_is_put_there_counts_for_nothing() -> None:
    async with wire() as w:
        await called(w)
        await governor(w)
        page = await w.browser.get("base", f"/figures{TODAY}&monitor=9999&by=monitor")

        assert re.findall(r'figure-value">\s*([^<]*?)\s*<', page.text)[0] == "1"
        assert "Mona-Hrd Moss" in page.text, "the cut by monitor stays"
        assert 'name="monitor"' not in page.text
        assert "monitor=" not in page.text


async def test_a_key_of_a_filter_is_shown_as_text_and_never_as_markup() -> None:
    async with wire() as w:
        await governor(w)
        page = await w.browser.get("base", "/figures?hall=%3Cscript%3Ealert(1)%3C/script%3E")

        assert "<script>alert" not in page.text
