"""GET /ws: one WebSocket a page, from its origin and ticket to its goodbye (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Final

import structlog
from aiohttp import web

from broker.config import STAFF_CHAIRS
from broker.edge.hosts import CHAIR
from broker.edge.hub import MOST, Hub
from broker.edge.leg_session import FamilySession, LaptopSession
from broker.edge.presenter import Presenter
from broker.edge.routes import ANY, Route
from broker.edge.services import services
from broker.edge.session import Session
from broker.edge.socket import Socket
from broker.edge.staff_session import StaffSession
from broker.engine.chairs import Chair, FamilyChair, LaptopChair
from broker.ports import LogUnavailable
from broker.protocol import VERSION, client
from broker.protocol.base import ProtocolViolation

log = structlog.get_logger()

HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
PRESENTER: web.AppKey[Presenter] = web.AppKey("presenter", Presenter)
VIOLATIONS: web.AppKey[Counter[str]] = web.AppKey("violations", Counter)

_URGENT: Final = (
    client.CallPause,
    client.CallEnd,
    client.LegRefuse,
    client.LegLeave,
    client.WallProof,
    client.Presence,
)
"""A word to stop, and a proof of presence, never wait behind another message of the same page."""
_INBOX: Final = 64


async def open_socket(request: web.Request) -> web.StreamResponse:
    """GET /ws."""
    found = services(request)
    hub = request.app[HUB]
    if request.headers.get("Origin") != found.config.origin(request[CHAIR]):
        raise web.HTTPForbidden
    if hub.closing or len(hub) >= MOST:
        raise web.HTTPServiceUnavailable
    socket = Socket(found.clock)
    await socket.web.prepare(request)
    writer = asyncio.ensure_future(socket.write())
    try:
        await _serve(request, hub, socket)
    except ProtocolViolation as violation:
        request.app[VIOLATIONS][violation.code] += 1
        socket.end("version" if violation.code == "version" else "violation")
    except (ConnectionError, TimeoutError) as error:
        log.debug("socket gone", reason=str(error))
    finally:
        await _stop(writer)
        await socket.finish()
    return socket.web


async def _stop(task: asyncio.Future[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _serve(request: web.Request, hub: Hub, socket: Socket) -> None:
    """Take the hello, seat the page, and carry its messages until one end goes."""
    session = await _greet(request, hub, socket)
    if session is None:
        return
    access, board = session.services.access, session.engine.board
    unseat = access.revocations.on(session.chair, lambda: socket.end("revoked"))
    hub.join(session)
    unlisten = board.listen(session.hear)
    talk = _Talk(session)
    try:
        await talk.run()
    finally:
        unlisten()
        unseat()
        hub.leave(session)
        await session.gone()


async def _greet(request: web.Request, hub: Hub, socket: Socket) -> Session | None:
    hello = await socket.hello()
    if VERSION not in hello.protocol:
        raise ProtocolViolation("version")
    try:
        chair = await services(request).access.take(hello.ticket)
    except LogUnavailable:
        socket.end("shutdown")
        return None
    if chair is None:
        socket.end("ticket")
        return None
    return _session(request, hub, socket, chair)


def _session(request: web.Request, hub: Hub, socket: Socket, chair: Chair) -> Session | None:
    """Return the session of a chair on its own host; a ticket brought to another chair's host opens nothing."""
    host = request[CHAIR]
    if isinstance(chair, FamilyChair) and host == "family":
        return FamilySession(hub.shared, socket, chair)
    if isinstance(chair, LaptopChair) and host == "laptop":
        return LaptopSession(hub.shared, socket, chair)
    if not isinstance(chair, FamilyChair | LaptopChair) and host in STAFF_CHAIRS:
        return StaffSession(hub.shared, socket, chair, request.app[PRESENTER])
    services(request).access.denials.stranger("ticket_elsewhere")
    socket.end("ticket")
    return None


class _Talk:
    """The messages of one socket. Commands run as tasks of the node: a page that goes cannot cut one in half."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._socket = session.socket
        self._inbox: asyncio.Queue[client.ClientMessage | None] = asyncio.Queue(_INBOX)

    async def run(self) -> None:
        """Carry messages until the page goes or the socket is ended. Raises ProtocolViolation, ConnectionError."""
        self._session.shared.tasks.start(self._work(), "socket's commands")
        reading = asyncio.ensure_future(self._read())
        ended = asyncio.ensure_future(self._socket.ended())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            for task in (reading, ended):
                task.cancel()
            await asyncio.gather(reading, ended, return_exceptions=True)
            self._close_inbox()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if isinstance(message, _URGENT):
                self._session.shared.tasks.start(self._take(message), "urgent command")
            else:
                await self._inbox.put(message)

    def _close_inbox(self) -> None:
        """End the worker after what it already has; where the inbox is full, the last message gives way."""
        if self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)

    async def _work(self) -> None:
        try:
            await self._session.start()
        except Exception:
            log.exception("page not shown", session=self._session.id)
            self._socket.end("shutdown")
        while (message := await self._inbox.get()) is not None:
            await self._take(message)

    async def _take(self, message: client.ClientMessage) -> None:
        try:
            await self._session.take(message)
        except ProtocolViolation:
            self._socket.end("violation")
        except Exception:
            log.exception("message failed", session=self._session.id, type=getattr(message, "type", ""))
            self._socket.end("shutdown")


ROUTES: Final = (Route("GET", "/ws", open_socket, "socket.open", ANY),)
