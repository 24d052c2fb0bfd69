"""Notes of shifts: recorded where the shift was, and kept at hand for whoever takes over."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from broker.domain.policy import Policy
from broker.domain.shift import NOTED, Shift, ShiftNote, check_note, last_notes, notes_of
from broker.engine.board import Board, PostsChanged
from broker.engine.stream import Streams
from broker.ports import Clock, Directory


class ShiftNotes:
    """What was noted at each establishment: read from the record once, kept up by what is noted here."""

    def __init__(self, streams: Streams, directory: Directory, board: Board, clock: Clock, policy: Policy) -> None:
        self._streams = streams
        self._directory = directory
        self._board = board
        self._clock = clock
        self._policy = policy
        self._of: dict[str, dict[str, ShiftNote]] = {}
        self._names: dict[str, str] = {}

    async def load(self, places: Collection[str]) -> None:
        """Read the notes of these establishments, of those that are not known yet. Raises LogUnavailable."""
        for place in places:
            if place not in self._of:
                records = await self._streams.establishment(place).read()
                known = {note.id: note for note in notes_of(records)}
                for number in {note.number for note in last_notes(known.values(), self._clock.now())}:
                    await self._learn(number)
                self._of[place] = known | self._of.get(place, {})

    async def _learn(self, number: str) -> None:
        if number not in self._names:
            staff = await self._directory.staff_by_number(number)
            self._names[number] = staff.name if staff is not None else number

    def name(self, note: ShiftNote) -> str:
        """Return who wrote a note."""
        return self._names.get(note.number, note.number)

    async def add(self, shift: Shift, number: str, text: str) -> None:
        """Record a note on one's own shift, at each of its establishments. Raises Refused, LogUnavailable."""
        kept = check_note(shift, number, text, self._policy, self._clock.now())
        note = ShiftNote(f"n{secrets.token_hex(8)}", shift.session, number, self._clock.now(), kept)
        body = {"note_id": note.id, "session": note.session, "text": note.text}
        await self.load(shift.told)
        await self._learn(number)
        for place in sorted(shift.told):
            await self._streams.establishment(place).append(NOTED, f"staff:{number}", body)
            self._of[place][note.id] = note
        self._board.publish(*(PostsChanged(place) for place in sorted(shift.places)))

    def before(self, places: Collection[str], number: str = "") -> list[ShiftNote]:
        """Return what the shift before left to read at these establishments, but for one's own notes."""
        now = self._clock.now()
        found = {}
        for place in sorted(places):
            others = [note for note in self._of.get(place, {}).values() if note.number != number]
            found.update({note.id: note for note in last_notes(others, now)})
        return sorted(found.values(), key=lambda note: note.at)
