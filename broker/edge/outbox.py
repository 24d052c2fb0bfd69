"""What waits to be sent on one socket: bounded, and states of the same thing coalesced (design reliability.md X17)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from itertools import count

from broker.protocol.base import Message

MOST = 256
"""More messages than this waiting means that the page does not read: its socket is closed."""


class TooSlow(Exception):
    """The page does not take what it is sent."""


class Outbox:
    """Messages in order; a newer state of something takes the place of the one that still waits."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: OrderedDict[str, Message] = OrderedDict()
        self._numbers = count()
        self._ready = asyncio.Event()
        self.overflowed = False

    def put(self, message: Message, about: str | None = None) -> None:
        """Queue `message`. `about` names the thing whose state it is: only its newest state is sent.

        Where too many wait, the outbox is `overflowed`, nothing more is taken, and `take` raises TooSlow.
        """
        if self.overflowed:
            return
        key = about if about is not None else f"#{next(self._numbers)}"
        if key not in self._waiting and len(self._waiting) >= self._most:
            self.overflowed = True
        else:
            self._waiting[key] = message  # one that waits keeps its place in the line
        self._ready.set()

    async def take(self) -> Message:
        """Return the next message, waiting for one. Raises TooSlow."""
        while not self._waiting and not self.overflowed:
            self._ready.clear()
            await self._ready.wait()
        if self.overflowed:
            raise TooSlow
        return self._waiting.popitem(last=False)[1]

    def __len__(self) -> int:
        return len(self._waiting)
