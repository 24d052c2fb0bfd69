"""A leg: one party of a call, what it may send, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.domain.codes import Step
from broker.domain.plan import Media


class LegRole(StrEnum):
    """What a leg is in the call."""

    PRISONER = "prisoner"
    FAMILY = "family"
    PROFESSIONAL = "professional"
    INTERPRETER = "interpreter"
    STAFF = "staff"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Leg:
    """One end of a call. `people` are ids: a prisoner's number, contacts' ids."""

    id: str
    role: LegRole
    people: tuple[str, ...]
    children: frozenset[str] = frozenset()
    main_caller: str | None = None
    sends: frozenset[Media] = frozenset(Media)
    synthetic: bool = False
    # progress
    step: Step = Step.AWAY
    credential_until: datetime | None = None
    device_id: str | None = None
    revoked: bool = False
    consented: str | None = None
    checked: bool = False
    waiting: bool = False  # in the lobby, or past it
    verified: frozenset[str] = frozenset()
    connected: bool = False
    lost_at: datetime | None = None
    left: bool = False
    waiting_at: datetime | None = None
    guard_seq: int = 0  # of the last event that a verification must have seen
    raised: bool = False  # asks for a member of staff
    trouble: str | None = None  # what its last check found: blocked or failed

    @property
    def needs_consent(self) -> bool:
        """Say whether this leg must accept the notice: everyone who joins by a link."""
        return self.role is not LegRole.PRISONER

    @property
    def present(self) -> bool:
        """Say whether the leg waits with all its own steps done."""
        return (
            self.waiting
            and self.checked
            and not self.left
            and not self.revoked
            and (self.consented is not None or not self.needs_consent)
        )
