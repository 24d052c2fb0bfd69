"""What the server says of posts: where they may be taken, who holds them, why one may not."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from broker.domain.codes import Code, Post
from broker.domain.transfer import Reason, Side
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
    pool: bool = False  # the national pool: no establishment, and no halls


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
    pool: bool = False


class CheckPart(ServerPart):
    """One condition of signing on: what it needs and what the person holds, as codes."""

    name: Literal["scope", "one_hall", "grade", "other_post", "browser", "named", "guidance", "device"]
    met: bool
    needed: str | None = None
    held: str | None = None


class ShiftNotePart(ServerPart):
    """What the shift before left to read: who, when, what."""

    id: Id
    name: str
    at: datetime
    text: str


class StationPart(ServerPart):
    """How a place where the person may sign on stands now: its posts, and the calls that wait or run there."""

    establishment: Id
    posts: list[PostPart]
    monitors: list[str]  # the names of everybody who monitors it now
    live: int
    lobby: int
    notes: list[ShiftNotePart] = []


class ConsolePart(ServerPart):
    """What this browser is enrolled as: the establishment that it serves (NATIONAL: every one), and until when.

    `code`: why no post may be taken on it anywhere, as a catalogue key `refused.<code>`.
    """

    establishment: Id | None = None
    asset_tag: str | None = None
    assured_until: datetime | None = None
    code: Code | None = None
    renew: bool = False  # the end is near


class Stations(ServerPart):
    """To staff who are on no post: how the places stand where they may sign on. Sent when it changes.

    `console`: of the page whose post wants an enrolled browser; none elsewhere.
    """

    type: Literal["stations"] = "stations"
    now: datetime
    stations: list[StationPart]
    console: ConsolePart | None = None


class ColleaguePart(ServerPart):
    """Another monitor on post, how many of one's live calls their screen shows, and why they cannot take over yet."""

    number: str
    name: str
    grade: str
    since: datetime
    live: int
    proven: int
    code: Code | None = None


class HandoverPart(ServerPart):
    """An offer of the monitoring post: from whom to whom, until when, and what is open as it passes."""

    id: Id
    role: Literal["outgoing", "incoming"]
    from_name: str
    to_name: str
    at: datetime
    until: datetime
    live: int
    held: int
    lobby: int
    proven: int  # live calls on the incoming screen now
    to_watch: int  # live calls now


class TransferPart(ServerPart):
    """A transfer in progress: to which side, who proposed it, and whether this page's side may answer."""

    to: Side
    reason: Reason
    by_name: str
    until: datetime
    agreed: bool  # both sides watch; it passes once the new one is proven
    yours: bool  # this page's side proposed it


class WatchPart(ServerPart):
    """Which side monitors an establishment that this person may speak for."""

    establishment: Id
    name: str
    side: Side
    transfer: TransferPart | None = None


class Relief(ServerPart):
    """To a monitor on post, when it changes: who could relieve them, the offer in progress, the next break."""

    type: Literal["relief"] = "relief"
    now: datetime
    colleagues: list[ColleaguePart]
    handover: HandoverPart | None = None
    pool: bool = False  # this page monitors for the national pool
    watch: list[WatchPart] = []
    notes: list[ShiftNotePart] = []  # of the shift before, by others
    break_at: datetime | None = None
    break_due: bool = False
    rest_s: float = 0.0


class HandoverOver(ServerPart):
    """To both, once: how an offer ended; catalogue key `monitor.handover.<outcome>`."""

    type: Literal["handover.over"] = "handover.over"
    now: datetime
    handover_id: Id
    role: Literal["outgoing", "incoming"]
    outcome: Literal["accepted", "withdrawn", "refused", "timed_out", "lost", "not_recorded"]
    from_name: str
    to_name: str


class PostLeftMessage(ServerPart):
    """This page is off its post, and not by its own word: it does not take the post again by itself."""

    type: Literal["post.left"] = "post.left"
    now: datetime
    why: Literal["handed_over", "transferred", "console_revoked", "console_expired"]
