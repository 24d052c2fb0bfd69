"""The ports: what the engine needs of the world, as Protocols with few methods each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from broker.domain.plan import Media, MediaPlan
from broker.domain.records import (
    Authorisation,
    ConsoleDevice,
    Contact,
    Device,
    Establishment,
    Grant,
    Hall,
    Link,
    Photo,
    Prisoner,
    PrisonerAlert,
    Restriction,
    Row,
    Scope,
    Seat,
    Staff,
    StaffSession,
    SynthCredential,
    Visit,
    Watch,
)

JSON = Any


class Clock(Protocol):
    """Time that never jumps: UTC carried forward by CLOCK_BOOTTIME from one reading at start."""

    def now(self) -> datetime:
        """Return aware UTC."""

    def boottime(self) -> float:
        """Return CLOCK_BOOTTIME in seconds."""


# --- the record -----------------------------------------------------------


class LogUnavailable(Exception):
    """The log cannot take the event now (disk full, locked, gone). Nothing was written."""


class LogConflict(Exception):
    """Another writer has appended to this stream: `(stream, seq)` is taken."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded. `body` is plain JSON; `id` makes a replay exactly-once."""

    id: str
    type: str
    at: datetime
    actor: str
    body: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Record:
    """An event as recorded: `hash` = SHA-256(previous hash || stored bytes), hex."""

    stream: str
    seq: int
    id: str
    type: str
    at: datetime
    actor: str
    body: Mapping[str, JSON]
    hash: str


class EventLog(Protocol):
    """Hash-chained streams, append-only. An append that returns is durable (fsynced)."""

    async def append(
        self, stream: str, after_seq: int, events: Sequence[NewEvent], rows: Sequence[Row] = ()
    ) -> list[Record]:
        """Append after `after_seq` (0 = new stream) and save `rows`, in one transaction.

        An event whose id the stream already holds is not appended again.

        Raises:
            LogConflict: The stream's head is not `after_seq`.
            LogUnavailable: The storage did not take it; nothing was written.
            RowClash: One of `rows` clashes with a row that stands; nothing was written.
        """

    async def read(self, stream: str, after_seq: int = 0) -> list[Record]:
        """Return the stream's records in order; empty where there is none."""

    async def head(self, stream: str) -> int:
        """Return the last seq, 0 where there is none."""

    async def streams(self, prefix: str) -> list[str]:
        """Return the names of the streams that start with `prefix`."""

    async def heads(self, prefix: str) -> Mapping[str, int]:
        """Return the last seq of every stream that starts with `prefix`."""


class Journal(Protocol):
    """Where a restrictive event waits while the log is down: a local file, fsynced per entry."""

    def put(self, stream: str, events: Sequence[NewEvent]) -> None:
        """Write and fsync. Raises OSError where even that fails."""

    def waiting(self) -> list[tuple[str, list[NewEvent]]]:
        """Return what has not reached the log, oldest first."""

    def taken(self, count: int) -> None:
        """Forget the `count` oldest entries: the log has them."""


class Renewals(Protocol):
    """The durable sign that this node still owns its calls (design README 7)."""

    async def renew(self, node: str, at: datetime) -> None:
        """Record that `node` lives. Raises LogUnavailable."""

    async def last(self, node: str) -> datetime | None:
        """Return the last renewal of `node`."""


# --- the directory --------------------------------------------------------


class OutOfScope(Exception):
    """A row outside the caller's scope was to be written."""


class RowClash(Exception):
    """A row clashes with one that stands: a staff number taken, or a synthetic establishment made real."""


class Directory(Protocol):
    """People, places, bookings and accounts. Lists come in a stable order."""

    async def establishments(self, scope: Scope) -> list[Establishment]: ...
    async def halls(self, scope: Scope) -> list[Hall]: ...
    async def seats(self, scope: Scope) -> list[Seat]: ...
    async def devices(self, scope: Scope) -> list[Device]: ...
    async def console_devices(self, scope: Scope) -> list[ConsoleDevice]: ...
    async def prisoners(self, scope: Scope) -> list[Prisoner]: ...
    async def contacts(self, scope: Scope, prisoner_number: str | None = None) -> list[Contact]: ...
    async def photo(self, scope: Scope, contact_id: str) -> Photo | None: ...
    async def restrictions(self, scope: Scope) -> list[Restriction]: ...
    async def prisoner_alerts(self, scope: Scope) -> list[PrisonerAlert]: ...
    async def authorisations(self, scope: Scope) -> list[Authorisation]: ...
    async def watches(self, scope: Scope) -> list[Watch]: ...
    async def visits(self, scope: Scope, starts_from: datetime, starts_before: datetime) -> list[Visit]: ...
    async def visit(self, scope: Scope, visit_id: str) -> Visit | None: ...
    async def links(self, scope: Scope, visit_id: str) -> list[Link]: ...
    async def save(self, scope: Scope, rows: Sequence[Row]) -> None:
        """Insert or replace rows by key, all or none. Raises OutOfScope, RowClash, LogUnavailable.

        `Staff` and `StaffSession` belong to no establishment and pass any scope.
        """

    # What is found by a secret, before there is a scope: the row then gives the scope.
    async def link_by_hash(self, token_hash: str) -> Link | None: ...
    async def device_by_hash(self, key_hash: str) -> Device | None: ...
    async def device_by_enrol_hash(self, enrol_hash: str) -> Device | None: ...
    async def console_by_hash(self, key_hash: str) -> ConsoleDevice | None: ...
    async def console_by_enrol_hash(self, enrol_hash: str) -> ConsoleDevice | None: ...
    async def session_by_hash(self, token_hash: str) -> StaffSession | None: ...
    async def synth_by_hash(self, token_hash: str) -> SynthCredential | None: ...

    # Accounts, for the sign-in alone.
    async def staff(self, username: str) -> Staff | None: ...
    async def staff_by_number(self, number: str) -> Staff | None: ...
    async def grants(self, number: str) -> list[Grant]: ...
    async def sessions(self, number: str) -> list[StaffSession]: ...
    async def all_establishments(self) -> Scope:
        """Return the scope of the system itself (registry, command line), never of a person."""

    # Facts about the database itself: "made_by" = "demo" or "training" marks one that is no real one.
    async def fact(self, name: str) -> str | None: ...
    async def set_fact(self, name: str, value: str) -> None: ...


# --- media ----------------------------------------------------------------


class OfferRefused(Exception):
    """The offer is malformed or asks for what we do not do; `code` is stable, no detail is shown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    """One receive-only line of an endpoint: its `mid` and its place among lines of its kind."""

    mid: str
    kind: Media
    index: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The relay's answer (RFC 8866 text) and the endpoint's receive lines."""

    sdp: str
    lines: tuple[Line, ...]
    publishes: frozenset[Media]


Picture = Literal["best", "reduced", "none"]
"""What an endpoint's link carries of the pictures meant for it: the best layers, lower ones, or the sound alone."""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How an endpoint's link does. Fractions 0..1, bits per second, milliseconds."""

    loss_in: float = 0.0
    loss_out: float = 0.0
    bitrate_in_bps: int = 0
    bitrate_out_bps: int = 0
    rtt_ms: float | None = None
    audio_level: float = 0.0  # 0..1, from the RTP header extension (RFC 6464)
    sends_audio: bool = False  # packets within the last 2 s
    sends_video: bool = False
    picture: Picture | None = None  # None: no picture is meant for it now
    dropped: tuple[int, ...] = ()  # its video lines that its link cannot carry now: sound only


class RelayUnavailable(Exception):
    """No relay carries that home now; it is on its way back, and an offer may be made again."""


@dataclass(frozen=True, slots=True)
class LineSent:
    """How many seconds ago a video line was sent anything, and the frame that was asked about; None: never.

    `frames`: how many it was sent in the last two seconds. `report_s`: how many seconds ago a receiver report last
    said that more of it had arrived.
    """

    last_s: float | None = None
    frame_s: float | None = None
    frames: int = 0
    report_s: float | None = None


@dataclass(frozen=True, slots=True)
class HomeChanged:
    """A home was lost, or is back. `calls` have just got a home anew: every end of theirs must offer again.

    Endpoints of a home that is lost are told lost before this; those of one that is back must connect again.
    """

    home: int
    up: bool
    calls: frozenset[str] = frozenset()


class EndpointListener(Protocol):
    """Called with an endpoint whose media came up (DTLS done) or was lost (silent 3 s, closed) at a home."""

    def __call__(self, endpoint: str, up: bool, home: int = 0) -> None: ...


class MediaPlane(Protocol):
    """The relay: it forwards encoded packets along plans, and never decodes.

    It has one or more *homes*, numbered from 0: processes that carry calls. A call lives at one of them, and all of
    its ends connect there. An endpoint that watches calls of several homes has one connection at each.
    """

    @property
    def homes(self) -> int:
        """Return how many homes there are; it never changes."""

    @property
    def homes_up(self) -> int:
        """Return how many homes can carry calls now."""

    def home(self, call_id: str) -> int:
        """Return the call's home: the least loaded at the first asking, the same one for as long as it stands."""

    def release(self, call_id: str) -> None:
        """Forget a call that is over: its home has one less."""

    async def connect(self, endpoint: str, publishes: frozenset[Media], offer: str, home: int = 0) -> Answer:
        """Answer an endpoint's offer; a second offer of the same endpoint at the same home replaces the first.

        What publishes has one connection in all: one at another home is closed.

        Raises:
            OfferRefused: malformed, too long, no codec in common, or no such home.
            RelayUnavailable: That home is down.
        """

    async def disconnect(self, endpoint: str) -> None:
        """Close the endpoint at every home: routes first, then DTLS close_notify, then its address and keys go."""

    async def apply(self, plan: MediaPlan) -> None:
        """Obey `plan` for its call from now on. When it returns, what the plan lacks is silent.

        A plan with a lower epoch than the last is ignored. `valid_for_s` counts from this call, however long the
        plan is on its way. A home that does not obey in time is killed, which silences it too.
        """

    async def sent_on(
        self, endpoint: str, asked: Sequence[tuple[int, int | None]], home: int = 0
    ) -> Sequence[LineSent]:
        """Return what was sent to `endpoint` at `home`, for each (video line, RTP timestamp) of `asked`, in order.

        Frames older than 10 s are forgotten.
        """

    def health(self, endpoint: str) -> EndpointHealth | None:
        """Return the link's health over the last seconds; None for an unknown endpoint."""

    def watch(self, listener: EndpointListener) -> None:
        """Call `listener` when an endpoint's media comes up or is lost."""

    def watch_homes(self, listener: Callable[[HomeChanged], None]) -> None:
        """Call `listener` when a home is lost or comes back. A plane in the broker's own process never calls."""

    def watch_stills(self, listener: Callable[[str, bytes], None]) -> None:
        """Call `listener(leg, jpeg)` with each still of a leg in some plan's `stills`, every few seconds."""

    def counters(self) -> Mapping[str, int]:
        """Return totals over all homes: packets in, forwarded, each reason for a drop, restarts of workers."""

    async def close(self) -> None:
        """Close every endpoint and every port; no process stays behind."""


class Mailer(Protocol):
    """Sends mail; nothing in the engine knows how."""

    async def send(self, to: str, subject: str, text: str) -> None: ...


class BlobStore(Protocol):
    """Keeps large objects by key; empty until recording is built."""

    async def put(self, key: str, data: AsyncIterator[bytes]) -> None: ...
    async def get(self, key: str) -> AsyncIterator[bytes]: ...
