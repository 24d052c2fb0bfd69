"""The attention check on the wire: what the console shows at one tile until a person answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.checks import CheckStage
from broker.protocol.base import Id, ServerPart


class AttentionCheck(ServerPart):
    """A check rings at the tile of a call; answer with `attention.answer`. No stage: it is over."""

    type: Literal["attention.check"] = "attention.check"
    check_id: Id
    call_id: Id
    letter: str
    asked_at: datetime
    stage: CheckStage | None
