"""Credentials of legs that have arrived: one that is revoked takes its leg off the call, socket or none."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from broker.domain import commands as c
from broker.domain.actors import SYSTEM
from broker.domain.codes import Refused
from broker.engine.chairs import Chair
from broker.engine.engine import Engine
from broker.engine.revocations import Revocations
from broker.engine.tasks import Tasks

log = structlog.get_logger()


class Credentials:
    """What each leg rests on now. A leg's media outlives its socket, so its credential is followed by itself."""

    def __init__(self, engine: Engine, revocations: Revocations, tasks: Tasks) -> None:
        self._engine = engine
        self._revocations = revocations
        self._tasks = tasks
        self._legs: dict[str, Callable[[], None]] = {}

    def follow(self, leg_id: str, chair: Chair) -> None:
        """From now on the leg rests on `chair`, and on no earlier one."""
        self.drop(leg_id)
        self._legs[leg_id] = self._revocations.on(chair, lambda: self._told(leg_id))

    def drop(self, leg_id: str) -> None:
        """Follow the leg's credential no more: its call is over."""
        stop = self._legs.pop(leg_id, None)
        if stop is not None:
            stop()

    def _told(self, leg_id: str) -> None:
        self._legs.pop(leg_id, None)
        self._tasks.start(self._revoke(leg_id), "revoke leg")

    async def _revoke(self, leg_id: str) -> None:
        try:
            await self._engine.send(leg_id.rpartition(".")[0], c.Revoke(SYSTEM, leg_id))
        except Refused as refusal:
            log.info("revocation refused", leg=leg_id, code=refusal.code.value)
        await self._engine.closed(leg_id)
