"""The commands of scripts/dev.py: what they install, say and count. Nothing here reaches a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import dev  # noqa: E402
import machine  # noqa: E402
import shown  # noqa: E402
import stages  # noqa: E402

ROWS = "| row | line | p |\n|---|---|---|\n| F1 | Family joins | 1 |\n| F2 | Token | 1 |\n| F3 | Second use | 1 |\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project of the test's own, with the paths of the scripts turned to it."""
    for module in (machine, stages, shown, dev):
        for name, path in (("ROOT", ""), ("VENV", ".venv"), ("BIN", ".venv/bin"), ("BUILD", "build")):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, tmp_path / path)
        if hasattr(module, "PYTHON"):
            monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv/bin/python")
        if hasattr(module, "MODULES"):
            monkeypatch.setattr(module, "MODULES", tmp_path / "node_modules")
    (tmp_path / "build").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "features.md").write_text(ROWS)
    for name in ("requirements.lock", "requirements-dev.lock", "package-lock.json"):
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that the scripts would have run, as text; none of them runs."""
    seen: list[str] = []

    def note(command, **_):
        seen.append(" ".join(str(word) for word in command))
        return 0

    monkeypatch.setattr(machine, "run", note)
    monkeypatch.setattr(stages, "run", note)
    monkeypatch.setattr(machine, "usable", lambda python: python.exists())
    return seen


def venv_there(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").touch()


def test_what_is_installed_is_checked_by_hash(project, commands):
    venv_there(project)
    machine.make_venv(dev=True)

    assert len(commands) == 1
    assert "--require-hashes" in commands[0]
    assert commands[0].endswith("requirements-dev.lock")


def test_nothing_is_installed_twice(project, commands):
    venv_there(project)
    machine.make_venv(dev=True)
    machine.make_venv(dev=True)
    machine.make_venv(dev=False)

    assert len(commands) == 1


def test_a_changed_lock_is_installed(project, commands):
    venv_there(project)
    machine.make_venv(dev=True)
    (project / "requirements-dev.lock").write_text("# changed\n")
    machine.make_venv(dev=True)

    assert len(commands) == 2


def test_the_demo_leaves_out_the_tools_of_tests(project, commands):
    venv_there(project)
    machine.make_venv(dev=False)

    assert commands[0].endswith("/requirements.lock")


def test_a_missing_venv_module_is_one_sentence_with_the_command(project, commands, monkeypatch):
    monkeypatch.setattr(machine, "has_venv", lambda: False)
    monkeypatch.setattr(machine, "apt_install", lambda *_: False)

    with pytest.raises(machine.Missing, match=r"An administrator must run: apt-get install -y python3"):
        machine.make_venv(dev=True)


def test_a_missing_chromium_is_one_sentence_with_the_command(monkeypatch):
    monkeypatch.setattr(machine, "chromium", lambda: None)
    monkeypatch.setattr(machine, "firefox", lambda: "/there")
    monkeypatch.setattr(machine, "postgresql", lambda: "/there")
    monkeypatch.setattr(machine, "coturn", lambda: "/there")
    monkeypatch.setattr(machine, "apt_install", lambda *_: False)
    reasons = machine.make_servers()

    assert len(reasons) == 1
    assert "no Chromium here. An administrator must run: apt-get install" in reasons[0]


def test_without_node_the_wheel_is_installed_and_then_asked(project, commands, monkeypatch):
    found = iter([None, project / "bin"])
    monkeypatch.setattr(machine, "node_bin", lambda: next(found, project / "bin"))
    (project / "node_modules").mkdir()
    machine.make_node_modules(dev=True)

    assert "requirements-node.lock" in commands[0]
    assert commands[1].startswith(f"{project}/bin/npm ci")


def test_ci_runs_everything_and_lets_nothing_be_skipped():
    script = (ROOT / ".ci" / "run").read_text()

    assert "export CI=true" in script
    assert script.rstrip().endswith("python3 scripts/dev.py test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_mark_of_pytest_has_its_stage_and_what_has_none_is_fast():
    names = [stage.name for stage in stages.ALL]

    assert {"lint", "types", "layers", "js types", "js tests", "fast", *stages.SETS} == set(names)
    assert all(f"not {mark}" in stages.FAST for mark in stages.SETS)


def result(name: str, *, passed: bool = True, skips: dict[str, str] | None = None) -> stages.Result:
    return stages.Result(name, passed, 1.0, "", skips or {})


def test_a_skip_is_printed_with_its_reason_and_count(capsys, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    code = stages.summary([result("fast"), result("browser", skips={"a": "no Chromium", "b": "no Chromium"})], {})

    assert code == 0
    assert "skipped 2: no Chromium" in capsys.readouterr().out


def test_in_ci_a_skip_is_a_failure(capsys, monkeypatch):
    monkeypatch.setenv("CI", "true")

    assert stages.summary([result("browser", skips={"a": "no Chromium"})], {}) == 1
    assert "skip is a failure" in capsys.readouterr().out


def test_one_failed_stage_fails_the_whole_and_is_named(capsys):
    assert stages.summary([result("fast"), result("flow", passed=False)], {}) == 1
    assert "FAILED: flow" in capsys.readouterr().out


def test_a_set_without_a_test_fails_for_it_shows_nothing(project, monkeypatch):
    monkeypatch.setattr(stages, "run", lambda *_, **__: stages.NOTHING_COLLECTED)

    assert not stages.pytest_set("flow", "flow").go([]).passed


def test_parts_of_a_set_are_added_up_and_an_empty_part_is_no_failure(tmp_path):
    (tmp_path / "0").write_text(json.dumps({"passed": 2, "skipped": 1, "skips": {"a": "why"}}))
    (tmp_path / "1").write_text(json.dumps({"passed": 3, "failed": 0}))
    accounts = [tmp_path / "0", tmp_path / "1", tmp_path / "2"]

    added = stages.counted_result("fast", [0, 0, stages.NOTHING_COLLECTED], accounts)
    assert (added.passed, added.counts, added.skips) == (True, "5 passed, 1 skipped", {"a": "why"})
    assert not stages.counted_result("fast", [0, 1, 0], accounts).passed
    assert stages.counted_result("fast", [0, -15, 0], accounts).counts.endswith("ended by signal 15")


def test_what_runs_side_by_side_is_printed_whole(capfd):
    def say(word: str) -> list[str]:
        return [sys.executable, "-c", f"print({word!r} * 3); raise SystemExit(len({word!r}))"]

    assert machine.run_together([say("a"), say("bb")]) == [1, 2]
    assert capfd.readouterr().out == "aaa\nbbbbbb\n"


def test_every_row_is_printed_as_shown_failing_or_missing(project, capsys):
    out = project / "build" / "features.json"
    marked = {"F1": {"tests": 2, "passed": True}, "F2": {"tests": 1, "passed": False}}
    code = shown.report(marked, out)

    printed = capsys.readouterr().out
    assert code == 1
    assert [line.split()[:2] for line in printed.splitlines()[:3]] == [
        ["F1", "shown"], ["F2", "failing"], ["F3", "missing"],
    ]  # fmt: skip
    assert "1 shown, 1 failing, 1 missing" in printed
    assert json.loads(out.read_text()) == marked


def test_an_unknown_command_shows_all_of_them(capsys):
    assert dev.main(["dance"]) == 2
    printed = capsys.readouterr().out
    assert all(name in printed for name in dev.COMMANDS)


def test_an_unknown_stage_is_named(project, commands, monkeypatch, capsys):
    monkeypatch.setattr(machine, "make_servers", list)
    monkeypatch.setattr(dev, "install", lambda **_: None)

    assert dev.main(["test", "--only", "dance"]) == 1
    assert "no stage dance" in capsys.readouterr().err


def test_every_target_of_the_makefile_is_a_command():
    text = (ROOT / "Makefile").read_text()
    targets = {line.split(":")[0] for line in text.splitlines() if line.endswith(":") and not line.startswith(".")}

    assert {name for target in targets for name in target.split()} - {"help"} == set(dev.COMMANDS)


class Child:
    """A child process as `wait` sees it: how it takes Ctrl-C and being terminated is the test's."""

    def __init__(self, *, ends_on: str) -> None:
        self.ends_on = ends_on
        self.seen = ["start"]

    def wait(self, limit_s: float | None = None) -> int:
        if limit_s is None:
            self.seen.append("ctrl-c")
            raise KeyboardInterrupt
        if self.ends_on in self.seen:
            return 0
        raise subprocess.TimeoutExpired("child", limit_s)

    def terminate(self) -> None:
        self.seen.append("terminate")

    def kill(self) -> None:
        self.seen.append("kill")


@pytest.mark.parametrize(
    ("ends_on", "seen"),
    [
        ("ctrl-c", ["start", "ctrl-c"]),
        ("terminate", ["start", "ctrl-c", "terminate"]),
        ("kill", ["start", "ctrl-c", "terminate", "kill"]),
    ],
)
def test_after_ctrl_c_a_child_is_waited_for_and_then_ended(ends_on, seen):
    child = Child(ends_on=ends_on)

    with pytest.raises(KeyboardInterrupt):
        machine.wait(child)
    assert child.seen == seen
