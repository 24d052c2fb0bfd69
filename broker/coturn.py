"""coturn's configuration for this broker: a TURN server that reaches the relay and nothing else (ASVS 5.0 V17.1)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from broker.config import BadConfig, Config, turn_address

ALLOCATIONS_A_CREDENTIAL = (
    12  # a browser makes one for each of its networks, and each connection has its own credential
)
ALLOCATIONS = 1200
NONCE_S = 600
ALLOCATION_S = 600  # the client refreshes it; what is left behind by a page that went is gone after so long

_CLOSED = """\
# Names are made by the broker for one connection each, and run out (draft-uberti-behave-turn-rest-00).
use-auth-secret
static-auth-secret={secret}
realm={realm}
stale-nonce={nonce_s}
max-allocate-lifetime={allocation_s}
user-quota={user_quota}
total-quota={quota}

# UDP alone, and no more of the server than the calls need.
listening-port={port}
no-tcp
no-tls
no-dtls
no-tcp-relay
no-cli
no-rfc5780
no-stun-backward-compatibility
no-software-attribute
fingerprint

# The relay's address is the only peer. A permission is for an address, not for a port: see docs/operations.md.
{peers}
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
no-multicast-peers
no-dynamic-ip-list
no-dynamic-realms

# coturn writes clients' addresses into its log: it keeps none.
log-file=/dev/null
simple-log
no-stdout-log
"""
_LOOPBACK = """
# The relay serves this machine alone, on loopback. Never on a machine that others reach.
allow-loopback-peers
"""


def coturn_configuration(config: Config, relay: Sequence[str]) -> str:
    """Return the text of turnserver.conf, the shared secret in it.

    Args:
        config: With `turn_urls` and `turn_secret`; the first URL names the port.
        relay: The addresses that the relay tells browsers.

    Raises:
        BadConfig: No TURN server is set, or the relay is named by a host name.
    """
    if not config.turn_urls or config.turn_secret is None:
        raise BadConfig("turn_urls: not set")
    text = _CLOSED.format(
        secret=config.turn_secret,
        realm=urlsplit(config.base_url).hostname,
        nonce_s=NONCE_S,
        allocation_s=ALLOCATION_S,
        user_quota=ALLOCATIONS_A_CREDENTIAL,
        quota=ALLOCATIONS,
        port=turn_address(config.turn_urls[0])[1],
        peers="\n".join(f"allowed-peer-ip={_address(host)}" for host in relay),
    )
    return text + (_LOOPBACK if any(ip_address(host).is_loopback for host in relay) else "")


def _address(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        raise BadConfig(f"media_advertise: must be an address for TURN, not {host!r}") from None
