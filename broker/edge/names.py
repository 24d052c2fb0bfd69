"""Names for the ids of the record: halls, establishments and people of staff, looked up when a page is made."""

from __future__ import annotations

from collections.abc import Iterable

from broker.domain.cuts import NOBODY, Cut
from broker.domain.records import Scope
from broker.ports import Directory
from broker.text import Catalogue


class Names:
    """The names that one page needs. Ids that nobody has stay ids."""

    def __init__(self, words: Catalogue) -> None:
        self.words = words
        self.halls: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self._people: dict[str, str] = {}

    @classmethod
    async def of(cls, directory: Directory, scope: Scope, words: Catalogue) -> Names:
        """Return the names of a scope's places."""
        names = cls(words)
        names.halls = {row.id: row.name for row in await directory.halls(scope)}
        names.places = {row.code: row.name for row in await directory.establishments(scope)}
        return names

    async def learn(self, directory: Directory, numbers: Iterable[str]) -> None:
        """Look up people of staff by number."""
        for number in numbers:
            if number not in self._people and number != NOBODY:
                staff = await directory.staff_by_number(number)
                self._people[number] = staff.name if staff is not None else number

    def person(self, number: str) -> str:
        """Return a person's name, by staff number."""
        return self._people.get(number, number)

    def place(self, code: str) -> str:
        """Return an establishment's name."""
        return self.places.get(code, code)

    def key(self, cut: Cut, key: str) -> str:
        """Return the words for a key of a cut."""
        match cut:
            case Cut.HALL:
                return self.halls.get(key, key)
            case Cut.ESTABLISHMENT:
                return self.place(key)
            case Cut.MONITOR | Cut.SUPERVISOR | Cut.LOAD if key == NOBODY:
                return self.words("figures.nobody")
            case Cut.MONITOR | Cut.SUPERVISOR:
                return self.person(key)
            case Cut.KIND | Cut.TIER | Cut.ESTATE | Cut.OPERATOR:
                word = f"kind.{key}" if cut is Cut.KIND else f"figures.{cut}.{key}"
                return self.words(word) if word in self.words else key
            case _:
                return key
