"""The TURN servers that an answer names, with a credential for that one connection.

The credential's form is that of draft-uberti-behave-turn-rest-00 §2.2, which coturn reads with `use-auth-secret`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from broker.config import Config
from broker.protocol.server import IceServer


def new_id() -> str:
    """Return a fresh opaque word for a credential's name: it leads to no person, leg or call."""
    return secrets.token_hex(8)


def turn_credential(secret: str, expires: datetime, connection: str) -> tuple[str, str]:
    """Return (username, password), good until `expires` at the server that shares `secret`."""
    username = f"{int(expires.timestamp())}:{connection}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def ice_servers(config: Config, now: datetime, connection: str) -> list[IceServer]:
    """Return what a page needs to reach the relay through TURN; nothing where no TURN server is set."""
    if not config.turn_urls or config.turn_secret is None:
        return []
    expires = now + timedelta(seconds=config.turn_lifetime_s)
    username, password = turn_credential(config.turn_secret, expires, connection)
    return [IceServer(urls=list(config.turn_urls), username=username, credential=password)]
