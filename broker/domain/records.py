"""The rows of the directory: people, places, devices, bookings, links and accounts.

Every row but `Staff` carries its establishment; every query takes a `Scope`.
Rows are immutable: a change is a new row with the same key, saved over the old.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from broker.domain.codes import Ground, SuspensionReason


@dataclass(frozen=True, slots=True)
class Scope:
    """The establishments that a query may see. An empty scope sees nothing."""

    establishments: frozenset[str]

    def __contains__(self, code: str) -> bool:
        return code in self.establishments


class Grade(StrEnum):
    """Grades that matter to the two posts (domain.md 7.4)."""

    OSG = "osg"
    PRISON_OFFICER = "prison_officer"
    SUPERVISING_OFFICER = "supervising_officer"
    CUSTODIAL_MANAGER = "custodial_manager"
    GOVERNOR = "governor"
    CIVILIAN = "civilian"


NATIONAL_POOL = "NATIONAL"
"""Where a national monitor is granted: longer than an establishment's code, and none."""


class Role(StrEnum):
    """What a grant lets a person be at an establishment (domain.md 7.4)."""

    MONITOR = "monitor"
    NATIONAL_MONITOR = "national_monitor"  # of the national pool, and of nothing else
    SUPERVISOR = "supervisor"
    BOOKING = "booking"
    DUTY_GOVERNOR = "duty_governor"
    AUDITOR = "auditor"
    STAFF_ADMIN = "staff_admin"
    ANALYST = "analyst"  # the authorising officer: risk tiers, and which calls are privileged


@dataclass(frozen=True, slots=True)
class Establishment:
    """A prison: its 3-letter code is its key. `synthetic` is set at creation and never changes."""

    code: str
    name: str
    synthetic: bool = False
    estate: str = "closed"
    operator: str = "public"


@dataclass(frozen=True, slots=True)
class Hall:
    """A visits hall with its opening hours of the day, as HH:MM in the establishment's time zone."""

    id: str
    establishment: str
    name: str
    opens: str = "08:00"
    closes: str = "20:00"


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a hall; `number` is what stands on the table."""

    id: str
    establishment: str
    hall_id: str
    number: int
    in_use: bool = True


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled laptop. `key_hash` is the keyed hash of the credential it holds."""

    id: str
    establishment: str
    hall_id: str
    seat_id: str | None
    asset_tag: str
    key_hash: str | None = None
    enrol_hash: str | None = None
    assured_until: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsoleDevice:
    """A staff workstation's browser profile, enrolled for one establishment or for every one (NATIONAL_POOL)."""

    id: str
    establishment: str
    asset_tag: str
    assured_until: datetime
    key_hash: str | None = None  # keyed hash of the credential that the browser holds
    enrol_hash: str | None = None
    enrol_until: datetime | None = None  # when the code runs out
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prisoner:
    """A person in prison; `number` looks like A1234BC."""

    number: str
    establishment: str
    first_name: str
    last_name: str
    no_contact_all: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A person on a prisoner's visitor list."""

    id: str
    establishment: str
    prisoner_number: str
    first_name: str
    last_name: str
    born: date
    relationship: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A contact's photo on file, as the establishment gave it; `media_type` is image/jpeg or image/png."""

    contact_id: str
    establishment: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Restriction:
    """This contact may not be booked or admitted while it stands.

    With a `reason` it is a suspension: a decision with an end and a way to appeal, which its people are told. Without
    one it is a no-contact restriction, which holds in a running call too and is never explained to anybody outside.
    """

    id: str
    establishment: str
    contact_id: str
    prisoner_number: str | None  # None: global, for every prisoner
    code: str  # NONCON, BAN, ...
    starts_on: date
    ends_on: date | None = None
    reason: SuspensionReason | None = None
    appeal: str | None = None  # how to appeal, in the words of whoever decided


@dataclass(frozen=True, slots=True)
class PrisonerAlert:
    """An alert of the prison's own system about a prisoner; `code` is the NOMIS code."""

    id: str
    establishment: str
    prisoner_number: str
    code: str
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A decision to monitor a prisoner's calls more closely, and why it is lawful (Prison Rule 35A)."""

    id: str
    establishment: str
    prisoner_number: str
    ground: Ground
    necessity: str
    proportionality: str
    authorised_by: str  # staff number
    starts_on: date
    review_on: date  # the last day on which it stands without a review
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A person whose calls the desk must know of when they start (features F80)."""

    id: str
    establishment: str
    person_id: str  # a prisoner's number or a contact's id
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A booking of one call: who, where, when. `id` is also the id of its call."""

    id: str
    establishment: str
    kind: str
    prisoner_number: str
    contact_ids: tuple[str, ...]  # the first is the main caller
    hall_id: str
    seat_id: str
    starts_at: datetime
    ends_at: datetime
    booked_by: str
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    reference: str | None = None  # the caller's own key: an import run twice changes nothing


@dataclass(frozen=True, slots=True)
class Link:
    """A family's link to one call; only the keyed hash of its token is kept."""

    id: str
    establishment: str
    visit_id: str
    contact_id: str
    token_hash: str
    opens_at: datetime
    closes_at: datetime
    bound_hash: str | None = None  # keyed hash of the browser's key, set by the first redemption
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """A named person with an account. `number` is unique across accounts and establishments."""

    username: str
    number: str
    name: str
    grade: Grade
    password_hash: str
    disabled_at: datetime | None = None
    failed_attempts: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a person may take at an establishment."""

    number: str
    establishment: str
    role: Role


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A staff sign-in; the cookie holds the token, the row holds its keyed hash."""

    id: str
    number: str
    username: str
    token_hash: str
    profile: str  # the browser profile's own id
    started_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SynthCredential:
    """What check-call signs in with; it opens one synthetic establishment and nothing else."""

    id: str
    establishment: str
    token_hash: str
    expires_at: datetime
    revoked_at: datetime | None = None


Row = (
    Establishment
    | Hall
    | Seat
    | Device
    | ConsoleDevice
    | Prisoner
    | Contact
    | Photo
    | Restriction
    | PrisonerAlert
    | Authorisation
    | Watch
    | Visit
    | Link
    | Staff
    | Grant
    | StaffSession
    | SynthCredential
)
