"""What the bench of the relay writes into the documents, from figures made up here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from bench import measures, report  # noqa: E402


def row(server: str, calls: int, us: float, fraction: float, received: float = 1.0) -> dict[str, Any]:
    return {
        "server": server,
        "calls": calls,
        "us_per_packet": us,
        "cpu_fraction": fraction,
        "latency_p50_ms": 0.3,
        "latency_p99_ms": 2.0,
        "received_fraction": received,
        "load_fraction": 0.1,
        "load_was_bottleneck": False,
        "windows": [us],
    }


def found(rows: list[dict[str, Any]], growth: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "began": "2026-01-02T03:04:05+00:00",
        "machine": {"cpu": "a machine", "cpus": 2, "linux": "6", "python": "3.11"},
        "load_average": [0.1, 1.0],
        "shares_a_core": False,
        "realtime": False,
        "address": "own",
        "rows": rows,
        "absent": {"pion": "nobody built it"},
        **measures.summed(rows, growth or []),
        "pause": None,
        "wall": None,
    }


def test_a_peer_that_was_not_there_is_named_with_its_reason() -> None:
    assert "**pion**: nobody built it" in report.table(found([row("python", 10, 12.0, 0.2)]))


def test_the_ratio_to_janus_is_taken_between_rows_of_the_same_calls() -> None:
    rows = [row("python", 10, 12.0, 0.1), row("janus", 10, 16.0, 0.2), row("python", 30, 10.0, 0.3)]
    assert found(rows)["python_to_janus"] == {"10": 0.75}


@pytest.mark.parametrize(
    ("rows", "measured", "by_line"),
    [
        ([(30, 0.3, 1.0), (60, 0.6, 1.0), (80, 0.8, 1.0)], 60, 70),
        ([(30, 0.3, 1.0), (60, 0.6, 0.9)], 30, None),  # who loses packets does not carry them
        ([(30, 0.3, 1.0)], 30, None),
    ],
)
def test_capacity_is_the_most_calls_that_left_a_core_its_rest(
    rows: list[tuple[int, float, float]], measured: int, by_line: int | None
) -> None:
    held = measures.capacity([row("python", calls, 10.0, fraction, received) for calls, fraction, received in rows])
    assert held is not None
    assert (held["measured_calls"], held["calls_at_70_percent"]) == (measured, by_line)


def test_memory_of_a_call_is_the_growth_and_not_the_process() -> None:
    growth = [
        {"server": "python", "calls": calls, "setup_ms_per_peer": 5.0, "resident_mb": mb}
        for calls, mb in ((10, 80.0), (60, 120.0), (80, 999.0))
    ]
    assert measures.summed([], growth)["memory"]["python"]["mb_per_call"] == 0.8


def test_the_part_of_the_page_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    report.write_docs(found([row("python", 10, 12.3, 0.2), row("floor", 10, 3.0, 0.05)]), tmp_path)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "old" not in text and "12.3" in text and report.PLOT in text
    ElementTree.fromstring((tmp_path / report.PLOT).read_text())


def test_a_page_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text("nothing\n")
    with pytest.raises(ValueError, match="no part"):
        report.write_docs(found([row("python", 10, 12.3, 0.2)]), tmp_path)
    assert (tmp_path / "performance.md").read_text() == "nothing\n"
