"""The identity check of a leg from outside: who is there, by name, face and document (features F13, F14)."""

from __future__ import annotations

from collections.abc import Sequence

from broker.domain.call import Call, Leg
from broker.domain.codes import Code, Document, Refused
from broker.domain.kinds import KINDS
from broker.domain.task_events import PersonCheck


def check_people(call: Call, leg: Leg, people: frozenset[str]) -> None:
    """Check who is to be admitted: people of the booking, the main caller (an adult) among them, nobody barred.

    A person who is not there may be left out; a child therefore never comes without a listed adult.

    Raises:
        Refused: `not_everyone_verified`, `person_barred`, `adult_missing`, `too_many_people`.
    """
    if not people or not people <= set(leg.people):
        raise Refused(Code.NOT_EVERYONE_VERIFIED)
    if call.barred & set(leg.people):
        raise Refused(Code.PERSON_BARRED)
    if leg.main_caller is not None and leg.main_caller not in people:
        raise Refused(Code.ADULT_MISSING)
    if people <= leg.children:
        raise Refused(Code.ADULT_MISSING)
    if len(people) > KINDS[call.kind].max_people:
        raise Refused(Code.TOO_MANY_PEOPLE)


def check_ticks(leg: Leg, people: frozenset[str], checks: Sequence[PersonCheck]) -> None:
    """Check that each of `people`, who are not verified yet, and nobody else, has all three ticks.

    Raises:
        Refused: `identity_incomplete`.
    """
    if len(checks) != len(people) or {check.id for check in checks} != people:
        raise Refused(Code.IDENTITY_INCOMPLETE)
    if not all(is_complete(leg, check) for check in checks):
        raise Refused(Code.IDENTITY_INCOMPLETE)


def is_complete(leg: Leg, check: PersonCheck) -> bool:
    """Say whether a person has all three ticks; a child needs no document, being with a listed adult."""
    if check.document is Document.WITH_ADULT and check.id not in leg.children:
        return False
    return check.name and check.photo and check.document is not None
