"""The contract of the directory: rows come back as they were saved, and never out of scope."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.records import Contact, Establishment, Prisoner, Row, Seat
from broker.ports import OutOfScope, RowClash
from tests.contract.conftest import Storage
from tests.contract.storage_support import NOON, one_of_each, scope, session, staff, visit

pytestmark = pytest.mark.contract

LISTS = ["establishments", "halls", "seats", "devices", "console_devices", "prisoners", "contacts", "restrictions"]
LISTS += ["prisoner_alerts", "authorisations", "watches"]


async def everything(storage: Storage, *codes: str) -> list[Row]:
    """Return all that the scope of `codes` lets one see."""
    seen = scope(*codes)
    found: list[Row] = []
    for name in LISTS:
        found += await getattr(storage.directory, name)(seen)
        if name == "contacts":
            photos = [await storage.directory.photo(seen, f"{code}-contact") for code in ("EXA", "OTH")]
            found += [photo for photo in photos if photo is not None]
    visits = await storage.directory.visits(seen, NOON, NOON + timedelta(days=1))
    found += visits
    for code in ("EXA", "OTH"):
        found += await storage.directory.links(seen, f"{code}-visit")
    return found


def listed(code: str) -> list[Row]:
    return [row for row in one_of_each(code) if type(row).__name__ not in {"Grant", "SynthCredential"}]


async def test_every_row_comes_back_as_it_was_saved(storage: Storage) -> None:
    await storage.directory.save(scope("EXA"), [*one_of_each("EXA"), staff(), session()])

    assert listed("EXA") == await everything(storage, "EXA")
    assert staff() == await storage.directory.staff("s.one")
    assert staff() == await storage.directory.staff_by_number("S1")
    assert [session()] == await storage.directory.sessions("S1")
    assert [row for row in one_of_each("EXA") if type(row).__name__ == "Grant"] == await storage.directory.grants("S1")


async def test_a_row_is_found_by_its_secret_s_hash(storage: Storage) -> None:
    rows = {type(row).__name__: row for row in one_of_each("EXA")}
    await storage.directory.save(scope("EXA"), [*rows.values(), session()])

    assert rows["Link"] == await storage.directory.link_by_hash("token-EXA")
    assert rows["Device"] == await storage.directory.device_by_hash("key-EXA")
    assert rows["Device"] == await storage.directory.device_by_enrol_hash("enrol-EXA")
    assert rows["ConsoleDevice"] == await storage.directory.console_by_hash("c-key-EXA")
    assert rows["ConsoleDevice"] == await storage.directory.console_by_enrol_hash("c-enrol-EXA")
    assert rows["SynthCredential"] == await storage.directory.synth_by_hash("synth-EXA")
    assert session() == await storage.directory.session_by_hash("hash-session-1")
    devices = ("device_by_hash", "device_by_enrol_hash", "console_by_hash", "console_by_enrol_hash")
    for find in ("link_by_hash", *devices, "synth_by_hash", "session_by_hash"):
        assert None is await getattr(storage.directory, find)("another")


async def test_a_scope_sees_its_own_establishment_and_nothing_of_another(storage: Storage) -> None:
    await storage.directory.save(scope("EXA", "OTH"), one_of_each("EXA") + one_of_each("OTH"))

    assert listed("EXA") == await everything(storage, "EXA")
    assert await everything(storage) == []
    assert None is await storage.directory.visit(scope("EXA"), "OTH-visit")
    assert await storage.directory.contacts(scope("EXA"), "OTH1234X") == []


@pytest.mark.parametrize("kind", [type(row).__name__ for row in one_of_each("OTH")])
async def test_a_row_of_another_establishment_cannot_be_saved(storage: Storage, kind: str) -> None:
    [row] = [row for row in one_of_each("OTH") if type(row).__name__ == kind]

    with pytest.raises(OutOfScope):
        await storage.directory.save(scope("EXA"), [Establishment("EXA", "HMP Example"), row])

    assert await everything(storage, "EXA", "OTH") == []


@pytest.mark.parametrize("kind", [type(row).__name__ for row in listed("OTH") if type(row).__name__ != "Establishment"])
async def test_a_row_of_another_establishment_cannot_be_taken_over(storage: Storage, kind: str) -> None:
    await storage.directory.save(scope("OTH"), one_of_each("OTH"))
    [theirs] = [row for row in one_of_each("OTH") if type(row).__name__ == kind]

    with pytest.raises(OutOfScope):
        await storage.directory.save(scope("EXA"), [replace(theirs, establishment="EXA")])  # type: ignore[arg-type]

    assert listed("OTH") == await everything(storage, "EXA", "OTH")


async def test_a_row_saved_again_replaces_the_old_one(storage: Storage) -> None:
    await storage.directory.save(scope("EXA"), one_of_each("EXA"))
    moved = replace(visit("EXA", "EXA-visit"), cancelled_at=NOON, cancel_reason="ILLNESS")

    await storage.directory.save(scope("EXA"), [moved])

    assert moved == await storage.directory.visit(scope("EXA"), "EXA-visit")


async def test_a_grant_saved_twice_is_one(storage: Storage) -> None:
    grants = [row for row in one_of_each("EXA") if type(row).__name__ == "Grant"]

    await storage.directory.save(scope("EXA"), grants)
    await storage.directory.save(scope("EXA"), grants)

    assert grants == await storage.directory.grants("S1")


async def test_rows_are_saved_all_or_none(storage: Storage) -> None:
    await storage.directory.save(scope("EXA"), [staff("S1", "one")])

    with pytest.raises(RowClash):
        await storage.directory.save(scope("EXA"), [Establishment("EXA", "HMP Example"), staff("S1", "two")])

    assert await storage.directory.establishments(scope("EXA")) == []


async def test_a_real_establishment_is_never_made_synthetic_nor_the_reverse(storage: Storage) -> None:
    real, made_up = Establishment("EXA", "HMP Example"), Establishment("SYN", "Synthetic", synthetic=True)
    await storage.directory.save(scope("EXA", "SYN"), [real, made_up])

    for row in (replace(real, synthetic=True), replace(made_up, synthetic=False)):
        with pytest.raises(RowClash):
            await storage.directory.save(scope("EXA", "SYN"), [row])

    assert [real, made_up] == await storage.directory.establishments(scope("EXA", "SYN"))


async def test_visits_are_listed_by_start_and_only_of_the_time_asked_for(storage: Storage) -> None:
    late, early, next_day = (
        visit("EXA", name, NOON + timedelta(minutes=minutes)) for name, minutes in (("a", 60), ("b", 0), ("c", 24 * 60))
    )
    await storage.directory.save(scope("EXA"), [late, early, next_day])

    assert [early, late] == await storage.directory.visits(scope("EXA"), NOON, NOON + timedelta(days=1))


async def test_lists_come_in_the_order_that_a_person_expects(storage: Storage) -> None:
    seats = [Seat(f"seat-{number}", "EXA", "hall", number) for number in (10, 2, 1)]
    people = [Prisoner(f"A{number}XX", "EXA", "A", "Zed") for number in ("9000", "1000")]
    contacts = [
        Contact(f"c{n}", "EXA", "A1000XX", "Ann", name, NOON.date()) for n, name in enumerate(["Zed", "Abe", "abe"])
    ]
    await storage.directory.save(scope("EXA"), [*seats, *people, *contacts])

    assert [row.number for row in await storage.directory.seats(scope("EXA"))] == [1, 2, 10]
    assert [row.number for row in await storage.directory.prisoners(scope("EXA"))] == ["A1000XX", "A9000XX"]
    assert [row.last_name for row in await storage.directory.contacts(scope("EXA"), "A1000XX")] == ["Abe", "Zed", "abe"]


async def test_the_system_itself_knows_every_establishment(storage: Storage) -> None:
    await storage.directory.save(scope("EXA", "OTH"), [Establishment("EXA", "One"), Establishment("OTH", "Two")])

    assert scope("EXA", "OTH") == await storage.directory.all_establishments()


async def test_a_fact_about_the_database_is_kept(storage: Storage) -> None:
    assert None is await storage.directory.fact("made_by")
    await storage.directory.set_fact("made_by", "hand")
    await storage.directory.set_fact("made_by", "demo")

    assert await storage.directory.fact("made_by") == "demo"
