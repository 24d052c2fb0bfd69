"""The bots of the demo and of exercises, in their own process: `python -m broker.synthetic.bots`, told what to do by
lines on standard input.

Each line in is JSON: first `{"url": …, "staff": […], "draw": […]}`, then a `{"call": …}` whenever there is another call
to play, a `{"cue": …}` for each misdeed, and `{"over": true}` when the families shall leave. Each line out is JSON:
`drawn`, `on_post`, `live`, `ended`, and for a cue `cue` or `cue_failed`. End of input means: stop.
Tokens and passwords come by standard input, so that no list of processes shows them.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from broker.domain.training import IN_LOBBY, Misdeed
from broker.protocol import client, server
from broker.synthetic import people
from broker.synthetic.acting import acting, arriving
from broker.synthetic.caller import Caller, Family, Laptop
from broker.synthetic.cues import Arrives, Cue, Cues, Over
from broker.synthetic.misdeeds import drawn_for
from broker.synthetic.peer import Pacer
from broker.synthetic.site import Browser, Denied, Site, Unreachable
from broker.synthetic.staff import Monitor, StaffMember, Supervisor
from broker.synthetic.talk import Closed, Refused, TookTooLong, new_key, until
from broker.synthetic.tasks import Tasks, together

AGAIN_S = 1.0
LISTEN_S = 6.0  # how long the bot of the monitoring post listens to one call before the next
LOOK_S = 0.2
OVER = ("ended", "none")  # of a laptop: its seat has no call any more

_TROUBLES = (Closed, Refused, Denied, TookTooLong, Unreachable, ConnectionError, TimeoutError)

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One call to play: who sits where."""

    call_id: str
    family_token: str
    laptop_token: str
    prisoner: int
    family: int
    name: str = ""  # of the family, on the card that it holds up until it is admitted; none: no card
    arrives: Arrives | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One member of staff to play."""

    post: str
    username: str
    password: str
    establishment: str
    hall_id: str | None = None
    console_token: str = ""
    answers: bool = False  # a supervisor answers requests to attend


Order = Part | Cue | Over | None


class Troupe:
    """The bots of one process."""

    def __init__(self, site: Site, tell: Tell) -> None:
        self._site = site
        self._tell = tell
        self._tasks = Tasks()
        self._pacer = Pacer()
        self._calls: set[str] = set()
        self._cues = Cues(tell)
        self._over = asyncio.Event()
        self._console = Browser("monitor")

    async def play(self, duties: list[Duty], orders: asyncio.Queue[Order]) -> None:
        """Hold the posts and follow every order that comes, until None comes."""
        async with self._pacer:
            try:
                for duty in duties:
                    self._tasks.start(self._hold_post(duty))
                while (order := await orders.get()) is not None:
                    self._follow(order)
            finally:
                await self._tasks.close()

    def _follow(self, order: Part | Cue | Over) -> None:
        match order:
            case Part():
                self._calls.add(order.call_id)
                self._tasks.start(self._play_call(order))
            case Cue():
                self._tasks.start(self._cues.give(order))
            case Over():
                self._over.set()

    async def _hold_post(self, duty: Duty) -> None:
        """Stay on a post; whatever throws it off, it comes back."""
        while True:
            with suppress(*_TROUBLES):
                await self._shift(duty)
            await asyncio.sleep(AGAIN_S)

    async def _shift(self, duty: Duty) -> None:
        account = (duty.username, duty.password)
        if duty.post == "monitor":
            console = (duty.console_token, self._console)
            async with Monitor(self._site, self._pacer, *account, *console) as monitor:
                await self._take(monitor, duty)
                await monitor.connect_wall()
                await self._listen_round(monitor)
        else:
            async with Supervisor(self._site, *account) as supervisor:
                await self._take(supervisor, duty)
                if duty.answers:
                    self._tasks.start(self._cues.steward.run(supervisor))
                await until(lambda: not supervisor.on_post, math.inf, "the end of the shift", LOOK_S)

    async def _take(self, member: StaffMember, duty: Duty) -> None:
        member.verifies = self._is_ours
        await member.sign_in()
        await member.take_post(duty.establishment, duty.hall_id)
        self._tell({"event": "on_post", "post": duty.post})

    async def _listen_round(self, monitor: Monitor) -> None:
        """Listen to one live call after the other."""
        turn = 0
        while monitor.on_post:
            live = sorted(call_id for call_id, call in monitor.calls.items() if call.phase == "live")
            if live:
                with suppress(Refused):
                    await monitor.focus(live[turn % len(live)])
            turn += 1
            for _ in range(int(LISTEN_S / LOOK_S)):
                await asyncio.sleep(LOOK_S)
                if not monitor.on_post:
                    return

    def _is_ours(self, call: server.CallPart) -> bool:
        """Bots verify bots only: a person at the demo is verified by a person."""
        return call.id in self._calls

    async def _play_call(self, part: Part) -> None:
        """Play both ends of a call until it has ended."""
        prisoner, family, arriving = await asyncio.to_thread(_cast, part)
        async with (
            Laptop(self._site, self._pacer, part.laptop_token, prisoner) as laptop,
            Family(self._site, self._pacer, part.family_token, arriving) as on_link,
        ):
            self._cues.joined(part.call_id, on_link, laptop)
            works = [self._stay(laptop), self._stay(on_link), self._say_when_live(part, on_link), self._leave(on_link)]
            if part.arrives is not None:
                works.append(self._cues.stand_in_lobby(part.arrives, on_link, part.name))
            if part.arrives is None or part.arrives.misdeed is not Misdeed.WRONG_PERSON:
                works.append(_put_card_away(on_link, family))
            await together(*works)
        self._cues.gone(part.call_id)
        self._calls.discard(part.call_id)
        self._tell({"event": "ended", "call_id": part.call_id})

    async def _stay(self, caller: Caller) -> None:
        """Arrive, and come back after any trouble, until the call has ended."""
        arrived = here = False
        while caller.screen != "ended":
            try:
                if not here:
                    await (caller.come_back() if arrived else caller.arrive())
                arrived = here = True
                await until(lambda: caller.screen in OVER or caller.away, math.inf, "the end of the call", LOOK_S)
                if caller.screen in OVER:
                    return
                await until(lambda: not caller.stays_away, math.inf, "leave to come back", LOOK_S)
                here = not caller.away
            except Denied:
                return  # the call is over: its link opens no more
            except _TROUBLES:
                arrived, here = arrived or bool(caller.browser.cookies), False
                await asyncio.sleep(AGAIN_S)

    async def _say_when_live(self, part: Part, on_link: Caller) -> None:
        await until(lambda: on_link.screen in ("call", "ended"), math.inf, "the start of the call", LOOK_S)
        self._tell({"event": "live", "call_id": part.call_id})

    async def _leave(self, on_link: Caller) -> None:
        """Leave for good when all is over."""
        await until(lambda: self._over.is_set() or on_link.screen in OVER, math.inf, "the end of all", LOOK_S)
        if on_link.screen not in OVER:
            with suppress(*_TROUBLES):
                await on_link.command(client.LegLeave(key=new_key()))


async def _put_card_away(on_link: Caller, family: people.Person) -> None:
    """Stop holding up the card once the call has begun."""
    await until(lambda: on_link.screen in ("call", "ended"), math.inf, "the start of the call", LOOK_S)
    on_link.play(family)


def _cast(part: Part) -> tuple[people.Person, people.Person, people.Person]:
    """Return the prisoner, the family, and the family as it arrives."""
    prisoner, family = people.person(part.prisoner), people.person(part.family)
    return prisoner, family, arriving(part.family, part.name, part.arrives.misdeed if part.arrives else None)


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _hand_on(reader: asyncio.StreamReader, orders: asyncio.Queue[Order]) -> None:
    """Hand on every order that is told, and None at the end of input."""
    while line := await reader.readline():
        with suppress(ValueError, TypeError, KeyError):
            orders.put_nowait(_order(json.loads(line)))
    orders.put_nowait(None)


def _order(told: dict[str, Any]) -> Part | Cue | Over:
    if "cue" in told:
        cue = told["cue"]
        return Cue(**{**cue, "misdeed": Misdeed(cue["misdeed"])})
    if "over" in told:
        return Over()
    call = told["call"]
    arrives = call.pop("arrives", None)
    if arrives is not None:
        arrives = Arrives(**{**arrives, "misdeed": Misdeed(arrives["misdeed"])})
    return Part(**call, arrives=arrives)


def _draw(what: dict[str, Any]) -> None:
    """Draw what will be wanted: a person, as they arrive, and what they will do."""
    number, name = int(what["number"]), str(what.get("name", ""))
    people.person(number)
    for misdeed in [Misdeed(one) for one in what.get("misdeeds", [])]:
        for act in drawn_for(misdeed):
            acting(number, act)
        if misdeed in IN_LOBBY:
            arriving(number, name, misdeed)
    if name:
        arriving(number, name, None)


def _tell(event: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


async def main() -> None:
    """Play until the end of input."""
    reader = await _stdin()
    opening = await reader.readline()
    if not opening:
        return
    first = json.loads(opening)
    for what in first.get("draw", []):
        await asyncio.to_thread(_draw, what)
        _tell({"event": "drawn", "number": what["number"]})
    orders: asyncio.Queue[Order] = asyncio.Queue()
    reading = Tasks()
    async with Site(first["url"]) as site:
        reading.start(_hand_on(reader, orders))
        try:
            await Troupe(site, _tell).play([Duty(**duty) for duty in first.get("staff", [])], orders)
        finally:
            await reading.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
