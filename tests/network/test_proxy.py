"""The proxy carries what the model lets through, to the right one, and is never noticed otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest_asyncio

from broker.domain.plan import Media
from tests.media.support import Stage, both_ways, plan, stage
from tests.network.impairment import Conditions, Loss, Path
from tests.network.proxy import UdpProxy

WAIT_S = 5.0
ALL_LOST = Path.steady(Conditions(loss=Loss.bursts(1.0)))


@contextmanager
def bound() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


async def heard(by: socket.socket) -> tuple[bytes, tuple[str, int]]:
    """Return the next datagram and whence it came."""
    async with asyncio.timeout(WAIT_S):
        return await asyncio.get_running_loop().sock_recvfrom(by, 2048)


async def test_each_client_has_an_address_of_its_own_and_hears_only_its_answers() -> None:
    with bound() as relay, bound() as one, bound() as other:
        async with UdpProxy(relay.getsockname()) as proxy:
            one.sendto(b"one", proxy.address)
            said, at_one = await heard(relay)
            other.sendto(b"other", proxy.address)
            said_too, at_other = await heard(relay)
            assert (said, said_too) == (b"one", b"other")
            assert proxy.upstreams == [at_one, at_other]
            relay.sendto(b"to the other", at_other)
            relay.sendto(b"to one", at_one)
            assert await heard(one) == (b"to one", proxy.address)
            assert await heard(other) == (b"to the other", proxy.address)


async def test_what_is_delayed_arrives_in_order() -> None:
    delayed = Path.steady(Conditions(delay_s=0.01, jitter_s=0.01))
    with bound() as relay, bound() as client:
        async with UdpProxy(relay.getsockname(), up=delayed) as proxy:
            sent = [str(number).encode() for number in range(100)]
            for datagram in sent:
                client.sendto(datagram, proxy.address)
            assert [(await heard(relay))[0] for _ in sent] == sent


async def test_each_direction_has_its_own_conditions_and_they_can_change() -> None:
    with bound() as relay, bound() as client:
        async with UdpProxy(relay.getsockname(), up=ALL_LOST) as proxy:
            client.sendto(b"lost", proxy.address)
            await _until(lambda: proxy.up.lost == 1)
            proxy.impair(Path(), ALL_LOST)
            client.sendto(b"heard", proxy.address)
            said, upstream = await heard(relay)
            assert said == b"heard"
            relay.sendto(b"lost", upstream)
            await _until(lambda: proxy.down.lost == 1)


async def test_a_client_that_moves_has_a_new_address_and_goes_on() -> None:
    with bound() as relay, bound() as client:
        async with UdpProxy(relay.getsockname()) as proxy:
            client.sendto(b"before", proxy.address)
            _, before = await heard(relay)
            proxy.move()
            client.sendto(b"after", proxy.address)
            said, after = await heard(relay)
            assert (said, after != before, proxy.upstreams) == (b"after", True, [after])
            relay.sendto(b"lost", before)
            relay.sendto(b"answer", after)
            assert (await heard(client))[0] == b"answer"


async def test_an_answer_leads_to_the_proxy_alone() -> None:
    async with UdpProxy() as proxy:
        answer = (
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n"
            "a=candidate:2 1 udp 2130706175 192.0.2.7 5000 typ host\r\na=end-of-candidates\r\n"
        )
        host, port = proxy.front_of(("127.0.0.1", 5000))
        assert proxy.rewrite(answer).splitlines() == [
            "v=0",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
            "a=end-of-candidates",
        ]
        assert proxy.rewrite(answer.replace("5000", "6000")) != proxy.rewrite(answer)


@pytest_asyncio.fixture
async def relayed() -> AsyncIterator[Stage]:
    made = await stage()
    yield made
    await made.close()


async def test_a_call_goes_on_through_the_proxy_and_over_a_change_of_address(relayed: Stage) -> None:
    async with UdpProxy(("127.0.0.1", relayed.plane.port)) as proxy:
        family = await relayed.enter("family", via=proxy.address)
        laptop = await relayed.enter("laptop")
        await relayed.plane.apply(plan(both_ways("family", "laptop")))
        family.say(b"hello")
        laptop.say(b"here")
        await relayed.fences(family, laptop, family)
        assert laptop.bodies(Media.AUDIO) == [b"hello"]
        assert family.bodies(Media.AUDIO) == [b"here"]

        proxy.move()
        await family.fence()  # a nominating check from the new address
        family.say(b"moved")
        laptop.say(b"still here")
        await relayed.fences(family, laptop, family)
        assert laptop.bodies(Media.AUDIO) == [b"hello", b"moved"]
        assert family.bodies(Media.AUDIO) == [b"here", b"still here"]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.001)
