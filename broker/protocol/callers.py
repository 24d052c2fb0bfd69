"""Parts of what a caller's page is told about an end."""

from __future__ import annotations

from datetime import date
from typing import Literal

from broker.domain.codes import SuspensionReason
from broker.protocol.base import ServerPart

End = Literal["time", "staff", "you", "other_end", "fault", "not_started", "cancelled", "identity", "suspended"]


class SuspensionPart(ServerPart):
    """Who of a family may not take part, up to and with which day.

    `reason` and `appeal` are told to that person alone: to the page of the link that is theirs.
    """

    name: str
    until: date
    reason: SuspensionReason | None = None
    appeal: str | None = None
