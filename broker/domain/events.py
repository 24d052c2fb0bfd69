"""What happened to a call. Past tense; each is one record of the call's stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broker.domain.codes import (
    EndReason,
    HoldKind,
    IdentityReason,
    ObservationMode,
    Outcome,
    PatrolReason,
    PauseReason,
    Post,
    RiskReason,
    Step,
    Warning,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Any event: when, and who (an actor's id)."""

    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class LegSpec:
    """A leg as it was booked."""

    id: str
    role: str
    people: tuple[str, ...]
    children: tuple[str, ...] = ()
    main_caller: str | None = None
    sends: tuple[str, ...] = ("audio", "video")
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class CallScheduled(Event):
    """The call's first event: everything that was booked."""

    call_id: str
    kind: str
    establishment: str
    hall_id: str
    seat_id: str
    starts_at: datetime
    ends_at: datetime
    latest_end: datetime
    policy_version: str
    legs: tuple[LegSpec, ...]
    synthetic: bool = False
    tier: int = 3
    tier_reasons: tuple[RiskReason, ...] = ()


@dataclass(frozen=True, slots=True)
class LegArrived(Event):
    """A leg opened its page; a change of device or a long absence asks for a new identity check."""

    leg_id: str
    credential_until: datetime
    device_id: str | None


@dataclass(frozen=True, slots=True)
class LegConsented(Event):
    """The notice was accepted."""

    leg_id: str
    notice_version: str


@dataclass(frozen=True, slots=True)
class LegChecked(Event):
    """The camera and microphone check was done."""

    leg_id: str
    camera: str
    microphone: str


@dataclass(frozen=True, slots=True)
class LegProgressed(Event):
    """A leg came to a step."""

    leg_id: str
    step: Step


@dataclass(frozen=True, slots=True)
class LegWaiting(Event):
    """A leg entered the lobby."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegConnected(Event):
    """A leg's media is up."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegLost(Event):
    """A leg's media is lost."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegLeft(Event):
    """A leg left for good."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegVerified(Event):
    """The people of a leg were verified by the post whose task it is."""

    leg_id: str
    people: tuple[str, ...]
    post: Post


@dataclass(frozen=True, slots=True)
class LegUnverified(Event):
    """A leg was away too long, or came back on another device: it must be verified again."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegRevoked(Event):
    """A leg's credential is no longer good."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class PeopleBarred(Event):
    """People of the call stand under a restriction."""

    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeopleUnbarred(Event):
    """The restriction on these people was lifted."""

    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HelpAsked(Event):
    """Somebody at a leg asked for staff."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class HelpGiven(Event):
    """The post whose task it was has dealt with it, or whoever asked needs nobody any more."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class CallReady(Event):
    """Every leg waits, verified."""


@dataclass(frozen=True, slots=True)
class CallUnready(Event):
    """A leg is no longer ready."""


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    """The call is live; its minutes count from here."""

    ends_at: datetime
    rebook_s: int


@dataclass(frozen=True, slots=True)
class CoverChanged(Event):
    """Who is proven to hold a post for this call; none: nobody, and `proven_at` is when the last one was."""

    post: Post
    number: str | None
    proven_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """A post's proof went stale while the call is live."""

    post: Post


@dataclass(frozen=True, slots=True)
class AlarmCleared(Event):
    """The post's proof is back."""

    post: Post


@dataclass(frozen=True, slots=True)
class HoldPlaced(Event):
    """Media is held. `silent_after_ms`: from the command's receipt to the relay's word that nothing crosses."""

    hold_id: str
    kind: HoldKind
    post: Post | None
    by: str | None = None  # staff number of the maker
    silent_after_ms: float | None = None


@dataclass(frozen=True, slots=True)
class HoldReasoned(Event):
    """Why a hold was placed."""

    hold_id: str
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class HoldRelabelled(Event):
    """A security pause became a technical one."""

    hold_id: str
    kind: HoldKind


@dataclass(frozen=True, slots=True)
class HoldCleared(Event):
    """A hold was lifted; `undone` by its maker within seconds."""

    hold_id: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class ClockStopped(Event):
    """From `since` on, lost minutes are credited."""

    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockRestarted(Event):
    """Minutes were credited: the end moved by `credited_s`; `rebook_s` more is owed as a rebook credit."""

    credited_s: int
    rebook_s: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LimitChanged(Event):
    """The latest possible end changed."""

    latest_end: datetime


@dataclass(frozen=True, slots=True)
class TierSet(Event):
    """The call's tier changed: by the rules, or `by` a person with a `reason` in words."""

    tier: int
    reasons: tuple[RiskReason, ...]
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class KindChanged(Event):
    """The call became a privileged one, `by` a staff number."""

    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class LookStarted(Event):
    """A monitor's console shows a privileged call, without sound, at the latest `until` then (features F64)."""

    number: str
    session: str
    lines: tuple[tuple[str, int], ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class LookEnded(Event):
    """The look is over."""

    number: str
    session: str


@dataclass(frozen=True, slots=True)
class LookRefused(Event):
    """A caller refused to be looked at, for the rest of the call (features F65)."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class PatrolBegan(Event):
    """The hall walks past from now on, first at `next_at`; or why it does has changed."""

    why: PatrolReason
    next_at: datetime


@dataclass(frozen=True, slots=True)
class PatrolEnded(Event):
    """Looks take the place of patrols again."""


@dataclass(frozen=True, slots=True)
class PatrolDue(Event):
    """The hall is asked to walk past now."""


@dataclass(frozen=True, slots=True)
class PatrolOverdue(Event):
    """The hall was asked, and nobody has walked past."""


@dataclass(frozen=True, slots=True)
class PatrolLogged(Event):
    """A supervisor walked past."""

    number: str
    next_at: datetime


@dataclass(frozen=True, slots=True)
class WarningGiven(Event):
    """A warning went to every leg, or to those named."""

    warning_id: str
    warning: Warning
    legs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningDisplayed(Event):
    """A leg's page displayed a warning."""

    leg_id: str
    warning_id: str


@dataclass(frozen=True, slots=True)
class ObservationStarted(Event):
    """A monitor's console shows this call (features F48): as a tile, or in focus with sound."""

    session: str
    number: str
    focus: bool
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ObservationEnded(Event):
    """A monitor's console shows this call no more."""

    session: str
    number: str


@dataclass(frozen=True, slots=True)
class ObservationRecorded(Event):
    """A stretch for which a console was proven to display this call; the fields are named as on record (`from`)."""

    number: str
    session: str
    from_: datetime
    to: datetime
    mode: ObservationMode
    sound: bool


@dataclass(frozen=True, slots=True)
class AttentionLooked(Event):
    """A look began, `after_s` seconds of flow after the last one (features F47)."""

    number: str
    after_s: float
    limit_s: float
    within: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class AttentionOverdue(Event):
    """The call has flowed for longer than its tier's limit without a look; `number`: whose it was."""

    tier: int
    limit_s: float
    number: str | None


@dataclass(frozen=True, slots=True)
class CallRecovered(Event):
    """A new owner rebuilt the call from the record."""

    gap_s: float


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The end: nothing leaves it. `identity`: why `by_leg` was refused at its check."""

    outcome: Outcome
    reason: EndReason | None = None
    by_leg: str | None = None
    by_post: Post | None = None
    identity: IdentityReason | None = None
