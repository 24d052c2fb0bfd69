"""The tier of a call: rules that are data, and who may overrule them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.actors import SYSTEM, Actor
from broker.domain.alerts import causes
from broker.domain.codes import AlertCode, Code, Ground, Refused, RiskReason
from broker.domain.permissions import staff_asker
from broker.domain.policy import DEFAULT
from broker.domain.records import Authorisation, Contact, Prisoner, PrisonerAlert, Restriction, Role, Watch
from broker.domain.risk import Assessment, Rows, assess, facts_on
from tests.domain.support import MONITOR, PRISON, Scene, live

TODAY = date(2026, 11, 24)
LONG_AGO = date(2026, 10, 1)
NUMBER = "A1234BC"
ROWS = Rows(
    prisoners=[Prisoner(NUMBER, PRISON, "Dan", "Osei")],
    contacts=[
        Contact("c1", PRISON, NUMBER, "Grace", "Osei", date(1980, 1, 1)),
        Contact("c2", PRISON, NUMBER, "Ama", "Osei", date(2016, 1, 1)),
    ],
)
ANALYST = Actor("staff:A1", "A1", "A1", asker=staff_asker("A1", [(Role.ANALYST, PRISON)]))


def tier(rows: Rows, contacts: tuple[str, ...] = ("c1",), on: date = TODAY) -> tuple[int, list[str]]:
    found = assess(facts_on(rows, NUMBER, contacts, on, DEFAULT))
    return found.tier, [reason.value for reason in found.reasons]


def alert(code: str, ends_on: date | None = None) -> PrisonerAlert:
    return PrisonerAlert(f"a-{code}", PRISON, NUMBER, code, LONG_AGO, ends_on)


def ban(number: str | None) -> Restriction:
    return Restriction("r", PRISON, "c9", number, "BAN", LONG_AGO)


def authority(review_on: date, ended_on: date | None = None) -> Authorisation:
    return Authorisation("au1", PRISON, NUMBER, Ground.CRIME, "why", "no more", "S1", LONG_AGO, review_on, ended_on)


@pytest.mark.feature("F55")
@pytest.mark.parametrize(
    ("rows", "contacts", "expected"),
    [
        ({}, ("c1",), (3, [])),
        ({}, ("c1", "c2"), (3, ["child"])),
        ({"alerts": [alert("XTACT")]}, ("c1",), (1, ["terrorism"])),
        ({"alerts": [alert("XTACT", TODAY - timedelta(days=1))]}, ("c1",), (3, [])),
        ({"alerts": [alert("HA")]}, ("c1",), (2, ["self_harm"])),
        ({"alerts": [alert("CC1")]}, ("c1",), (3, [])),
        ({"alerts": [alert("CC1")]}, ("c1", "c2"), (1, ["child_contact", "child"])),
        ({"alerts": [alert("HA"), alert("XER")]}, ("c1",), (1, ["escape", "self_harm"])),
        ({"prisoners": []}, ("c1",), (1, ["moved"])),
        ({"restrictions": [ban(NUMBER)]}, ("c1",), (2, ["restriction_near"])),
        ({"restrictions": [ban(None)]}, ("c1",), (3, [])),
    ],
)  # fmt: skip
def test_the_tier_is_that_of_the_most_severe_rule_and_every_reason_is_named(rows, contacts, expected):
    assert tier(replace(ROWS, **rows), contacts) == expected


@pytest.mark.feature("F80")
@pytest.mark.parametrize("person", [NUMBER, "c1"])
def test_anybody_on_the_watch_list_makes_the_call_tier_one(person):
    assert tier(replace(ROWS, watched=[Watch("w", PRISON, person, LONG_AGO)])) == (1, ["watch_list"])


@pytest.mark.feature("F59")
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (authority(TODAY), (1, ["authorised"])),
        (authority(TODAY - timedelta(days=1)), (2, ["authorisation_expired"])),
        (authority(TODAY - timedelta(days=1), TODAY), (3, [])),
        (authority(TODAY + timedelta(days=9), TODAY), (3, [])),
    ],
)
def test_an_authorisation_past_its_review_gives_no_authority_and_says_so(row, expected):
    assert tier(replace(ROWS, authorisations=[row])) == expected


def tell(scene: Scene, tier: int, *reasons: RiskReason) -> list[e.Event]:
    return scene.do(c.AssessRisk(SYSTEM, tier, reasons))


@pytest.mark.feature("F107")
def test_before_the_start_the_tier_follows_the_rows_and_a_rise_asks_for_somebody():
    scene = Scene()
    tell(scene, 1, RiskReason.ESCAPE)
    assert (scene.call.tier, scene.call.tier_reasons) == (1, (RiskReason.ESCAPE,))
    assert AlertCode.REFLAGGED in {cause.code for cause in causes(scene.call, DEFAULT, scene.now)}

    tell(scene, 3)
    assert scene.call.tier == 3
    assert tell(scene, 3) == []


def test_in_a_live_call_the_rules_only_raise():
    scene = live()
    tell(scene, 1, RiskReason.ESCAPE)
    tell(scene, 3)

    assert scene.call.tier == 1


@pytest.mark.feature("F80", "F59")
def test_a_live_call_with_a_watched_person_or_lapsed_authority_alarms_the_desk():
    scene = live()
    tell(scene, 1, RiskReason.WATCH_LIST, RiskReason.AUTHORISATION_EXPIRED)

    found = {cause.code for cause in causes(scene.call, DEFAULT, scene.now)}
    assert {AlertCode.WATCH_LIST, AlertCode.AUTHORISATION_EXPIRED} <= found


@pytest.mark.feature("F55")
def test_what_the_analyst_sets_stands_until_there_is_a_reason_that_was_not_weighed():
    scene = live()
    tell(scene, 1, RiskReason.ESCAPE)
    [changed] = scene.do(c.SetTier(ANALYST, 3, "old alert, reviewed today"))
    assert isinstance(changed, e.TierSet)
    assert (changed.by, changed.reason, scene.call.tier) == ("A1", "old alert, reviewed today", 3)

    tell(scene, 1, RiskReason.ESCAPE)
    assert scene.call.tier == 3

    tell(scene, 1, RiskReason.WATCH_LIST, RiskReason.ESCAPE)
    assert (scene.call.tier, scene.call.tier_by) == (1, None)


def test_the_rules_never_lower_what_a_person_has_set_whatever_reason_is_new():
    scene = Scene()
    scene.do(c.SetTier(ANALYST, 1, "a threat was made by telephone"))
    tell(scene, 3, RiskReason.CHILD)
    assert (scene.call.tier, scene.call.tier_by) == (1, "A1")
    assert scene.call.tier_reasons == (RiskReason.CHILD,)

    assert tell(scene, 3, RiskReason.CHILD) == []
    assert scene.call.tier == 1


def test_a_reason_that_goes_leaves_the_tier_that_a_person_had_set():
    scene = Scene()
    scene.do(c.SetTier(ANALYST, 2, "watch the background"))
    tell(scene, 1, RiskReason.ESCAPE)
    assert (scene.call.tier, scene.call.tier_by) == (1, None)

    tell(scene, 3)
    assert (scene.call.tier, scene.call.tier_by) == (2, "A1")
    assert tell(scene, 3) == []


@pytest.mark.parametrize(
    ("actor", "tier", "reason", "code"),
    [
        (MONITOR, 3, "because", Code.NOT_PERMITTED),
        (replace(ANALYST, asker=replace(ANALYST.asker, held=MONITOR.asker.held)), 3, "because", Code.NOT_YOUR_POST),
        (replace(ANALYST, asker=staff_asker("A1", [(Role.ANALYST, "SKB")])), 3, "because", Code.NOT_GRANTED),
        (replace(ANALYST, asker=staff_asker("A1", [(Role.BOOKING, PRISON)])), 3, "because", Code.NOT_PERMITTED),
        (ANALYST, 3, "  ", Code.TEXT_MISSING),
        (ANALYST, 3, "x" * 501, Code.TEXT_TOO_LONG),
        (ANALYST, 3, "turned \u202e round", Code.TEXT_CONTROLS),
        (ANALYST, 0, "because", Code.UNKNOWN_TIER),
    ],
)
def test_nobody_else_sets_a_tier_and_nobody_without_a_reason(actor, tier, reason, code):
    with pytest.raises(Refused) as refusal:
        live().do(c.SetTier(actor, tier, reason))

    assert refusal.value.code == code


def test_without_a_rule_there_is_no_risk():
    assert assess(facts_on(ROWS, NUMBER, ("c1",), TODAY, DEFAULT), ()) == Assessment(3, ())
