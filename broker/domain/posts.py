"""The two posts: who may take one, who holds one. Never both by one person (design README 1 and 18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL, Grade, Grant, Role

RANK = {
    Grade.CIVILIAN: 0,
    Grade.OSG: 1,
    Grade.PRISON_OFFICER: 2,
    Grade.SUPERVISING_OFFICER: 3,
    Grade.CUSTODIAL_MANAGER: 4,
    Grade.GOVERNOR: 5,
}
LOWEST = {Post.MONITOR: Grade.OSG, Post.SUPERVISOR: Grade.PRISON_OFFICER}  # domain.md 7.4
ROLE = {Post.MONITOR: Role.MONITOR, Post.SUPERVISOR: Role.SUPERVISOR}


def grade_fits(post: Post, grade: Grade) -> bool:
    """Say whether that grade may hold the post. National policy only; no local rule changes it."""
    return RANK[grade] >= RANK[LOWEST[post]]


@dataclass(frozen=True, slots=True)
class Holder:
    """A person on a post, at one socket. A monitor's post spans establishments; a supervisor's, one hall of one."""

    post: Post
    scope: frozenset[str]
    hall_id: str | None
    number: str
    name: str
    grade: Grade
    profile: str  # of the browser: one profile never holds both posts
    session: str
    since: datetime
    guidance: str = DEFAULT.version  # the version that the person acknowledged
    pool: bool = False  # for the national pool: the scope is what the pool monitors now

    @property
    def held(self) -> HeldPost:
        """The post itself, as the permission table knows it."""
        return HeldPost(self.post, self.scope, self.hall_id, self.pool)

    @property
    def granted_by(self) -> frozenset[str]:
        """Where the person must be granted, and the console enrolled: the whole scope, or the pool."""
        return frozenset({NATIONAL_POOL}) if self.pool else self.scope

    @property
    def places(self) -> frozenset[str]:
        """Whose records tell of this holder: the scope's, and the pool's own."""
        return self.scope | {NATIONAL_POOL} if self.pool else self.scope

    def covers(self, establishment: str, hall_id: str | None = None) -> bool:
        """Say whether this holder's post reaches that hall (`HeldPost.covers`)."""
        return self.held.covers(establishment, hall_id)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of signing on: what it needs, what the person holds (codes, never names), and whether it is met."""

    name: str
    met: bool
    code: Code
    needed: str | None = None
    held: str | None = None


class SignOnRefused(Refused):
    """A person may not take a post; `checks` says which conditions were met and which was not."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__(next(check.code for check in checks if not check.met))
        self.checks = checks


def checks(
    holder: Holder,
    grants: Iterable[Grant],
    held: Iterable[Holder],
    device: Check | None,
    today: Iterable[tuple[str, Post]] = (),
    guidance: str = DEFAULT.version,
) -> tuple[Check, ...]:
    """Return every condition under which `holder` may take the post, in the order in which a refusal names them.

    Args:
        holder: The person, as they would hold it, with the guidance that they acknowledged.
        grants: What the person may be, and where.
        held: Every post now held, anywhere.
        device: Whether the browser is a console that may (console_device.check); None where the post needs none.
        today: Who has held which post at the scope's establishments in this day's session.
        guidance: The version in force.
    """
    others = [one for one in held if one.number == holder.number or one.profile == holder.profile]
    mine = [one for one in others if one.number == holder.number]
    granted = {grant.establishment for grant in grants if grant.role is ROLE[holder.post]}
    before = any(number == holder.number and post is not holder.post for number, post in today)
    crossed = next((one for one in mine if one.post is not holder.post), None)
    browser = any(one.number != holder.number and one.post is not holder.post for one in others)
    twice = any(one.post is holder.post and one.profile != holder.profile for one in mine)
    if holder.pool:
        granted = {grant.establishment for grant in grants if grant.role is Role.NATIONAL_MONITOR}
    needed = holder.granted_by
    wanted, lowest = " ".join(sorted(needed)), LOWEST[holder.post].value
    reached = " ".join(sorted(needed & granted)) or None
    one_hall = holder.post is Post.MONITOR or len(holder.scope) == 1
    where = " ".join(sorted(crossed.scope)) if crossed else None
    return (
        Check("scope", bool(needed) and needed <= granted, Code.NOT_GRANTED, wanted, reached),
        Check("one_hall", one_hall, Code.NOT_YOUR_HALL),
        Check("grade", grade_fits(holder.post, holder.grade), Code.GRADE_TOO_LOW, lowest, holder.grade.value),
        Check("other_post", not before and crossed is None, Code.OTHER_POST_HELD, None, where),
        Check("browser", not browser, Code.PROFILE_HOLDS_OTHER_POST),
        Check("named", not twice, Code.SHARED_ACCOUNT),
        *([] if device is None else [device]),
        Check("guidance", holder.guidance == guidance, Code.GUIDANCE_CHANGED, guidance, holder.guidance or None),
    )


def sign_on(
    holder: Holder,
    grants: Iterable[Grant],
    held: Iterable[Holder],
    device: Check | None,
    today: Iterable[tuple[str, Post]] = (),
    guidance: str = DEFAULT.version,
) -> None:
    """Check that `holder` may take the post; the arguments are those of `checks`.

    Raises:
        SignOnRefused: not granted, grade too low, the other post is or was held by this person or this browser, the
            person holds this post in another browser (a shared account shows itself by concurrent posts, features
            F101), the browser is not an enrolled, assured console of the whole scope, or the guidance that was
            acknowledged is not the one in force (features F100).
    """
    found = checks(holder, grants, held, device, today, guidance)
    if not all(check.met for check in found):
        raise SignOnRefused(found)
