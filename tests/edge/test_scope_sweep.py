"""Two prisons on one broker: a sweep over every route, list, command and socket finds nothing of the other."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from broker.domain.policy import DEFAULT
from broker.domain.records import Grade, Role
from broker.edge.app import routes
from broker.edge.routes import ROUTE
from broker.edge.services import SERVICES
from tests.edge.wire import REPORTS, Live, Said, Talk, Wire, wire
from tests.office import Desk

OURS, OTHERS = "HRD", "SKB"
# Every word that stands in a row of the other prison (tests/office.py): names, numbers, ids, its people of staff.
TRACES = ("SKB", "Stoke", "B1234BC", "B5678DE", "skb")


def traces(text: str, *more: str) -> list[str]:
    """Return the words that stand in a text, each by itself: three letters may come in any random token."""
    return [word for word in (*TRACES, *more) if re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text)]


async def two_calls(w: Wire) -> tuple[Live, Live]:
    """Both prisons have a live call, watched and supervised by people of their own."""
    return await w.live_call(OURS, "A"), await w.live_call(OTHERS, "B")


async def person(desk: Desk, username: str, *roles: Role) -> None:
    """Make an account with these roles in our prison."""
    await desk.person(username, f"HRD-{username}", roles[0], OURS, Grade.PRISON_OFFICER)
    for role in roles[1:]:
        await desk.office.accounts.grant(username, [(OURS, role)], "operator")


@pytest.mark.feature("F98")
async def test_no_socket_hears_anything_of_the_other_prison() -> None:
    async with wire() as w:
        ours, others = await two_calls(w)
        await others.monitor.done("call.pause", call_id=others.visit.id)
        await others.laptop.done("leg.help")
        await others.monitor.done("call.warn", call_id=others.visit.id, warning="final")
        await others.supervisor.done("post.sign_off")
        await others.family.ws.close()
        await w.tick()
        await ours.supervisor.done("call.pause", call_id=ours.visit.id)

        for talk in (ours.monitor, ours.supervisor, ours.laptop, ours.family):
            await talk.now(*_last_word(talk, ours))
            assert traces(json.dumps(talk.heard), others.visit.id) == []


def _last_word(talk: Talk, live: Live) -> tuple[str, Any]:
    """Return the message by which a socket shows that it has heard of our own pause."""
    if talk in (live.family, live.laptop):
        return "visit", lambda m: m["screen"] == "paused"
    return "call", lambda m: m["call"]["id"] == live.visit.id and bool(m["call"]["holds"])


def every_command(live: Live) -> list[Said]:
    """Return each command of a post on a call that is live."""
    call, (prisoner, family) = {"call_id": live.visit.id}, live.legs
    return [
        {"type": "call.pause", **call},
        {"type": "call.end", **call, "reason": "conduct"},
        {"type": "call.warn", **call, "warning": "final"},
        {"type": "wall.focus", **call},
        {"type": "hold.reason", **call, "hold_id": "h1", "reason": "dress"},
        {"type": "hold.relabel", **call, "hold_id": "h1"},
        {"type": "hold.undo", **call, "hold_id": "h1"},
        {"type": "hold.clear", **call, "hold_id": "h1", "version": 999},
        {"type": "leg.verify", **call, "leg_id": family, "people": ["c1-SKB"], "version": 999},
        {"type": "leg.verify", **call, "leg_id": prisoner, "people": ["B1234BC"], "version": 999},
        {"type": "leg.refuse", **call, "leg_id": family},
        {"type": "leg.refuse", **call, "leg_id": prisoner},
        {"type": "call.note", **call, "code": "other", "text": "x"},
        {"type": "call.bookmark", **call},
        {"type": "call.breach", **call, "category": "dress", "outcome": "warned"},
        {"type": "breach.withdraw", **call, "breach_id": "x1"},
        {"type": "call.say", **call, "text": "x"},
        {"type": "attend.request", **call, "reason": "other"},
        {"type": "attend.acknowledge", **call, "attend_id": "a1"},
        {"type": "attend.escalate", **call, "attend_id": "a1"},
        {"type": "attend.close", **call, "attend_id": "a1", "outcome": "settled"},
        {"type": "look.start", **call},
        {"type": "look.stop", **call},
        {"type": "patrol.log", **call},
    ]


@pytest.mark.feature("F98")
@pytest.mark.parametrize("who", ["monitor", "supervisor", "off_post"])
async def test_to_every_command_the_other_prisons_call_is_no_call(who: str) -> None:
    async with wire() as w:
        ours, others = await two_calls(w)
        talk = ours.supervisor if who == "off_post" else getattr(ours, who)
        if who == "off_post":
            await talk.done("post.sign_off")
        entry = w.engine.entry(others.visit.id)
        assert entry is not None
        before, theirs = entry.actor.call, w.desk.types(f"establishment:{OTHERS}")
        for command in every_command(others):
            kind = command.pop("type")
            code = await talk.refusal(kind, **command)
            of_the_asker = kind == "wall.focus" and who != "monitor"  # the post is asked for before the call is
            assert (kind, code) == (kind, code if of_the_asker else "unknown_call")

        assert entry.actor.call == before
        assert w.desk.types(f"establishment:{OTHERS}") == theirs
        assert "denied" in w.desk.types(f"establishment:{OURS}")


async def test_a_call_of_nobody_and_a_call_of_the_others_are_answered_alike() -> None:
    async with wire() as w:
        ours, others = await two_calls(w)
        for command in every_command(others):
            kind = command.pop("type")
            theirs = await ours.monitor.refusal(kind, **command)
            nobodys = await ours.monitor.refusal(kind, **{**command, "call_id": "v" + "z" * 20})
            assert (kind, theirs) == (kind, nobodys)


@pytest.mark.feature("F98")
async def test_an_alert_of_the_others_and_an_alert_of_nobody_are_answered_alike() -> None:
    async with wire() as w:
        ours, others = await two_calls(w)
        await others.family.done("leg.help")
        raised = await others.monitor.of_type("alert", code="hand")
        for talk in (ours.monitor, ours.supervisor):
            for alert_id in (raised["id"], "anobody"):
                assert await talk.refusal("alert.ack", alert_id=alert_id) == "unknown_alert"
                assert await talk.refusal("alert.clear", alert_id=alert_id, outcome="dealt") == "unknown_alert"

        entry = w.engine.entry(others.visit.id)
        assert entry is not None
        assert entry.actor.call.leg(others.legs[1]).raised  # type: ignore[union-attr]
        assert w.engine.alerts.alert(raised["id"]).acked_by is None  # type: ignore[union-attr]


@pytest.mark.feature("F98")
@pytest.mark.parametrize("role", [Role.MONITOR, Role.SUPERVISOR])
async def test_nobody_takes_a_post_of_the_other_prison(role: Role) -> None:
    async with wire() as w:
        live = await w.live_call()
        talk = live.monitor if role is Role.MONITOR else live.supervisor
        for hall in ("h-SKB", "h-HRD", None):
            asked = {"post": role.value, "scope": [OTHERS], "hall_id": hall, "guidance": DEFAULT.version}
            assert await talk.refusal("post.sign_on", **asked) == "not_granted"

        assert w.desk.types(f"establishment:{OTHERS}") == []


async def test_a_supervisor_takes_no_hall_that_is_another_prisons() -> None:
    async with wire() as w:
        live = await w.live_call()

        asked = {"post": "supervisor", "scope": [OURS], "hall_id": "h-SKB", "guidance": DEFAULT.version}
        assert await live.supervisor.refusal("post.sign_on", **asked) == "not_your_hall"


@pytest.mark.feature("F98")
async def test_a_wall_proves_nothing_of_the_other_prison() -> None:
    async with wire() as w:
        ours, others = await two_calls(w)
        shown = {"ratio": 1.0, "unobscured": True, "width": 320, "height": 180}
        tiles = [{"call_id": others.visit.id, "legs": [{"leg_id": leg, **shown} for leg in others.legs]}]
        w.desk.clock.turn(4)
        await ours.monitor.say(
            "wall.proof", n=next(REPORTS), heard=w.desk.clock.now().isoformat(), visible=True, tiles=tiles
        )
        await ours.monitor.ask("wall.focus", call_id=ours.visit.id)

        session = next(o.session for o in w.engine.presence.holders if o.number == "HRD-MONA-HRD")
        assert w.engine.presence.proof_age_s(session, others.visit.id, w.desk.clock.now()) is None


@pytest.mark.feature("F98")
async def test_no_route_shows_anything_of_the_other_prison() -> None:
    async with wire() as w:
        _, others = await two_calls(w)
        await person(w.desk, "iris", Role.BOOKING, Role.MONITOR, Role.SUPERVISOR, Role.DUTY_GOVERNOR)
        links = await w.desk.directory.links(await w.desk.directory.all_establishments(), others.visit.id)
        values = {"visit_id": others.visit.id, "link_id": links[0].id, "version": "0" * 16, "name": "web/none.js"}
        values |= {"call_id": others.visit.id, "person": "c1-SKB", "session": others.monitor_session}
        for chair in ("base", "monitor", "hall"):
            await w.browser.sign_in(chair, "iris")
            for (method, path), route in w.app[ROUTE].items():
                if path in {"/ws", "/sign-out", "/metrics"} or chair not in route.chairs:
                    continue
                if method == "GET":
                    page = await w.browser.get(chair, path.format(**values))
                else:
                    form = {"csrf": await _csrf(w, chair), **BOOKING}
                    page = await w.browser.post(chair, path.format(**values), form)
                assert (method, path, traces(without_echo(page.text))) == (method, path, [])

        assert await w.desk.directory.links(await w.desk.directory.all_establishments(), others.visit.id) == links
        entry = w.engine.entry(others.visit.id)
        assert entry is not None
        assert entry.actor.call.phase.value == "live"


async def _csrf(w: Wire, chair: str) -> str:
    page = await w.browser.get(chair, "/visits/new")
    return page.csrf


BOOKING = {"establishment": OTHERS, "prisoner": "B1234BC", "contact": "c1-SKB", "seat": "t1-SKB", "hall": "h-SKB"}
"""A booking of the other prison's people, as a person of ours might post it."""


def without_echo(text: str) -> str:
    """Return a page without what was posted to it: a form that is refused shows what was typed."""
    for typed in sorted(BOOKING.values(), key=len, reverse=True):
        text = text.replace(f'value="{typed}"', "")
    return text


async def test_the_sweep_would_see_a_leak() -> None:
    async with wire() as w:
        _, others = await two_calls(w)

        assert traces(json.dumps(others.monitor.heard), others.visit.id) != []
        assert {route.action for route in routes(w.app[SERVICES])} != set()
