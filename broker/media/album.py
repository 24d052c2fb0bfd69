"""The album: which legs are seen by stills, when the next one of each is due, and what the maker makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from broker.media.forward.api import Codec
from broker.media.stills import MAX_WAITING, StillMaker

EVERY_S = 2.0  # docs/decisions/0014

Tell = Callable[[str, bytes], None]
"""Called with a leg and its JPEG."""


class Album:
    """Stills of one relay. Times are CLOCK_BOOTTIME in seconds."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._maker = StillMaker(self._made)
        self._wanted: dict[str, frozenset[str]] = {}
        self._asked: dict[int, str] = {}
        self._taken_at: dict[str, float] = {}

    def want(self, call_id: str, legs: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """From now on `legs` of a call are seen by stills; return (legs gone, legs new)."""
        held = self._wanted.pop(call_id, frozenset())
        if legs:
            self._wanted[call_id] = legs
        for leg in held - legs:
            self._taken_at.pop(leg, None)
        self._asked = {number: leg for number, leg in self._asked.items() if leg not in held - legs}
        return held - legs, legs - held

    def call_of(self, leg: str) -> str | None:
        """Return the call whose plan wants stills of `leg`."""
        return next((call for call, legs in self._wanted.items() if leg in legs), None)

    def due(self, now: float) -> list[str]:
        """Return the legs whose next still is due."""
        legs = [leg for wanted in self._wanted.values() for leg in wanted]
        return [leg for leg in legs if now - self._taken_at.get(leg, float("-inf")) >= EVERY_S]

    def found(self, leg: str, codec: Codec, parts: Sequence[bytes], now: float) -> None:
        """A whole key frame of `leg` passed its gate."""
        if self.call_of(leg) is None or now - self._taken_at.get(leg, float("-inf")) < EVERY_S:
            return
        number = self._maker.make(codec, parts)
        if number is not None:
            self._taken_at[leg] = now
            self._asked[number] = leg
            if len(self._asked) > MAX_WAITING:  # the oldest came to nothing
                del self._asked[next(iter(self._asked))]

    def _made(self, number: int, jpeg: bytes) -> None:
        leg = self._asked.pop(number, None)
        if leg is not None:  # else its plan ended meanwhile: a still of before a pause is not shown after it
            self._tell(leg, jpeg)

    async def close(self) -> None:
        """End the maker's process."""
        await self._maker.close()
