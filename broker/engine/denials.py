"""Denials: an event for a signed-in person, repeats within a minute as one with a count; for strangers, counters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import structlog

from broker.domain.codes import Code
from broker.domain.permissions import Asker
from broker.engine.stream import SYSTEM_STREAM, Streams
from broker.ports import Clock, LogConflict, LogUnavailable

WINDOW_S: Final = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Same:
    """What makes two denials the same."""

    stream: str
    actor: str
    action: str
    code: str


class Denials:
    """Records who was refused what. A denial that cannot be recorded is still a denial."""

    def __init__(self, streams: Streams, clock: Clock) -> None:
        self._streams = streams
        self._clock = clock
        self._since: dict[_Same, float] = {}
        self._repeats: Counter[_Same] = Counter()
        self.strangers: Counter[str] = Counter()

    def stranger(self, reason: str) -> None:
        """Count a refusal to somebody who has shown nothing."""
        self.strangers[reason] += 1

    async def person(self, asker: Asker, action: str, code: Code | str, establishment: str | None = None) -> None:
        """Record that `asker`, who is signed in or holds a link, was refused `action`."""
        same = _Same(_stream_of(asker, establishment), _name_of(asker), action, str(code))
        if same in self._since:
            self._repeats[same] += 1
        else:
            self._since[same] = self._clock.boottime()
            await self._record(same, 1)

    async def flush(self) -> None:
        """Record the repeats of every minute that is over. Call it every few seconds, and at the end."""
        now = self._clock.boottime()
        for same in [same for same, since in self._since.items() if now - since >= WINDOW_S]:
            del self._since[same]
            repeats = self._repeats.pop(same, 0)
            if repeats:
                await self._record(same, repeats)

    async def _record(self, same: _Same, count: int) -> None:
        body = {"action": same.action, "code": same.code, "count": count}
        try:
            await self._streams.of(same.stream).insist("denied", same.actor, body)
        except (LogUnavailable, LogConflict) as error:
            log.warning("denial not recorded", action=same.action, code=same.code, reason=str(error))


def _stream_of(asker: Asker, establishment: str | None) -> str:
    """Return a stream of the asker's own establishments: nobody writes into another's by asking for it."""
    own = sorted({place for _, place in asker.grants} | ({asker.establishment} if asker.establishment else set()))
    if establishment in own:
        return f"establishment:{establishment}"
    return f"establishment:{own[0]}" if own else SYSTEM_STREAM


def _name_of(asker: Asker) -> str:
    if asker.number is not None:
        return f"staff:{asker.number}"
    if asker.device_id is not None:
        return f"device:{asker.device_id}"
    if asker.leg_id is not None:
        return f"leg:{asker.leg_id}"
    return asker.chair.value
