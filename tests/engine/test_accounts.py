"""Accounts: who may sign in, what failures do, and how fast a sign-in ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from broker.domain.permissions import staff_asker
from broker.domain.records import Grade, Role, Staff
from broker.engine.accounts import LOCK, SESSION, TRIES, AccountError, NewAccount, SignInRefused
from broker.engine.denials import WINDOW_S
from broker.engine.secrets import HASHES_AT_ONCE, WAITING_MOST, TooBusy, load_pepper
from broker.ports import LogUnavailable
from tests.office import PASSWORD, Desk, cheap_passwords

GOOD = NewAccount("amy.moss", "1001", "Amy Moss", Grade.OSG, PASSWORD, (("HRD", Role.MONITOR),))


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.office.accounts.add(GOOD, "operator")
    return desk


async def refused(desk: Desk, username: str = "amy.moss", password: str = "wrong password") -> str:
    with pytest.raises(SignInRefused) as refusal:
        await desk.office.accounts.sign_in(username, password, "profile")
    return refusal.value.code


@pytest.mark.feature("F101")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"username": "monitor"}, "shared_username"),
        ({"username": "hall-2"}, "shared_username"),
        ({"username": "Amy Moss"}, "bad_username"),
        ({"username": "a"}, "bad_username"),
        ({"number": ""}, "bad_number"),
        ({"name": "Amy"}, "no_full_name"),
        ({"name": "Amy \x1b[2J"}, "no_full_name"),
        ({"password": "short"}, "weak_password"),
        ({"username": "amy.moss"}, "username_taken"),
        ({"username": "AMY.MOSS"}, "username_taken"),
        ({"number": "1001"}, "number_taken"),
        ({"grants": (("XXX", Role.MONITOR),)}, "unknown_establishment"),
    ],
)
async def test_accounts_belong_to_one_named_person_each(desk, changes, code):
    new = replace(NewAccount("bob.hill", "1002", "Bob Hill", Grade.OSG, PASSWORD), **changes)

    with pytest.raises(AccountError) as refusal:
        await desk.office.accounts.add(new, "operator")

    assert (refusal.value.code, len(await desk.office.accounts.everybody())) == (code, 1)


async def test_a_password_is_kept_as_argon2id_only(desk):
    staff = await desk.directory.staff("amy.moss")

    assert staff.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(desk.directory.rows) + repr(desk.log.entries)


async def test_the_right_password_opens_a_session_with_the_person_s_roles(desk):
    signed = await desk.office.accounts.sign_in("Amy.Moss ", PASSWORD, "profile")
    chair = await desk.office.accounts.chair(signed.token)

    assert (chair.number, [grant.role for grant in chair.grants], chair.session.profile) == (
        "1001",
        [Role.MONITOR],
        "profile",
    )


@pytest.mark.parametrize(
    ("username", "password"),
    [("amy.moss", "wrong password"), ("nobody", PASSWORD), ("", ""), ("amy.moss", ""), ("\ud800", "\ud800")],
)
async def test_a_wrong_name_and_a_wrong_password_are_refused_alike(desk, username, password):
    assert await refused(desk, username, password) == "sign_in_failed"


async def test_a_shut_account_is_refused_like_one_that_is_not_there(desk):
    await desk.office.accounts.disable("amy.moss", "operator")

    assert [await refused(desk, password=PASSWORD) for _ in range(TRIES)] == [
        await refused(desk, "nobody", PASSWORD) for _ in range(TRIES)
    ]


@pytest.mark.parametrize("username", ["amy.moss", "nobody"])
async def test_the_fifth_failure_locks_a_name_whether_it_exists_or_not(desk, username):
    answers = [await refused(desk, username) for _ in range(TRIES + 1)]

    assert answers == ["sign_in_failed"] * (TRIES - 1) + ["locked"] * 2


async def test_while_it_is_locked_the_right_password_does_not_open_it(desk):
    for _ in range(TRIES):
        await refused(desk)

    assert await refused(desk, password=PASSWORD) == "locked"
    desk.clock.turn(LOCK.total_seconds())
    assert (await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")).token


async def test_a_lock_outlives_a_restart(desk):
    for _ in range(TRIES):
        await refused(desk)
    desk.office = desk.open()

    assert await refused(desk, password=PASSWORD) == "locked"


async def test_after_a_lock_has_passed_counting_begins_anew(desk):
    for _ in range(TRIES):
        await refused(desk)
    desk.clock.turn(LOCK.total_seconds())

    assert await refused(desk) == "sign_in_failed"


async def test_success_forgets_failures(desk):
    for _ in range(TRIES - 1):
        await refused(desk)
    await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")

    assert await refused(desk) == "sign_in_failed"


async def test_guesses_at_the_same_moment_do_not_slip_past_the_lock(desk):
    guesses = [f"guess number {n}" for n in range(20)]
    answers = await asyncio.gather(*(refused(desk, password=guess) for guess in guesses))
    staff = await desk.directory.staff("amy.moss")

    assert "locked" in answers
    assert staff.failed_attempts == TRIES
    assert await refused(desk, password=PASSWORD) == "locked"


async def test_a_flood_of_sign_ins_is_turned_away_and_not_queued_without_end():
    passwords = cheap_passwords()
    answers = await asyncio.gather(
        *(passwords.verify(None, "x") for _ in range(WAITING_MOST + HASHES_AT_ONCE + 10)), return_exceptions=True
    )

    assert sum(isinstance(answer, TooBusy) for answer in answers) >= 10
    assert not await passwords.verify(None, "x")


async def test_a_session_ends_with_the_shift(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    desk.clock.turn(SESSION.total_seconds())

    assert await desk.office.accounts.chair(signed.token) is None


async def test_signing_out_ends_the_session_and_its_sockets_and_no_other(desk):
    one = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "here")
    two = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "there")
    told = []
    desk.office.revocations.on(one.chair, lambda: told.append("one"))
    desk.office.revocations.on(two.chair, lambda: told.append("two"))

    await desk.office.accounts.sign_out(one.chair)

    assert told == ["one"]
    assert await desk.office.accounts.chair(one.token) is None
    assert await desk.office.accounts.chair(two.token) is not None


async def test_signing_out_works_while_the_record_is_down(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    desk.log.down = True

    await desk.office.accounts.sign_out(signed.chair)

    assert await desk.office.accounts.chair(signed.token) is None


async def test_shutting_an_account_ends_every_session_of_it_at_once(desk):
    signed = [await desk.office.accounts.sign_in("amy.moss", PASSWORD, place) for place in ("here", "there")]
    told = []
    for one in signed:
        desk.office.revocations.on(one.chair, lambda: told.append("gone"))

    await desk.office.accounts.disable("amy.moss", "operator")

    assert told == ["gone", "gone"]
    assert [await desk.office.accounts.chair(one.token) for one in signed] == [None, None]


async def test_an_account_shut_by_another_process_is_told_at_the_next_poll(desk):
    await desk.office.revocations.start()
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    told = []
    desk.office.revocations.on(signed.chair, lambda: told.append("gone"))

    await desk.open().accounts.disable("amy.moss", "operator")
    await desk.office.revocations.poll()

    assert told == ["gone"]


async def test_an_account_that_is_opened_again_needs_a_new_sign_in(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    await desk.office.accounts.disable("amy.moss", "operator")
    await desk.office.accounts.enable("amy.moss", "operator")

    assert await desk.office.accounts.chair(signed.token) is None
    assert (await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")).token


async def test_another_password_ends_every_session_and_lifts_the_lock(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    told = []
    desk.office.revocations.on(signed.chair, lambda: told.append("gone"))
    for _ in range(TRIES):
        await refused(desk)

    await desk.office.accounts.set_password("amy.moss", "another long password", "operator")

    assert (told, await desk.office.accounts.chair(signed.token)) == (["gone"], None)
    assert await refused(desk, password=PASSWORD) == "sign_in_failed"
    assert (await desk.office.accounts.sign_in("amy.moss", "another long password", "profile")).token


async def test_a_weak_password_replaces_nothing(desk):
    with pytest.raises(AccountError):
        await desk.office.accounts.set_password("amy.moss", "short", "operator")

    assert (await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")).token


async def test_new_roles_need_a_new_socket(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    told = []
    desk.office.revocations.on(signed.chair, lambda: told.append("gone"))

    await desk.office.accounts.grant("amy.moss", [("SKB", Role.MONITOR)], "operator")

    assert told == ["gone"]
    assert {grant.establishment for grant in (await desk.office.accounts.chair(signed.token)).grants} == {"HRD", "SKB"}


async def test_nobody_signs_in_where_that_can_not_be_recorded(desk):
    desk.log.down = True

    with pytest.raises(LogUnavailable):
        await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")


async def test_accounts_are_listed_in_the_order_in_which_they_were_made(desk):
    await desk.person("zoe", "0001", Role.BOOKING)
    await desk.person("bob", "0002", Role.BOOKING)

    assert [staff.username for staff in await desk.office.accounts.everybody()] == ["amy.moss", "zoe", "bob"]


async def test_every_step_of_an_account_is_on_record_without_its_name(desk):
    signed = await desk.office.accounts.sign_in("amy.moss", PASSWORD, "profile")
    await refused(desk)
    await desk.office.accounts.sign_out(signed.chair)
    await desk.office.accounts.disable("amy.moss", "operator")

    assert desk.types("system") == [
        "staff.added",
        "session.opened",
        "staff.sign_in_failed",
        "session.revoked",
        "staff.disabled",
    ]
    assert not any(name in repr(desk.log.entries) for name in ("Amy", "Moss", "amy.moss"))


async def test_a_failure_never_undoes_what_an_operator_did_meanwhile(desk):
    """The count is made from the row as it is when it is saved, not as it was when the password was checked."""
    other = desk.open()

    async def slow_work() -> None:
        await other.accounts.disable("amy.moss", "operator")

    await asyncio.gather(refused(desk), slow_work())

    rows = [row for row in desk.directory.rows.values() if isinstance(row, Staff)]
    assert [row.disabled_at is not None for row in rows] == [True]


# --- denials ------------------------------------------------------------------

CLERK = staff_asker("1001", [(Role.BOOKING, "HRD")])


async def test_a_denial_is_on_record_and_its_repeats_within_a_minute_are_one(desk):
    for _ in range(5):
        await desk.office.denials.person(CLERK, "call.pause", "not_granted", "HRD")
    desk.clock.turn(WINDOW_S)
    await desk.office.denials.flush()

    bodies = [record.body for record in await desk.log.read("establishment:HRD") if record.type == "denied"]

    assert bodies == [
        {"action": "call.pause", "code": "not_granted", "count": 1},
        {"action": "call.pause", "code": "not_granted", "count": 4},
    ]


async def test_a_denial_after_a_minute_is_an_event_of_its_own(desk):
    await desk.office.denials.person(CLERK, "call.pause", "not_granted", "HRD")
    desk.clock.turn(WINDOW_S)
    await desk.office.denials.flush()
    await desk.office.denials.person(CLERK, "call.pause", "not_granted", "HRD")

    assert desk.types("establishment:HRD").count("denied") == 2


async def test_nobody_writes_on_another_establishment_s_record_by_asking_for_it(desk):
    await desk.office.denials.person(CLERK, "visit.list", "not_granted", "SKB")
    await desk.office.denials.person(CLERK, "visit.list", "not_granted", "made-up")

    assert (desk.types("establishment:SKB"), desk.types("establishment:made-up")) == ([], [])
    assert desk.types("establishment:HRD").count("denied") == 1


async def test_a_denial_stands_although_it_can_not_be_recorded(desk):
    desk.log.down = True
    desk.journal.broken = True

    await desk.office.denials.person(CLERK, "call.pause", "not_granted", "HRD")

    assert desk.types("establishment:HRD") == []


# --- the pepper ---------------------------------------------------------------


def test_the_pepper_is_made_once_and_nobody_else_may_read_it(tmp_path):
    first = load_pepper(tmp_path / "data" / "pepper")

    assert load_pepper(tmp_path / "data" / "pepper") == first
    assert (len(first), (tmp_path / "data" / "pepper").stat().st_mode & 0o777) == (32, 0o600)


def test_a_damaged_pepper_is_refused_and_not_replaced(tmp_path):
    (tmp_path / "pepper").write_bytes(b"short")

    with pytest.raises(OSError, match="damaged"):
        load_pepper(tmp_path / "pepper")
