"""The pipe between the broker and a relay worker: JSON with its length in front, and the values that cross it.

No packet crosses here. A plan travels with its deadline as an instant of CLOCK_BOOTTIME, which both ends read: one
that waited in the pipe is as old as it is.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple
from typing import Any

from broker.domain.plan import Media, MediaPlan, Quality, Route
from broker.ports import Answer, EndpointHealth

LENGTH = struct.Struct("!I")
MAX_BYTES = 4 << 20  # an offer has at most 256 KiB; a second's health of a thousand endpoints about as much

Message = dict[str, Any]


class Garbled(ValueError):
    """What came is no message of ours."""


class Wire(asyncio.Protocol):
    """One end of the pipe. `heard` is called with each message as it arrives, `ended` once, when the pipe is over."""

    def __init__(self, heard: Callable[[Message], None], ended: Callable[[], None]) -> None:
        self._heard, self._ended = heard, ended
        self._waiting = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ended()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        try:
            while (message := self._next()) is not None:
                self._heard(message)
        except Garbled:
            self.close()

    def _next(self) -> Message | None:
        waiting = self._waiting
        if len(waiting) < LENGTH.size:
            return None
        size = LENGTH.unpack_from(waiting)[0]
        if size > MAX_BYTES:
            raise Garbled("too long")
        if len(waiting) < LENGTH.size + size:
            return None
        body = bytes(waiting[LENGTH.size : LENGTH.size + size])
        del waiting[: LENGTH.size + size]
        try:
            message = json.loads(body)
        except ValueError:
            raise Garbled("not JSON") from None
        if not isinstance(message, dict):
            raise Garbled("not an object")
        return message

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message; nothing where the pipe is over."""
        if self._transport is not None:
            body = json.dumps(message, separators=(",", ":")).encode()
            self._transport.write(LENGTH.pack(len(body)) + body)

    @property
    def unsent(self) -> int:
        """How many octets wait because the other end does not read."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def close(self) -> None:
        """End the pipe; what waits to be sent is sent first."""
        if self._transport is not None:
            self._transport.close()


# --- values --------------------------------------------------------------------


def plan_out(plan: MediaPlan, deadline: float) -> Message:
    """Return a plan that lapses at `deadline` (CLOCK_BOOTTIME)."""
    routes = [list(astuple(route)) for route in sorted(plan.routes)]
    return {
        "call_id": plan.call_id,
        "epoch": plan.epoch,
        "deadline": deadline,
        "routes": routes,
        "stills": sorted(plan.stills),
    }


def plan_in(message: Message, now: float) -> MediaPlan:
    """Return the plan as it stands at `now`: what waited has less left."""
    routes = frozenset(
        Route(source, Media(kind), sink, line, Quality(quality))
        for source, kind, sink, line, quality in message["routes"]
    )
    valid_for_s = max(0.0, message["deadline"] - now)
    return MediaPlan(message["call_id"], message["epoch"], valid_for_s, routes, frozenset(message["stills"]))


def answer_out(answer: Answer) -> Message:
    """Return the relay's answer."""
    return {**asdict(answer), "publishes": sorted(answer.publishes)}


def health_out(health: EndpointHealth) -> Message:
    """Return how a link does."""
    return asdict(health)
