"""The national pool takes an establishment over, and gives it back, without an instant unwatched; all on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.domain.codes import Code, Post, Refused
from broker.domain.permissions import HeldPost
from broker.domain.policy import DEFAULT
from broker.domain.records import NATIONAL_POOL, Grade, Grant, Role
from broker.domain.transfer import Reason, Side
from broker.engine.stream import establishment_stream
from tests.engine.hall import PRISON, Table, chair, crosses, shown

THE_POOL = HeldPost(Post.MONITOR, frozenset({NATIONAL_POOL}))


async def in_the_pool(table: Table, number: str = "N1", session: str = "c-n") -> None:
    """Somebody of the national pool signs on, with a wall."""
    seated = chair(number, Grade.OSG)
    seated = replace(seated, grants=(Grant(number, NATIONAL_POOL, Role.NATIONAL_MONITOR),))
    await table.engine.sign_on(seated, session, THE_POOL, DEFAULT.version)
    for home in range(table.plane.homes):
        await table.engine.offer(session, frozenset(), "audio=8 video=40", home)


async def watch(table: Table, *sessions: str, seconds: int = 1) -> None:
    """Let seconds pass with these consoles displaying the call."""
    for _ in range(seconds):
        table.clock.turn(1)
        await table.engine.renew()
        for session in sessions:
            await table.engine.prove_wall(session, True, {"v1": [shown("v1.1"), shown("v1.2")]})
        table.engine.prove_presence("s-t", True)
        await table.tick()
        await table.engine.transfers.look()


async def refused(work) -> Code:
    with pytest.raises(Refused) as refusal:
        await work
    return refusal.value.code


async def covers(table: Table) -> list[str | None]:
    records = await table.log.read("call:v1")
    return [r.body["number"] for r in records if r.type == "cover.changed" and r.body["post"] == "monitor"]


async def passed(table: Table) -> list[dict]:
    records = await table.log.read(establishment_stream(PRISON))
    return [dict(r.body) for r in records if r.type == "monitoring.transferred"]


def scope(table: Table, session: str) -> frozenset[str] | None:
    holder = table.engine.presence.holder(session)
    return holder.scope if holder else None


async def to_the_pool(table: Table) -> None:
    """A live call that M1 watched is the pool's."""
    await table.open()
    await table.live()
    await in_the_pool(table)
    transfers = table.engine.transfers
    await transfers.propose("c-n", PRISON, Side.POOL, Reason.SHORT_OF_STAFF)
    await transfers.accept("c-m", PRISON)
    await watch(table, "c-m", "c-n", seconds=2)


@pytest.mark.feature("F60")
async def test_a_takeover_is_proposed_agreed_proven_and_only_then_passes():
    table = Table()
    await table.open()
    await table.live()
    await in_the_pool(table)
    assert scope(table, "c-n") == frozenset()
    transfers = table.engine.transfers

    await transfers.propose("c-n", PRISON, Side.POOL, Reason.SHORT_OF_STAFF)
    await watch(table, "c-m", seconds=3)
    assert scope(table, "c-n") == frozenset()  # not before the other side agrees
    assert await refused(transfers.accept("c-n", PRISON)) is Code.UNKNOWN_TRANSFER  # nor by its own word

    await transfers.accept("c-m", PRISON)
    assert scope(table, "c-n") == {PRISON}
    await table.turns()
    await watch(table, "c-m", seconds=3)
    assert (scope(table, "c-m"), await passed(table)) == ({PRISON}, [])  # the old side holds until the new one shows it
    await watch(table, "c-m", "c-n")
    assert await passed(table) == [{"to": "pool", "number": "N1", "reason": "short_of_staff"}]
    assert scope(table, "c-m") is None

    await watch(table, "c-n", seconds=20)
    names = await covers(table)
    assert names[names.index("M1") :] == ["M1", "N1"]
    assert not [r for r in await table.log.read("call:v1") if r.type in ("alarm.raised", "hold.placed")]
    assert crosses(table)


@pytest.mark.feature("F60")
async def test_an_establishment_comes_back_the_same_way():
    table = Table()
    await to_the_pool(table)
    await table.post("M2", Post.MONITOR, "c-2")
    await table.engine.offer("c-2", frozenset(), "audio=8 video=40", 0)
    await table.turns()
    transfers = table.engine.transfers

    await transfers.propose("c-2", PRISON, Side.ESTABLISHMENT, Reason.END_OF_COVER)
    await transfers.accept("c-n", PRISON)
    await watch(table, "c-n", "c-2", seconds=2)

    assert [body["to"] for body in await passed(table)] == ["pool", "establishment"]
    assert (scope(table, "c-n"), scope(table, "c-2")) == (frozenset(), {PRISON})
    await watch(table, "c-2", seconds=20)
    assert None not in (await covers(table))[(await covers(table)).index("M1") :]
    assert [o.session for o in table.call().observers] == ["c-2"]


@pytest.mark.feature("F60")
async def test_the_record_says_who_monitors_after_a_restart():
    table = Table()
    await to_the_pool(table)
    table.engine = table.new_engine()
    await table.open()
    await in_the_pool(table, "N2", "c-n2")
    assert scope(table, "c-n2") == {PRISON}


async def test_a_takeover_that_is_never_proven_leaves_everything_as_it_was():
    table = Table()
    await table.open()
    await table.live()
    await in_the_pool(table)
    transfers = table.engine.transfers
    await transfers.propose("c-n", PRISON, Side.POOL, Reason.FAULT)
    await transfers.accept("c-m", PRISON)
    await watch(table, "c-m", seconds=65)

    assert (scope(table, "c-m"), scope(table, "c-n")) == ({PRISON}, frozenset())
    assert (await passed(table), transfers.going(PRISON)) == ([], None)
    assert crosses(table)


async def test_where_nobody_is_on_post_the_pool_takes_over_alone_and_nobody_gives_to_an_empty_pool():
    table = Table()
    await table.open()
    await table.post("M1", Post.MONITOR, "c-m")
    transfers = table.engine.transfers
    assert await refused(transfers.propose("c-m", PRISON, Side.POOL, Reason.FAULT)) is Code.NOBODY_THERE
    await table.engine.sign_off("c-m")

    await in_the_pool(table)
    await transfers.propose("c-n", PRISON, Side.POOL, Reason.NO_MONITOR)
    assert [body["to"] for body in await passed(table)] == ["pool"]
    assert scope(table, "c-n") == {PRISON}


async def test_a_proposal_may_be_declined_runs_out_and_is_of_one_s_own_place():
    table = Table()
    await table.open()
    await table.post("M1", Post.MONITOR, "c-m")
    await in_the_pool(table)
    transfers = table.engine.transfers
    assert await refused(transfers.propose("c-n", "ELSEWHERE", Side.POOL, Reason.FAULT)) is Code.NOT_YOUR_HALL
    assert await refused(transfers.propose("s-t", PRISON, Side.POOL, Reason.FAULT)) is Code.NOT_ON_POST
    assert await refused(transfers.propose("c-m", PRISON, Side.ESTABLISHMENT, Reason.FAULT)) is Code.ALREADY_TRANSFERRED

    await transfers.propose("c-m", PRISON, Side.POOL, Reason.FAULT)
    assert await refused(transfers.propose("c-n", PRISON, Side.POOL, Reason.FAULT)) is Code.TRANSFER_PENDING
    await transfers.decline("c-n", PRISON)
    await transfers.propose("c-m", PRISON, Side.POOL, Reason.FAULT)
    await watch(table, seconds=301)
    records = await table.log.read(establishment_stream(PRISON))
    assert [r.body["why"] for r in records if r.type == "monitoring.declined"] == ["declined", "timed_out"]
    assert scope(table, "c-m") == {PRISON}


@pytest.mark.feature("F35")
async def test_nobody_of_the_pool_takes_over_where_they_supervise_or_did_today():
    table = Table()
    await table.open()
    await table.post("N1", Post.SUPERVISOR, "s-n")
    await table.engine.sign_off("s-n")
    await in_the_pool(table)
    work = table.engine.transfers.propose("c-n", PRISON, Side.POOL, Reason.NO_MONITOR)
    assert await refused(work) is Code.OTHER_POST_HELD


async def test_a_place_at_the_pool_is_a_grant_of_its_own():
    table = Table()
    await table.open()
    work = table.engine.sign_on(chair("M1", Grade.OSG), "c-1", THE_POOL, DEFAULT.version)
    assert await refused(work) is Code.NOT_GRANTED


@pytest.mark.feature("F60")
async def test_who_comes_to_the_pool_while_a_takeover_is_proven_has_the_establishment_once_it_passes():
    table = Table()
    await table.open()
    await table.live()
    await in_the_pool(table)
    transfers = table.engine.transfers
    await transfers.propose("c-n", PRISON, Side.POOL, Reason.SHORT_OF_STAFF)
    await transfers.accept("c-m", PRISON)
    await in_the_pool(table, "N2", "c-n2")
    assert scope(table, "c-n2") == frozenset()
    await table.turns()
    await watch(table, "c-m", "c-n")

    assert (scope(table, "c-n"), scope(table, "c-n2")) == ({PRISON}, {PRISON})


@pytest.mark.feature("F60")
async def test_a_proposal_that_is_declined_while_it_is_being_accepted_stays_declined(monkeypatch):
    table = Table()
    await table.open()
    await table.live()
    await in_the_pool(table)
    transfers, may_add = table.engine.transfers, table.engine.posts.may_add

    async def declined_meanwhile(*asked):
        await transfers.decline("c-n", PRISON)
        return await may_add(*asked)

    await transfers.propose("c-n", PRISON, Side.POOL, Reason.SHORT_OF_STAFF)
    monkeypatch.setattr(table.engine.posts, "may_add", declined_meanwhile)
    await transfers.accept("c-m", PRISON)
    await table.turns()
    await watch(table, "c-m", "c-n", seconds=2)

    assert (transfers.going(PRISON), await passed(table)) == (None, [])
    assert (scope(table, "c-m"), scope(table, "c-n")) == ({PRISON}, frozenset())


@pytest.mark.feature("F60")
async def test_of_the_pool_only_who_monitors_an_establishment_gives_it_back():
    table = Table()
    await table.open()
    await table.post("N2", Post.SUPERVISOR, "s-n")
    await table.engine.sign_off("s-n")
    await in_the_pool(table)
    await in_the_pool(table, "N2", "c-n2")  # supervised there today: the takeover passes N2 by
    transfers = table.engine.transfers
    await transfers.propose("c-n", PRISON, Side.POOL, Reason.NO_MONITOR)
    assert (scope(table, "c-n"), scope(table, "c-n2")) == ({PRISON}, frozenset())

    await table.post("M1", Post.MONITOR, "c-m")
    await transfers.propose("c-m", PRISON, Side.ESTABLISHMENT, Reason.END_OF_COVER)
    for answer in (transfers.accept, transfers.decline):
        assert await refused(answer("c-n2", PRISON)) is Code.UNKNOWN_TRANSFER
    await transfers.accept("c-n", PRISON)
    assert [body["to"] for body in await passed(table)] == ["pool", "establishment"]


@pytest.mark.feature("F42", "F60")
async def test_the_pool_hands_over_to_its_own_people_and_an_establishment_passes_by_a_transfer_alone():
    table = Table()
    await to_the_pool(table)
    await table.post("M2", Post.MONITOR, "c-2")
    await table.engine.offer("c-2", frozenset(), "audio=8 video=40", 0)
    await watch(table, "c-n", "c-2", seconds=2)

    assert await refused(table.engine.handovers.offer("c-n", "M2")) is Code.SCOPE_DIFFERS
