"""Tokens and passwords: what is handed out once, and the keyed hashes that are kept (reliability.md 4)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets as random
from base64 import b32encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_BYTES: Final = 32  # 256 bits
ID_CHARS: Final = 20  # of base32: 100 bits
PEPPER_BYTES: Final = 32
HASHES_AT_ONCE: Final = 2  # argon2id takes 64 MiB and a core each: a flood of sign-ins must wait in line
WAITING_MOST: Final = 64
MAX_PASSWORD_CHARS: Final = 200


def new_token() -> str:
    """Return a fresh secret of 256 bits, URL-safe."""
    return random.token_urlsafe(TOKEN_BYTES)


def new_id(prefix: str) -> str:
    """Return a fresh identifier without meaning: `prefix` and 20 lower-case base32 characters."""
    return prefix + b32encode(random.token_bytes(13)).decode().lower()[:ID_CHARS]


def derived_id(prefix: str, *parts: str) -> str:
    """Return the identifier that always follows from `parts`; an import run twice finds its own rows by it."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return prefix + b32encode(digest).decode().lower()[:ID_CHARS]


class Secrets:
    """Keyed hashes: HMAC-SHA-256 with the pepper, one use apart from the other."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def hash(self, use: str, token: str) -> str:
        """Return the hex hash of `token` for one `use`: a link's hash never equals a session's."""
        message = f"{use}\0{token}".encode("utf-8", "surrogatepass")
        return hmac.new(self._pepper, message, hashlib.sha256).hexdigest()


def load_pepper(file: Path) -> bytes:
    """Return the pepper in `file`, made (mode 0600) where there is none.

    Raises:
        OSError: The file cannot be read or made, or is shorter than a pepper.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "wb") as out:
            out.write(random.token_bytes(PEPPER_BYTES))
            out.flush()
            os.fsync(out.fileno())
    pepper = file.read_bytes()
    if len(pepper) < PEPPER_BYTES:
        raise OSError(f"{file.name} is damaged: {len(pepper)} bytes")
    return pepper


def write_secret(file: Path, secret: str) -> None:
    """Write a secret to a file that its owner alone may read, whole or not at all. Raises OSError."""
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(secret + "\n")
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


class TooBusy(Exception):
    """More sign-ins wait for their turn than this broker takes on."""


class Passwords:
    """argon2id (RFC 9106) in a thread, few at once. An unknown name costs as much as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobody: str | None = None
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return the encoded hash of `password`. Raises TooBusy."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Say whether `password` is the one of `encoded`; None, nobody's, takes as long. Raises TooBusy."""
        if encoded is None:
            encoded, known = await self._of_nobody(), False
        else:
            known = True
        async with self._turn():
            right = await asyncio.to_thread(self._matches, encoded, _bytes(password))
        return right and known

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_MOST:
            raise TooBusy
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def _of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = await self.hash(new_token())
        return self._nobody

    def _matches(self, encoded: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password[: MAX_PASSWORD_CHARS + 1].encode("utf-8", "surrogatepass")
