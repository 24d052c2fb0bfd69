"""The bench of the relay in a short turn: what it writes, and what it says where it cannot measure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FIGURES = ("us_per_packet", "cpu_fraction", "latency_p50_ms", "latency_p99_ms")
SHORT = ("--only", "python,floor", "--calls", "1", "--own-calls", "--windows", "1", "--seconds", "1", "--quick")

pytestmark = pytest.mark.flow


def bench(out: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "bench_relay.py", *SHORT, "--out", out]
    return subprocess.run(command, env=os.environ | env, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here: the load of the bench cannot be built")
def test_a_short_turn_measures_our_relay_and_the_floor_under_the_same_load(tmp_path: Path) -> None:
    done = bench(tmp_path / "relay.json")
    assert done.returncode == 0, done.stdout + done.stderr

    found = json.loads((tmp_path / "relay.json").read_text())
    rows = {row["server"]: row for row in found["rows"]}
    assert set(rows) == {"python", "floor"}
    for row in rows.values():
        assert row["calls"] == 1
        assert all(row[name] > 0 for name in FIGURES)
        assert row["received_fraction"] > 0.5  # what was sent came, and came twice
    assert {"native", "pion", "mediarelay"} <= set(found["absent"])
    assert "not measured: **pion**" in done.stdout


def test_without_a_compiler_it_says_so_and_what_to_run(tmp_path: Path) -> None:
    done = bench(tmp_path / "relay.json", PATH="")
    assert done.returncode == 1
    assert "no gcc here" in done.stderr
    assert "apt-get install" in done.stderr
    assert "Traceback" not in done.stderr
