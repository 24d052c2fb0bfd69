"""What the server says. Nouns; a client ignores what it does not know.

Sentences never cross the wire: codes do, and the page words them from its catalogue.
Instants are RFC 3339 in UTC. `now` lets a page show server time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from broker.domain.codes import (
    Code,
    EndReason,
    HoldKind,
    IdentityReason,
    Outcome,
    PatrolReason,
    PauseReason,
    Post,
    RiskReason,
    Step,
    Warning,
)
from broker.protocol.alerts import Alert, LossHistory
from broker.protocol.attention import AttentionCheck, AttentionPart
from broker.protocol.base import Id, Key, ServerPart
from broker.protocol.callers import End, SuspensionPart
from broker.protocol.posts import (
    CheckPart,
    GuidancePart,
    HandoverOver,
    MayPart,
    PostLeftMessage,
    PostPart,
    Relief,
    Stations,
)
from broker.protocol.tasks import RecordMessage, WarningState

# --- parts -------------------------------------------------------------------


class YouStaff(ServerPart):
    """A signed-in member of staff."""

    chair: Literal["staff"] = "staff"
    name: str
    number: str
    grade: str
    may: list[MayPart]
    guidance: GuidancePart


class YouLeg(ServerPart):
    """A leg of a call, on the family's page."""

    chair: Literal["family"] = "family"
    leg_id: Id
    call_id: Id


class YouLaptop(ServerPart):
    """An enrolled laptop; its call comes with `visit` when there is one."""

    chair: Literal["laptop"] = "laptop"
    device_id: Id
    asset_tag: str
    seat: int | None = None


class LineWant(ServerPart):
    """How many receive lines of each kind an offer should have, and at how many homes of the relay to connect.

    An end of a call has one connection, wherever its call lives; a console has one at each home.
    """

    audio: int
    video: int
    homes: int = 1


class AttendeePart(ServerPart):
    """A person expected at a leg."""

    id: Id
    name: str
    child: bool = False
    main_caller: bool = False
    verified: bool = False
    relationship: str = ""  # to the prisoner; for staff only, as the age
    age: int | None = None


class LegPart(ServerPart):
    """A leg of a call as staff see it."""

    id: Id
    role: Literal["prisoner", "family", "professional", "interpreter", "staff", "stream"]
    people: list[AttendeePart]
    step: Step
    consented: bool
    verified: bool
    connected: bool
    sends: list[Literal["audio", "video"]]
    raised: bool = False  # asks for a member of staff
    faces: int | None = None  # how many its picture should show; none: a console does not count them


class HoldPart(ServerPart):
    """A hold that stands on a call."""

    id: Id
    kind: HoldKind
    post: Post | None  # whose hold; none: the system's
    by: str | None  # name of staff, for staff only
    reason: PauseReason | None
    placed_at: datetime
    undo_until: datetime | None = None
    relabel_until: datetime | None = None


class PrivilegedPart(ServerPart):
    """What staff may know of a privileged call: looks at its picture, and patrols. There is no sound."""

    may_look: bool  # the kind allows looks at all
    looks: int = 0
    looking: str | None = None  # name of who looks now
    until: datetime | None = None
    next_at: datetime | None = None  # before then no look may begin
    refused: bool = False
    patrol: PatrolReason | None = None
    patrol_next_at: datetime | None = None
    patrol_due_at: datetime | None = None  # asked for then, and not logged yet
    patrol_overdue: bool = False
    look_max_s: float
    look_gap_s: float


class CallPart(ServerPart):
    """A call as staff see it. `seq` rises with every change; an older one is dropped."""

    id: Id
    seq: int
    kind: str
    establishment: Id
    hall_id: Id
    hall: str
    seat_id: Id
    seat: int
    prisoner_number: str
    prisoner_initials: str
    prisoner_name: str
    tier: int
    tier_reasons: list[RiskReason] = []  # the most severe first; catalogue key `risk.<code>`
    tier_set_by: str | None = None  # name of staff, where a person and not the rules set it
    first_page: bool = False  # to be given a place on the wall's first page as it starts (features F56)
    privileged: PrivilegedPart | None = None
    synthetic: bool
    recorded: bool
    phase: Literal["scheduled", "lobby", "ready", "live", "ended"]
    holds: list[HoldPart]
    legs: list[LegPart]
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None = None
    clock_runs: bool = True  # false while minutes are credited
    credited_s: int = 0
    rebook_s: int = 0
    alarm: Literal["unmonitored", "unsupervised"] | None = None
    help_asked: bool = False
    looked_at: datetime | None = None
    attention: AttentionPart | None = None  # none: the call is not live, or its kind asks for no look
    outcome: Outcome | None = None
    end_reason: EndReason | None = None
    ended_by: str | None = None
    detectors: bool = False  # a console may look into its pictures by machine: advice only
    missing: list[
        str
    ] = []  # what the start still waits for: monitor, supervisor, family, prisoner, identity, seat, window, capacity


class SeatPart(ServerPart):
    """A seat in the hall, with its one state (features F29)."""

    id: Id
    hall_id: Id
    number: int
    state: Literal["out_of_use", "offline", "free", "waiting", "verify", "ready", "live", "paused", "fault", "help"]
    asset_tag: str | None = None
    call_id: Id | None = None


class LegHealth(ServerPart):
    """How a leg's link does, each second."""

    leg_id: Id
    call_id: Id
    health: Literal["good", "poor", "bad", "none"]
    level: float = 0.0
    loss: float = 0.0  # of the worse direction, 0 to 1
    sends_audio: bool = False
    sends_video: bool = False
    picture: Literal["best", "reduced", "none"] | None = None  # what its link carries of the far end; none: sound only


class LinePart(ServerPart):
    """What a receive line carries now; no leg: nothing. `home`: of a console's connections, the one with this line."""

    kind: Literal["audio", "video"]
    index: int
    home: int = 0
    call_id: Id | None = None
    leg_id: Id | None = None


class AnswerLine(ServerPart):
    """Where a receive line stands in the answer."""

    mid: str
    kind: Literal["audio", "video"]
    index: int


class IceServer(ServerPart):
    """A TURN server for this connection alone, as W3C's RTCIceServer. The credential is short-lived."""

    urls: list[str]
    username: str
    credential: str


class WaitPart(ServerPart):
    """Who the lobby waits for, without names of staff (features F16)."""

    who: Literal["you", "officer", "prisoner", "hall", "family"]
    ready: bool
    detail: str | None = None  # a code, catalogue key `wait.<code>`


class NoticePart(ServerPart):
    """The notice to accept before the call; its text follows from the kind and this version."""

    version: str
    kind: str
    recorded: bool


class OtherPart(ServerPart):
    """Another leg, as a caller sees it: first names only."""

    leg_id: Id
    role: str
    name: str
    connected: bool


# --- messages ------------------------------------------------------------------


class Welcome(ServerPart):
    """The answer to `hello`: who you are, and how many receive lines to offer."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    now: datetime
    you: Annotated[YouStaff | YouLeg | YouLaptop, Field(discriminator="chair")]
    receive: LineWant
    demo: bool = False  # test pictures are offered where there is no camera


class Ok(ServerPart):
    """The command was done and is on the record. `recorded` false: done, and not yet on the record."""

    type: Literal["ok"] = "ok"
    key: Key
    recorded: bool = True
    hold_id: Id | None = None  # of a `call.pause`


class RefusedMessage(ServerPart):
    """A rule said no. `checks`: of a refused `post.sign_on`, every condition with its answer."""

    type: Literal["refused"] = "refused"
    key: Key
    code: Code
    checks: list[CheckPart] = []


class MediaAnswer(ServerPart):
    """The relay's answer, by the home that was asked."""

    type: Literal["media.answer"] = "media.answer"
    key: Key
    sdp: str
    lines: list[AnswerLine]
    ice_servers: list[IceServer] = []  # none: the relay is reached directly
    home: int = 0


class MediaLines(ServerPart):
    """What the receive lines carry from now on: lines not named carry nothing."""

    type: Literal["media.lines"] = "media.lines"
    lines: list[LinePart]


class MediaQuality(ServerPart):
    """What this page's own link carries of the pictures of the others; said when it changes, to this page alone.

    `picture`: the best layers, lower ones, or none: the sound alone. `dropped`: video lines that carry no picture now.
    """

    type: Literal["media.quality"] = "media.quality"
    picture: Literal["best", "reduced", "none"]
    dropped: list[int] = []


class StillMessage(ServerPart):
    """A still of a leg for which this console has no line: one every few seconds, while its picture may be seen.

    `n` rises; a `wall.proof` names the one that stands on the page. It counts only where policy says so.
    """

    type: Literal["still"] = "still"
    call_id: Id
    leg_id: Id
    n: int
    jpeg: str  # base64 (RFC 4648 §4) of a JPEG, 320 pixels wide


class MediaReoffer(ServerPart):
    """Make a new connection with a new offer: more receive lines are needed, or the relay that had the old one is gone.

    `home`: of a console's connections, the one to replace.
    """

    type: Literal["media.reoffer"] = "media.reoffer"
    receive: LineWant
    home: int = 0


class LooksPart(ServerPart):
    """What the callers of a privileged call are told: whether somebody looks now, how often, and how long at most."""

    may_look: bool
    looking: bool = False
    until: datetime | None = None
    looks: int = 0
    refused: bool = False
    max_s: int
    every_min: int


class VisitMessage(ServerPart):
    """The call as a caller sees it. Sent at once and after every change.

    `screen` is what the page shows; `pause` says why media is held, in the one
    word that the page may tell: a decision of staff, a fault, or a wait.
    """

    type: Literal["visit"] = "visit"
    now: datetime
    call_id: Id | None
    leg_id: Id | None = None
    screen: Literal["none", "notice", "check", "lobby", "call", "paused", "ended"]
    kind: str = "social"
    privileged: LooksPart | None = None
    people: list[AttendeePart] = []
    others: list[OtherPart] = []
    notice: NoticePart | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    started: bool = False
    waiting: list[WaitPart] = []
    late_min: int = 0
    pause: Literal["staff", "fault", "you", "other_end", "no_officer"] | None = None
    pause_reason: PauseReason | None = None
    clock_runs: bool = True
    returned_s: int = 0  # minutes given back, in seconds
    rebook_s: int = 0
    hand: bool = False  # this leg asks for a member of staff
    end: End | None = None
    end_reason: EndReason | None = None
    identity: IdentityReason | None = None  # why this end, and no other, was refused at the check
    suspension: SuspensionPart | None = None
    synthetic: bool = False


class WarningMessage(ServerPart):
    """A warning of the monitoring post, to be shown until read; answer with `warning.shown`."""

    type: Literal["warning"] = "warning"
    warning_id: Id
    warning: Warning
    at: datetime


class Snapshot(ServerPart):
    """All that a staff page may see now; sent after `welcome` and after a post changes hands."""

    type: Literal["snapshot"] = "snapshot"
    now: datetime
    you_hold: PostPart | None
    calls: list[CallPart]
    posts: list[PostPart]
    seats: list[SeatPart]
    alerts: list[Alert] = []  # what stands, and what of today is dealt with; the oldest first


class CallMessage(ServerPart):
    """A call changed."""

    type: Literal["call"] = "call"
    now: datetime
    call: CallPart


class PostMessage(ServerPart):
    """A post changed."""

    type: Literal["post"] = "post"
    now: datetime
    post: PostPart


class SeatMessage(ServerPart):
    """A seat changed."""

    type: Literal["seat"] = "seat"
    now: datetime
    seat: SeatPart


class News(ServerPart):
    """Each second, to staff: that the broker lives, and how each link does."""

    type: Literal["news"] = "news"
    now: datetime
    legs: list[LegHealth] = []
    proof_age_s: dict[str, float] = {}  # call id -> age of this post's proof, for the console's own eyes
    attention: dict[str, AttentionPart] = {}  # by call id, to the monitoring post


class Bye(ServerPart):
    """The last message before the server closes; catalogue key `bye.<code>`."""

    type: Literal["bye"] = "bye"
    code: Literal[
        "replaced", "revoked", "signed_out", "slow", "violation", "shutdown", "version", "ticket", "elsewhere"
    ]


ServerMessage = Annotated[
    Welcome
    | Ok
    | RefusedMessage
    | MediaAnswer
    | MediaLines
    | MediaQuality
    | AttentionCheck
    | StillMessage
    | MediaReoffer
    | VisitMessage
    | WarningMessage
    | Snapshot
    | Stations
    | Relief
    | HandoverOver
    | PostLeftMessage
    | CallMessage
    | PostMessage
    | SeatMessage
    | News
    | Alert
    | LossHistory
    | WarningState
    | RecordMessage
    | Bye,
    Field(discriminator="type"),
]

adapter: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def decode(text: str | bytes) -> ServerMessage:
    """Return the server's message in `text` (for bots, check-call and tests)."""
    return adapter.validate_json(text)
