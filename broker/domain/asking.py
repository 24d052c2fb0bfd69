"""Who may ask what of a call: the permission table, with the call as what is asked about (domain.md 7.4)."""

from __future__ import annotations

from broker.domain.actors import Actor
from broker.domain.call import Call
from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import Subject, may


def require(actor: Actor, action: str, call: Call) -> Post:
    """Return the post from which `actor` may do `action` to `call`.

    Raises:
        Refused: the permission table says no. Another establishment's call does not exist for them.
    """
    if actor.post is not None and not actor.covers(call.establishment):
        raise Refused(Code.UNKNOWN_CALL)
    _permit(actor, action, call)
    assert actor.post is not None, "every action on a call is a post's"
    return actor.post


def require_off_post(actor: Actor, action: str, call: Call) -> None:
    """Check what is decided on no post, whoever may do it.

    Raises:
        Refused: the permission table says no; `not_your_post` to anybody on a post.
    """
    _permit(actor, action, call)
    if actor.post is not None:
        raise Refused(Code.NOT_YOUR_POST)


def _permit(actor: Actor, action: str, call: Call) -> None:
    refusal = may(actor.asker, action, Subject(call.establishment, call.hall_id))
    if refusal is not None:
        raise Refused(refusal)
