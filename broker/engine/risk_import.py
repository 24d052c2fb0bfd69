"""The import of what bears on risk: alerts, authorisations and the watch list of one establishment, from one CSV file.

The columns are RISK_COLUMNS; a row is of one type:
  alert          prisoner_number, code (of the prison's own system), starts_on, ends_on (may be empty)
  authorisation  prisoner_number, code (a ground of Prison Rule 35A(4)), necessity, proportionality, authorised_by (a
                 staff number), starts_on, review_on, ends_on (the day of the decision to stop; empty while it stands)
  watch          prisoner_number, or reference (of a contact); starts_on, ends_on (may be empty)
A row whose key stands already replaces it: so an end, or a later review, is imported. Nothing is removed by absence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from broker.domain.codes import Ground
from broker.domain.policy import Policy
from broker.domain.records import Authorisation, PrisonerAlert, Scope, Watch
from broker.engine.csvlines import Fault, Line, LineFault, read_lines
from broker.engine.importer import PRISONER_NUMBER, REFERENCE, Result, contact_id, in_order, place_faults
from broker.engine.secrets import derived_id
from broker.engine.stream import Change, Fact, Streams
from broker.ports import Directory

RISK_COLUMNS: Final = (
    "type", "establishment", "prisoner_number", "reference", "code", "necessity", "proportionality", "authorised_by",
    "starts_on", "ends_on", "review_on",
)  # fmt: skip
_ALERT = re.compile(r"[A-Z0-9]{1,12}")
_STAFF = re.compile(r"[A-Za-z0-9._-]{1,32}")

RiskRow = PrisonerAlert | Authorisation | Watch


class RiskImporter:
    """Takes one file whole, or not at all."""

    def __init__(self, directory: Directory, streams: Streams, policy: Policy) -> None:
        self._directory = directory
        self._streams = streams
        self._policy = policy

    async def take(self, file: tuple[str, bytes], actor: str) -> Result:
        """Check a file (name, content) and take every row, or none. Run twice, it changes nothing.

        Raises:
            LogUnavailable: It cannot be recorded; nothing was taken.
        """
        lines, faults = read_lines(*file, RISK_COLUMNS)
        faults = [*faults, *await place_faults(self._directory, lines)]
        if faults or not lines:
            return Result(tuple(in_order(faults, file[0])))
        result = Result()

        async def work() -> Change:
            nonlocal result
            result, changed = await self._rows(lines)
            if result.faults or not changed:
                return Change([])
            return Change([Fact("risk.imported", {"rows": len(changed)})], changed)

        await self._streams.establishment(lines[0]["establishment"]).change(actor, work)
        return result

    async def _rows(self, lines: Sequence[Line]) -> tuple[Result, list[RiskRow]]:
        """Return what the lines make of the establishment: the result, and the rows that are new or changed."""
        place = lines[0]["establishment"]
        scope = Scope(frozenset({place}))
        prisoners = {row.number for row in await self._directory.prisoners(scope)}
        contacts = {row.id for row in await self._directory.contacts(scope)}
        known: list[RiskRow] = [*await self._directory.prisoner_alerts(scope)]
        known += await self._directory.authorisations(scope)
        known += await self._directory.watches(scope)
        held = {row.id: row for row in known}
        rows: dict[str, RiskRow] = {}
        faults: list[Fault] = []
        for line in lines:
            try:
                row = self._row(line, prisoners, contacts)
                if row.id in rows:
                    raise LineFault("twice")
                rows[row.id] = row
            except LineFault as fault:
                faults.append(line.fault(fault.code, fault.column))
        changed = [row for row in rows.values() if held.get(row.id) != row]
        return Result(tuple(faults), len(changed), 0, len(rows) - len(changed)), changed

    def _row(self, line: Line, prisoners: set[str], contacts: set[str]) -> RiskRow:
        makers: Mapping[str, Callable[[], RiskRow]] = {
            "alert": lambda: _alert(line, prisoners),
            "authorisation": lambda: self._authorisation(line, prisoners),
            "watch": lambda: _watch(line, prisoners, contacts),
        }
        maker = makers.get(line["type"])
        if maker is None:
            raise LineFault("unknown_risk_type", "type")
        return maker()

    def _authorisation(self, line: Line, prisoners: set[str]) -> Authorisation:
        number, place = _prisoner(line, prisoners), line["establishment"]
        try:
            ground = Ground(line.need("code"))
        except ValueError:
            raise LineFault("unknown_ground", "code") from None
        starts_on, ended_on = line.span()
        review_on = line.date("review_on")
        if not starts_on <= review_on <= starts_on + timedelta(days=self._policy.authorisation_review_days):
            raise LineFault("review_out_of_range", "review_on")
        return Authorisation(
            derived_id("au", place, number, ground, starts_on.isoformat()),
            place,
            number,
            ground,
            line.need("necessity"),
            line.need("proportionality"),
            line.matching("authorised_by", _STAFF),
            starts_on,
            review_on,
            ended_on,
        )


def _alert(line: Line, prisoners: set[str]) -> PrisonerAlert:
    number, place = _prisoner(line, prisoners), line["establishment"]
    code = line.matching("code", _ALERT)
    starts_on, ends_on = line.span()
    key = derived_id("pa", place, number, code, starts_on.isoformat())
    return PrisonerAlert(key, place, number, code, starts_on, ends_on)


def _watch(line: Line, prisoners: set[str], contacts: set[str]) -> Watch:
    place = line["establishment"]
    if line["reference"]:
        person = contact_id(place, line.matching("reference", REFERENCE))
        if person not in contacts:
            raise LineFault("unknown_contact", "reference")
    else:
        person = _prisoner(line, prisoners)
    starts_on, ends_on = line.span()
    return Watch(derived_id("wt", place, person, starts_on.isoformat()), place, person, starts_on, ends_on)


def _prisoner(line: Line, prisoners: set[str]) -> str:
    number = line.matching("prisoner_number", PRISONER_NUMBER)
    if number not in prisoners:
        raise LineFault("unknown_prisoner", "prisoner_number")
    return number
