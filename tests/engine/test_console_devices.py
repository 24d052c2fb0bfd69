"""Consoles: what a one-time code opens, once and in time, and what shuts a console out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.records import NATIONAL_POOL, ConsoleDevice, Scope
from broker.engine.access import AccessRefused
from broker.engine.places import PlaceError
from broker.ports import LogUnavailable
from tests.office import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def code_for(desk: Desk, place: str = "HRD", tag: str = "WS-1", **more: object) -> str:
    _, code = await desk.office.console_devices.enrol(place, tag, "operator", **more)  # type: ignore[arg-type]
    return code


async def refused(desk: Desk, code: str) -> str:
    with pytest.raises(AccessRefused) as refusal:
        await desk.office.console_devices.redeem(code)
    return refusal.value.code


async def row(desk: Desk, tag: str = "WS-1", place: str = "HRD") -> ConsoleDevice:
    rows = await desk.directory.console_devices(Scope(frozenset({place})))
    return next(one for one in rows if one.asset_tag == tag)


async def test_a_code_enrols_one_browser_once_and_the_record_has_both_steps(desk):
    code = await code_for(desk)
    device, credential = await desk.office.console_devices.redeem(code)

    assert (await desk.office.console_devices.of(credential)) == device == await row(desk)
    assert await refused(desk, code) == "console_unknown"
    assert desk.types("establishment:HRD") == ["device.code_issued", "device.enrolled"]
    assert desk.office.denials.strangers["console_unknown"] == 1


async def test_no_code_and_no_credential_is_kept_anywhere(desk):
    code = await code_for(desk)
    _, credential = await desk.office.console_devices.redeem(code)

    kept = repr(desk.directory.rows) + repr(desk.log.entries)
    assert not any(secret in kept for secret in (code, credential))


@pytest.mark.parametrize("wrong", ["", "wrong", "x" * 129, "\ud800"])
async def test_a_wrong_code_enrols_nothing_and_the_right_one_still_does(desk, wrong):
    code = await code_for(desk)

    assert await refused(desk, wrong) == "console_unknown"
    assert await desk.office.console_devices.of(wrong) is None
    assert (await desk.office.console_devices.redeem(code))[0].asset_tag == "WS-1"


async def test_a_code_is_worth_nothing_after_a_day_or_once_another_was_made(desk):
    first = await code_for(desk)
    second = await code_for(desk)
    assert await refused(desk, first) == "console_unknown"

    desk.clock.turn(24 * 3600)
    assert await refused(desk, second) == "console_unknown"


async def test_a_laptops_code_is_not_a_consoles_nor_a_session_its_credential(desk):
    _, laptop = await desk.office.places.enrol_laptop("HRD", "Main hall", 1, "HRD-1", "operator")
    code = await code_for(desk)

    assert await refused(desk, laptop) == "console_unknown"
    with pytest.raises(AccessRefused):
        await desk.office.access.redeem_laptop(code)
    _, credential = await desk.office.console_devices.redeem(code)
    with pytest.raises(AccessRefused):
        await desk.office.access.laptop_ticket(credential)
    with pytest.raises(AccessRefused):
        await desk.office.access.staff_ticket(credential)


async def test_a_revoked_console_stays_out_until_it_is_enrolled_by_a_new_code(desk):
    _, credential = await desk.office.console_devices.redeem(await code_for(desk))
    waiting = await code_for(desk)
    await desk.office.console_devices.revoke("HRD", "WS-1", "operator")

    assert await refused(desk, waiting) == "console_unknown"
    held = await desk.office.console_devices.of(credential)
    assert held is not None
    assert held.revoked_at is not None
    code = await code_for(desk)
    assert await desk.office.console_devices.of(credential) is None, "what was revoked stays so"
    _, anew = await desk.office.console_devices.redeem(code)
    assert (await desk.office.console_devices.of(anew)) == await row(desk)


async def test_enrolling_a_console_that_stands_renews_it_and_its_browser_goes_on(desk):
    soon = desk.clock.now() + timedelta(days=3)
    _, credential = await desk.office.console_devices.redeem(await code_for(desk, assured_until=soon))
    later = desk.clock.now() + timedelta(days=300)
    await code_for(desk, assured_until=later)

    held = await desk.office.console_devices.of(credential)
    assert held is not None
    assert held.assured_until == later


async def test_a_browser_that_is_enrolled_anew_is_one_console_and_no_longer_the_other(desk):
    _, first = await desk.office.console_devices.redeem(await code_for(desk))
    moved, _ = await desk.office.console_devices.redeem(await code_for(desk, "SKB", "WS-9"), first)

    assert (moved.establishment, (await row(desk)).revoked_at) == ("SKB", desk.clock.now())
    assert desk.types("establishment:HRD")[-1] == "device.revoked"


@pytest.mark.parametrize(
    ("place", "tag", "days", "code"),
    [
        ("XXX", "WS-1", 1, "unknown_establishment"),
        ("HRD", "a tag", 1, "bad_tag"),
        ("HRD", "WS-1", 0, "bad_date"),
        (NATIONAL_POOL, "WS-1", -1, "bad_date"),
    ],
)
async def test_what_cannot_be_enrolled_is_said(desk, place, tag, days, code):
    with pytest.raises(PlaceError) as fault:
        await code_for(desk, place, tag, assured_until=desk.clock.now() + timedelta(days=days))
    assert fault.value.code == code


async def test_an_unknown_console_cannot_be_revoked(desk):
    with pytest.raises(PlaceError) as fault:
        await desk.office.console_devices.revoke("HRD", "WS-1", "operator")
    assert fault.value.code == "unknown_console"


async def test_an_enrolment_that_cannot_be_recorded_is_none_and_the_code_stands(desk):
    code = await code_for(desk)
    desk.log.down = True
    with pytest.raises(LogUnavailable):
        await desk.office.console_devices.redeem(code)
    desk.log.down = False

    assert (await row(desk)).key_hash is None
    assert (await desk.office.console_devices.redeem(code))[0].asset_tag == "WS-1"


async def test_a_revocation_that_only_the_journal_has_is_made_good_by_whoever_reads_the_record(desk):
    device, credential = await desk.office.console_devices.redeem(await code_for(desk))
    other = desk.open()
    await other.revocations.start()
    await desk.office.streams.establishment("HRD").append("device.revoked", "operator", {"device_id": device.id})

    await other.revocations.poll()
    held = await other.console_devices.of(credential)
    assert held is not None
    assert held.revoked_at is not None
