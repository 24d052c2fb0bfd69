"""The audit key: what signs checkpoints. Private in `audit.key`, public in `audit.pub` beside it."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

KEY_FILE = "audit.key"
PUBLIC_FILE = "audit.pub"


class AuditKey:
    """An Ed25519 key pair (RFC 8032) that signs and checks."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key())

    @classmethod
    def in_directory(cls, directory: Path) -> AuditKey:
        """Return the key in `directory`, made there at first use.

        Raises:
            ValueError: The file holds no Ed25519 key, or others may read it.
            OSError: It can be neither read nor written.
        """
        path = directory / KEY_FILE
        if not path.exists():
            directory.mkdir(parents=True, exist_ok=True)
            private = Ed25519PrivateKey.generate()
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _write_new(path, pem, 0o600)
        if path.stat().st_mode & 0o077:
            raise ValueError(f"{KEY_FILE} can be read by others; make it 0600")
        loaded = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(loaded, Ed25519PrivateKey):
            raise ValueError(f"{KEY_FILE} holds no Ed25519 key")
        public = directory / PUBLIC_FILE
        if not public.exists():
            pem = loaded.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            _write_new(public, pem, 0o644)
        return cls(loaded)

    def sign(self, data: bytes) -> str:
        """Return the signature of `data`, hex."""
        return self._private.sign(data).hex()


class PublicKey:
    """The half that anyone may have: it only checks."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self._public = public

    @classmethod
    def from_file(cls, path: Path) -> PublicKey:
        """Read a PEM file. Raises OSError, or ValueError where it holds no Ed25519 key."""
        loaded = load_pem_public_key(path.read_bytes())
        if not isinstance(loaded, Ed25519PublicKey):
            raise ValueError(f"{path.name} holds no Ed25519 key")
        return cls(loaded)

    def signed(self, signature: str, data: bytes) -> bool:
        """Say whether `signature` (hex) is ours over `data`."""
        try:
            self._public.verify(bytes.fromhex(signature), data)
        except (InvalidSignature, ValueError):
            return False
        return True


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, and durably; an existing one of that name stays."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was quicker; its file counts
    finally:
        partial.unlink()
