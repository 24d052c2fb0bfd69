"""The closed lists of codes: refusals, reasons, outcomes, steps. The sentences stand in the catalogue."""

from __future__ import annotations

from enum import StrEnum


class Post(StrEnum):
    """The two posts that no one person may hold at once."""

    MONITOR = "monitor"
    SUPERVISOR = "supervisor"


class Code(StrEnum):
    """Why a rule said no. Stable; catalogue key `refused.<code>`."""

    ALREADY_ENDED = "already_ended"
    NOT_PERMITTED = "not_permitted"
    NOT_YOUR_POST = "not_your_post"
    NOT_YOUR_HALL = "not_your_hall"
    NOT_ON_POST = "not_on_post"
    UNKNOWN_CALL = "unknown_call"
    UNKNOWN_LEG = "unknown_leg"
    UNKNOWN_HOLD = "unknown_hold"
    STALE_VERSION = "stale_version"
    WRONG_PHASE = "wrong_phase"
    WRONG_TILE = "wrong_tile"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NOT_YOUR_HOLD = "not_your_hold"
    UNDO_EXPIRED = "undo_expired"
    RELABEL_EXPIRED = "relabel_expired"
    CONSENT_MISSING = "consent_missing"
    CHECK_MISSING = "check_missing"
    NOT_EVERYONE_VERIFIED = "not_everyone_verified"
    ADULT_MISSING = "adult_missing"
    PERSON_BARRED = "person_barred"
    CREDENTIAL_INVALID = "credential_invalid"
    OTHER_POST_HELD = "other_post_held"
    PROFILE_HOLDS_OTHER_POST = "profile_holds_other_post"
    GRADE_TOO_LOW = "grade_too_low"
    NOT_GRANTED = "not_granted"
    LOCAL_RULE = "local_rule"
    SHARED_ACCOUNT = "shared_account"
    GUIDANCE_CHANGED = "guidance_changed"
    CONSOLE_NOT_ENROLLED = "console_not_enrolled"
    CONSOLE_ELSEWHERE = "console_elsewhere"
    CONSOLE_EXPIRED = "console_expired"
    CONSOLE_REVOKED = "console_revoked"
    SCOPE_DIFFERS = "scope_differs"
    ALREADY_TRANSFERRED = "already_transferred"
    NOBODY_THERE = "nobody_there"
    TRANSFER_PENDING = "transfer_pending"
    UNKNOWN_TRANSFER = "unknown_transfer"
    NOT_ON_SCREEN = "not_on_screen"
    HANDOVER_PENDING = "handover_pending"
    UNKNOWN_HANDOVER = "unknown_handover"
    UNAVAILABLE = "unavailable"
    BAD_OFFER = "bad_offer"
    SYNTHETIC_MIX = "synthetic_mix"
    TOO_MANY_PEOPLE = "too_many_people"
    PRISONER_BOOKED = "prisoner_booked"
    SEAT_BOOKED = "seat_booked"
    CONTACT_BOOKED = "contact_booked"
    CONTACT_RESTRICTED = "contact_restricted"
    ALREADY_SUSPENDED = "already_suspended"
    NOT_SUSPENDED = "not_suspended"
    BAD_END = "bad_end"
    NOT_ON_VISITOR_LIST = "not_on_visitor_list"
    HALL_CLOSED = "hall_closed"
    KIND_NOT_OFFERED = "kind_not_offered"
    UNKNOWN_PRISONER = "unknown_prisoner"
    UNKNOWN_SEAT = "unknown_seat"
    SEAT_OUT_OF_USE = "seat_out_of_use"
    BAD_TIMES = "bad_times"
    ALREADY_CANCELLED = "already_cancelled"
    UNKNOWN_ALERT = "unknown_alert"
    CAUSE_STANDS = "cause_stands"
    UNKNOWN_TIER = "unknown_tier"
    IDENTITY_INCOMPLETE = "identity_incomplete"
    TEXT_MISSING = "text_missing"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_CONTROLS = "text_controls"
    UNKNOWN_BREACH = "unknown_breach"
    WITHDRAW_EXPIRED = "withdraw_expired"
    UNKNOWN_ATTEND = "unknown_attend"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    BAD_PHOTO = "bad_photo"
    PRIVILEGED = "privileged"
    NOT_PRIVILEGED = "not_privileged"
    ALREADY_PRIVILEGED = "already_privileged"
    LOOKS_NOT_ALLOWED = "looks_not_allowed"
    LOOKS_REFUSED = "looks_refused"
    LOOK_RUNNING = "look_running"
    LOOK_TOO_SOON = "look_too_soon"


class Refused(Exception):
    """A rule said no. `code` is shown to the person, through the catalogue."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


class RiskReason(StrEnum):
    """Why a call has its tier (broker/domain/risk.py); catalogue key `risk.<code>`."""

    WATCH_LIST = "watch_list"
    TERRORISM = "terrorism"
    ESCAPE = "escape"
    NO_CONTACT_ORDER = "no_contact_order"
    CHILD_CONTACT = "child_contact"
    AUTHORISED = "authorised"
    MOVED = "moved"
    AUTHORISATION_EXPIRED = "authorisation_expired"
    HARM_TO_OTHERS = "harm_to_others"
    PUBLIC_PROTECTION = "public_protection"
    SELF_HARM = "self_harm"
    RESTRICTION_NEAR = "restriction_near"
    CHILD = "child"


class PatrolReason(StrEnum):
    """Why the hall walks past a privileged call; catalogue key `patrol.<code>`."""

    KIND = "kind"  # nobody may look at this kind of call
    REFUSED = "refused"  # the caller refused looks
    POST_LOST = "post_lost"  # nobody is on the monitoring post


class Ground(StrEnum):
    """For what a communication may be monitored (Prison Rule 35A(4))."""

    NATIONAL_SECURITY = "national_security"
    CRIME = "crime"
    PUBLIC_SAFETY = "public_safety"
    PRISON_SECURITY = "prison_security"
    HEALTH_OR_MORALS = "health_or_morals"
    RIGHTS_OF_OTHERS = "rights_of_others"


class HoldKind(StrEnum):
    """Why media is held. Holds are a set: media flows only when it is empty."""

    SECURITY = "security"
    TECHNICAL = "technical"
    UNMONITORED = "unmonitored"
    UNSUPERVISED = "unsupervised"
    INTERRUPTED = "interrupted"
    INCIDENT = "incident"
    STOOD_DOWN = "stood_down"
    RECOVERED = "recovered"
    UNWATCHED = "unwatched"


class PauseReason(StrEnum):
    """Asked after a pause has acted; catalogue key `pause.<code>`."""

    UNLISTED_PERSON = "unlisted_person"
    CONDUCT = "conduct"
    DRESS = "dress"
    SECOND_DEVICE = "second_device"
    PUBLIC_PLACE = "public_place"
    WELFARE = "welfare"
    CHILD_WELFARE = "child_welfare"
    EQUIPMENT = "equipment"
    OTHER = "other"


class EndReason(StrEnum):
    """Why staff ended a call; catalogue key `end.<code>`."""

    FINISHED_EARLY = "finished_early"
    CONDUCT = "conduct"
    UNLISTED_PERSON = "unlisted_person"
    SECURITY = "security"
    WELFARE = "welfare"
    EQUIPMENT = "equipment"
    HALL_CLOSING = "hall_closing"
    IDENTITY = "identity"


class Outcome(StrEnum):
    """How a call ended: the visit scheduler's list, and TECHNICAL_FAILURE (features F105)."""

    COMPLETED_NORMALLY = "COMPLETED_NORMALLY"
    PRISONER_COMPLETED_EARLY = "PRISONER_COMPLETED_EARLY"
    VISITOR_COMPLETED_EARLY = "VISITOR_COMPLETED_EARLY"
    PRISONER_REFUSED_TO_ATTEND = "PRISONER_REFUSED_TO_ATTEND"
    VISITOR_DID_NOT_ARRIVE = "VISITOR_DID_NOT_ARRIVE"
    VISITOR_FAILED_SECURITY_CHECKS = "VISITOR_FAILED_SECURITY_CHECKS"
    TERMINATED_BY_STAFF = "TERMINATED_BY_STAFF"
    ESTABLISHMENT_CANCELLED = "ESTABLISHMENT_CANCELLED"
    PRISONER_CANCELLED = "PRISONER_CANCELLED"
    VISITOR_CANCELLED = "VISITOR_CANCELLED"
    BATCH_CANCELLATION = "BATCH_CANCELLATION"
    ADMINISTRATIVE_ERROR = "ADMINISTRATIVE_ERROR"
    TECHNICAL_FAILURE = "TECHNICAL_FAILURE"


class ObservationMode(StrEnum):
    """How a console displayed a call: among others, or in focus."""

    TILE = "tile"
    FOCUS = "focus"


class Step(StrEnum):
    """How far a leg has come (features F76); catalogue key `step.<code>`."""

    AWAY = "away"
    LINK_OPENED = "link_opened"
    CONSENTED = "consented"
    MEDIA_CHOSEN = "media_chosen"
    LOBBY = "lobby"
    CONNECTING = "connecting"
    CONNECTED = "connected"


STEP_ORDER = tuple(Step)


class Warning(StrEnum):
    """What the monitoring post may say to both ends; catalogue key `warning.<code>`."""

    LANGUAGE = "language"
    DRESS = "dress"
    STAY_IN_VIEW = "stay_in_view"
    SECOND_DEVICE = "second_device"
    UNLISTED_PERSON = "unlisted_person"
    FIVE_MINUTES = "five_minutes"
    FINAL = "final"


class AlertLevel(StrEnum):
    """How soon an alert asks for an act, the soonest first."""

    URGENT = "urgent"
    WARN = "warn"
    LOW = "low"
    INFO = "info"


class AlertCode(StrEnum):
    """What a post is alerted to; catalogue key `alert.<code>`. Their rules stand in alerts.py."""

    UNMONITORED = "unmonitored"
    UNSUPERVISED = "unsupervised"
    UNWATCHED = "unwatched"
    UNWATCHED_OFFERED = "unwatched_offered"
    UNWATCHED_HELD = "unwatched_held"
    CHECK_MISSED = "check_missed"
    UNATTENDED = "unattended"
    UNRECORDED = "unrecorded"
    WATCH_LIST = "watch_list"
    AUTHORISATION_EXPIRED = "authorisation_expired"
    REFLAGGED = "reflagged"
    PATROL_DUE = "patrol_due"
    PATROL_OVERDUE = "patrol_overdue"
    DISCONNECTED = "disconnected"
    MEDIA_BLOCKED = "media_blocked"
    SELF_TEST_FAILED = "self_test_failed"
    NO_SHOW = "no_show"
    HELP = "help"
    HAND = "hand"
    ENDING_FIVE = "ending_five"
    ENDING_ONE = "ending_one"
    DENIED_ATTEMPT = "denied_attempt"
    LINK_ELSEWHERE = "link_elsewhere"
    WARNING_UNSEEN = "warning_unseen"
    ATTEND = "attend"
    ATTEND_ESCALATED = "attend_escalated"
    COVERED = "covered"
    FROZEN = "frozen"
    SILENCE = "silence"
    FACES_MORE = "faces_more"
    FACES_NONE = "faces_none"
    FACES_FEWER = "faces_fewer"


class AlertOutcome(StrEnum):
    """How an alert was cleared."""

    DEALT = "dealt"
    NO_ISSUE = "no_issue"  # a false alarm
    ITSELF = "itself"


class Document(StrEnum):
    """What shows who a person is, at the identity check; catalogue key `document.<code>`."""

    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    OTHER_PHOTO_ID = "other_photo_id"
    WITH_ADULT = "with_adult"  # a child's: a listed adult of the same leg is there


class SuspensionReason(StrEnum):
    """Why a person's visits are suspended; catalogue keys `suspension.<code>` and `family.suspended.<code>`."""

    CONDUCT = "conduct"
    DRESS = "dress"
    RECORDING = "recording"
    UNLISTED_PERSON = "unlisted_person"
    FALSE_IDENTITY = "false_identity"
    THREATS = "threats"
    SECURITY = "security"


class IdentityReason(StrEnum):
    """Why a leg was refused at the identity check; catalogue keys `identity.<code>` and `family.identity.<code>`."""

    NOT_ON_LIST = "not_on_list"  # somebody who should have been checked is not on the prisoner's list
    PHOTO_DIFFERS = "photo_differs"
    NO_ID = "no_id"
    CHILD_ALONE = "child_alone"  # no listed adult is with the child
    SOMEONE_IN_VIEW = "someone_in_view"  # and would not leave the room
    INTOXICATED = "intoxicated"
    NOT_VISIBLE = "not_visible"  # too dark, too far, covered
    DECLINED = "declined"  # would not take part in the check


class NoteCode(StrEnum):
    """What an observation note is about; catalogue key `note.<code>`."""

    OBSERVATION = "observation"
    CONDUCT = "conduct"
    WELFARE = "welfare"
    CHILD = "child"
    PEOPLE = "people"
    SURROUNDINGS = "surroundings"
    EQUIPMENT = "equipment"
    OTHER = "other"


class BreachCategory(StrEnum):
    """What was breached (domain.md 7.7); catalogue key `breach.<code>`."""

    UNLISTED_PERSON = "unlisted_person"
    CHILD_ALONE = "child_alone"
    NUDITY = "nudity"
    DRESS = "dress"
    DRUGS_ALCOHOL = "drugs_alcohol"
    THREATS = "threats"
    GANG = "gang"
    RECORDING = "recording"
    RELAYED_CALL = "relayed_call"
    PUBLIC_PLACE = "public_place"
    NO_CONTACT = "no_contact"
    INTIMIDATION = "intimidation"
    CODED_TALK = "coded_talk"
    CONTRABAND = "contraband"
    SELF_HARM = "self_harm"
    CHILD_SAFEGUARDING = "child_safeguarding"
    TAMPERING = "tampering"


class BreachOutcome(StrEnum):
    """What was done about a breach (features F83); catalogue key `breach_outcome.<code>`."""

    WARNED = "warned"
    PAUSED = "paused"
    ENDED = "ended"
    NO_ACTION = "no_action"


class AttendReason(StrEnum):
    """Why the monitoring post asks the hall to attend a seat; catalogue key `attend.<code>`."""

    UNLISTED_PERSON = "unlisted_person"
    CONDUCT = "conduct"
    WELFARE = "welfare"
    SELF_HARM = "self_harm"
    CONTRABAND = "contraband"
    EQUIPMENT = "equipment"
    OTHER = "other"


class AttendOutcome(StrEnum):
    """How the hall's attendance ended; catalogue key `attend_outcome.<code>`."""

    SETTLED = "settled"
    MOVED = "moved"
    REMOVED = "removed"
    NO_ISSUE = "no_issue"
    HANDED_OVER = "handed_over"
