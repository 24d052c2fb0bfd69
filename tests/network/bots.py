"""Bots at the ends of calls over bad networks: what they receive, in the form in which a page tells it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from broker.protocol.server import HoldPart
from broker.synthetic.caller import Caller
from broker.synthetic.line import Line
from broker.synthetic.staff import StaffMember

LOOK_S = 0.2
HOLDS_LOOK_S = 0.05
SOUND_SAMPLES = 960  # of a packet: 20 ms at 48 kHz


def sample_of(caller: Caller) -> dict[str, Any]:
    """Return what a bot has received so far as a sample of tests/network/figures.py.

    Of a bot's sound, what never came counts as made up; it has no jitter buffer, so nothing is too late for it.
    """
    found: dict[str, Any] = {"at": time.time(), "pc": id(caller.peer), "out": []}
    for line in caller.lines:
        found[line.kind] = _sound(line) if line.kind == "audio" else _picture(line)
    sending = caller.peer.loop if caller.peer is not None else None
    if sending is not None:
        found["out"] = [{"bytesSent": one.octets} for one in (sending.audio, sending.video) if one is not None]
    return found


def _sound(line: Line) -> dict[str, Any]:
    return {
        "totalSamplesReceived": line.expected * SOUND_SAMPLES,
        "concealedSamples": line.lost * SOUND_SAMPLES,
        "bytesReceived": line.octets,
    }


def _picture(line: Line) -> dict[str, Any]:
    return {"framesDecoded": line.frames, "bytesReceived": line.octets}


async def sampling(caller: Caller, into: list[dict[str, Any]]) -> None:
    """Write down what `caller` has received, every LOOK_S, until cancelled."""
    while True:
        into.append(sample_of(caller))
        await asyncio.sleep(LOOK_S)


class SystemHolds:
    """The holds that the system placed, as a member of staff is told of them: nobody's decision."""

    def __init__(self, member: StaffMember) -> None:
        self._member = member
        self._seen: dict[str, tuple[str, HoldPart, float]] = {}

    async def watch(self) -> None:
        """Look every HOLDS_LOOK_S, until cancelled."""
        while True:
            for call in self._member.calls.values():
                for hold in call.holds:
                    if hold.post is None and hold.by is None:
                        self._seen.setdefault(hold.id, (call.id, hold, time.time()))
            await asyncio.sleep(HOLDS_LOOK_S)

    def of(self, calls: Sequence[str]) -> list[HoldPart]:
        """Return those of some calls."""
        return [hold for call, hold, _ in self._seen.values() if call in calls]

    def during(self, call: str, first: float, last: float) -> list[HoldPart]:
        """Return those of one call that were placed between two moments (seconds of the epoch)."""
        return [hold for of, hold, at in self._seen.values() if of == call and first <= at <= last]
