"""What a console's report proves, judged with what the relay sent and what it was reported (coverage.py; wall.md 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.domain.call import Call, Leg
from broker.domain.coverage import SentFact, ShownFact, tile_shown
from broker.domain.plan import Media
from broker.domain.policy import Policy
from broker.engine.consoles import Console
from broker.engine.stills import Stills
from broker.ports import Clock, MediaPlane

SENDING_S = 2.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a console says of one leg's picture, with the newest RTP timestamp that it presented, and whose home's."""

    fact: ShownFact
    rtp_timestamp: int | None
    home: int = 0


class Proofs:
    """Judges reports. It changes nothing."""

    def __init__(self, media: MediaPlane, stills: Stills, clock: Clock, policy: Policy) -> None:
        self._media = media
        self._stills = stills
        self._clock = clock
        self._policy = policy

    def dated(self, heard: datetime | None) -> datetime:
        """Return from when a report counts: from the newest instant of ours that its page had read, if it says one.

        What waited in a socket while this process stood still is as old as it is.
        """
        now = self._clock.now()
        return now if heard is None else min(heard, now)

    async def displayed(
        self, console: Console, calls: Sequence[Call], tiles: Mapping[str, Sequence[Shown]]
    ) -> list[Call]:
        """Return those of `calls` of which every leg is proven displayed by this second's report."""
        shown = {tile.fact.leg_id: tile for call in calls for tile in tiles[call.id]}
        sent = await self._sent(console, calls, shown)
        facts = {leg_id: console.counted(tile.fact, self._clock.boottime()) for leg_id, tile in shown.items()}
        return [call for call in calls if tile_shown([leg.id for leg in call.active], facts, sent, self._policy)]

    async def _sent(self, console: Console, calls: Sequence[Call], shown: Mapping[str, Shown]) -> dict[str, SentFact]:
        """Ask each home what it sent of these calls' legs on the console's lines."""
        facts: dict[str, SentFact] = {}
        asked: dict[int, dict[str, tuple[int, int | None]]] = {}
        for call in calls:
            home = self._media.home(call.id)
            for leg in call.active:
                pictured = Media.VIDEO in leg.sends
                line = console.line_on(call, leg.id, home) if pictured else None
                if line is None:
                    age = self._still_age(console, leg, shown.get(leg.id))
                    facts[leg.id] = SentFact(None, False, None, not (pictured and leg.connected), age)
                else:
                    asked.setdefault(home, {})[leg.id] = (line, _echoed(shown.get(leg.id), home, line))
        for home, legs in asked.items():
            found = await self._media.sent_on(console.actor.session, list(legs.values()), home)
            for (leg_id, (line, _)), sent in zip(legs.items(), found, strict=True):
                sending = sent.last_s is not None and sent.last_s <= SENDING_S
                able = home in console.up
                facts[leg_id] = SentFact(line, sending, sent.frame_s, able, None, sent.frames, sent.report_s)
        return facts

    def _still_age(self, console: Console, leg: Leg, shown: Shown | None) -> float | None:
        if shown is None or shown.fact.still is None:
            return None
        return self._stills.age_s(console.actor.session, leg.id, shown.fact.still, self._clock.boottime())


def _echoed(shown: Shown | None, home: int, line: int) -> int | None:
    """Return the timestamp that a page says it presented of this very line."""
    return shown.rtp_timestamp if shown is not None and (shown.home, shown.fact.line) == (home, line) else None
