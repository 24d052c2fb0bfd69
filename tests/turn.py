"""A real coturn on loopback, with the configuration that the broker prints, and requests that only an enemy makes."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aioice import stun
from aioice.turn import UDP_TRANSPORT, TurnClientUdpProtocol

from broker.config import Config
from broker.coturn import coturn_configuration

ADDRESS = "127.0.0.1"
WAIT_S = 10.0
SHARED = secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Coturn:
    """A TURN server that runs. `config` is the broker's own, with the server in it."""

    config: Config
    folder: Path

    @property
    def port(self) -> int:
        return int(self.config.turn_urls[0].rsplit(":", 1)[1])


@asynccontextmanager
async def coturn_for(
    config: Config, folder: Path, relay: Sequence[str] = (ADDRESS,), listens: str = ADDRESS, *more: str
) -> AsyncIterator[Coturn]:
    """Run coturn for a relay with the addresses `relay`; skipped with the reason where there is no coturn."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("no coturn here; an administrator must run: apt-get install -y coturn")
    port = free_port(listens)
    shown = f"[{listens}]" if ":" in listens else listens
    config = replace(config, turn_urls=(f"turn:{shown}:{port}",), turn_secret=SHARED)
    written = folder / "turnserver.conf"
    written.write_text(coturn_configuration(config, relay))
    command = [program, "-c", str(written), f"--listening-ip={listens}", f"--relay-ip={listens}", *more]
    command.append(f"--pidfile={folder}/pid")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        await answering(listens, port, process)
        yield Coturn(config, folder)
    finally:
        if process.returncode is None:
            process.terminate()
        said, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
        (folder / "said").write_bytes(said)


async def answering(host: str, port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until the server answers a binding request."""
    async with asyncio.timeout(WAIT_S):
        while process.returncode is None:
            client = await connect(host, port)
            try:
                request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
                await asyncio.wait_for(client.request(request), 0.2)
                return
            except (TimeoutError, ConnectionError, stun.TransactionError):
                await asyncio.sleep(0.05)
            finally:
                client.transport.close()
    raise AssertionError("coturn ended by itself")


async def connect(
    host: str, port: int, username: str | None = None, password: str | None = None
) -> TurnClientUdpProtocol:
    """Return a client that has not yet said anything."""
    _, client = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: TurnClientUdpProtocol((host, port), username, password, 600, 500), remote_addr=(host, port)
    )
    return client


async def refusal(client: TurnClientUdpProtocol, method: stun.Method, **attributes: object) -> int | None:
    """Return the error code with which a request is refused; None where it is granted."""
    request = stun.Message(method, stun.Class.REQUEST)
    for name, value in attributes.items():
        request.attributes[name.replace("_", "-").upper()] = value
    try:
        await client.request_with_retry(request)
    except stun.TransactionFailed as error:
        code: int = error.response.attributes["ERROR-CODE"][0]
        return code
    return None


async def allocate(client: TurnClientUdpProtocol) -> int | None:
    """Return with which code an allocation is refused."""
    return await refusal(client, stun.Method.ALLOCATE, lifetime=600, requested_transport=UDP_TRANSPORT)


def free_port(host: str) -> int:
    """Return a UDP port that nobody uses now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
