"""What a client says. Imperative names; the server refuses what it does not know.

A message with a `key` is a command: it is answered by `ok` or `refused` with the
same key. The key is the client's own random word: sent twice (after a lost
socket, say) the command acts once, and the first answer is given again.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

from broker.domain.codes import EndReason, IdentityReason, PauseReason, Post, Step, Warning
from broker.domain.transfer import Reason, Side
from broker.protocol.base import MAX_MESSAGE_BYTES, MAX_SDP_CHARS, Id, Key, Message, ProtocolViolation
from broker.protocol.tasks import PersonTicks, TaskMessage


class Hello(Message):
    """The first message of every socket: the versions the client speaks and its single-use ticket."""

    type: Literal["hello"] = "hello"
    protocol: Annotated[list[int], Field(min_length=1, max_length=16)]
    ticket: Annotated[str, StringConstraints(min_length=16, max_length=128)]


class LinkCheck(Message):
    """Ask whether the broker hears: answered by `ok`, at once and in every state. Nothing is done."""

    type: Literal["link.check"] = "link.check"
    key: Key


# --- a leg: the family's page or the laptop --------------------------------


class ConsentAccept(Message):
    """The family accepts the notice of this version (features F10)."""

    type: Literal["consent.accept"] = "consent.accept"
    key: Key
    notice_version: Annotated[str, StringConstraints(max_length=32)]


class CheckReport(Message):
    """What the camera and microphone check found."""

    type: Literal["check.report"] = "check.report"
    key: Key
    camera: Literal["ok", "none", "blocked", "test_picture"]
    microphone: Literal["ok", "none", "blocked", "test_tone"]
    browser: Annotated[str, StringConstraints(max_length=200)] = ""


class LegProgress(Message):
    """How far the leg has come, for the staff's eyes (features F76). No answer."""

    type: Literal["leg.progress"] = "leg.progress"
    step: Step


class LobbyEnter(Message):
    """The leg is ready and waits in the lobby."""

    type: Literal["lobby.enter"] = "lobby.enter"
    key: Key


class MediaOffer(Message):
    """The browser's offer (RFC 9429): sendonly and recvonly transceivers apart. Answered by `media.answer`.

    `home`: a console says at which home of the relay; where an end of a call connects is the broker's to say.
    """

    type: Literal["media.offer"] = "media.offer"
    key: Key
    sdp: Annotated[str, StringConstraints(max_length=MAX_SDP_CHARS)]
    home: int = 0


class LegLeave(Message):
    """The person leaves the call for good."""

    type: Literal["leg.leave"] = "leg.leave"
    key: Key


class LegHelp(Message):
    """Somebody at this leg asks for a member of staff: the hall's at the laptop, the monitoring post for a family.

    `raised` false: they need nobody any more.
    """

    type: Literal["leg.help"] = "leg.help"
    key: Key
    raised: bool = True


class LookRefuse(Message):
    """The outside caller of a privileged call refuses to be looked at, for the rest of the call."""

    type: Literal["look.refuse"] = "look.refuse"
    key: Key


class WarningShown(Message):
    """The page has shown the warning with this id. No answer."""

    type: Literal["warning.shown"] = "warning.shown"
    warning_id: Id


# --- both posts -------------------------------------------------------------


class PostSignOn(Message):
    """Take a post: monitoring of one or several establishments, technical supervision of one hall of one."""

    type: Literal["post.sign_on"] = "post.sign_on"
    key: Key
    post: Post
    scope: Annotated[list[Id], Field(min_length=1, max_length=256)]
    hall_id: Id | None = None
    guidance: Annotated[str, StringConstraints(max_length=32)]  # the version that the person has acknowledged


class PostSignOff(Message):
    """Leave the post that this socket holds."""

    type: Literal["post.sign_off"] = "post.sign_off"
    key: Key


class HandoverOffer(Message):
    """Offer the monitoring post of this socket to a named colleague on the same scope."""

    type: Literal["handover.offer"] = "handover.offer"
    key: Key
    number: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class HandoverAccept(Message):
    """Take the post that was offered."""

    type: Literal["handover.accept"] = "handover.accept"
    key: Key
    handover_id: Id


class HandoverRefuse(Message):
    """Do not take the post that was offered."""

    type: Literal["handover.refuse"] = "handover.refuse"
    key: Key
    handover_id: Id


class HandoverWithdraw(Message):
    """Take one's own offer back."""

    type: Literal["handover.withdraw"] = "handover.withdraw"
    key: Key
    handover_id: Id


class MonitoringPropose(Message):
    """Propose that an establishment passes to the national pool, or back to its own people."""

    type: Literal["monitoring.propose"] = "monitoring.propose"
    key: Key
    establishment: Id
    to: Side
    reason: Reason


class MonitoringAccept(Message):
    """Agree to what the other side proposed for an establishment."""

    type: Literal["monitoring.accept"] = "monitoring.accept"
    key: Key
    establishment: Id


class MonitoringDecline(Message):
    """Turn a proposal down, or take one's own back."""

    type: Literal["monitoring.decline"] = "monitoring.decline"
    key: Key
    establishment: Id


class BreakSnooze(Message):
    """Put a break that is due off for a while."""

    type: Literal["break.snooze"] = "break.snooze"
    key: Key


class CallPause(Message):
    """Silence both ends at once. The reason is asked after: `hold.reason`."""

    type: Literal["call.pause"] = "call.pause"
    key: Key
    call_id: Id


class HoldReason(Message):
    """Say why a hold was placed."""

    type: Literal["hold.reason"] = "hold.reason"
    key: Key
    call_id: Id
    hold_id: Id
    reason: PauseReason


class HoldRelabel(Message):
    """Within 60 s the maker of a security pause may make it a technical one."""

    type: Literal["hold.relabel"] = "hold.relabel"
    key: Key
    call_id: Id
    hold_id: Id


class HoldUndo(Message):
    """Within 5 s the maker of a pause may undo it."""

    type: Literal["hold.undo"] = "hold.undo"
    key: Key
    call_id: Id
    hold_id: Id


class HoldClear(Message):
    """Clear a hold. `version` is the call's `seq` as last seen: stale is refused."""

    type: Literal["hold.clear"] = "hold.clear"
    key: Key
    call_id: Id
    hold_id: Id
    version: int


class CallEnd(Message):
    """End the call for good; the page asks twice before it sends this."""

    type: Literal["call.end"] = "call.end"
    key: Key
    call_id: Id
    reason: EndReason


class LegVerify(Message):
    """Admit a leg: the monitor ticks the people of a family leg, the supervisor the prisoner at the seat.

    Who was booked and is not there is left out of `people`, and is on record as absent.
    """

    type: Literal["leg.verify"] = "leg.verify"
    key: Key
    call_id: Id
    leg_id: Id
    people: Annotated[list[Id], Field(min_length=1, max_length=8)]
    version: int
    checks: Annotated[list[PersonTicks], Field(max_length=8)] = []  # of a family leg: three ticks each


class AlertAck(Message):
    """Take an alert: this person is on it."""

    type: Literal["alert.ack"] = "alert.ack"
    key: Key
    alert_id: Id


class AlertClear(Message):
    """Close an alert: dealt with, or a false alarm."""

    type: Literal["alert.clear"] = "alert.clear"
    key: Key
    alert_id: Id
    outcome: Literal["dealt", "no_issue"]


class LegRefuse(Message):
    """Refuse a leg at the identity check, with the reason that its people are told: the call ends."""

    type: Literal["leg.refuse"] = "leg.refuse"
    key: Key
    call_id: Id
    leg_id: Id
    reason: IdentityReason | None = None


# --- monitoring only --------------------------------------------------------


class CallWarn(Message):
    """Show a canned warning to both ends, or again to those legs that have not shown it."""

    type: Literal["call.warn"] = "call.warn"
    key: Key
    call_id: Id
    warning: Warning
    legs: Annotated[list[Id], Field(max_length=8)] = []


class Advice(Message):
    """What a detector of this console sees of a live call, said again every few seconds while it lasts. No answer.

    Advice only: it may raise an alert, and does nothing else. `since`: none once it is seen no more.
    """

    type: Literal["advice"] = "advice"
    call_id: Id
    leg_id: Id | None = None
    code: Literal["covered", "frozen", "silence", "faces_more", "faces_none", "faces_fewer"]
    since: AwareDatetime | None = None


class LookStart(Message):
    """Look at a privileged call: pictures without sound, for seconds, counted and told to the callers."""

    type: Literal["look.start"] = "look.start"
    key: Key
    call_id: Id


class LookStop(Message):
    """End the look that runs."""

    type: Literal["look.stop"] = "look.stop"
    key: Key
    call_id: Id


class WallFocus(Message):
    """Have this call in focus, and hear it alone where `sound` is wanted; none: no call is in focus."""

    type: Literal["wall.focus"] = "wall.focus"
    key: Key
    call_id: Id | None = None
    sound: bool = True


class AttentionAnswer(Message):
    """Answer an attention check, by its tile or by its letter. Refused as `wrong_tile` where it is another."""

    type: Literal["attention.answer"] = "attention.answer"
    key: Key
    check_id: Id
    call_id: Id | None = None
    letter: Annotated[str, StringConstraints(max_length=1)] | None = None


class ShownLeg(Message):
    """What the page's main thread knows of one picture of a tile, over the last second (wall.md 4)."""

    leg_id: Id
    line: int | None = None  # the video line that shows it; none: a still or a placeholder is shown
    home: int = 0  # whose line that is
    still: int | None = None  # the `n` of the still that is shown in place of a line
    frames: int = 0  # requestVideoFrameCallback calls since the last report
    rtp_timestamp: int | None = None  # of the newest frame presented
    advanced: bool = False  # (totalVideoFrames - droppedVideoFrames) rose
    ratio: float = 0.0  # IntersectionObserver ratio
    unobscured: bool = False  # IntersectionObserver v2 isVisible; the ratio's own answer where v2 is missing
    width: int = 0  # CSS pixels at 100 % zoom
    height: int = 0


class ShownTile(Message):
    """One call on the wall."""

    call_id: Id
    legs: Annotated[list[ShownLeg], Field(max_length=8)]


class WallProof(Message):
    """Each second: what the wall presents of every call. The server judges. No answer."""

    type: Literal["wall.proof"] = "wall.proof"
    n: int  # rises by one
    heard: AwareDatetime  # the `now` of the newest message that the page has heard: the proof is dated by it
    visible: bool  # document.visibilityState
    busy: bool = False  # a panel that pauses, warns, ends or admits is in use: an attention check waits, not for long
    tiles: Annotated[list[ShownTile], Field(max_length=128)]


# --- technical supervision only ---------------------------------------------


class PatrolLog(Message):
    """The supervisor has walked past a privileged call that nobody looks at."""

    type: Literal["patrol.log"] = "patrol.log"
    key: Key
    call_id: Id


class Presence(Message):
    """Each second: the hall page is open and visible; `touched` since the last. No answer."""

    type: Literal["presence"] = "presence"
    n: int
    heard: AwareDatetime  # as in `wall.proof`
    visible: bool
    touched: bool = False


ClientMessage = Annotated[
    Hello
    | LinkCheck
    | ConsentAccept
    | CheckReport
    | LegProgress
    | LobbyEnter
    | MediaOffer
    | LegLeave
    | LegHelp
    | WarningShown
    | PostSignOn
    | PostSignOff
    | HandoverOffer
    | HandoverAccept
    | HandoverRefuse
    | HandoverWithdraw
    | MonitoringPropose
    | MonitoringAccept
    | MonitoringDecline
    | BreakSnooze
    | CallPause
    | HoldReason
    | HoldRelabel
    | HoldUndo
    | HoldClear
    | CallEnd
    | LegVerify
    | LegRefuse
    | AlertAck
    | AlertClear
    | Advice
    | CallWarn
    | TaskMessage
    | LookStart
    | LookStop
    | PatrolLog
    | LookRefuse
    | WallFocus
    | AttentionAnswer
    | WallProof
    | Presence,
    Field(discriminator="type"),
]

_adapter: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def decode(text: str | bytes) -> ClientMessage:
    """Return the message in `text`.

    Raises:
        ProtocolViolation: `too_large`, or `malformed` for anything that is not exactly one of ours.
    """
    if len(text) > MAX_MESSAGE_BYTES:
        raise ProtocolViolation("too_large")
    try:
        return _adapter.validate_json(text)
    except (ValidationError, ValueError, RecursionError):
        raise ProtocolViolation("malformed") from None
