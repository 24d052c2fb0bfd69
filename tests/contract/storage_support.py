"""A database per test, on SQLite and, where the server is installed, on PostgreSQL; rows and events to put in."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from broker.domain.codes import Ground
from broker.domain.records import (
    Authorisation,
    ConsoleDevice,
    Contact,
    Device,
    Establishment,
    Grade,
    Grant,
    Hall,
    Link,
    Photo,
    Prisoner,
    PrisonerAlert,
    Restriction,
    Role,
    Row,
    Scope,
    Seat,
    Staff,
    StaffSession,
    SynthCredential,
    Visit,
    Watch,
)
from broker.ports import NewEvent

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
_SERVERS = Path("/usr/lib/postgresql")
_SETTINGS = ("listen_addresses=", "max_connections=40", "fsync=off", "full_page_writes=off", "autovacuum=off")
# fsync=off: it is the client that these tests kill, never the server, and a database a test is then cheap


@dataclass(frozen=True)
class PostgreSQL:
    """A server of our own, reached by a Unix socket in its folder."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, sql: str, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(f"host={self.folder} user=postgres dbname={database}", autocommit=True) as connection:
            connection.execute(sql.encode())


def server_programs() -> Path:
    """Return the folder of Debian's PostgreSQL programs; without them the test is skipped with the reason."""
    versions = sorted(_SERVERS.glob("*/bin/initdb")) if _SERVERS.exists() else []
    if not versions:
        pytest.skip("no PostgreSQL server here; an administrator must run: apt-get install -y postgresql")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("no PostgreSQL driver here: it is in the extra [postgres]")
    return versions[-1].parent


@contextmanager
def running_server(programs: Path) -> Iterator[PostgreSQL]:
    """Run a new server for the time of the context, as a user who is not root (it refuses root)."""
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    groups: list[str] | None = [] if user else None
    data = folder / "data"
    try:
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            group=user,
            extra_groups=groups,
        )
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *(word for name in _SETTINGS for word in ("-c", name))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            user=user,
            group=user,
            extra_groups=groups,
        )
        try:
            _wait_until_ready(programs, folder)
            yield PostgreSQL(folder)
        finally:
            server.terminate()  # "smart" would wait for clients; SIGINT is the fast shutdown
            server.send_signal(2)
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(programs: Path, folder: Path) -> None:
    for _ in range(300):
        if subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError("the PostgreSQL server did not start")


# --- what is put in -----------------------------------------------------------


def event(name: str, **body: object) -> NewEvent:
    return NewEvent(name, "call.paused", NOON, "S1234", body or {"reason": "welfare"})


def scope(*codes: str) -> Scope:
    return Scope(frozenset(codes))


def staff(number: str = "S1", username: str = "s.one") -> Staff:
    return Staff(username, number, "Sam One", Grade.PRISON_OFFICER, "argon2id", locked_until=NOON)


def session(name: str = "session-1", number: str = "S1") -> StaffSession:
    return StaffSession(name, number, "s.one", f"hash-{name}", "profile", NOON, NOON + timedelta(hours=8))


def visit(code: str, name: str, starts_at: datetime = NOON) -> Visit:
    contacts = (f"{code}-contact", f"{code}-child")
    ends_at = starts_at + timedelta(minutes=30)
    number = f"{code}1234X"
    return Visit(name, code, "social", number, contacts, f"{code}-hall", f"{code}-seat", starts_at, ends_at, "S1")


def one_of_each(code: str) -> list[Row]:
    """Return one row of each kind that belongs to an establishment, every optional field filled."""
    number = f"{code}1234X"
    booked = visit(code, f"{code}-visit")
    return [
        Establishment(code, f"HMP {code}", synthetic=False, estate="open", operator="private"),
        Hall(f"{code}-hall", code, "Visits hall", "09:00", "17:30"),
        Seat(f"{code}-seat", code, f"{code}-hall", 7, in_use=False),
        Device(
            f"{code}-laptop", code, f"{code}-hall", f"{code}-seat", "L7", f"key-{code}", f"enrol-{code}", NOON, NOON
        ),
        ConsoleDevice(f"{code}-console", code, "C7", NOON, f"c-key-{code}", f"c-enrol-{code}", NOON, NOON),
        Prisoner(number, code, "Pat", "Ó Brádaigh", no_contact_all=True),
        Contact(f"{code}-contact", code, number, "Robin", "Example", date(1980, 2, 29), "sister", "robin@example.org"),
        Photo(f"{code}-contact", code, "image/png", b"\x89PNG\r\n\x1a\n\x00\xff"),
        Restriction(f"{code}-ban", code, f"{code}-contact", number, "NONCON", date(2026, 1, 1), date(2026, 6, 1)),
        PrisonerAlert(f"{code}-alert", code, number, "XTACT", date(2026, 1, 1), date(2026, 6, 1)),
        Authorisation(
            f"{code}-authority",
            code,
            number,
            Ground.CRIME,
            "why",
            "so far only",
            "S1",
            date(2026, 1, 1),
            date(2026, 3, 1),
        ),
        Watch(f"{code}-watch", code, f"{code}-contact", date(2026, 1, 1)),
        booked,
        Link(f"{code}-link", code, booked.id, f"{code}-contact", f"token-{code}", NOON, NOON, f"bound-{code}", NOON),
        Grant("S1", code, Role.MONITOR),
        SynthCredential(f"{code}-synth", code, f"synth-{code}", NOON, NOON),
    ]
