"""The account of a test run: which rows of docs/features.md were shown, what was skipped, what was left running."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
_ROW = re.compile(r"^\| (F\d+) \| (.+?) \|", re.MULTILINE)


def feature_rows() -> dict[str, str]:
    """Return the rows of docs/features.md: number → title."""
    return dict(_ROW.findall((ROOT / "docs" / "features.md").read_text(encoding="utf-8")))


class Account:
    """A pytest plugin that keeps the account and writes it as JSON to `--account`; in CI a skip fails the run."""

    def __init__(self, path: str | None, *, skips_fail: bool) -> None:
        self.path = Path(path) if path else None
        self.skips_fail = skips_fail
        self.rows: dict[str, set[str]] = defaultdict(set)  # test -> rows it shows
        self.outcomes: dict[str, str] = {}
        self.skips: dict[str, str] = {}
        self.left: list[str] = []

    def pytest_collection_modifyitems(self, items: Iterable[pytest.Item]) -> None:
        known = feature_rows()
        for item in items:
            for mark in item.iter_markers("feature"):
                unknown = [row for row in mark.args if row not in known]
                if unknown or not mark.args:
                    raise pytest.UsageError(f"{item.nodeid}: {unknown} is no row of docs/features.md")
                self.rows[item.nodeid].update(mark.args)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.outcomes.get(report.nodeid, "passed")
        outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
        if report.when == "call" or outcome != "passed":
            self.outcomes[report.nodeid] = before if before != "passed" else outcome
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skips[report.nodeid] = reason_of(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return
        self.left = end_children()
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self.as_dict(), indent=1), encoding="utf-8")
        if session.exitstatus == pytest.ExitCode.OK and (self.left or (self.skips and self.skips_fail)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name in self.left:
            terminalreporter.write_line(f"FAILED: a process was left running: {name}", red=True)
        if self.skips and self.skips_fail:
            terminalreporter.write_line(f"FAILED: {len(self.skips)} skipped, and in CI a skip is a failure", red=True)

    def as_dict(self) -> dict[str, object]:
        shown: dict[str, dict[str, object]] = {}
        for test, rows in self.rows.items():
            for row in rows:
                entry = shown.setdefault(row, {"tests": 0, "passed": True})
                entry["tests"] = int(str(entry["tests"])) + 1
                entry["passed"] = bool(entry["passed"]) and self.outcomes.get(test) == "passed"
        counts = {word: list(self.outcomes.values()).count(word) for word in ("passed", "failed", "skipped")}
        return {**counts, "skips": self.skips, "left_running": self.left, "features": shown}


def reason_of(report: pytest.TestReport) -> str:
    """Return why a test was skipped."""
    detail = report.longrepr
    return str(detail[2]).removeprefix("Skipped: ") if isinstance(detail, tuple) else str(detail)


def end_children() -> list[str]:
    """End every process that the tests started and left running; return what they were."""
    left: list[str] = []
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{child.pid} {' '.join(child.cmdline())[:120]}")
                child.kill()
        except psutil.Error:
            continue  # it ended by itself meanwhile
    return left


def in_ci() -> bool:
    """Say whether this run is one of continuous integration, where nothing may be left out."""
    return os.environ.get("CI", "").lower() == "true"
