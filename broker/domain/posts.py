"""The two posts: who may take one, who holds one. Never both by one person (design README 1 and 18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost
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

    @property
    def held(self) -> HeldPost:
        """The post itself, as the permission table knows it."""
        return HeldPost(self.post, self.scope, self.hall_id)

    def covers(self, establishment: str, hall_id: str | None = None) -> bool:
        """Say whether this holder's post reaches that hall (`HeldPost.covers`)."""
        return self.held.covers(establishment, hall_id)


def sign_on(
    holder: Holder, grants: Iterable[Grant], held: Iterable[Holder], today: Iterable[tuple[str, Post]] = ()
) -> None:
    """Check that `holder` may take the post.

    Args:
        holder: The person, as they would hold it.
        grants: What the person may be, and where.
        held: Every post now held, anywhere.
        today: Who has held which post at the scope's establishments in this day's session.

    Raises:
        Refused: not granted, grade too low, the other post is or was held by this
            person or this browser, or the person holds this post in another browser
            (a shared account shows itself by concurrent posts, features F101).
    """
    granted = {grant.establishment for grant in grants if grant.role is ROLE[holder.post]}
    if not holder.scope or not holder.scope <= granted:
        raise Refused(Code.NOT_GRANTED)
    if holder.post is Post.SUPERVISOR and len(holder.scope) != 1:
        raise Refused(Code.NOT_YOUR_HALL)
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
