"""The risk of a call: a tier by rules that are data, each with a reason that a page can show (features F55, F59, F80).

Tier 1 is the highest. The rules read the prison's own alerts, restrictions, authorisations and the watch list; they
raise, and never lower: the tier of a call is the most severe of the rules that apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.asking import require_off_post
from broker.domain.bookings import is_adult
from broker.domain.call import Call, Phase
from broker.domain.codes import Code, Refused, RiskReason
from broker.domain.free_text import kept_text
from broker.domain.policy import Policy
from broker.domain.records import Authorisation, Contact, Prisoner, PrisonerAlert, Restriction, Watch

TIERS = (1, 2, 3)
LOWEST = 3


class Sign(StrEnum):
    """What a rule looks for, apart from alerts."""

    CHILD = "child"  # a child is on the call
    WATCHED = "watched"  # somebody of the call is on the watch list
    AUTHORISED = "authorised"  # an authorisation stands
    LAPSED = "lapsed"  # one was never ended, and its review is past
    RESTRICTED = "restricted"  # a restriction touches the prisoner or a contact, without barring the call
    MOVED = "moved"  # the prisoner is no longer held here


@dataclass(frozen=True, slots=True)
class Rule:
    """A call with one of the `alerts` (where any are named) and with every sign is of this tier, for this reason."""

    reason: RiskReason
    tier: int
    alerts: frozenset[str] = frozenset()
    signs: frozenset[Sign] = frozenset()


def _alerts(*codes: str) -> frozenset[str]:
    return frozenset(codes)


def _signs(*signs: Sign) -> frozenset[Sign]:
    return frozenset(signs)


RULES: tuple[Rule, ...] = (
    Rule(RiskReason.WATCH_LIST, 1, signs=_signs(Sign.WATCHED)),
    Rule(RiskReason.TERRORISM, 1, _alerts("XTACT")),
    Rule(RiskReason.ESCAPE, 1, _alerts("XER", "XEL", "XELH")),
    Rule(RiskReason.NO_CONTACT_ORDER, 1, _alerts("ONCR", "OHCO")),
    Rule(
        RiskReason.CHILD_CONTACT,
        1,
        _alerts("CC1", "CC2", "CC3", "CC4", "L1", "L2", "L3", "L4", "RCC"),
        _signs(Sign.CHILD),
    ),
    Rule(RiskReason.AUTHORISED, 1, signs=_signs(Sign.AUTHORISED)),
    Rule(RiskReason.MOVED, 1, signs=_signs(Sign.MOVED)),
    Rule(RiskReason.AUTHORISATION_EXPIRED, 2, signs=_signs(Sign.LAPSED)),
    Rule(RiskReason.HARM_TO_OTHERS, 2, _alerts("RKC", "RCC", "RDV")),
    Rule(RiskReason.PUBLIC_PROTECTION, 2, _alerts("PC1", "PC2", "PC3", "PL1", "PL2", "PL3")),
    Rule(RiskReason.SELF_HARM, 2, _alerts("HA")),
    Rule(RiskReason.RESTRICTION_NEAR, 2, signs=_signs(Sign.RESTRICTED)),
    Rule(RiskReason.CHILD, 3, signs=_signs(Sign.CHILD)),
)
"""Codes of alerts as the prison's own system has them (domain.md 5). A child alone is shown and raises nothing."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What an establishment's directory says that bears on risk."""

    prisoners: Sequence[Prisoner] = ()
    contacts: Sequence[Contact] = ()
    restrictions: Sequence[Restriction] = ()
    alerts: Sequence[PrisonerAlert] = ()
    authorisations: Sequence[Authorisation] = ()
    watched: Sequence[Watch] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask of one call on one day."""

    alerts: frozenset[str] = frozenset()
    signs: frozenset[Sign] = frozenset()


@dataclass(frozen=True, slots=True)
class Assessment:
    """A tier with its reasons, the most severe first."""

    tier: int = LOWEST
    reasons: tuple[RiskReason, ...] = field(default=())


def assess(facts: Facts, rules: Iterable[Rule] = RULES) -> Assessment:
    """Return the tier of a call: that of the most severe rule that applies, with the reasons of all that do."""
    hits = [rule for rule in rules if _applies(rule, facts)]
    hits.sort(key=lambda rule: rule.tier)  # stable: within a tier the order of the table
    return Assessment(min((rule.tier for rule in hits), default=LOWEST), tuple(rule.reason for rule in hits))


def _applies(rule: Rule, facts: Facts) -> bool:
    alerted = not rule.alerts or bool(rule.alerts & facts.alerts)
    return alerted and rule.signs <= facts.signs and bool(rule.alerts or rule.signs)


def facts_on(rows: Rows, prisoner_number: str, contact_ids: Sequence[str], on: date, policy: Policy) -> Facts:
    """Return what the rules ask of a call of that prisoner with those contacts, on a day of the hall's zone."""
    alerts = {row.code for row in rows.alerts if row.prisoner_number == prisoner_number and _stands(row, on)}
    people = {prisoner_number, *contact_ids}
    theirs = [row for row in rows.authorisations if row.prisoner_number == prisoner_number]
    signs = {
        Sign.CHILD: any(row.id in people and not is_adult(row, on) for row in rows.contacts),
        Sign.WATCHED: any(row.person_id in people and _stands(row, on) for row in rows.watched),
        Sign.AUTHORISED: any(stands(row, on) for row in theirs),
        Sign.LAPSED: any(lapsed(row, on) for row in theirs),
        Sign.RESTRICTED: any(_near(row, prisoner_number, people, on, policy) for row in rows.restrictions),
        Sign.MOVED: all(row.number != prisoner_number for row in rows.prisoners),
    }
    return Facts(frozenset(alerts), frozenset(sign for sign, holds in signs.items() if holds))


def stands(row: Authorisation, on: date) -> bool:
    """Say whether an authorisation gives authority on that day."""
    return row.starts_on <= on <= row.review_on and (row.ended_on is None or on < row.ended_on)


def lapsed(row: Authorisation, on: date) -> bool:
    """Say whether an authorisation ran past its review without anybody's decision: it gives no authority (F59)."""
    return row.review_on < on and (row.ended_on is None or on < row.ended_on)


def _stands(row: PrisonerAlert | Watch, on: date) -> bool:
    return row.starts_on <= on and (row.ends_on is None or on <= row.ends_on)


def _near(row: Restriction, prisoner_number: str, people: set[str], on: date, policy: Policy) -> bool:
    """A restriction of the prisoner with somebody else or of a contact with another prisoner, or one just over."""
    touches = row.prisoner_number == prisoner_number or row.contact_id in people
    young = row.ends_on is None or on - row.ends_on <= timedelta(days=policy.restriction_near_days)
    return touches and row.starts_on <= on and young


# --- the tier of a call -------------------------------------------------------


def decide_tier(call: Call, command: c.AssessRisk | c.SetTier, policy: Policy, now: datetime) -> list[e.Event]:
    """Return the change of tier that the rules or a person ask for.

    The rules raise at once, always. They lower only before the call is live, and never below what a person has set:
    what that person had read counts as weighed, and only a new reason speaks again.

    Raises:
        Refused: `not_permitted` and the like to who may not; `not_your_post` to anybody on a post (domain.md 7.8);
            `text_missing` and the like for the reason, `unknown_tier`.
    """
    if isinstance(command, c.SetTier):
        return _set(call, command, policy, now)
    reasons, by_person = command.reasons, call.tier_by is not None
    if by_person and not set(reasons) - set(call.tier_reasons):
        return []
    lowest = call.tier if by_person or call.phase is Phase.LIVE else call.set_tier
    tier = min(lowest, command.tier)
    if (tier, reasons) == (call.tier, call.tier_reasons):
        return []
    return [e.TierSet(now, command.actor.id, tier, reasons)]


def _set(call: Call, command: c.SetTier, policy: Policy, now: datetime) -> list[e.Event]:
    actor = command.actor
    require_off_post(actor, "call.set_tier", call)
    if command.tier not in TIERS:
        raise Refused(Code.UNKNOWN_TIER)
    reason = kept_text(command.reason, policy.line_most_chars)
    return [e.TierSet(now, actor.id, command.tier, call.tier_reasons, actor.number, reason)]
