"""The import: all of both files or nothing, every fault by its line, and nothing changed by a second run."""

from __future__ import annotations

import pytest

from broker.domain.records import Contact, Prisoner, Restriction, Visit
from broker.engine import csvlines
from broker.engine.csvlines import MAX_FIELD_CHARS
from broker.engine.importer import PEOPLE_COLUMNS, VISIT_COLUMNS
from tests.office import Desk, request

HEAD_P = ",".join(PEOPLE_COLUMNS)
HEAD_V = ",".join(VISIT_COLUMNS)
PEOPLE = f"""{HEAD_P}
prisoner,HRD,A2222BB,,Sam,Oak,,,,,,
contact,HRD,A2222BB,K1,Ann,Oak,1970-01-31,mother,ann@example.org,,,
contact,HRD,A2222BB,K2,Ben,Oak,2012-01-31,son,,,,
contact,HRD,A2222BB,K3,Cid,Elm,1971-01-31,friend,,,,
restriction,HRD,,K3,,,,,,NONCON,2026-01-01,
"""
VISITS = f"""{HEAD_V}
R1,HRD,social,A2222BB,K1;K2,Main hall,1,2026-11-25,10:00,10:30
R2,HRD,social,A2222BB,K1,Main hall,2,2026-11-26,10:00,11:00
"""


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def take(desk: Desk, people: str | bytes = PEOPLE, visits: str | bytes = VISITS):
    files = [text.encode() if isinstance(text, str) else text for text in (people, visits)]
    return await desk.office.importer.take(("people.csv", files[0]), ("visits.csv", files[1]), "operator")


def found(result) -> list[tuple[str, int, str, str]]:
    return [(fault.file, fault.line, fault.code, fault.column) for fault in result.faults]


def rows(desk: Desk, kind: type) -> list:
    return [row for row in desk.directory.rows.values() if isinstance(row, kind)]


async def test_people_and_visits_are_taken_with_one_record(desk):
    result = await take(desk)

    assert (result.people, result.visits, result.unchanged, result.faults) == (5, 2, 0, ())
    assert desk.types("establishment:HRD") == ["import.taken", "visit.booked", "visit.booked"]
    assert {visit.reference for visit in rows(desk, Visit)} == {"R1", "R2"}


async def test_run_twice_it_changes_nothing(desk):
    await take(desk)
    before = (dict(desk.directory.rows), repr(desk.log.entries))

    result = await take(desk)

    assert (result.people, result.visits, result.unchanged) == (0, 0, 7)
    assert (desk.directory.rows, repr(desk.log.entries)) == before


async def test_run_again_after_the_visits_are_over_it_still_changes_nothing(desk):
    await take(desk)
    desk.clock.turn(7 * 24 * 3600)

    assert (await take(desk)).unchanged == 7


async def test_one_bad_line_and_nothing_is_taken(desk):
    before = dict(desk.directory.rows)

    result = await take(desk, visits=VISITS + "R3,HRD,social,A2222BB,K9,Main hall,1,2026-11-27,10:00,10:30\n")

    assert found(result) == [("visits.csv", 4, "refused.not_on_visitor_list", "")]
    assert (desk.directory.rows, desk.log.entries) == (before, {})


async def test_every_fault_is_told_at_once_in_the_order_of_the_files(desk):
    people = PEOPLE + "contact,HRD,A2222BB,K4,,Ash,1970-02-31,,,,,\nvisitor,HRD,,,,,,,,,,\n"
    visits = VISITS + "R3,HRD,social,A2222BB,K1,Nowhere,1,2026-11-27,10:00,10:30\nR1,HRD,,,,,,,,\n"

    assert found(await take(desk, people, visits)) == [
        ("people.csv", 7, "missing", "first_name"),
        ("people.csv", 8, "unknown_type", "type"),
        ("visits.csv", 4, "unknown_hall", "hall"),
        ("visits.csv", 5, "twice", "reference"),
    ]


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("prisoner,HRD,1234,,Sam,Oak,,,,,,", "malformed", "prisoner_number"),
        ("prisoner,HRD,B1234BC,,Sam,Oak,,,,,,", "held_elsewhere", "prisoner_number"),
        ("prisoner,HRD,A2222BB,,Sam,Oak,,,,,,", "twice", "prisoner_number"),
        ("contact,HRD,A9999ZZ,K9,Sam,Oak,1970-01-01,,,,,", "unknown_prisoner", "prisoner_number"),
        ("contact,HRD,A2222BB,K1,Sam,Oak,1970-01-01,,,,,", "twice", "reference"),
        ("contact,HRD,A2222BB,K9,Sam,Oak,01/01/1970,,,,,", "not_a_date", "date_of_birth"),
        ("contact,HRD,A2222BB,K9,Sam,Oak,1970-01-01,,not mail,,,", "malformed", "email"),
        ("contact,HRD,A2222BB,K 9,Sam,Oak,1970-01-01,,,,,", "malformed", "reference"),
        ("restriction,HRD,,K9,,,,,,BAN,2026-01-01,", "unknown_contact", "reference"),
        ("restriction,HRD,,K1,,,,,,BAN,2026-01-02,2026-01-01", "ends_before_start", "ends_on"),
        ("restriction,HRD,,K1,,,,,,,2026-01-02,", "missing", "restriction"),
        ("prisoner,HRD,A3333CC", "wrong_count", ""),
        (f"prisoner,HRD,A3333CC,,{'x' * (MAX_FIELD_CHARS + 1)},Oak,,,,,,", "too_long", "first_name"),
        ("prisoner,HRD,A3333CC,,Sam\x07,Oak,,,,,,", "not_text", "first_name"),
        ("prisoner,SKB,A3333CC,,Sam,Oak,,,,,,", "other_establishment", "establishment"),
        ("prisoner,,A3333CC,,Sam,Oak,,,,,,", "missing", "establishment"),
    ],
)
async def test_what_is_wrong_with_a_line_of_people_is_told(desk, line, code, column):
    assert found(await take(desk, PEOPLE + line + "\n")) == [("people.csv", 7, code, column)]


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("R3,HRD,social,A2222BB,K1,Main hall,9,2026-11-27,10:00,10:30", "unknown_seat", "seat"),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,27.11.2026,10:00,10:30", "not_a_date", "date"),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,2026-11-27,10,10:30", "not_a_time", "start"),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,2026-11-27,25:00,10:30", "not_a_time", "start"),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,2026-11-27,10:30,10:00", "refused.bad_times", ""),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,2020-11-27,10:00,10:30", "refused.bad_times", ""),
        ("R3,HRD,interpreted,A2222BB,K1,Main hall,1,2026-11-27,10:00,10:30", "refused.kind_not_offered", ""),
        ("R3,HRD,social,A2222BB,K2,Main hall,1,2026-11-27,10:00,10:30", "refused.adult_missing", ""),
        ("R3,HRD,social,A2222BB,K1;K3,Main hall,1,2026-11-27,10:00,10:30", "refused.contact_restricted", ""),
        ("R3,HRD,social,A2222BB,K1,Main hall,2,2026-11-25,10:15,10:45", "refused.prisoner_booked", ""),
        ("R3,HRD,social,A2222BB,K1,Main hall,1,2026-11-27,06:00,06:30", "refused.hall_closed", ""),
    ],
)
async def test_what_is_wrong_with_a_visit_is_told(desk, line, code, column):
    assert found(await take(desk, visits=VISITS + line + "\n")) == [("visits.csv", 4, code, column)]


async def test_a_visit_never_meets_one_that_was_booked_on_the_page(desk):
    await desk.office.visits.book(await desk.directory.all_establishments(), request(), "staff:1")
    clash = "R3,HRD,social,A2222BB,K1,Main hall,1,2026-11-24,14:15,14:45\n"

    assert found(await take(desk, visits=VISITS + clash)) == [("visits.csv", 4, "refused.seat_booked", "")]


async def test_a_reference_is_never_booked_with_other_details(desk):
    await take(desk)

    result = await take(desk, visits=VISITS.replace("10:00,11:00", "10:00,10:45"))

    assert found(result) == [("visits.csv", 3, "visit_changed", "reference")]


async def test_a_correction_of_a_person_changes_that_row_alone(desk):
    await take(desk)

    result = await take(desk, PEOPLE.replace("Ann,Oak", "Anne,Oak"))

    assert (result.people, result.unchanged) == (1, 6)
    assert "Anne" in {row.first_name for row in rows(desk, Contact)}


async def test_a_cancelled_visit_stays_cancelled(desk):
    await take(desk)
    visit = next(row for row in rows(desk, Visit) if row.reference == "R1")
    scope = await desk.directory.all_establishments()
    await desk.office.visits.cancel(scope, visit.id, "PRISONER_CANCELLED", "staff:1")

    assert (await take(desk)).visits == 0
    assert (await desk.directory.visit(scope, visit.id)).cancelled_at is not None


async def test_columns_may_come_in_any_order_with_a_mark_of_utf_8(desk):
    header, *lines = PEOPLE.strip().split("\n")
    turned = "\n".join(",".join(reversed(line.split(","))) for line in (header, *lines))

    assert (await take(desk, b"\xef\xbb\xbf" + turned.encode())).people == 5


@pytest.mark.parametrize(
    ("people", "fault"),
    [
        (b"", (1, "column_missing")),
        (b"type,establishment\n", (1, "column_missing")),
        (HEAD_P.encode() + b",extra\n", (1, "column_unknown")),
        (HEAD_P.encode() + b",type\n", (1, "column_twice")),
        (HEAD_P.encode() + b'\nprisoner,HRD,"A1\n', (2, "not_csv")),
        (HEAD_P.encode() + b"\n\xff\xfe\n", (2, "not_utf8")),
        (HEAD_P.encode() + b"\nprisoner,\x00\n", (2, "not_text")),
        (HEAD_P.encode() + b"\n" + b"x\n" * 2, (2, "wrong_count")),
    ],
    ids=["empty", "few columns", "unknown column", "column twice", "open quote", "not utf-8", "nul", "short lines"],
)
async def test_a_file_that_is_none_of_ours_is_refused_whole(desk, people, fault):
    result = await take(desk, people)

    assert fault in [(found.line, found.code) for found in result.faults if found.file == "people.csv"]
    assert (rows(desk, Restriction), desk.log.entries) == ([], {})


async def test_a_file_without_end_is_refused(desk, monkeypatch):
    monkeypatch.setattr(csvlines, "MAX_LINES", 20)
    line = "contact,HRD,A2222BB,K1,Ann,Oak,1970-01-31,mother,,,,\n"

    assert found(await take(desk, PEOPLE + line * 100))[0][:3] == ("people.csv", 22, "too_many_lines")


@pytest.mark.parametrize(
    ("place", "code"),
    [("XXX", "unknown_establishment"), ("ZZS", "synthetic_establishment")],
    ids=["unknown", "synthetic"],
)
async def test_people_go_to_one_real_establishment(desk, place, code):
    result = await take(desk, PEOPLE.replace("HRD", place), VISITS.replace("HRD", place))

    assert found(result) == [("people.csv", 2, code, "establishment")]


async def test_an_import_sees_nothing_of_another_establishment(desk):
    """A contact's reference is its establishment's own: the same one elsewhere is another person."""
    await take(desk)
    there = PEOPLE.replace("HRD", "SKB").replace("A2222BB", "A3333CC")

    assert (await take(desk, there, HEAD_V)).people == 5
    assert len({row.id for row in rows(desk, Contact) if row.first_name == "Ann"}) == 2
    assert {row.establishment for row in rows(desk, Prisoner) if row.first_name == "Sam"} == {"HRD", "SKB"}
