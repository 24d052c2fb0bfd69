"""Measure whole calls against a broker in its own process: opening, pausing, resuming, ending, and unwatched media.

Writes build/bench/calls.json. `--count N` sets the timed calls (50: a hundred pauses and ends), `--quick` leaves out
the unwatched media, which takes a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broker.synthetic.caller import both  # noqa: E402
from broker.synthetic.check import check  # noqa: E402
from broker.synthetic.site import Site  # noqa: E402
from broker.synthetic.stage import Ends, Stage, ask_for_calls, both_posts, ends_of, staffed  # noqa: E402
from broker.synthetic.talk import until  # noqa: E402

LIMIT_S = 15.0  # README of the design 5: 5 s until a proof is stale, 10 s of grace, never more in all
WATCH_S = 19.0
TARGETS_MS = {"open_to_media_ms": {"p95": 1000}, "resume_to_media_ms": {"max": 1000}}
SILENCE_MS = {"max": 200, "p50": 50}


Loss = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Broker:
    """A broker that runs in its own process."""

    url: str
    credential: str
    pid: int


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Run the demo without its bots."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "demo"
        command = [
            sys.executable,
            "-m",
            "broker",
            "demo",
            "--calls",
            "0",
            "--port",
            str(port),
            "--data-dir",
            str(folder),
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ctrl-C" in line:
                    break
            credential = (folder / "check-call.credential").read_text().strip()
            yield Broker(f"http://localhost:{port}", credential, process.pid)
        finally:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


async def unwatched(broker: Broker, name: str, lose: Loss) -> dict[str, Any]:
    """Let a live call lose its monitor's proof by `lose`; say how long packets still came, and how many too late."""
    async with Site(broker.url) as site:
        cast = await ask_for_calls(site, broker.credential, 1)
        async with staffed(site, cast) as stage:
            await both_posts(stage)
            async with ends_of(stage, cast.calls[0], 0) as ends:
                await both(ends.family, ends.laptop)
                await ends.media("media")
                await asyncio.sleep(1)
                return await _after_loss(stage, ends, name, lose)


async def _after_loss(stage: Stage, ends: Ends, name: str, lose: Loss) -> dict[str, Any]:
    receivers = stage.receivers(ends)
    stage.monitor.watching = False
    last_proof_at = time.monotonic()  # at the latest
    await lose(stage)
    await until(lambda: time.monotonic() > last_proof_at + LIMIT_S, LIMIT_S + 30, "the limit")
    before = receivers.packets()
    await asyncio.sleep(WATCH_S - LIMIT_S)
    late = receivers.packets() - before
    print(
        f"unwatched media, {name}: last packet {receivers.last_at() - last_proof_at:.1f} s after the proof, {late} late"
    )
    return {
        "case": name,
        "last_packet_after_proof_s": round(receivers.last_at() - last_proof_at, 2),
        "limit_s": LIMIT_S,
        "packets_later": late,
    }


async def proofs_stop(stage: Stage) -> None:
    """The console stands still: its socket lives, its proofs stop."""


async def socket_dies(stage: Stage) -> None:
    """The console is gone without a word."""
    if stage.monitor.talk is not None:
        await stage.monitor.talk.__aexit__(None, None, None)


def broker_stands_still(pid: int) -> Loss:
    """Return the loss in which the broker's own process is stopped over the whole time."""

    async def lose(stage: Stage) -> None:
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(LIMIT_S)
        os.kill(pid, signal.SIGCONT)

    return lose


def verdicts(found: dict[str, Any], cases: list[dict[str, Any]]) -> dict[str, bool]:
    """Return which targets were met."""
    wanted = {**TARGETS_MS, "pause_to_silence_ms": SILENCE_MS, "end_to_silence_ms": SILENCE_MS}
    met = {
        f"{name} {share} <= {limit}": bool(found[name]) and found[name][share] <= limit
        for name, limits in wanted.items()
        for share, limit in limits.items()
    }
    met.update({f"unwatched media: {case['case']}": case["packets_later"] == 0 for case in cases})
    return met


def main() -> int:
    """Measure, print and write; 1 where a promise was broken (a target that was missed is only said)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    cases: list[dict[str, Any]] = []
    with running_broker() as broker:
        report = asyncio.run(check(broker.url, options.count, broker.credential, None, print))
        if not options.quick:
            losses: dict[str, Loss] = {"proofs stop": proofs_stop, "socket dies": socket_dies}
            losses["broker stopped"] = broker_stands_still(broker.pid)
            cases = [asyncio.run(unwatched(broker, name, lose)) for name, lose in losses.items()]
    found = report.as_json(broker.url)
    met = verdicts(found, cases)
    target = ROOT / "build" / "bench" / "calls.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = {"bench": "calls", "load_average": os.getloadavg()[0], **found, "unwatched": cases, "met": met}
    target.write_text(json.dumps(rows, indent=2) + "\n")
    for name, kept in met.items():
        print(f"{'met   ' if kept else 'MISSED'} {name}")
    return 0 if report.kept and all(case["packets_later"] == 0 for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
