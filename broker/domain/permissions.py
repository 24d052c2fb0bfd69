"""Who may do what: one table of data, and the one function that reads it (domain.md 7.4).

Nothing else grants anything. Every route, message and page names an action of this table; an action
that has no row is refused to everybody. What the rules of a call add (phase, version, who made a hold)
stands in the call's own decision; the table says who may ask at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from broker.domain.codes import Code, Post
from broker.domain.records import NATIONAL_POOL, Role


class Who(StrEnum):
    """The columns of the table: chairs, and the roles that a grant gives."""

    STRANGER = "stranger"
    FAMILY = "family"
    LAPTOP = "laptop"
    SYNTHETIC = "synthetic"  # the bearer of a synthetic establishment's credential
    MONITOR = "monitor"
    SUPERVISOR = "supervisor"
    BOOKING = "booking"
    DUTY_GOVERNOR = "duty_governor"
    AUDITOR = "auditor"
    STAFF_ADMIN = "staff_admin"
    ANALYST = "analyst"


class Need(StrEnum):
    """On what condition a row grants its action."""

    ALWAYS = "always"
    OWN = "own"  # the caller's own leg, device or session
    GRANTED = "granted"  # the role, at the subject's establishment
    ON_POST = "on_post"  # signed on to the role's post, whose scope reaches the subject's establishment (and hall)


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post as somebody holds it: monitoring of one or several establishments, technical supervision of one hall."""

    post: Post
    scope: frozenset[str]  # establishments; one for a technical post
    hall_id: str | None = None
    pool: bool = False  # held for the national pool: the scope is what the pool monitors now

    def covers(self, establishment: str, hall_id: str | None = None) -> bool:
        """Say whether the post reaches that hall; without a hall, whether it reaches the establishment at all."""
        return establishment in self.scope and (hall_id is None or self.hall_id in (None, hall_id))


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: already authenticated, with every grant they hold and the post they are on."""

    chair: Who
    leg_id: str | None = None
    device_id: str | None = None
    establishment: str | None = None  # of a family's link, a laptop, a synthetic credential
    number: str | None = None  # of staff
    grants: frozenset[tuple[Role, str]] = frozenset()  # (role, establishment)
    held: HeldPost | None = None


STRANGER = Asker(Who.STRANGER)


def staff_asker(number: str, grants: Iterable[tuple[Role, str]], held: HeldPost | None = None) -> Asker:
    """Return the asker for a member of staff; what they are follows from their grants alone."""
    return Asker(Who.STAFF_ADMIN, number=number, grants=frozenset(grants), held=held)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about. What is None is not a condition: a page that is nobody's has no establishment."""

    establishment: str | None = None
    hall_id: str | None = None
    leg_id: str | None = None
    device_id: str | None = None


ANYTHING = Subject()

_STAFF = (Who.MONITOR, Who.SUPERVISOR, Who.BOOKING, Who.DUTY_GOVERNOR, Who.AUDITOR, Who.STAFF_ADMIN, Who.ANALYST)
_LEGS = (Who.FAMILY, Who.LAPTOP)
_POSTS = (Who.MONITOR, Who.SUPERVISOR)
_EVERYBODY = tuple(Who)


def _rows(need: Need, *cells: tuple[str, tuple[Who, ...]]) -> dict[tuple[str, Who], Need]:
    return {(action, who): need for action, whose in cells for who in whose}


TABLE: Mapping[tuple[str, Who], Need] = {
    **_rows(
        Need.ALWAYS,
        ("health.read", _EVERYBODY),
        ("asset.read", _EVERYBODY),
        ("page.family", _EVERYBODY),
        ("page.laptop", _EVERYBODY),
        ("page.sign_in", _EVERYBODY),
        ("link.redeem", _EVERYBODY),
        ("laptop.redeem", _EVERYBODY),
        ("page.enrol", _EVERYBODY),
        ("console.redeem", _EVERYBODY),  # the code decides; only an operator at the command line makes one
        ("staff.sign_in", _EVERYBODY),
        ("ticket.issue", _EVERYBODY),  # the cookie decides; without one the answer is 401
        ("socket.open", _EVERYBODY),  # the ticket decides; without one the socket is closed
    ),
    **_rows(
        Need.OWN,
        ("staff.sign_out", _STAFF),
        ("consent.accept", (Who.FAMILY,)),
        ("check.report", _LEGS),
        ("leg.progress", _LEGS),
        ("lobby.enter", _LEGS),
        ("leg.offer", _LEGS),
        ("leg.leave", _LEGS),
        ("leg.help", _LEGS),
        ("look.refuse", (Who.FAMILY,)),
        ("warning.shown", _LEGS),
    ),
    **_rows(
        Need.GRANTED,
        ("page.monitor", (Who.MONITOR,)),
        ("page.hall", (Who.SUPERVISOR,)),
        ("post.sign_on.monitor", (Who.MONITOR,)),
        ("post.sign_on.supervisor", (Who.SUPERVISOR,)),
        ("post.sign_off", _POSTS),
        ("visit.list", (*_POSTS, Who.BOOKING, Who.DUTY_GOVERNOR, Who.AUDITOR, Who.ANALYST)),
        ("visit.print", (*_POSTS, Who.BOOKING, Who.DUTY_GOVERNOR)),
        ("visit.book", (Who.BOOKING, Who.DUTY_GOVERNOR)),
        ("visit.cancel", (Who.BOOKING, Who.DUTY_GOVERNOR)),
        ("link.issue", (Who.BOOKING, Who.DUTY_GOVERNOR)),
        ("link.revoke", (*_POSTS, Who.BOOKING, Who.DUTY_GOVERNOR)),
        ("call.make_privileged", (Who.ANALYST, Who.DUTY_GOVERNOR)),
        ("call.set_tier", (Who.ANALYST, Who.DUTY_GOVERNOR)),  # and nobody while on a post (domain.md 7.8)
        ("contact.suspend", (Who.DUTY_GOVERNOR,)),
        ("synthetic.create", (Who.SYNTHETIC,)),
        ("figures.read", (Who.DUTY_GOVERNOR, Who.AUDITOR)),
        ("audit.read", (Who.DUTY_GOVERNOR, Who.AUDITOR)),
        ("duty.read", (Who.DUTY_GOVERNOR,)),
        ("training.read", (Who.MONITOR, Who.DUTY_GOVERNOR, Who.AUDITOR)),  # in a training broker alone
        ("shift.read", (Who.MONITOR, Who.DUTY_GOVERNOR, Who.AUDITOR)),  # a monitor: their own shifts alone
        ("shift.note", (Who.MONITOR,)),  # one's own shift
    ),
    **_rows(
        Need.ON_POST,
        ("call.see", _POSTS),
        ("call.pause", _POSTS),
        ("hold.reason", _POSTS),
        ("hold.relabel", _POSTS),
        ("hold.undo", _POSTS),
        ("hold.clear.security", (Who.MONITOR,)),
        ("hold.clear.technical", (Who.SUPERVISOR,)),
        ("hold.clear.recovered", (Who.MONITOR,)),  # README 7: a person of the monitoring post
        ("hold.clear.incident", _POSTS),  # and the call's rules ask for the raiser's post
        ("hold.clear.stood_down", _POSTS),
        ("call.end", _POSTS),
        ("alert.ack", _POSTS),  # and the alert must be that post's, or both posts'
        ("alert.clear", _POSTS),
        ("advice", (Who.MONITOR,)),
        ("call.warn", (Who.MONITOR,)),
        ("call.watch", (Who.MONITOR,)),
        ("call.listen", (Who.MONITOR,)),
        ("wall.proof", (Who.MONITOR,)),
        ("monitoring.propose", (Who.MONITOR,)),
        ("monitoring.accept", (Who.MONITOR,)),
        ("monitoring.decline", (Who.MONITOR,)),
        ("attention.answer", (Who.MONITOR,)),
        ("handover.offer", (Who.MONITOR,)),
        ("handover.accept", (Who.MONITOR,)),
        ("handover.refuse", (Who.MONITOR,)),
        ("handover.withdraw", (Who.MONITOR,)),
        ("break.snooze", (Who.MONITOR,)),
        ("figures.read", (Who.MONITOR,)),  # of the own scope, while it is held
        ("presence", (Who.SUPERVISOR,)),
        ("look.start", (Who.MONITOR,)),
        ("look.stop", (Who.MONITOR,)),
        ("patrol.log", (Who.SUPERVISOR,)),
        ("leg.verify.family", (Who.MONITOR,)),
        ("leg.verify.prisoner", (Who.SUPERVISOR,)),
        ("leg.refuse.family", (Who.MONITOR,)),
        ("leg.refuse.prisoner", (Who.SUPERVISOR,)),
        ("photo.read", (Who.MONITOR,)),
        ("call.note", (Who.MONITOR,)),
        ("call.bookmark", (Who.MONITOR,)),
        ("call.breach", (Who.MONITOR,)),
        ("call.incident", (Who.MONITOR,)),
        ("call.say", _POSTS),
        ("attend.request", (Who.MONITOR,)),
        ("attend.acknowledge", (Who.SUPERVISOR,)),
        ("attend.escalate", (Who.SUPERVISOR,)),
        ("attend.close", (Who.SUPERVISOR,)),
    ),
}
"""(action, who) → on what condition. Holds that the system made (unmonitored, unsupervised, interrupted)
have no row: they clear by themselves, and nobody may clear them. The duty governor's own page shows what is urgent and
acts on nothing: a duty governor acts on a call from a post, like anybody else.
"""

ACTIONS: frozenset[str] = frozenset(action for action, _ in TABLE)
"""Every action that a route or a message may name."""

_ROLES_OF: Mapping[Who, frozenset[Role]] = {
    Who.MONITOR: frozenset({Role.MONITOR, Role.NATIONAL_MONITOR}),
    Who.SUPERVISOR: frozenset({Role.SUPERVISOR}),
    Who.BOOKING: frozenset({Role.BOOKING}),
    Who.DUTY_GOVERNOR: frozenset({Role.DUTY_GOVERNOR}),
    Who.AUDITOR: frozenset({Role.AUDITOR}),
    Who.STAFF_ADMIN: frozenset({Role.STAFF_ADMIN}),
    Who.ANALYST: frozenset({Role.ANALYST}),
}
_POST_OF: Mapping[Who, Post] = {Who.MONITOR: Post.MONITOR, Who.SUPERVISOR: Post.SUPERVISOR}
_CHAIRS = frozenset({Who.STRANGER, Who.FAMILY, Who.LAPTOP, Who.SYNTHETIC})


def may(actor: Asker, action: str, subject: Subject = ANYTHING) -> Code | None:
    """Return None where `actor` may do `action` to `subject`, else why not."""
    refusals = []
    for who in _columns(actor):
        need = TABLE.get((action, who))
        if need is None:
            continue
        refusal = _refusal(actor, who, need, subject)
        if refusal is None:
            return None
        refusals.append(refusal)
    if not refusals and actor.held and any((action, who) in TABLE for who in _POST_OF):
        return Code.NOT_YOUR_POST
    if Code.NOT_YOUR_HALL in refusals:
        return Code.NOT_YOUR_HALL  # the post is right: say what is wrong, whatever else the person might be
    return refusals[0] if refusals else Code.NOT_PERMITTED


def where(actor: Asker, action: str) -> frozenset[str]:
    """Return the establishments at which `actor` may do `action`: the scope of a list."""
    candidates = {place for _, place in actor.grants}
    if actor.establishment is not None:
        candidates.add(actor.establishment)
    if actor.held is not None:
        candidates |= actor.held.scope  # the pool's grant names no establishment
    return frozenset(place for place in candidates if may(actor, action, Subject(place)) is None)


def _columns(actor: Asker) -> tuple[Who, ...]:
    """Return the columns that speak for the actor: the chair, or the role of every grant."""
    if actor.chair in _CHAIRS:
        return (actor.chair,)
    held = {role for role, _ in actor.grants}
    return tuple(who for who, roles in _ROLES_OF.items() if roles & held)


def _refusal(actor: Asker, who: Who, need: Need, subject: Subject) -> Code | None:
    if need is Need.ALWAYS:
        return None
    if need is Need.OWN:
        return _own(actor, subject)
    if need is Need.GRANTED:
        return None if _granted(actor, who, subject) else Code.NOT_GRANTED
    return _on_post(actor, who, subject)


def _own(actor: Asker, subject: Subject) -> Code | None:
    if subject.leg_id is not None and subject.leg_id != actor.leg_id:
        return Code.NOT_PERMITTED
    if subject.device_id is not None and subject.device_id != actor.device_id:
        return Code.NOT_PERMITTED
    return None


def _granted(actor: Asker, who: Who, subject: Subject) -> bool:
    if who in _CHAIRS:
        return subject.establishment in {None, actor.establishment}
    roles = _ROLES_OF[who]
    if subject.establishment is None:
        return any(held in roles for held, _ in actor.grants)
    return any((role, subject.establishment) in actor.grants for role in roles)


def _on_post(actor: Asker, who: Who, subject: Subject) -> Code | None:
    held = actor.held
    if held is None:
        return Code.NOT_ON_POST
    if held.post is not _POST_OF.get(who):
        return Code.NOT_YOUR_POST
    if subject.establishment is not None and not held.covers(subject.establishment, subject.hall_id):
        return Code.NOT_YOUR_HALL
    if held.pool:
        return None if (Role.NATIONAL_MONITOR, NATIONAL_POOL) in actor.grants else Code.NOT_GRANTED
    places = held.scope if subject.establishment is None else {subject.establishment}
    granted = any((role, place) in actor.grants for role in _ROLES_OF[who] for place in places)
    return None if granted else Code.NOT_GRANTED
