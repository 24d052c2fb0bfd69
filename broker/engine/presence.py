"""Proofs: when each post was last proven present, for each call. In memory, on the node that owns the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from broker.domain.call import Call, Phase
from broker.domain.capacity import room_for
from broker.domain.codes import Post
from broker.domain.gate import Evidence, Proof
from broker.domain.policy import Policy
from broker.domain.posts import Holder
from broker.engine.attention import AttentionBook


@dataclass(frozen=True, slots=True)
class _Mark:
    since: datetime
    at: datetime


class Presence:
    """Who holds which post, and what proves it. One object a node."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._holders: dict[str, Holder] = {}
        self._lost_at: dict[str, datetime] = {}
        self._monitor: dict[tuple[str, str], _Mark] = {}  # (session, call id)
        self._supervisor: dict[str, _Mark] = {}  # session
        self._moved_at: dict[str, datetime] = {}  # call id
        self.lease_until: datetime | None = None
        self.open_calls: Callable[[], Iterable[Call]] = tuple  # every call of the node, as it is about to be
        self.attention = AttentionBook(policy)

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Everybody who is on a post, by socket."""
        return tuple(self._holders.values())

    def holder(self, session: str) -> Holder | None:
        """Return who holds a post at this socket."""
        return self._holders.get(session)

    def take(self, holder: Holder) -> None:
        """A person is on a post at a socket."""
        self._holders[holder.session] = holder

    def lose(self, session: str, now: datetime) -> Holder | None:
        """The socket is gone: its person keeps the post for the grace, while the proofs age by themselves."""
        if session in self._holders:
            self._lost_at[session] = now
        return self._holders.get(session)

    def leave(self, session: str) -> Holder | None:
        """The person signed off, or was away for longer than the grace: the post is no longer theirs."""
        self._lost_at.pop(session, None)
        self._supervisor.pop(session, None)
        for key in [key for key in self._monitor if key[0] == session]:
            del self._monitor[key]
        return self._holders.pop(session, None)

    def is_lost(self, session: str) -> bool:
        """Say whether the holder's socket is gone."""
        return session in self._lost_at

    def expired(self, now: datetime) -> list[str]:
        """Return the sessions whose socket has been gone for longer than their post's grace."""
        return [
            session for session, at in self._lost_at.items() if now - at > timedelta(seconds=self._grace_s(session))
        ]

    def _grace_s(self, session: str) -> float:
        policy = self._policy
        if self._holders[session].post is Post.MONITOR:
            return policy.proof_stale_s + policy.proof_grace_s
        return policy.supervisor_stale_s + policy.supervisor_grace_s

    def displayed(self, session: str, call_id: str, now: datetime) -> None:
        """The monitor at `session` was proven to have this call displayed, or to be there for a privileged one."""
        key = (session, call_id)
        self._monitor[key] = self._marked(self._monitor.get(key), now, self._policy.proof_stale_s)

    def moved(self, call_id: str, now: datetime) -> None:
        """The call got another relay: what was displayed before says nothing of it."""
        self._moved_at[call_id] = now

    def present(self, session: str, now: datetime) -> None:
        """The supervisor at `session` was proven present."""
        self._supervisor[session] = self._marked(self._supervisor.get(session), now, self._policy.supervisor_stale_s)

    def _marked(self, mark: _Mark | None, now: datetime, stale_s: float) -> _Mark:
        if mark is None or now - mark.at > timedelta(seconds=stale_s):
            return _Mark(now, now)
        return replace(mark, at=max(mark.at, now))

    def proof_age_s(self, session: str, call_id: str, now: datetime) -> float | None:
        """Return how old this console's own proof of a call is."""
        mark = self._monitor.get((session, call_id))
        return None if mark is None else (now - mark.at).total_seconds()

    def proven(self, session: str, call_id: str, within_s: float, now: datetime) -> bool:
        """Say whether this console's own proof of a call is no older than that."""
        age = self.proof_age_s(session, call_id, now)
        return age is not None and age <= within_s

    def supervisor_age_s(self, session: str, now: datetime) -> float | None:
        """Return how old a hall page's proof is."""
        mark = self._supervisor.get(session)
        return None if mark is None else (now - mark.at).total_seconds()

    def evidence(self, call: Call, now: datetime) -> Evidence:
        """Return what is proven for `call` now: of several holders the freshest, the one on record first."""
        monitors = self._proofs(call, Post.MONITOR, lambda holder: self._monitor.get((holder.session, call.id)))
        supervisors = self._proofs(call, Post.SUPERVISOR, lambda holder: self._supervisor.get(holder.session))
        lease = self.lease_until or now
        return Evidence(
            self._best(monitors, call.monitor, self._policy.proof_stale_s, now),
            self._best(supervisors, call.supervisor, self._policy.supervisor_stale_s, now),
            lease,
            self._moved_at.get(call.id),
            room=partial(self._room, call, now) if call.phase in (Phase.LOBBY, Phase.READY) else None,
            attention=self.attention.of(call, now),
        )

    def _room(self, call: Call, now: datetime) -> int:
        monitors = [one for one in self._holders.values() if one.post is Post.MONITOR and not self.is_lost(one.session)]
        return room_for(call, monitors, self.open_calls(), self._policy, now)

    def _proofs(self, call: Call, post: Post, mark_of: Callable[[Holder], _Mark | None]) -> list[Proof]:
        proofs = []
        for holder in self._holders.values():
            if holder.post is not post or not holder.covers(call.establishment, call.hall_id):
                continue
            mark = mark_of(holder)
            if mark is not None:
                proofs.append(Proof(holder.number, holder.grade, holder.session, mark.since, mark.at))
        return proofs

    @staticmethod
    def _best(proofs: Sequence[Proof], known: str | None, stale_s: float, now: datetime) -> Proof | None:
        fresh = [p for p in proofs if now - p.at <= timedelta(seconds=stale_s)]
        if fresh:
            return max(fresh, key=lambda p: (p.number == known, -p.since.timestamp()))
        return max(proofs, key=lambda p: p.at, default=None)

    def forget(self, call_id: str) -> None:
        """Drop the proofs of a call that is over."""
        self._moved_at.pop(call_id, None)
        self.attention.forget(call_id)
        for key in [key for key in self._monitor if key[1] == call_id]:
            del self._monitor[key]
