"""Consoles: enrolled by an operator's one-time code and a press in the browser, renewed, revoked; all on record."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from broker.domain.records import NATIONAL_POOL, ConsoleDevice, Scope
from broker.engine.access import MAX_SECRET_CHARS, AccessRefused
from broker.engine.denials import Denials
from broker.engine.places import PlaceError
from broker.engine.revocations import Revocations
from broker.engine.secrets import Secrets, new_id, new_token
from broker.engine.stream import Change, Fact, Streams
from broker.ports import Clock, Directory

ASSURED: Final = timedelta(days=365)  # where the operator names no date
CODE_LIFE: Final = timedelta(hours=24)  # a code that lies about is worth nothing the next day
_TAG = re.compile(r"[A-Za-z0-9._-]{1,32}")
_CODE_USE, _KEY_USE = "console-enrol", "console"


class ConsoleDevices:
    """Which browsers are consoles. Only the keyed hashes of codes and credentials are kept."""

    def __init__(
        self,
        directory: Directory,
        streams: Streams,
        secrets: Secrets,
        revocations: Revocations,
        denials: Denials,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._revocations = revocations
        self._denials = denials
        self._clock = clock

    async def enrol(
        self, establishment: str, asset_tag: str, actor: str, assured_until: datetime | None = None
    ) -> tuple[ConsoleDevice, str]:
        """Give a console a one-time code that stands for CODE_LIFE, and assure it anew until that instant.

        A console of that tag that stands goes on with the credential it has: this is also how one is renewed.
        Returns the console and the code, which is shown once and kept nowhere.

        Raises:
            PlaceError: `bad_tag`, `unknown_establishment`, `bad_date` for an end that is past.
            LogUnavailable: It cannot be recorded.
        """
        if not _TAG.fullmatch(asset_tag):
            raise PlaceError("bad_tag")
        await self._known(establishment)
        now = self._clock.now()
        until = assured_until or now + ASSURED
        if until <= now:
            raise PlaceError("bad_date")
        code, held = new_token(), await self._tagged(establishment, asset_tag)
        fresh = held or ConsoleDevice(new_id("cd"), establishment, asset_tag, until)
        stands = fresh.revoked_at is None  # what was revoked stays so: only the new code opens it
        row = replace(
            fresh,
            assured_until=until,
            key_hash=fresh.key_hash if stands else None,
            enrol_hash=self._secrets.hash(_CODE_USE, code),
            enrol_until=now + CODE_LIFE,
            revoked_at=None,
        )
        body = {"device_id": row.id, "kind": "console", "asset_tag": asset_tag, "assured_until": until.isoformat()}
        await self._streams.establishment(establishment).append("device.code_issued", actor, body, [row])
        return row, code

    async def revoke(self, establishment: str, asset_tag: str, actor: str) -> ConsoleDevice:
        """Shut a console out; a post that is held on it ends. Raises PlaceError, LogUnavailable."""
        await self._known(establishment)
        held = await self._tagged(establishment, asset_tag)
        if held is None:
            raise PlaceError("unknown_console")
        return await self._put_out(held, actor)

    async def redeem(self, code: str, former: str | None = None) -> tuple[ConsoleDevice, str]:
        """Enrol the browser that brings a one-time code; return its console and the credential it keeps.

        Args:
            code: What stood behind the `#` of the link.
            former: The credential that this browser has, if any: a browser is one console, so another one ends.

        Raises:
            AccessRefused: `console_unknown` for a wrong, used, old or revoked code, all alike.
            LogUnavailable: It cannot be recorded; the code stands.
        """
        hashed = self._secrets.hash(_CODE_USE, code)
        found = await self._directory.console_by_enrol_hash(hashed) if 0 < len(code) <= MAX_SECRET_CHARS else None
        if found is None or not self._opens(found):
            self._denials.stranger("console_unknown")
            raise AccessRefused("console_unknown")
        key = new_token()
        row = replace(found, key_hash=self._secrets.hash(_KEY_USE, key), enrol_hash=None, enrol_until=None)

        async def work() -> Change:
            if await self._directory.console_by_enrol_hash(hashed) is None:
                raise AccessRefused("console_unknown")
            return Change([Fact("device.enrolled", {"device_id": row.id, "kind": "console"})], [row])

        actor, before = f"device:{row.id}", await self.of(former)
        await self._streams.establishment(row.establishment).change(actor, work)
        self._revocations.revoke(f"device:{row.id}")  # whatever sat there with the credential of before
        if before is not None and before.id != row.id and before.revoked_at is None:
            await self._put_out(before, actor)
        return row, key

    async def of(self, credential: str | None) -> ConsoleDevice | None:
        """Return the console whose credential a browser holds, revoked or expired ones too. Raises LogUnavailable."""
        if not credential or len(credential) > MAX_SECRET_CHARS:
            return None
        return await self._directory.console_by_hash(self._secrets.hash(_KEY_USE, credential))

    def _opens(self, row: ConsoleDevice) -> bool:
        now = self._clock.now()
        in_time = row.enrol_until is not None and now < row.enrol_until
        return row.revoked_at is None and in_time and now < row.assured_until

    async def _put_out(self, held: ConsoleDevice, actor: str) -> ConsoleDevice:
        row = replace(held, revoked_at=self._clock.now(), enrol_hash=None, enrol_until=None)
        self._revocations.revoke(f"device:{row.id}")
        body = {"device_id": row.id, "kind": "console"}
        await self._streams.establishment(row.establishment).insist("device.revoked", actor, body, [row])
        return row

    async def _known(self, establishment: str) -> None:
        if establishment != NATIONAL_POOL and establishment not in await self._directory.all_establishments():
            raise PlaceError("unknown_establishment")

    async def _tagged(self, establishment: str, asset_tag: str) -> ConsoleDevice | None:
        rows = await self._directory.console_devices(Scope(frozenset({establishment})))
        return next((row for row in rows if row.asset_tag == asset_tag), None)
