"""Photos on file: taken from a folder of the establishment's, each checked and put on record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.codes import Refused
from broker.domain.photos import media_type
from broker.domain.policy import DEFAULT
from broker.domain.records import Photo, Scope
from broker.engine.importer import contact_id
from broker.engine.stream import Change, Fact, Streams
from broker.ports import Directory


@dataclass(frozen=True, slots=True)
class PhotosTaken:
    """What became of each file, by name: nothing is taken where one is wrong."""

    taken: int = 0
    unchanged: int = 0
    unknown: tuple[str, ...] = ()  # of no contact of the establishment
    bad: tuple[str, ...] = ()


class Photos:
    """Takes photos whole, or none."""

    def __init__(self, directory: Directory, streams: Streams) -> None:
        self._directory = directory
        self._streams = streams

    async def take(self, establishment: str, files: Mapping[str, bytes], actor: str) -> PhotosTaken:
        """Take the photos in `files`, by the contact's own reference at the establishment.

        Raises:
            LogUnavailable: It cannot be recorded; nothing was taken.
        """
        known = {row.id for row in await self._directory.contacts(Scope(frozenset({establishment})))}
        rows: list[Photo] = []
        unknown: list[str] = []
        bad: list[str] = []
        for name, data in sorted(files.items()):
            contact = contact_id(establishment, name)
            if contact not in known:
                unknown.append(name)
            try:
                rows.append(Photo(contact, establishment, media_type(data, DEFAULT.photo_most_bytes), data))
            except Refused:
                bad.append(name)
        if unknown or bad:
            return PhotosTaken(unknown=tuple(unknown), bad=tuple(bad))
        return PhotosTaken(*await self.save(establishment, rows, actor))

    async def save(self, establishment: str, rows: Sequence[Photo], actor: str) -> tuple[int, int]:
        """Keep photos that are checked already, and return how many are new and how many were there."""
        scope, new = Scope(frozenset({establishment})), list[Photo]()

        async def work() -> Change:
            new[:] = [row for row in rows if row != await self._directory.photo(scope, row.contact_id)]
            return Change([_fact(row) for row in new], new)

        await self._streams.establishment(establishment).change(actor, work)
        return len(new), len(rows) - len(new)


def _fact(row: Photo) -> Fact:
    digest = hashlib.sha256(row.data).hexdigest()
    return Fact("photo.saved", {"contact_id": row.contact_id, "sha256": digest, "bytes": len(row.data)})
