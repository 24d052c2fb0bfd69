"""Attention on the wire: how calls stand to their limits, and the check that a person answers at one tile."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.attention import AttentionState
from broker.domain.checks import CheckStage
from broker.protocol.base import Id, ServerPart


class AttentionPart(ServerPart):
    """How a live call stands to its tier's limit (features F47, F58). `by`: the staff number of whose look is due.

    `due_at`: when it will have flowed for `limit_s` without a look; none: it is in focus now, or nothing flows.
    """

    limit_s: float
    unwatched_s: float
    state: AttentionState
    looked_at: datetime | None = None
    due_at: datetime | None = None
    in_focus: bool = False
    by: str | None = None
    by_name: str | None = None


class AttentionCheck(ServerPart):
    """A check rings at the tile of a call; answer with `attention.answer`. No stage: it is over."""

    type: Literal["attention.check"] = "attention.check"
    check_id: Id
    call_id: Id
    letter: str
    asked_at: datetime
    stage: CheckStage | None
