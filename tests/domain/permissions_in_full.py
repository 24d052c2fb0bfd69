"""The permission table enumerated: post × grade × action × scope.

`python -m tests.domain.permissions_in_full` writes both golden files anew after a change of the table, for review.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from broker.domain.codes import Post
from broker.domain.permissions import ACTIONS, TABLE, Asker, HeldPost, Subject, Who, may, staff_asker
from broker.domain.posts import Holder, SignOnRefused, sign_on
from broker.domain.records import NATIONAL_POOL, Grade, Grant, Role

TABLE_FILE = Path(__file__).with_name("permissions.csv")
FULL_FILE = Path(__file__).with_name("permissions_in_full.csv")
GRANTS = (
    *(Grant("1001", place, role) for place in ("HRD", "SKB") for role in (Role.MONITOR, Role.SUPERVISOR)),
    Grant("1001", NATIONAL_POOL, Role.NATIONAL_MONITOR),
)
HRD = frozenset({"HRD"})
POSTS = {
    "none": None,
    "monitor": HeldPost(Post.MONITOR, HRD),
    "supervisor": HeldPost(Post.SUPERVISOR, HRD, "HRD-A"),
    "pool": HeldPost(Post.MONITOR, HRD, pool=True),
}
"""Which post is held; the pool has taken HRD over."""
SCOPES = {
    "own": Subject("HRD", "HRD-A"),
    "other_hall": Subject("HRD", "HRD-B"),
    "granted_elsewhere": Subject("SKB", "SKB-A"),
    "not_granted": Subject("WXC", "WXC-A"),
}
"""What is asked about, seen from HRD's hall A."""
FIELDS = ["action", "post", "scope", *Grade]


def asker(held: HeldPost | None, grade: Grade) -> Asker | str:
    """Return the person on that post, or why their grade may not hold it."""
    grants = [(grant.role, grant.establishment) for grant in GRANTS]
    if held is None:
        return staff_asker("1001", grants)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    holder = Holder(held.post, held.scope, held.hall_id, "1001", "", grade, "p", "s", now, pool=held.pool)
    try:
        sign_on(holder, GRANTS, (), None)
    except SignOnRefused as refused:
        return refused.code.value
    return staff_asker("1001", grants, held)


def answer(action: str, post: str, scope: str, grade: Grade) -> str:
    """Return `yes`, or the code of the refusal: the grade's, where the post cannot be held at all."""
    person = asker(POSTS[post], grade)
    if isinstance(person, str):
        return person
    refusal = may(person, action, SCOPES[scope])
    return "yes" if refusal is None else refusal.value


def in_full() -> Iterator[dict[str, str]]:
    """Yield every row."""
    for action in sorted(ACTIONS):
        for post in POSTS:
            for scope in SCOPES:
                answers = {grade.value: answer(action, post, scope, grade) for grade in Grade}
                yield {"action": action, "post": post, "scope": scope, **answers}


def write() -> None:
    """Write both golden files."""
    with FULL_FILE.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, FIELDS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(in_full())
    with TABLE_FILE.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["action", *Who])
        for action in sorted(ACTIONS):
            table.writerow([action, *(TABLE[action, who].value if (action, who) in TABLE else "-" for who in Who)])


if __name__ == "__main__":
    write()
