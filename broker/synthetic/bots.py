"""The bots of the demo, in their own process: `python -m broker.synthetic.bots`, told what to do on standard input.

Each line in is JSON: first `{"url": …, "staff": […]}`, then a `{"call": …}` whenever there is another call to
play. Each line out is JSON: `drawn`, `on_post`, `live`, `ended` or `failed`. End of input means: stop.
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

from broker.protocol import server
from broker.synthetic import people
from broker.synthetic.caller import Caller, Family, Laptop
from broker.synthetic.peer import Pacer
from broker.synthetic.site import Denied, Site, Unreachable
from broker.synthetic.staff import Monitor, StaffMember, Supervisor
from broker.synthetic.talk import Closed, Refused, TookTooLong, until
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


@dataclass(frozen=True, slots=True)
class Duty:
    """One member of staff to play."""

    post: str
    username: str
    password: str
    establishment: str
    hall_id: str | None = None


class Troupe:
    """The bots of one process."""

    def __init__(self, site: Site, tell: Tell) -> None:
        self._site = site
        self._tell = tell
        self._tasks = Tasks()
        self._pacer = Pacer()
        self._calls: set[str] = set()

    async def play(self, duties: list[Duty], parts: asyncio.Queue[Part | None]) -> None:
        """Hold the posts and play every part that comes, until None comes."""
        async with self._pacer:
            try:
                for duty in duties:
                    self._tasks.start(self._hold_post(duty))
                while (part := await parts.get()) is not None:
                    self._calls.add(part.call_id)
                    self._tasks.start(self._play_call(part))
            finally:
                await self._tasks.close()

    async def _hold_post(self, duty: Duty) -> None:
        """Stay on a post; whatever throws it off, it comes back."""
        while True:
            with suppress(*_TROUBLES):
                await self._shift(duty)
            await asyncio.sleep(AGAIN_S)

    async def _shift(self, duty: Duty) -> None:
        account = (duty.username, duty.password)
        if duty.post == "monitor":
            async with Monitor(self._site, self._pacer, *account) as monitor:
                await self._take(monitor, duty)
                await monitor.connect_wall()
                await self._listen_round(monitor)
        else:
            async with Supervisor(self._site, *account) as supervisor:
                await self._take(supervisor, duty)
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
        prisoner, family = await asyncio.to_thread(_pair, part)
        async with (
            Laptop(self._site, self._pacer, part.laptop_token, prisoner) as laptop,
            Family(self._site, self._pacer, part.family_token, family) as on_link,
        ):
            await together(self._stay(laptop), self._stay(on_link), self._say_when_live(part, on_link))
        self._calls.discard(part.call_id)
        self._tell({"event": "ended", "call_id": part.call_id})

    async def _stay(self, caller: Caller) -> None:
        """Arrive, and come back after any trouble, until the call has ended."""
        arrived = False
        while caller.screen != "ended":
            try:
                await (caller.come_back() if arrived else caller.arrive())
                arrived = True
                await until(lambda: caller.screen in OVER or caller.away, math.inf, "the end of the call", LOOK_S)
                if caller.screen in OVER:
                    return
            except Denied:
                return  # the call is over: its link opens no more
            except _TROUBLES:
                arrived = arrived or bool(caller.browser.cookies)
                await asyncio.sleep(AGAIN_S)

    async def _say_when_live(self, part: Part, on_link: Caller) -> None:
        await until(lambda: on_link.screen in ("call", "ended"), math.inf, "the start of the call", LOOK_S)
        self._tell({"event": "live", "call_id": part.call_id})


def _pair(part: Part) -> tuple[people.Person, people.Person]:
    return people.person(part.prisoner), people.person(part.family)


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _hand_on(reader: asyncio.StreamReader, parts: asyncio.Queue[Part | None]) -> None:
    """Hand on every part that is told, and None at the end of input."""
    while line := await reader.readline():
        with suppress(ValueError, TypeError, KeyError):
            parts.put_nowait(Part(**json.loads(line)["call"]))
    parts.put_nowait(None)


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
    for number in range(int(first.get("draw", 0))):
        await asyncio.to_thread(people.person, number)
        _tell({"event": "drawn", "number": number})
    parts: asyncio.Queue[Part | None] = asyncio.Queue()
    reading = Tasks()
    async with Site(first["url"]) as site:
        reading.start(_hand_on(reader, parts))
        try:
            await Troupe(site, _tell).play([Duty(**duty) for duty in first.get("staff", [])], parts)
        finally:
            await reading.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
