"""The monitoring post is taken and kept on an enrolled, assured console alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT
from broker.domain.posts import SignOnRefused
from broker.domain.records import NATIONAL_POOL, ConsoleDevice, Grade, Grant, Role
from broker.engine.board import PostLeft
from broker.engine.stream import establishment_stream
from tests.engine.hall import CONSOLE, PRISON, Table, chair, crosses, shown
from tests.fakes import START

OWN = replace(CONSOLE, id="cd-own", establishment=PRISON, key_hash="own")
DAY = timedelta(days=1)


@pytest.fixture
def table() -> Table:
    return Table()


async def sign_on(table: Table, console: ConsoleDevice | None, *places: str, session: str = "c-1") -> None:
    """M1, granted everywhere, asks for the monitoring post in a browser that was enrolled so."""
    everywhere = (*(Grant("M1", place, Role.MONITOR) for place in (PRISON, "SKB")), Grant("M1", NATIONAL_POOL, POOL))
    seated = replace(chair("M1", Grade.OSG), console=console, grants=everywhere)
    wanted = HeldPost(Post.MONITOR, frozenset(places or {PRISON}))
    await table.engine.sign_on(seated, session, wanted, DEFAULT.version)


POOL = Role.NATIONAL_MONITOR


async def refusal(table: Table, console: ConsoleDevice | None, *places: str) -> Code:
    with pytest.raises(SignOnRefused) as refused:
        await sign_on(table, console, *places)
    (unmet,) = [check for check in refused.value.checks if not check.met]
    assert unmet.name == "device"
    return refused.value.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (None, Code.CONSOLE_NOT_ENROLLED),
        ({"key_hash": "another browser's by now"}, Code.CONSOLE_NOT_ENROLLED),
        ({"revoked_at": START}, Code.CONSOLE_REVOKED),
        ({"assured_until": START}, Code.CONSOLE_EXPIRED),
        ({"establishment": "SKB"}, Code.CONSOLE_ELSEWHERE),
    ],
)
async def test_each_console_that_may_not_is_refused_by_what_is_wrong_with_it(table: Table, changes, code):
    if changes is None:
        assert await refusal(table, None) is code
        return
    now = replace(OWN, **changes)
    table.directory.take([now])
    held = OWN if "key_hash" in changes else now  # the browser has what it was given then
    assert await refusal(table, held) is code


async def test_a_console_that_is_on_no_list_is_not_enrolled(table: Table):
    assert await refusal(table, OWN) is Code.CONSOLE_NOT_ENROLLED


async def test_the_row_as_it_is_now_decides_and_not_the_one_of_the_ticket(table: Table):
    table.directory.take([replace(OWN, revoked_at=START)])
    assert await refusal(table, OWN) is Code.CONSOLE_REVOKED


async def test_one_establishments_console_serves_that_one_and_a_national_one_all(table: Table):
    table.directory.take([OWN])
    assert await refusal(table, OWN, PRISON, "SKB") is Code.CONSOLE_ELSEWHERE
    assert await refusal(table, OWN, NATIONAL_POOL) is Code.CONSOLE_ELSEWHERE
    await sign_on(table, OWN)
    await table.engine.sign_off("c-1")
    for scope in ((PRISON, "SKB"), (NATIONAL_POOL,)):
        await sign_on(table, CONSOLE, *scope)
        await table.engine.sign_off("c-1")


async def test_a_post_that_policy_does_not_name_needs_no_console(table: Table):
    supervisor = replace(chair("T1"), console=None)
    await table.engine.sign_on(supervisor, "s-t", HeldPost(Post.SUPERVISOR, frozenset({PRISON}), "HRD-A"), "2026-11")

    lax = Table(policy=replace(DEFAULT, console_posts=frozenset()))
    await sign_on(lax, None)
    strict = Table(policy=replace(DEFAULT, console_posts=frozenset(Post)))
    with pytest.raises(Refused) as refused:
        await strict.engine.sign_on(
            supervisor, "s-t", HeldPost(Post.SUPERVISOR, frozenset({PRISON}), "HRD-A"), "2026-11"
        )
    assert refused.value.code is Code.CONSOLE_NOT_ENROLLED


async def left(table: Table) -> list[object]:
    records = await table.log.read(establishment_stream(PRISON))
    return [record.body["why"] for record in records if record.type == "post.signed_off"]


async def watched(table: Table) -> None:
    """A live call that one monitor watches."""
    await table.open()
    await table.live()
    assert crosses(table)


def to_the_end(table: Table) -> None:
    """The assurance ends now."""
    table.clock.turn((CONSOLE.assured_until - table.clock.now()).total_seconds())


@pytest.mark.parametrize(
    ("fall", "why"),
    [
        (lambda table: table.revocations.revoke(f"device:{CONSOLE.id}"), "console_revoked"),
        (to_the_end, "console_expired"),
    ],
)
async def test_a_console_that_falls_takes_its_post_along_and_nothing_flows_unwatched(table: Table, fall, why):
    await watched(table)
    fall(table)
    await table.engine.second()
    await table.turns()

    assert table.engine.presence.holder("c-m") is None
    assert await left(table) == [why]
    assert PostLeft("c-m", why) in table.changes
    assert table.call().observers == ()
    for _ in range(int(DEFAULT.proof_stale_s + DEFAULT.proof_grace_s) + 1):
        await table.engine.prove_wall("c-m", True, {"v1": [shown("v1.1"), shown("v1.2")]})  # it proves nothing more
        table.engine.prove_presence("s-t", True)
        await table.pass_time(1)
    assert not crosses(table)


async def test_an_assurance_that_was_renewed_meanwhile_ends_no_post(table: Table):
    await watched(table)
    table.directory.take([replace(CONSOLE, assured_until=CONSOLE.assured_until + DAY)])
    to_the_end(table)
    await table.engine.second()
    await table.turns()
    assert PostLeft("c-m", "console_expired") not in table.changes

    table.clock.turn(DAY.total_seconds())
    await table.engine.second()
    await table.turns()
    assert PostLeft("c-m", "console_expired") in table.changes


async def test_without_storage_an_assurance_that_is_over_is_over(table: Table):
    await table.open()
    await table.post("M1", Post.MONITOR, "c-m")
    table.directory.down = True
    to_the_end(table)
    await table.engine.posts.gate.look()
    await table.turns()
    assert table.engine.presence.holder("c-m") is None


async def test_another_process_revokes_within_one_poll(table: Table):
    await table.open()
    await table.revocations.start()
    await table.post("M1", Post.MONITOR, "c-m")
    await table.engine.streams.establishment(PRISON).append("device.revoked", "operator", {"device_id": CONSOLE.id})
    await table.revocations.poll()
    await table.turns()
    assert table.engine.presence.holder("c-m") is None


async def test_a_post_that_was_left_is_not_ended_once_more(table: Table):
    await table.post("M1", Post.MONITOR, "c-m")
    await table.engine.sign_off("c-m")
    table.revocations.revoke(f"device:{CONSOLE.id}")
    await table.turns()
    assert await left(table) == ["signed_off"]


async def test_a_handover_is_not_accepted_on_a_console_that_fell(table: Table):
    await watched(table)
    await table.post("M2", Post.MONITOR, "c-2", Grade.OSG)
    await table.engine.offer("c-2", frozenset(), "audio=8 video=40", 0)
    await table.turns()
    table.clock.turn(1)
    await table.engine.renew()
    for session in ("c-m", "c-2"):
        await table.engine.prove_wall(session, True, {"v1": [shown("v1.1"), shown("v1.2")]})
    offer = await table.engine.handovers.offer("c-m", "M2")
    table.directory.take([replace(CONSOLE, revoked_at=table.clock.now())])

    with pytest.raises(Refused) as refused:
        await table.engine.handovers.accept("c-2", offer.id)
    assert refused.value.code is Code.CONSOLE_REVOKED
    assert table.engine.presence.holder("c-m") is not None


async def test_what_is_revoked_while_the_post_is_being_taken_ends_it_at_once(table: Table):
    recorded = table.engine.posts._record_taken

    async def late(holder):
        table.directory.take([replace(CONSOLE, revoked_at=table.clock.now())])  # and nobody is told of it
        await recorded(holder)

    table.engine.posts._record_taken = late
    await table.post("M1", Post.MONITOR, "c-m")
    await table.turns()
    assert table.engine.presence.holder("c-m") is None
    assert await left(table) == ["console_revoked"]
