"""The import of what bears on risk: all of it or nothing, and again without a change."""

from __future__ import annotations

from datetime import date

import pytest

from broker.domain.records import Authorisation, PrisonerAlert, Watch
from broker.engine.importer import PEOPLE_COLUMNS, VISIT_COLUMNS
from broker.engine.risk_import import RISK_COLUMNS
from tests.office import Desk

HEAD = ",".join(RISK_COLUMNS)
RISK = f"""{HEAD}
alert,HRD,A2222BB,,XTACT,,,,2026-01-01,,
authorisation,HRD,A2222BB,,crime,Harassed a witness by telephone,Calls to two numbers only,S12345,2026-11-01,,2026-12-01
watch,HRD,A2222BB,,,,,,2026-01-01,2026-12-31,
watch,HRD,,K1,,,,,2026-01-01,,
"""
PEOPLE = f"""{",".join(PEOPLE_COLUMNS)}
prisoner,HRD,A2222BB,,Sam,Oak,,,,,,
contact,HRD,A2222BB,K1,Ann,Oak,1970-01-31,mother,,,,
"""


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    files = (("people.csv", PEOPLE.encode()), ("visits.csv", ",".join(VISIT_COLUMNS).encode()))
    await desk.office.importer.take(*files, "operator")
    return desk


async def take(desk: Desk, text: str):
    return await desk.office.risk_importer.take(("risk.csv", text.encode()), "operator")


def rows(desk: Desk, kind: type) -> list:
    return [row for row in desk.directory.rows.values() if isinstance(row, kind)]


@pytest.mark.feature("F59", "F80")
async def test_alerts_authorisations_and_the_watch_list_are_taken_and_again_change_nothing(desk):
    first = await take(desk, RISK)
    second = await take(desk, RISK)

    assert (first.people, first.unchanged, first.faults) == (4, 0, ())
    assert (second.people, second.unchanged) == (0, 4)
    assert [row.code for row in rows(desk, PrisonerAlert)] == ["XTACT"]
    assert [row.review_on for row in rows(desk, Authorisation)] == [date(2026, 12, 1)]
    assert len(rows(desk, Watch)) == 2
    assert desk.types("establishment:HRD")[-1] == "risk.imported"


async def test_an_end_is_imported_over_the_row_that_stands(desk):
    await take(desk, RISK)
    result = await take(desk, f"{HEAD}\nalert,HRD,A2222BB,,XTACT,,,,2026-01-01,2026-11-20,\n")

    assert (result.people, [row.ends_on for row in rows(desk, PrisonerAlert)]) == (1, [date(2026, 11, 20)])


@pytest.mark.feature("F59")
@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("authorisation,HRD,A2222BB,,crime,,so far,S1,2026-11-01,,2026-12-01", "missing", "necessity"),
        ("authorisation,HRD,A2222BB,,crime,why,,S1,2026-11-01,,2026-12-01", "missing", "proportionality"),
        ("authorisation,HRD,A2222BB,,crime,why,so far,S1,2026-11-01,,", "missing", "review_on"),
        ("authorisation,HRD,A2222BB,,crime,why,so far,S1,2026-11-01,,2027-11-01", "review_out_of_range", "review_on"),
        ("authorisation,HRD,A2222BB,,spite,why,so far,S1,2026-11-01,,2026-12-01", "unknown_ground", "code"),
        ("alert,HRD,A9999ZZ,,XTACT,,,,2026-01-01,,", "unknown_prisoner", "prisoner_number"),
        ("alert,HRD,A2222BB,,XTACT,,,,2026-01-02,2026-01-01,", "ends_before_start", "ends_on"),
        ("watch,HRD,,K9,,,,,2026-01-01,,", "unknown_contact", "reference"),
        ("rumour,HRD,A2222BB,,,,,,2026-01-01,,", "unknown_risk_type", "type"),
        ("alert,ZZZ,A2222BB,,XTACT,,,,2026-01-01,,", "unknown_establishment", "establishment"),
    ],
)
async def test_a_fault_is_told_by_line_and_column_and_nothing_is_taken(desk, line, code, column):
    good = "" if code == "unknown_establishment" else RISK.split("\n", 1)[1]
    result = await take(desk, f"{HEAD}\n{line}\n{good}")

    assert [(fault.line, fault.code, fault.column) for fault in result.faults] == [(2, code, column)]
    assert rows(desk, PrisonerAlert) == []
