"""The gate of posts that want a console: asked when one is taken or passed on, followed while it is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from broker.domain import console_device
from broker.domain.codes import Code, Refused
from broker.domain.policy import Policy
from broker.domain.posts import Check, Holder
from broker.domain.records import ConsoleDevice, Scope
from broker.engine.revocations import Revocations
from broker.ports import Clock, Directory, LogUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Credential:
    """What a post on a console rests on. Its end in time is looked at here: the assurance may have been renewed."""

    device: ConsoleDevice
    until: None = None

    @property
    def keys(self) -> frozenset[str]:
        return frozenset({f"device:{self.device.id}"})


@dataclass(frozen=True, slots=True)
class _Followed:
    holder: Holder
    device: ConsoleDevice
    stop: Callable[[], None]


class ConsoleGate:
    """Which console each post is held on. `ended` is called, once, with the session whose console fell, and why."""

    def __init__(
        self,
        directory: Directory,
        revocations: Revocations,
        clock: Clock,
        policy: Policy,
        ended: Callable[[str, Code], None],
    ) -> None:
        self._directory = directory
        self._revocations = revocations
        self._clock = clock
        self._policy = policy
        self._ended = ended
        self._followed: dict[str, _Followed] = {}

    async def now(self, device: ConsoleDevice | None) -> ConsoleDevice | None:
        """Return a console as its row is now; None where it is enrolled anew elsewhere. Raises LogUnavailable."""
        if device is None:
            return None
        rows = await self._directory.console_devices(Scope(frozenset({device.establishment})))
        row = next((row for row in rows if row.id == device.id), None)
        return row if row is not None and row.key_hash == device.key_hash else None

    def check(self, holder: Holder, device: ConsoleDevice | None) -> Check | None:
        """Return the condition of signing on that concerns the browser (console_device.check)."""
        return console_device.check(holder, device, self._policy, self._clock.now())

    def follow(self, holder: Holder, device: ConsoleDevice | None) -> None:
        """From now on the post rests on `device`, where policy wants one for it."""
        self.drop(holder.session)
        if device is not None and holder.post in self._policy.console_posts:
            stop = self._revocations.on(_Credential(device), lambda: self._fell(holder.session, Code.CONSOLE_REVOKED))
            self._followed[holder.session] = _Followed(holder, device, stop)

    async def confirm(self, session: str) -> None:
        """Look once more, after `follow`: what was revoked between the first look and the following told nobody."""
        followed = self._followed.get(session)
        if followed is not None:
            await self._look_again(session, followed)

    def drop(self, session: str) -> None:
        """The post is not held any more."""
        followed = self._followed.pop(session, None)
        if followed is not None:
            followed.stop()

    async def require(self, holder: Holder) -> None:
        """Refuse what passes a post on to `holder` where their console fell. Raises Refused, LogUnavailable."""
        followed = self._followed.get(holder.session)
        found = self.check(holder, await self.now(followed.device) if followed else None)
        if found is not None and not found.met:
            raise Refused(found.code)

    async def look(self) -> None:
        """End the posts whose console's assurance has run out and was not renewed meanwhile. Call it every second."""
        for session, followed in tuple(self._followed.items()):
            if self._clock.now() >= followed.device.assured_until:
                await self._look_again(session, followed)

    async def _look_again(self, session: str, followed: _Followed) -> None:
        try:
            row = await self.now(followed.device)
        except LogUnavailable:
            row = followed.device  # what is known of it must do
        code = console_device.why_not(row, followed.holder.granted_by, self._clock.now())
        if self._followed.get(session) is not followed:
            return
        if code is None:
            self.follow(followed.holder, row)
        else:
            self._fell(session, Code.CONSOLE_EXPIRED if code is Code.CONSOLE_EXPIRED else Code.CONSOLE_REVOKED)

    def _fell(self, session: str, code: Code) -> None:
        self.drop(session)
        log.warning("post ended with its console", session=session, code=code.value)
        self._ended(session, code)
