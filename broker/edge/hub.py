"""The hub of one node's sockets: the newest of each place, the second's beat, and the goodbye at the end."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from broker.edge.session import Session, Shared
from broker.engine.board import SeatsChanged
from broker.engine.chairs import LaptopChair

log = structlog.get_logger()

BEAT_S: Final = 1.0
MOST: Final = 2_000  # sockets of one node: a flood of connections must not take the memory of calls


class Hub:
    """Every socket that has said hello."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._sessions: dict[str, Session] = {}
        self.closing = False

    def __len__(self) -> int:
        return len(self._sessions)

    def join(self, session: Session) -> None:
        """Take a session in; the older socket of the same leg or laptop is told that it was replaced."""
        self._sessions[session.id] = session
        if session.place is not None:
            older = self.shared.sockets.get(session.place)
            self.shared.sockets[session.place] = session.socket
            if older is not None:
                older.end("replaced")
        self._laptops_changed(session)

    def leave(self, session: Session) -> None:
        """Let a session go."""
        self._sessions.pop(session.id, None)
        if session.place is not None and self.shared.sockets.get(session.place) is session.socket:
            del self.shared.sockets[session.place]
        self._laptops_changed(session)

    def _laptops_changed(self, session: Session) -> None:
        if isinstance(session.chair, LaptopChair):
            device = session.chair.device
            session.engine.board.publish(SeatsChanged(device.establishment, device.hall_id))

    async def run(self) -> None:
        """Tell every session that a second has passed, for as long as the node lives."""
        while True:
            await asyncio.sleep(BEAT_S)
            for session in tuple(self._sessions.values()):
                try:
                    if session.begun:
                        session.second()
                except Exception:
                    log.exception("second failed", session=session.id)

    def close(self) -> None:
        """Say goodbye to everybody: the node stops, and pages come back by themselves."""
        self.closing = True
        for session in tuple(self._sessions.values()):
            session.socket.end("shutdown")
