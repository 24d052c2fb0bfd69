"""A session: what one socket's chair may see and do. Subclassed for callers and for staff."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import structlog

from broker.domain.actors import Actor
from broker.domain.codes import Code, Refused
from broker.domain.permissions import Subject, may
from broker.domain.posts import SignOnRefused
from broker.edge.answers import Answers
from broker.edge.credentials import Credentials
from broker.edge.ice import ice_servers, new_id
from broker.edge.services import Services
from broker.edge.socket import Socket
from broker.edge.stations import check_parts
from broker.engine.board import Change
from broker.engine.chairs import Chair
from broker.engine.tasks import Tasks
from broker.ports import LogConflict, LogUnavailable, OfferRefused, RelayUnavailable
from broker.protocol import client
from broker.protocol.base import ProtocolViolation
from broker.protocol.server import IceServer, MediaAnswer, Ok, RefusedMessage

log = structlog.get_logger()


def new_session_id() -> str:
    """Return a fresh socket's id: a console's is its endpoint at the relay too."""
    return f"c-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sockets of one node have in common."""

    services: Services
    answers: Answers
    credentials: Credentials
    tasks: Tasks
    sockets: dict[str, Socket] = field(default_factory=dict)  # by the chair's place: the newest one


class Session:
    """One chair at one socket."""

    def __init__(self, shared: Shared, socket: Socket, chair: Chair) -> None:
        self.shared = shared
        self.services = shared.services
        self.engine = shared.services.engine
        self.socket = socket
        self.chair = chair
        self.id = new_session_id()
        self.begun = False

    @property
    def place(self) -> str | None:
        """What only one socket may hold; None where many may."""
        return None

    @property
    def who(self) -> str:
        """Whose commands these are, for answers given again on another socket."""
        raise NotImplementedError

    async def begin(self) -> None:
        """Say welcome, and how things stand."""
        raise NotImplementedError

    async def command(self, message: client.ClientMessage) -> Ok:
        """Do a command that has a key. Raises Refused."""
        raise NotImplementedError

    async def offer(self, message: client.MediaOffer) -> MediaAnswer:
        """Answer an offer. Raises Refused, OfferRefused, RelayUnavailable."""
        raise NotImplementedError

    async def told(self, message: client.ClientMessage) -> None:
        """Take a message that has no answer."""
        raise NotImplementedError

    def heard(self, change: Change) -> None:
        """Something changed on the board."""
        raise NotImplementedError

    def second(self) -> None:
        """A second has passed."""

    async def gone(self) -> None:
        """The socket is closed."""

    async def start(self) -> None:
        """Begin; from then on the board and the seconds are heard, so that nothing comes before the welcome."""
        await self.begin()
        self.begun = True

    def hear(self, change: Change) -> None:
        """Hear of a change. A fault in one page's telling never reaches the call that changed."""
        if not self.begun:
            return
        try:
            self.heard(change)
        except Exception:
            log.exception("change not told", session=self.id, change=type(change).__name__)

    async def take(self, message: client.ClientMessage) -> None:
        """Take one message after `hello`. Raises ProtocolViolation."""
        if isinstance(message, client.Hello):
            raise ProtocolViolation("hello_twice")
        key = getattr(message, "key", None)
        if key is None:
            await self._told(message)
        elif isinstance(message, client.LinkCheck):
            self.socket.send(Ok(key=key))
        elif isinstance(message, client.MediaOffer):
            self.socket.send(await self._offered(message))
        else:
            self.socket.send(await self.shared.answers.once(self.who, key, lambda: self._answered(message, key)))

    async def _told(self, message: client.ClientMessage) -> None:
        try:
            await self.told(message)
        except Refused as refusal:
            log.debug("refused", message=getattr(message, "type", ""), code=refusal.code.value)

    async def _offered(self, message: client.MediaOffer) -> MediaAnswer | RefusedMessage:
        try:
            return await self.offer(message)
        except Refused as refusal:
            return RefusedMessage(key=message.key, code=refusal.code)
        except OfferRefused:
            return RefusedMessage(key=message.key, code=Code.BAD_OFFER)
        except RelayUnavailable:
            return RefusedMessage(key=message.key, code=Code.UNAVAILABLE)

    async def _answered(self, message: client.ClientMessage, key: str) -> Ok | RefusedMessage:
        try:
            return await self.command(message)
        except SignOnRefused as refusal:
            return RefusedMessage(key=key, code=refusal.code, checks=check_parts(refusal.checks))
        except Refused as refusal:
            return RefusedMessage(key=key, code=refusal.code)
        except (LogUnavailable, LogConflict):
            return RefusedMessage(key=key, code=Code.UNAVAILABLE)

    def ice_servers(self) -> list[IceServer]:
        """Return the TURN servers for the connection that is answered now."""
        return ice_servers(self.services.config, self.services.clock.now(), new_id())

    async def permit(self, actor: Actor, action: str, subject: Subject) -> None:
        """Refuse what the permission table refuses, and put the denial on record. Raises Refused."""
        refusal = may(actor.asker, action, subject)
        if refusal is not None:
            await self.services.access.denials.person(actor.asker, action, refusal, subject.establishment)
            raise Refused(refusal)
