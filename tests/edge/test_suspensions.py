"""A visitor is suspended by the duty governor: told why at the next join, in the lobby at once; and it is lifted."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from broker.domain.call import Phase
from broker.domain.records import Restriction, Role, Scope, Visit
from tests.domain.support import ticks
from tests.edge.support import Page
from tests.edge.wire import Wire, wire

HRD = Scope(frozenset({"HRD"}))
FORM = {
    "contact": "c1-HRD",
    "reason": "recording",
    "until": "2026-12-24",
    "appeal": "Write to the governor.\r\nSay why.",
}
PART = {"name": "MaryHRD", "until": "2026-12-24", "reason": "recording", "appeal": "Write to the governor.\nSay why."}


async def decide(w: Wire, visit: Visit, path: str = "", who: str = "grace", **changes: str) -> Page:
    """Send a form of the page as the duty governor."""
    if await w.desk.directory.staff(who) is None:
        await w.desk.person(who, f"HRD-{who}", Role.DUTY_GOVERNOR)
    w.browser.cookies.clear()
    assert (await w.browser.sign_in("base", who)).status == 303
    csrf = (await w.browser.get("base", "/visits")).csrf
    return await w.browser.post("base", f"/visits/{visit.id}/suspension{path}", {"csrf": csrf, **FORM, **changes})


async def standing(w: Wire) -> list[Restriction]:
    return [row for row in await w.desk.directory.restrictions(HRD) if row.reason is not None]


@pytest.mark.feature("F85")
async def test_a_suspended_person_reads_why_until_when_and_how_to_appeal_at_the_next_join() -> None:
    async with wire() as w:
        visit = await w.visit()
        assert (await decide(w, visit)).status == 303
        family = await w.family(visit)
        shown = await family.of_type("visit", screen="ended")

        assert (shown["end"], shown["suspension"]) == ("suspended", PART)
        assert await family.refusal("lobby.enter") == "unknown_call"
        entry = w.engine.entry(visit.id)
        assert entry is not None
        assert not entry.actor.call.legs[1].present


@pytest.mark.feature("F85")
async def test_in_the_lobby_it_is_told_at_once_and_the_other_end_reads_nothing_of_it() -> None:
    async with wire() as w:
        visit = await w.visit()
        laptop, family = await w.laptop(), await w.family(visit)
        await w.to_lobby(laptop, f"{visit.id}.1", consents=False)
        await w.to_lobby(family, f"{visit.id}.2", consents=True)
        await decide(w, visit)
        await w.engine.registry.sweep()

        assert (await family.of_type("visit", screen="ended"))["suspension"] == PART
        assert "suspended" not in str(laptop.heard)
        entry = w.engine.entry(visit.id)
        assert entry is not None
        assert entry.actor.call.barred == {"c1-HRD"}


@pytest.mark.feature("F85")
async def test_a_call_that_runs_is_not_touched_and_who_leaves_it_is_told_at_the_next_join() -> None:
    async with wire() as w:
        live = await w.live_call()
        await decide(w, live.visit)
        await w.engine.registry.sweep()
        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        assert (entry.actor.call.phase, entry.actor.call.holds, entry.actor.call.barred) == (
            Phase.LIVE,
            (),
            frozenset(),
        )

        again = await w.family(live.visit)
        assert (await again.of_type("visit", screen="ended"))["end"] == "suspended"


@pytest.mark.feature("F85")
async def test_somebody_elses_suspension_is_named_without_its_reason() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit, contact="c2-HRD")
        family = await w.family(visit)

        told = (await family.of_type("visit", screen="ended"))["suspension"]
        assert told == {"name": "TimHRD", "until": "2026-12-24", "reason": None, "appeal": None}


@pytest.mark.feature("F85")
async def test_a_lifted_suspension_lets_in_again_and_both_decisions_are_on_record_with_their_reasons() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit)
        page = await w.browser.get("base", f"/visits/{visit.id}/suspension")
        assert "MaryHRD" in page.text
        (row,) = await standing(w)
        assert (await decide(w, visit, "/lift", suspension=row.id, why="")).status == 400
        assert (await decide(w, visit, "/lift", suspension=row.id, why="It was the neighbour.")).status == 303

        family = await w.family(visit)
        assert (await family.of_type("visit"))["screen"] == "notice"
        kept = {r.type: r for r in await w.desk.log.read("establishment:HRD")}
        made, lifted = kept["contact.suspended"], kept["contact.suspension_lifted"]
        assert (made.actor, made.body["reason"], made.body["until"]) == ("staff:HRD-grace", "recording", "2026-12-24")
        assert (lifted.body["why"], lifted.body["suspension_id"]) == ("It was the neighbour.", row.id)


@pytest.mark.feature("F85", "F108")
async def test_a_no_contact_restriction_is_no_suspension_is_not_lifted_and_tells_nobody_why() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit)
        apart = Restriction("r-apart", "HRD", "c1-HRD", None, "NONCON", date(2026, 1, 1))
        w.desk.directory.take([apart])
        refused = await decide(w, visit, "/lift", suspension="r-apart", why="By mistake.")
        assert (refused.status, "no suspension" in refused.text) == (409, True)
        (row,) = await standing(w)
        await decide(w, visit, "/lift", suspension=row.id, why="By mistake.")

        assert apart in await w.desk.directory.restrictions(HRD)
        shut = await w.desk.office.access.barred("HRD", ["c1-HRD"], w.desk.clock.now(), suspended=False)
        assert shut == {"c1-HRD"}


@pytest.mark.feature("F85")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contact": ""}, "contact"),
        ({"contact": "c3-HRD"}, "contact"),  # not of this visit
        ({"contact": "c1-SKB"}, "contact"),
        ({"reason": "dislike"}, "reason"),
        ({"until": "2026-11-23"}, "until"),
        ({"until": "2027-11-24"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"until": ""}, "until"),
        ({"appeal": ""}, "appeal"),
        ({"appeal": "\u202eevil"}, "appeal"),
    ],
)
async def test_a_form_that_is_not_whole_suspends_nobody_and_names_its_field(
    changes: dict[str, str], field: str
) -> None:
    async with wire() as w:
        visit = await w.visit()
        page = await decide(w, visit, **changes)

        assert (page.status, f'href="#{field}"' in page.text) == (400, True)
        assert await standing(w) == []


async def test_a_person_is_suspended_once() -> None:
    async with wire() as w:
        visit = await w.visit()
        assert [(await decide(w, visit)).status for _ in range(2)] == [303, 400]
        assert len(await standing(w)) == 1


async def test_it_ends_by_itself_after_its_last_day() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit, until="2026-11-24")
        assert len(await w.desk.office.suspensions.of("HRD", ["c1-HRD"])) == 1
        w.desk.clock.turn(24 * 3600)
        assert await w.desk.office.suspensions.of("HRD", ["c1-HRD"]) == []


@pytest.mark.feature("F98")
@pytest.mark.parametrize("role", [Role.BOOKING, Role.MONITOR, Role.SUPERVISOR, Role.AUDITOR, Role.ANALYST])
async def test_nobody_but_the_duty_governor_decides_it(role: Role) -> None:
    async with wire() as w:
        visit = await w.visit()
        await w.desk.person("ruth", "HRD-ruth", role)
        assert (await decide(w, visit, who="ruth")).status == 403
        assert (await w.browser.get("base", f"/visits/{visit.id}/suspension")).status == 403
        assert await standing(w) == []


async def test_a_suspension_that_cannot_be_recorded_does_not_stand() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit, contact="")
        append = w.desk.log.append

        async def full(stream, after_seq, events, rows=()):
            if any(event.type == "contact.suspended" for event in events):
                w.desk.log.down = True
            return await append(stream, after_seq, events, rows)

        w.desk.log.append = full  # type: ignore[method-assign]
        page = await decide(w, visit)
        w.desk.log.down = False

        assert page.status == 503
        assert await standing(w) == []


async def test_a_suspended_person_cannot_be_booked() -> None:
    async with wire() as w:
        visit = await w.visit()
        await decide(w, visit)
        csrf = (await w.browser.get("base", "/visits/new")).csrf
        form = {
            "csrf": csrf,
            "prisoner": "A1234BC",
            "seat": "t2-HRD",
            "date": "2026-11-25",
            "start": "14:00",
            "length": "30",
            "kind": "social",
            "main": "c1-HRD",
        }
        booked = await w.browser.post("base", "/visits", form)
        assert booked.status == 409


@pytest.mark.feature("F85")
async def test_a_suspended_person_who_comes_late_is_not_admitted_and_the_call_goes_on() -> None:
    async with wire() as w:
        live = await w.live_call(people=("c1-HRD",))
        await decide(w, live.visit, contact="c2-HRD")
        entry = w.engine.entry(live.visit.id)
        assert entry is not None
        leg = entry.actor.call.legs[1]
        checks = [asdict(tick) for tick in ticks(leg)]
        everybody = {"people": ["c1-HRD", "c2-HRD"], "checks": checks, "version": live.seq()}
        wanted = {"call_id": live.visit.id, "leg_id": leg.id, **everybody}

        assert await live.monitor.refusal("leg.verify", **wanted) == "person_barred"
        assert (entry.actor.call.phase, entry.actor.call.holds, entry.actor.call.barred) == (
            Phase.LIVE,
            (),
            frozenset(),
        )
