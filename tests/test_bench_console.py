"""What the bench of the console makes of what it measured, and of what it did not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import bench_console  # noqa: E402


@pytest.mark.parametrize(
    ("values", "met"), [([], False), ([10.0, 200.0], True), ([10.0, 200.1], False)], ids=["none", "within", "beyond"]
)
def test_a_figure_that_was_not_measured_is_not_met(values: list[float], met: bool) -> None:
    found = {"received_to_silent_ms": bench_console.spread(values)}
    assert bench_console.is_met(found, "received_to_silent_ms") is met
    assert not bench_console.is_met({}, "received_to_silent_ms")


def test_a_demo_that_does_not_start_is_told_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_: Any, **options: Any) -> subprocess.Popen[str]:
        return popen([sys.executable, "-c", "print('no room'); raise SystemExit(3)"], **options)

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", dies)
    with pytest.raises(SystemExit, match=r"exit code 3\):\nno room"), bench_console.running_demo(1):
        pass
