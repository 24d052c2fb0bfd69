"""TURN through a real coturn, set up as `turn-config` prints it: a call passes, and only the relay is reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aioice import stun
from aioice.turn import TurnClientUdpProtocol, create_turn_endpoint

from broker.config import Config
from broker.coturn import ALLOCATIONS_A_CREDENTIAL
from broker.domain.plan import Media
from broker.edge.ice import ice_servers, turn_credential
from tests.media.support import Endpoint, Stage, both_ways, plan
from tests.turn import ADDRESS, SHARED, Coturn, allocate, connect, coturn_for, refusal

pytestmark = pytest.mark.contract

AUDIO = Media.AUDIO
FORBIDDEN, UNAUTHORISED, QUOTA = 403, 401, 486
STRANGERS = [
    "127.0.0.2",  # another address of the relay's own machine
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",  # a cloud's metadata
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "198.51.100.7",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
]
STRANGERS_6 = ["::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fd00::1", "2001:db8::1", "ff02::1"]


@pytest_asyncio.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[Coturn]:
    async with coturn_for(Config(), tmp_path) as server:
        yield server


@pytest_asyncio.fixture
async def client(coturn: Coturn) -> AsyncIterator[TurnClientUdpProtocol]:
    """A client with a good allocation."""
    made = await connect(ADDRESS, coturn.port, *good())
    assert await allocate(made) is None
    yield made
    made.transport.close()


def good(lasts_s: float = 60) -> tuple[str, str]:
    """Return a credential as the broker makes it."""
    return turn_credential(SHARED, datetime.now(UTC) + timedelta(seconds=lasts_s), "a-connection")


class Behind(Endpoint):
    """An endpoint that reaches the relay through a TURN server."""

    server: Coturn

    async def open(self) -> Any:
        (server,) = ice_servers(self.server.config, datetime.now(UTC), "0123456789abcdef")
        transport, _ = await create_turn_endpoint(
            lambda: self, (ADDRESS, self.server.port), server.username, server.credential
        )
        return transport

    def error_received(self, error: Exception) -> None:
        raise AssertionError("the TURN server refused the relay") from error


async def test_a_call_passes_through_coturn(relay: Stage, coturn: Coturn) -> None:
    prisoner = Behind(relay.plane, "prisoner")
    prisoner.server = coturn
    relay.endpoints.append(prisoner)
    await prisoner.connect()
    family = await relay.enter("family")
    await relay.plane.apply(plan(both_ways("family", "prisoner"), valid_for_s=60))
    family.say(b"to the one behind TURN")
    prisoner.say(b"from the one behind TURN")
    await relay.fences(family, prisoner, family)
    assert prisoner.bodies(AUDIO) == [b"to the one behind TURN"]
    assert family.bodies(AUDIO) == [b"from the one behind TURN"]
    relayed = prisoner.transport.get_extra_info("sockname")
    assert relay.plane._sessions["prisoner"].address == relayed, "the relay knows the TURN server's address, no other"


async def codes_for(client: TurnClientUdpProtocol, peer: tuple[str, int]) -> tuple[int | None, int | None]:
    """Return with which codes a permission for `peer` and a channel to it are refused."""
    permission = await refusal(client, stun.Method.CREATE_PERMISSION, xor_peer_address=peer)
    return permission, await refusal(client, stun.Method.CHANNEL_BIND, channel_number=0x4001, xor_peer_address=peer)


async def test_no_peer_but_the_relay_is_reached(client: TurnClientUdpProtocol) -> None:
    refused = {host: await codes_for(client, (host, 40_000)) for host in STRANGERS}
    assert refused == dict.fromkeys(STRANGERS, (FORBIDDEN, FORBIDDEN))
    assert await codes_for(client, (ADDRESS, 40_000)) == (None, None)


async def test_no_peer_is_reached_over_ipv6(tmp_path: Path) -> None:
    async with coturn_for(Config(), tmp_path, (ADDRESS,), "::1", "--keep-address-family") as server:
        client = await connect("::1", server.port, *good())
        assert await allocate(client) is None
        assert client.relayed_address is None or ":" in client.relayed_address[0]
        refused = {host: await codes_for(client, (host, 40_000)) for host in STRANGERS_6}
        client.transport.close()
    assert refused == dict.fromkeys(STRANGERS_6, (FORBIDDEN, FORBIDDEN))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        turn_credential(SHARED, datetime.now(UTC) - timedelta(seconds=5), "a-connection"),
        turn_credential("another secret of thirty-two letters", datetime.now(UTC) + timedelta(hours=1), "a-connection"),
        (good()[0].replace("a-connection", "another"), good()[1]),
        ("9999999999:a-connection", good()[1]),
        ("a-connection", "a-connection"),
        ("", ""),
    ],
    ids=["expired", "another secret", "another name", "a later end", "no time", "nothing"],
)
async def test_a_credential_that_is_not_the_brokers_is_refused(coturn: Coturn, username: str, password: str) -> None:
    client = await connect(ADDRESS, coturn.port, username, password)
    assert await allocate(client) == UNAUTHORISED
    client.transport.close()


async def test_an_allocation_outlives_its_credential(coturn: Coturn) -> None:
    ends = int(datetime.now(UTC).timestamp()) + 1
    client = await connect(ADDRESS, coturn.port, *turn_credential(SHARED, datetime.fromtimestamp(ends, UTC), "short"))
    assert await allocate(client) is None
    while datetime.now(UTC).timestamp() < ends + 1.1:  # the server counts whole seconds
        await asyncio.sleep(0.05)
    late = await connect(ADDRESS, coturn.port, *turn_credential(SHARED, datetime.fromtimestamp(ends, UTC), "short"))
    assert await allocate(late) == UNAUTHORISED
    assert await refusal(client, stun.Method.REFRESH, lifetime=600) is None
    for used in (client, late):
        used.transport.close()


async def test_one_credential_makes_a_dozen_allocations_and_no_more(coturn: Coturn) -> None:
    credential = good()
    clients = [await connect(ADDRESS, coturn.port, *credential) for _ in range(ALLOCATIONS_A_CREDENTIAL + 1)]
    assert [await allocate(client) for client in clients] == [None] * ALLOCATIONS_A_CREDENTIAL + [QUOTA]
    for client in clients:
        client.transport.close()


async def test_coturn_keeps_no_log(tmp_path: Path) -> None:
    async with coturn_for(Config(), tmp_path) as server:
        client = await connect(ADDRESS, server.port, *good())
        assert await allocate(client) is None
        assert await codes_for(client, ("10.0.0.1", 40_000)) == (FORBIDDEN, FORBIDDEN)
        assert await codes_for(client, (ADDRESS, 40_000)) == (None, None)
        client.transport.close()
    assert (tmp_path / "said").read_bytes() == b""
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pid", "said", "turnserver.conf"]


def test_a_credentials_name_is_its_end_and_an_opaque_word() -> None:
    at = datetime(2026, 11, 24, 14, tzinfo=UTC)
    (server,) = ice_servers(Config(turn_urls=("turn:a.example",), turn_secret="s" * 32, turn_lifetime_s=90), at, "word")
    assert server.username == f"{int(at.timestamp()) + 90}:word"
    assert server.credential == "L+1oP5DEa/MN9swVwVTM1gd4Ytc="  # by openssl dgst -sha1 -hmac


def test_without_a_turn_server_no_page_is_told_of_one() -> None:
    assert ice_servers(Config(), datetime(2026, 11, 24, tzinfo=UTC), "word") == []
