"""The machine's own addresses: where a relay that serves this machine alone is found, and who may speak to it.

A page with camera permission sends from the address of a network interface, never from 127.0.0.1 (Chromium gathers
no loopback candidate), so a relay bound to loopback alone is out of its reach even on the same machine.
"""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
ANYWHERE = "192.0.2.1"  # RFC 5737: for documentation. Connecting a UDP socket sends nothing; it only picks a route


def own_addresses() -> tuple[str, ...]:
    """Return 127.0.0.1, and the IPv4 address that this machine would send from, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ANYWHERE, 9))
        except OSError:  # no route: a machine without a network
            return (LOOPBACK,)
        address: str = probe.getsockname()[0]
    return (LOOPBACK,) if address == LOOPBACK else (LOOPBACK, address)
