"""Who acts: a signed-in member of staff, a leg of a call, an enrolled device, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass

from broker.domain.codes import Post
from broker.domain.permissions import STRANGER, Asker


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated actor. `id` is what the record holds: never a name."""

    id: str  # "staff:<number>", "leg:<leg id>", "device:<id>", "system"
    name: str = ""  # shown to staff, never recorded
    number: str | None = None  # staff number
    session: str = ""  # the socket's own id; a console's endpoint
    asker: Asker = STRANGER  # what the permission table is asked about

    @property
    def post(self) -> Post | None:
        """The post that this actor is on."""
        return self.asker.held.post if self.asker.held else None

    def covers(self, establishment: str, hall_id: str | None = None) -> bool:
        """Say whether the post that this actor is on reaches that hall (`HeldPost.covers`)."""
        return self.asker.held is not None and self.asker.held.covers(establishment, hall_id)


SYSTEM = Actor("system")
