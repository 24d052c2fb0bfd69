"""The long turn of the fuzzers: `python -m tests.media.fuzz --seed 7 --mutations 1000000`, or `make fuzz`.

A million datagrams go to a live relay, and a million mutations to what reads them; the dear ones (offers, handshakes)
get a share. Progress and the seed are printed; what breaks a parser is kept under corpus/crashes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping

from tests.media import fuzz_parsers, fuzz_relay
from tests.media.mutate import KINDS

SHARES: Mapping[str, float] = {"stun": 0.15, "rtp": 0.40, "rtcp": 0.42, "sdp": 0.02, "dtls": 0.01}
RELAY = "relay"
STEP_S = 5.0


class Progress:
    """Says how far a target is, every few seconds."""

    def __init__(self, name: str, whole: int) -> None:
        self._name, self._whole = name, whole
        self._began = self._said = time.monotonic()

    def at(self, done: int) -> None:
        """Say it where it is time."""
        now = time.monotonic()
        if now - self._said < STEP_S and done < self._whole:
            return
        self._said = now
        rate = done / max(now - self._began, 0.001)
        print(f"{self._name:<6} {done:>9,} of {self._whole:,}  {rate:>8,.0f}/s", flush=True)


def parsers(kind: str, seed: int, mutations: int) -> None:
    """Run the mutations of one kind in stretches."""
    progress, stretch = Progress(kind, mutations), max(1, min(2000, mutations // 20))
    for first in range(0, mutations, stretch):
        fuzz_parsers.check(kind, seed, first, min(stretch, mutations - first))
        progress.at(min(first + stretch, mutations))


def main() -> int:
    """Run from the command line; 1 where a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", nargs="+", choices=[*KINDS, RELAY], default=[*KINDS, RELAY])
    options = parser.parse_args()
    print(f"seed {options.seed}: --seed {options.seed} repeats it", flush=True)
    try:
        for kind in KINDS:
            if kind in options.only:
                parsers(kind, options.seed, max(1, int(options.mutations * SHARES[kind])))
        if RELAY in options.only:
            progress = Progress(RELAY, options.mutations)
            asyncio.run(fuzz_relay.fuzz(options.seed, options.mutations, progress.at))
    except AssertionError as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        return 1
    print(f"seed {options.seed}: no call disturbed, nothing raised")
    return 0


if __name__ == "__main__":
    sys.exit(main())
