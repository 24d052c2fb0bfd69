"""The two posts: who may take one, who holds one. Never both by one person (design README 1 and 18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broker.domain.codes import Code, Post, Refused
from broker.domain.records import Grade, Grant, Role

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
    """A person on a post, at one socket. A monitor's post spans its establishment; a supervisor's, one hall."""

    post: Post
    establishment: str
    hall_id: str | None
    number: str
    name: str
    grade: Grade
    profile: str  # of the browser: one profile never holds both posts
    session: str
    since: datetime

    def covers(self, establishment: str, hall_id: str) -> bool:
        """Say whether this holder's post reaches that hall."""
        return self.establishment == establishment and self.hall_id in (None, hall_id)


def sign_on(
    holder: Holder, grants: Iterable[Grant], held: Iterable[Holder], today: Iterable[tuple[str, Post]] = ()
) -> None:
    """Check that `holder` may take the post.

    Args:
        holder: The person, as they would hold it.
        grants: What the person may be, and where.
        held: Every post now held, anywhere.
        today: Who has held which post at this establishment in this day's session.

    Raises:
        Refused: not granted, grade too low, the other post is or was held by this
            person or this browser, or the person holds this post in another browser
            (a shared account shows itself by concurrent posts, features F101).
    """
    if not any(g.establishment == holder.establishment and g.role is ROLE[holder.post] for g in grants):
        raise Refused(Code.NOT_GRANTED)
    if not grade_fits(holder.post, holder.grade):
        raise Refused(Code.GRADE_TOO_LOW)
    if any(number == holder.number and post is not holder.post for number, post in today):
        raise Refused(Code.OTHER_POST_HELD)
    for other in held:
        if other.number == holder.number and other.post is not holder.post:
            raise Refused(Code.OTHER_POST_HELD)
        if other.profile == holder.profile and other.post is not holder.post:
            raise Refused(Code.PROFILE_HOLDS_OTHER_POST)
        if other.number == holder.number and other.profile != holder.profile:
            raise Refused(Code.SHARED_ACCOUNT)
