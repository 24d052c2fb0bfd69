"""A node: it starts whole, says plainly why it cannot, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from broker.bootstrap import CannotStart, Node
from broker.config import Config, sqlite_url
from broker.edge.listener import Listener

pytestmark = pytest.mark.contract


def config(folder: Path, port: int = 0) -> Config:
    return Config(port=port, base_url=f"http://localhost:{port}", data_dir=folder, database_url=sqlite_url(folder))


async def status(node: Node, chair: str, path: str) -> int:
    url = f"http://127.0.0.1:{node.config.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Host": node.config.chair_host(chair)}) as answer,
    ):
        return answer.status


async def test_a_node_answers_as_soon_as_it_has_started(tmp_path: Path) -> None:
    async with Node(config(tmp_path)) as node:
        assert await status(node, "base", "/readyz") == 200
        assert await status(node, "family", "/visit") == 200
        assert node.config.origin("family") == f"http://family.localhost:{node.config.port}"


async def test_a_node_that_stopped_leaves_no_task_thread_or_port(tmp_path: Path) -> None:
    before = {thread.name for thread in threading.enumerate()}
    async with Node(config(tmp_path)) as node:
        assert await status(node, "base", "/healthz") == 200

    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    left = {thread.name for thread in threading.enumerate()} - before
    assert {name for name in left if not name.startswith("asyncio_")} == set()  # the loop's own pool goes with the loop
    with socket.create_server(("127.0.0.1", node.config.port)):
        pass


async def test_an_occupied_port_is_named_with_the_flag_that_changes_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(CannotStart, match=rf"Port {port} .*--port"):
            await Node(config(tmp_path, port)).start()


async def test_an_occupied_media_port_is_named_and_the_other_port_let_go(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        wanted = replace(config(tmp_path), media_port=other.getsockname()[1])
        node = Node(wanted)
        with pytest.raises(CannotStart, match=str(wanted.media_port)):
            await node.start()

    assert node.config.port != 0
    with socket.create_server(("127.0.0.1", node.config.port)):
        pass


async def test_a_second_node_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with Node(config(tmp_path)):
        with pytest.raises(CannotStart, match="already runs"):
            await Node(config(tmp_path)).start()


async def test_a_node_starts_again_on_what_it_left(tmp_path: Path) -> None:
    for _ in range(2):
        async with Node(config(tmp_path)) as node:
            assert await status(node, "base", "/readyz") == 200


async def test_whoever_connects_and_asks_for_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Listener.__init__.__kwdefaults__, "header_s", 0.05)
    async with Node(config(tmp_path)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.config.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        assert await status(node, "base", "/healthz") == 200
