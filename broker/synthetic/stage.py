"""What check-call stands on: a synthetic establishment with its calls and both posts, as the broker made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from broker.protocol import client
from broker.synthetic import voice
from broker.synthetic.caller import Caller, Family, Laptop
from broker.synthetic.line import Line, Tap
from broker.synthetic.peer import Pacer
from broker.synthetic.people import person, who_is_heard, who_is_seen
from broker.synthetic.site import Browser, Site
from broker.synthetic.staff import Monitor, Supervisor
from broker.synthetic.talk import Refused, until

TAKE = 20  # frames that settle who is seen or heard
PAIRS = 2  # pairs of people that a process draws; calls at once never share one
WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Booked:
    """One call as the broker booked it."""

    call_id: str
    family_token: str
    laptop_token: str
    family_leg: str
    prisoner_leg: str


@dataclass(frozen=True, slots=True)
class Cast:
    """The synthetic establishment, its calls, and its accounts: username, password; and what enrols the console."""

    establishment: str
    hall_id: str
    calls: tuple[Booked, ...]
    monitor: tuple[str, str, str]
    supervisor: tuple[str, str]

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Cast:
        """Read the answer of `POST /api/synthetic`. Raises KeyError where something is missing."""
        names = Booked.__dataclass_fields__
        return cls(
            answer["establishment"],
            answer["hall_id"],
            tuple(Booked(**{name: call[name] for name in names}) for call in answer["calls"]),
            (answer["monitor"]["username"], answer["monitor"]["password"], answer["console_token"]),
            (answer["supervisor"]["username"], answer["supervisor"]["password"]),
        )


@dataclass(frozen=True, slots=True)
class Receivers:
    """Every line that carries a call at one moment: at both ends and on the wall."""

    lines: tuple[Line, ...]

    def packets(self) -> int:
        return sum(line.packets for line in self.lines)

    def last_at(self) -> float:
        """Return when the last packet came (monotonic seconds), 0 where none ever did."""
        return max((line.last_at or 0.0 for line in self.lines), default=0.0)


@dataclass(slots=True)
class Stage:
    """A broker with both posts staffed by bots."""

    site: Site
    pacer: Pacer
    cast: Cast
    monitor: Monitor
    supervisor: Supervisor
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)  # one link is opened at a time: what is timed

    def receivers(self, ends: Ends) -> Receivers:
        """Return the lines that carry this call now."""
        at_ends = [line for end in ends.all_of() for line in end.lines]
        return Receivers((*at_ends, *self.monitor.lines_of(ends.booked.call_id)))


async def ask_for_calls(site: Site, credential: str, count: int, kind: str = "social") -> Cast:
    """
    Have `count` synthetic calls of a kind booked that start now.

    Raises:
        Unreachable: No broker answers.
        Denied: The credential is refused.
    """
    answer = await site.post(
        Browser("base"), "/api/synthetic", {"count": count, "kind": kind}, {"Authorization": f"Bearer {credential}"}
    )
    if isinstance(answer.get("chairs"), dict):
        site.name_chairs(answer["chairs"])
    return Cast.of(answer)


@asynccontextmanager
async def staffed(site: Site, cast: Cast, console: Browser | None = None) -> AsyncIterator[Stage]:
    """Sign both people in, connect the wall, and run the pacer; no post is taken yet.

    `console` is the monitor's browser, where it was enrolled before.
    """
    async with (
        Pacer() as pacer,
        Monitor(site, pacer, *cast.monitor, console) as monitor,
        Supervisor(site, *cast.supervisor) as supervisor,
    ):
        await monitor.sign_in()
        await supervisor.sign_in()
        yield Stage(site, pacer, cast, monitor, supervisor)


async def both_posts(stage: Stage) -> None:
    """Take both posts and connect the wall. Raises Refused."""
    cast = stage.cast
    await stage.monitor.take_post(cast.establishment)
    await stage.monitor.connect_wall()
    await stage.supervisor.take_post(cast.establishment, cast.hall_id)


@dataclass(slots=True)
class Ends:
    """Both callers of one call."""

    booked: Booked
    family: Caller
    laptop: Caller

    @property
    def numbers(self) -> tuple[int, int]:
        """Who is who: the prisoner's number and the family's."""
        return self.laptop.person.number, self.family.person.number

    def all_of(self) -> tuple[Caller, Caller]:
        return self.laptop, self.family

    def packets(self) -> int:
        """Return how many packets both ends have received."""
        return sum(line.packets for end in self.all_of() for line in end.lines)

    def sent(self) -> list[int]:
        """Return how many sound packets each end has sent."""
        loops = [end.peer.loop for end in self.all_of() if end.peer is not None]
        return [loop.audio.packets for loop in loops if loop is not None and loop.audio is not None]

    def lost(self) -> int:
        """Return how many packets did not arrive at the ends."""
        return sum(end.peer.packets_lost for end in self.all_of() if end.peer is not None)

    def mark(self) -> None:
        for end in self.all_of():
            end.mark()

    def decodable_at(self) -> float | None:
        """Return when picture and sound had come to both ends since the mark."""
        times = [end.decodable_at for end in self.all_of()]
        return None if None in times else max(at for at in times if at is not None)

    async def media(self, what: str, within_s: float = WITHIN_S) -> float:
        """Wait for media at both ends and return when it was there. Raises TookTooLong."""
        await until(lambda: self.decodable_at() is not None, within_s, what)
        return self.decodable_at() or 0.0


@asynccontextmanager
async def ends_of(stage: Stage, booked: Booked, pair: int) -> AsyncIterator[Ends]:
    """Make both callers of a call; nobody has arrived yet."""
    prisoner, family = person(2 * pair), person(2 * pair + 1)
    async with (
        Laptop(stage.site, stage.pacer, booked.laptop_token, prisoner) as at_laptop,
        Family(stage.site, stage.pacer, booked.family_token, family) as on_link,
    ):
        yield Ends(booked, on_link, at_laptop)


async def is_person(taps: dict[str, Tap], number: int) -> bool:
    """Tell whether what was kept is the picture and the voice of person `number`, and nobody else's."""
    return await shows(taps["video"], number) and await sounds(taps["audio"], number)


async def shows(tap: Tap | None, number: int) -> bool:
    """Tell whether all pictures kept are of person `number` (and some were kept)."""
    if tap is None:
        return False
    seen = await asyncio.to_thread(who_is_seen, [frame for _, frame in tap.frames])
    return bool(seen) and set(seen) == {number}


async def sounds(tap: Tap | None, number: int) -> bool:
    """Tell whether the sound kept is the voice of person `number`."""
    if tap is None or not tap.frames:
        return False
    heard = await asyncio.to_thread(who_is_heard, [frame for _, frame in tap.frames])
    return heard == number % voice.VOICES


async def refused(caller: Monitor | Supervisor | Caller, message: client.ClientMessage) -> str:
    """Send a command and return the code of its refusal; empty where it was not refused."""
    try:
        await caller.command(message)
    except Refused as refusal:
        return refusal.code
    return ""
