"""What a staff page is told of alerts, and of how the links of a call did."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.alerts import Clears
from broker.domain.codes import AlertCode, AlertLevel, AlertOutcome, Post
from broker.protocol.base import Id, ServerPart


class Alert(ServerPart):
    """An alert as it stands now, sent at each of its changes; catalogue key `alert.<code>`."""

    type: Literal["alert"] = "alert"
    id: Id
    at: datetime
    code: AlertCode
    level: AlertLevel
    state: Literal["open", "acknowledged", "cleared"]
    clears: Clears  # what ends it: only its cause, only a person, or either
    establishment: Id
    call_id: Id | None = None
    leg_id: Id | None = None
    post: Post | None = None  # whose task; none: both posts'
    by: str | None = None  # name of staff who caused it
    acked_by: str | None = None  # name of staff
    acked_at: datetime | None = None
    cleared_by: str | None = None  # name of staff; none of a cleared one: by itself
    cleared_at: datetime | None = None
    outcome: AlertOutcome | None = None


class LossPart(ServerPart):
    """How much a leg's link lost, sample by sample, the newest last: percent, or null where it was not connected."""

    leg_id: Id
    percent: list[int | None]


class LossHistory(ServerPart):
    """The last minutes of each leg's link, once a call comes into focus; later samples are in the news."""

    type: Literal["loss.history"] = "loss.history"
    call_id: Id
    every_s: int
    until: datetime  # of the newest sample
    legs: list[LossPart]
