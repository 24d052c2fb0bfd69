"""The base of every message, and decoding."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

MAX_MESSAGE_BYTES = 256 * 1024  # an offer with 80 receive lines is about 100 kB
MAX_SDP_CHARS = 200_000

Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:-]+$")]


class Message(BaseModel):
    """A message: frozen, and strict about what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)


class ServerPart(Message):
    """A message or part of one that grows by addition: unknown fields are ignored when read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProtocolViolation(Exception):
    """The peer broke the protocol: the socket is closed with 4400. `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
