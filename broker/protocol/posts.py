"""What the server says of posts: where they may be taken, who holds them, why one may not."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.codes import Post
from broker.protocol.base import Id, ServerPart


class HallPart(ServerPart):
    """A hall."""

    id: Id
    name: str


class MayPart(ServerPart):
    """Which posts a person may take at an establishment."""

    establishment: Id
    name: str
    posts: list[Post]
    halls: list[HallPart]
    synthetic: bool = False


class GuidancePart(ServerPart):
    """The guidance in force: what is new in it (catalogue keys), and which version the person agreed to last."""

    version: str
    effective_from: datetime
    changes: list[str]
    agreed: str | None = None


class PostPart(ServerPart):
    """A post as it is staffed."""

    establishment: Id
    hall_id: Id | None
    post: Post
    state: Literal["on", "lost", "off"]
    name: str | None = None
    since: datetime | None = None
    you: bool = False
    scope: list[Id] = []  # every establishment that its holder's post spans


class CheckPart(ServerPart):
    """One condition of signing on: what it needs and what the person holds, as codes."""

    name: Literal["scope", "one_hall", "grade", "other_post", "browser", "named", "guidance", "device"]
    met: bool
    needed: str | None = None
    held: str | None = None


class StationPart(ServerPart):
    """How a place where the person may sign on stands now: its posts, and the calls that wait or run there."""

    establishment: Id
    posts: list[PostPart]
    monitors: list[str]  # the names of everybody who monitors it now
    live: int
    lobby: int


class Stations(ServerPart):
    """To staff who are on no post: how the places stand where they may sign on. Sent when it changes."""

    type: Literal["stations"] = "stations"
    now: datetime
    stations: list[StationPart]
