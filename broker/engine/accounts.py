"""Named accounts of staff: made by an operator, signed in with a password, locked after failures, revocable at once."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from broker.domain.records import NATIONAL_POOL, Grade, Grant, Role, Row, Staff, StaffSession
from broker.engine.chairs import StaffChair
from broker.engine.revocations import Revocations
from broker.engine.secrets import MAX_PASSWORD_CHARS, Passwords, Secrets, new_id, new_token
from broker.engine.stream import SYSTEM_STREAM, Change, Fact, Streams
from broker.ports import Clock, Directory

TRIES: Final = 5
LOCK: Final = timedelta(minutes=15)
SESSION: Final = timedelta(hours=12)  # a shift
MIN_PASSWORD_CHARS: Final = 12
_SHARED = (
    "admin administrator control controlroom duty guest hall laptop monitor monitoring office officer operator osg "
    "prison root shared staff supervisor test user visits"
)
SHARED_NAMES: Final = frozenset(_SHARED.split())
"""Names that stand for a desk, not for a person (features F101)."""
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,20}")
_REMEMBERED: Final = 10_000


class AccountError(Exception):
    """An account cannot be made or changed so; `code` stands in the catalogue as `cli.staff.<code>`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SignInRefused(Exception):
    """`sign_in_failed` for any wrong name or password, `locked` after too many."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made from."""

    username: str
    number: str
    name: str
    grade: Grade
    password: str
    grants: tuple[tuple[str, Role], ...] = ()  # (establishment, role)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session; `token` is for the cookie, and is kept nowhere."""

    chair: StaffChair
    token: str


class Accounts:
    """The accounts, in one directory and on one record."""

    def __init__(
        self,
        directory: Directory,
        streams: Streams,
        secrets: Secrets,
        passwords: Passwords,
        revocations: Revocations,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._passwords = passwords
        self._revocations = revocations
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()

    async def add(self, new: NewAccount, actor: str) -> Staff:
        """Make a named account with its grants.

        Raises:
            AccountError: bad or shared username, bad number, no full name, weak password, name or number taken,
                unknown establishment.
        """
        _check_new(new)
        await self._check_grants(new.grants)
        hashed = await self._passwords.hash(new.password)
        staff = Staff(new.username.lower(), new.number, new.name.strip(), new.grade, hashed)

        async def work() -> Change:
            if await self._directory.staff(staff.username) is not None:
                raise AccountError("username_taken")
            if await self._directory.staff_by_number(staff.number) is not None:
                raise AccountError("number_taken")
            rows: list[Row] = [staff, *(Grant(staff.number, place, role) for place, role in new.grants)]
            body = {"number": staff.number, "grade": staff.grade.value, "grants": _listed(new.grants)}
            return Change([Fact("staff.added", body)], rows)

        await self._streams.of(SYSTEM_STREAM).change(actor, work)
        return staff

    async def grant(self, username: str, grants: Sequence[tuple[str, Role]], actor: str) -> Staff:
        """Give an account more roles; its sockets close, so that the next sign-in has them. Raises AccountError."""
        await self._check_grants(grants)
        staff = await self._named(username)
        rows = [Grant(staff.number, place, role) for place, role in grants]
        body = {"number": staff.number, "grants": _listed(grants)}
        await self._streams.of(SYSTEM_STREAM).append("staff.granted", actor, body, rows)
        self._revocations.revoke(f"staff:{staff.number}")
        return staff

    async def _check_grants(self, grants: Sequence[tuple[str, Role]]) -> None:
        known = await self._directory.all_establishments()
        for place, role in grants:
            national = role is Role.NATIONAL_MONITOR
            if (place != NATIONAL_POOL) if national else (place not in known):
                raise AccountError("unknown_establishment")

    async def disable(self, username: str, actor: str) -> Staff:
        """Shut an account and every session of it; its sockets close at once. Raises AccountError."""
        found = await self._named(username)
        now = self._clock.now()
        sessions = [row for row in await self._directory.sessions(found.number) if row.revoked_at is None]
        self._revocations.revoke(f"staff:{found.number}", *(f"session:{row.id}" for row in sessions))

        async def work() -> Change:
            staff = await self._named(username)
            open_ones = [row for row in await self._directory.sessions(staff.number) if row.revoked_at is None]
            rows: list[Row] = [replace(staff, disabled_at=staff.disabled_at or now)]
            rows += [replace(row, revoked_at=now) for row in open_ones]
            return Change([Fact("staff.disabled", {"number": staff.number, "sessions": len(open_ones)})], rows)

        await self._streams.of(SYSTEM_STREAM).change(actor, work)
        return replace(found, disabled_at=found.disabled_at or now)

    async def enable(self, username: str, actor: str) -> Staff:
        """Open an account that was shut; its old sessions stay ended. Raises AccountError."""

        async def work() -> Change:
            staff = await self._named(username)
            row = replace(staff, disabled_at=None, failed_attempts=0, locked_until=None)
            return Change([Fact("staff.enabled", {"number": staff.number})], [row])

        await self._streams.of(SYSTEM_STREAM).change(actor, work)
        return await self._named(username)

    async def set_password(self, username: str, password: str, actor: str) -> Staff:
        """Give an account another password and lift its lock; every session of it ends. Raises AccountError."""
        _check_password(password)
        found = await self._named(username)
        hashed = await self._passwords.hash(password)
        now = self._clock.now()

        async def work() -> Change:
            staff = await self._named(username)
            open_ones = [row for row in await self._directory.sessions(staff.number) if row.revoked_at is None]
            rows: list[Row] = [replace(staff, password_hash=hashed, failed_attempts=0, locked_until=None)]
            rows += [replace(row, revoked_at=now) for row in open_ones]
            return Change([Fact("staff.password_set", {"number": staff.number, "sessions": len(open_ones)})], rows)

        await self._streams.of(SYSTEM_STREAM).change(actor, work)
        self._revocations.revoke(f"staff:{found.number}")
        return found

    async def everybody(self) -> list[Staff]:
        """Return every account, in the order in which they were made."""
        records = await self._streams.of(SYSTEM_STREAM).read()
        numbers = dict.fromkeys(str(record.body["number"]) for record in records if record.type == "staff.added")
        found = [await self._directory.staff_by_number(number) for number in numbers]
        return [staff for staff in found if staff is not None]

    async def sign_in(self, username: str, password: str, profile: str) -> SignedIn:
        """Open a session for a person whose password is right.

        Args:
            profile: The browser profile's own id (a cookie that outlives the session).

        Raises:
            SignInRefused: `sign_in_failed` or `locked`; nothing tells whether the name exists.
            LogUnavailable: The session cannot be recorded, so there is none.
        """
        name = username.strip().lower()[:64]
        staff = await self._directory.staff(name)
        if self._locked(name, staff):
            raise SignInRefused("locked")
        usable = staff is not None and staff.disabled_at is None
        right = await self._passwords.verify(staff.password_hash if staff and usable else None, password)
        if staff is None or not right:
            await self._fail(name, known=usable)
            raise SignInRefused("locked" if self._locked(name, await self._directory.staff(name)) else "sign_in_failed")
        return await self._open(staff, profile)

    async def chair(self, token: str | None) -> StaffChair | None:
        """Return the chair of a session's token; None where it is unknown, old, revoked, or the account shut."""
        if not token or len(token) > 128:
            return None
        session = await self._directory.session_by_hash(self._secrets.hash("session", token))
        if session is None or session.revoked_at is not None:
            return None
        staff = await self._directory.staff_by_number(session.number)
        if staff is None or staff.disabled_at is not None:
            return None
        chair = StaffChair(session, staff, tuple(await self._directory.grants(staff.number)))
        return chair if self._revocations.stands(chair) else None

    async def sign_out(self, chair: StaffChair) -> None:
        """Revoke the chair's session: every socket of it closes now, and the record follows."""
        self._revocations.revoke(f"session:{chair.session.id}")
        row = replace(chair.session, revoked_at=self._clock.now())
        body = {"session_id": chair.session.id, "number": chair.number}
        await self._streams.of(SYSTEM_STREAM).insist("session.revoked", f"staff:{chair.number}", body, [row])

    async def _named(self, username: str) -> Staff:
        staff = await self._directory.staff(username.strip().lower())
        if staff is None:
            raise AccountError("unknown_username")
        return staff

    async def _open(self, staff: Staff, profile: str) -> SignedIn:
        token, now = new_token(), self._clock.now()
        session = StaffSession(
            new_id("s"), staff.number, staff.username, self._secrets.hash("session", token), profile, now, now + SESSION
        )

        async def work() -> Change:
            current = await self._directory.staff_by_number(staff.number)
            if current is None or current.disabled_at is not None:
                raise SignInRefused("sign_in_failed")
            if self._locked(current.username, current):  # others failed while this password was being checked
                raise SignInRefused("locked")
            rows: list[Row] = [session, replace(current, failed_attempts=0, locked_until=None)]
            return Change([Fact("session.opened", {"session_id": session.id, "number": staff.number})], rows)

        await self._streams.of(SYSTEM_STREAM).change(f"staff:{staff.number}", work)
        grants = tuple(await self._directory.grants(staff.number))
        return SignedIn(StaffChair(session, staff, grants), token)

    def _locked(self, name: str, staff: Staff | None) -> bool:
        until = staff.locked_until if staff and staff.disabled_at is None else self._failures.get(name, (0, None))[1]
        return until is not None and self._clock.now() < until

    async def _fail(self, name: str, *, known: bool) -> None:
        """Count a failure: of an account in its row, of any other name in memory, with the same outcome."""
        if not known:
            tries, until = self._count(*self._failures.pop(name, (0, None)))
            self._failures[name] = (tries, until)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
            return

        async def work() -> Change:
            staff = await self._directory.staff(name)
            if staff is None or self._locked(name, staff):
                return Change([])
            tries, until = self._count(staff.failed_attempts, staff.locked_until)
            body = {"number": staff.number, "locked": until is not None}
            row = replace(staff, failed_attempts=tries, locked_until=until)
            return Change([Fact("staff.sign_in_failed", body)], [row])

        await self._streams.of(SYSTEM_STREAM).change("stranger", work)

    def _count(self, tries: int, until: datetime | None) -> tuple[int, datetime | None]:
        """Return the tries after one more; a lock that has passed starts anew."""
        now = self._clock.now()
        tries = 1 if until is not None and until <= now else tries + 1
        return tries, now + LOCK if tries >= TRIES else None


def _check_new(new: NewAccount) -> None:
    username = new.username.lower()
    if not _USERNAME.fullmatch(username):
        raise AccountError("bad_username")
    if re.sub(r"[0-9._-]", "", username) in SHARED_NAMES:
        raise AccountError("shared_username")
    if not _NUMBER.fullmatch(new.number):
        raise AccountError("bad_number")
    if len(new.name.split()) < 2 or len(new.name) > 80 or not new.name.isprintable():
        raise AccountError("no_full_name")
    _check_password(new.password)


def _check_password(password: str) -> None:
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise AccountError("weak_password")


def _listed(grants: Sequence[tuple[str, Role]]) -> list[str]:
    return sorted(f"{place}:{role.value}" for place, role in grants)
