"""Establishments, halls, seats and laptops: made by an operator, each on the record with its row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from broker.domain.records import Device, Establishment, Hall, Scope, Seat, SynthCredential
from broker.engine.revocations import Revocations
from broker.engine.secrets import Secrets, derived_id, new_id, new_token
from broker.engine.stream import SYSTEM_STREAM, Change, Fact, Streams
from broker.ports import Clock, Directory

CREDENTIAL_DAYS: Final = 90
_CODE = re.compile(r"[A-Z]{3}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_TAG = re.compile(r"[A-Za-z0-9._-]{1,32}")


class PlaceError(Exception):
    """A place cannot be made so; `code` stands in the catalogue as `cli.place.<code>`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Places:
    """What stands still: the operator's part of the directory."""

    def __init__(
        self, directory: Directory, streams: Streams, secrets: Secrets, revocations: Revocations, clock: Clock
    ) -> None:
        self._directory = directory
        self._streams = streams
        self._secrets = secrets
        self._revocations = revocations
        self._clock = clock

    async def add_establishment(
        self,
        code: str,
        name: str,
        actor: str,
        *,
        synthetic: bool = False,
        estate: str = "closed",
        operator: str = "public",
    ) -> Establishment:
        """Make an establishment. Whether it is synthetic is said here and never changed. Raises PlaceError."""
        if not _CODE.fullmatch(code):
            raise PlaceError("bad_code")
        row = Establishment(code, _name(name), synthetic, estate, operator)

        async def work() -> Change:
            if code in await self._directory.all_establishments():
                raise PlaceError("code_taken")
            return Change([Fact("establishment.added", {"code": code, "synthetic": synthetic})], [row])

        await self._streams.of(SYSTEM_STREAM).change(actor, work)
        return row

    async def add_hall(
        self, establishment: str, name: str, actor: str, *, opens: str = "08:00", closes: str = "20:00"
    ) -> Hall:
        """Make a hall; equal hours mean that it never closes. Raises PlaceError."""
        await self._scope(establishment)
        if not (_CLOCK.fullmatch(opens) and _CLOCK.fullmatch(closes)):
            raise PlaceError("bad_hours")
        row = Hall(new_id("h"), establishment, _name(name), opens, closes)

        async def work() -> Change:
            halls = await self._directory.halls(Scope(frozenset({establishment})))
            if any(hall.name == row.name for hall in halls):
                raise PlaceError("hall_taken")
            return Change([Fact("hall.added", {"hall_id": row.id})], [row])

        await self._streams.establishment(establishment).change(actor, work)
        return row

    async def add_seats(self, establishment: str, hall_name: str, numbers: Iterable[int], actor: str) -> list[Seat]:
        """Make seats by the numbers on their tables; those that are there already stay. Raises PlaceError."""
        hall = await self.hall(establishment, hall_name)
        scope = await self._scope(establishment)
        there = {row.number for row in await self._directory.seats(scope) if row.hall_id == hall.id}
        wanted = sorted(set(numbers) - there)
        if any(not 1 <= number <= 999 for number in wanted):
            raise PlaceError("bad_seat")
        rows = [Seat(derived_id("t", hall.id, str(number)), establishment, hall.id, number) for number in wanted]
        facts = [Fact("seat.added", {"seat_id": row.id, "hall_id": hall.id, "number": row.number}) for row in rows]

        async def work() -> Change:
            return Change(facts, rows)

        await self._streams.establishment(establishment).change(actor, work)
        return rows

    async def enrol_laptop(
        self, establishment: str, hall_name: str, seat_number: int, asset_tag: str, actor: str
    ) -> tuple[Device, str]:
        """Give a laptop of a seat a one-time enrolment code; the laptop is made where there is none of that tag.

        Returns the laptop and the code, which is shown once and kept nowhere. Raises PlaceError.
        """
        if not _TAG.fullmatch(asset_tag):
            raise PlaceError("bad_tag")
        scope = await self._scope(establishment)
        hall = await self.hall(establishment, hall_name)
        seats = [row for row in await self._directory.seats(scope) if row.hall_id == hall.id]
        seat = next((row for row in seats if row.number == seat_number), None)
        if seat is None:
            raise PlaceError("unknown_seat")
        code = new_token()
        held = await self._laptop(scope, asset_tag)
        fresh = held or Device(new_id("d"), establishment, hall.id, seat.id, asset_tag)
        row = replace(
            fresh, hall_id=hall.id, seat_id=seat.id, enrol_hash=self._secrets.hash("enrol", code), revoked_at=None
        )
        if held is not None and held.revoked_at is not None:
            row = replace(row, key_hash=None)  # what was revoked stays so: only the new code opens it
        body = {"device_id": row.id, "hall_id": hall.id, "seat_id": seat.id}
        await self._streams.establishment(establishment).append("device.code_issued", actor, body, [row])
        return row, code

    async def revoke_laptop(self, establishment: str, asset_tag: str, actor: str) -> Device:
        """Shut a laptop out; its socket closes. Raises PlaceError."""
        held = await self._laptop(await self._scope(establishment), asset_tag)
        if held is None:
            raise PlaceError("unknown_laptop")
        row = replace(held, revoked_at=self._clock.now(), enrol_hash=None)
        self._revocations.revoke(f"device:{row.id}")
        body = {"device_id": row.id}
        await self._streams.establishment(establishment).insist("device.revoked", actor, body, [row])
        return row

    async def issue_credential(
        self, establishment: str, actor: str, days: int = CREDENTIAL_DAYS
    ) -> tuple[SynthCredential, str]:
        """Make a credential of a synthetic establishment: it opens that one and nothing else. Raises PlaceError.

        Returns the row and the token, which is shown once and kept nowhere.
        """
        found = await self._directory.establishments(await self._scope(establishment))
        if not found[0].synthetic:
            raise PlaceError("not_synthetic")
        token = new_token()
        expires_at = self._clock.now() + timedelta(days=days)
        row = SynthCredential(new_id("k"), establishment, self._secrets.hash("synthetic", token), expires_at)
        body = {"credential_id": row.id}
        await self._streams.establishment(establishment).append("credential.issued", actor, body, [row])
        return row, token

    async def hall(self, establishment: str, name: str) -> Hall:
        """Return a hall by its name. Raises PlaceError."""
        halls = await self._directory.halls(await self._scope(establishment))
        found = next((row for row in halls if row.name == name), None)
        if found is None:
            raise PlaceError("unknown_hall")
        return found

    async def _scope(self, establishment: str) -> Scope:
        if establishment not in await self._directory.all_establishments():
            raise PlaceError("unknown_establishment")
        return Scope(frozenset({establishment}))

    async def _laptop(self, scope: Scope, asset_tag: str) -> Device | None:
        return next((row for row in await self._directory.devices(scope) if row.asset_tag == asset_tag), None)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise PlaceError("bad_name")
    return name
