"""Looks at privileged calls: a console gets lines for their seconds, and gives them back. There is no sound in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from broker.domain import commands as c
from broker.domain import events as e
from broker.domain.call import Call
from broker.domain.codes import Code, Refused
from broker.engine.actor import Done
from broker.engine.board import Board, CallChanged, LinesChanged
from broker.engine.consoles import Console
from broker.ports import MediaPlane


class Looks:
    """Starts and stops looks from consoles, and takes their lines when the call says that they are over."""

    def __init__(
        self,
        consoles: Mapping[str, Console],
        media: MediaPlane,
        board: Board,
        send: Callable[[str, c.Command], Awaitable[Done]],
    ) -> None:
        self._consoles = consoles
        self._media = media
        self._board = board
        self._send = send

    async def start(self, session: str, call: Call) -> Done:
        """Look at a privileged call from a console. Raises Refused."""
        console = self._console(session)
        home = self._media.home(call.id)
        if home not in console.lines:
            raise Refused(Code.UNAVAILABLE)
        lines = console.lines_for(call, home)
        try:
            done = await self._send(call.id, c.StartLook(console.actor, lines))
        except Refused:
            if call.privacy.look is None or call.privacy.look.session != session:
                self._release(console, call)
            raise
        self._board.publish(LinesChanged(session))
        return done

    async def stop(self, session: str, call: Call) -> Done:
        """End the look of a console before its time. Raises Refused."""
        return await self._send(call.id, c.StopLook(self._console(session).actor))

    def follow(self, change: CallChanged) -> None:
        """Take the lines of a look that is over, and everything of a call that has become privileged."""
        call = change.call
        for event in change.events:
            if isinstance(event, e.LookEnded) and (console := self._consoles.get(event.session)) is not None:
                self._release(console, call)
            elif isinstance(event, e.KindChanged):
                for console in tuple(self._consoles.values()):
                    console.drop(call)
                    self._board.publish(LinesChanged(console.actor.session))

    def _release(self, console: Console, call: Call) -> None:
        console.release([leg.id for leg in call.legs])
        self._board.publish(LinesChanged(console.actor.session))

    def _console(self, session: str) -> Console:
        console = self._consoles.get(session)
        if console is None:
            raise Refused(Code.NOT_ON_POST)
        return console
