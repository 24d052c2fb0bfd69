"""Run where there is no network but loopback, by test_loopback_only: brings it up, then does what the words say.

`python -m tests.flows.alone` runs check-call against a broker of this process; with words it becomes that command.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import struct
import sys
import tempfile
from pathlib import Path

from broker.media.local import LOOPBACK, own_addresses
from broker.synthetic.check import check
from tests.flows.support import broker_in

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # netdevice(7)


def bring_up_loopback() -> None:
    """Set the flag of `lo`: a new network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


async def check_call() -> None:
    """Print what check-call found."""
    with tempfile.TemporaryDirectory() as folder:
        async with broker_in(Path(folder)) as broker:
            report = await check(broker.url, 1, broker.credential)
            print(json.dumps(report.as_json(broker.url)))


if __name__ == "__main__":
    bring_up_loopback()
    assert own_addresses() == (LOOPBACK,), "this is for a network namespace of its own"
    if sys.argv[1:]:
        os.execv(sys.argv[1], sys.argv[1:])
    asyncio.run(check_call())
