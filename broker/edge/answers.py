"""Answers given to commands: the same key from the same person is answered again, and acts once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from broker.ports import Clock
from broker.protocol.server import Ok, RefusedMessage

KEPT_S: Final = 600.0
MOST: Final = 20_000
"""More answers than this within ten minutes is a flood: the oldest are forgotten."""

Answer = Ok | RefusedMessage


class Answers:
    """The answers of the last ten minutes, by who asked and with which key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[Answer]]] = OrderedDict()

    async def once(self, who: str, key: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer to (`who`, `key`), doing `work` only where it was never asked.

        A command that is still at work is waited for: a page that lost its socket may ask again on a new one.
        """
        now = self._clock.boottime()
        self._forget(now)
        known = self._given.get((who, key))
        if known is not None:
            return await asyncio.shield(known[1])
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._given[(who, key)] = (now, future)
        try:
            answer = await work()
        except BaseException as error:
            self._given.pop((who, key), None)
            future.set_exception(error if isinstance(error, Exception) else ConnectionError("stopped"))
            future.exception()  # whoever waits is told; nobody need wait
            raise
        future.set_result(answer)
        return answer

    def _forget(self, now: float) -> None:
        while self._given:
            at, _ = next(iter(self._given.values()))
            if now - at <= KEPT_S and len(self._given) < MOST:
                return
            self._given.popitem(last=False)
