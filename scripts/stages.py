"""The stages of `test`, in order, and the summary of what each one took and left out."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from machine import BIN, BUILD, MODULES, PYTHON, ROOT, node_bin, node_env, run, run_together, say

SETS = ("contract", "flow", "browser", "model", "fuzz")  # pytest marks; what carries none of them is the fast set
FAST = " and ".join(f"not {mark}" for mark in SETS)
NOTHING_COLLECTED = 5  # pytest's exit code
SET_LIMIT_S = 900  # a whole set that hangs must not hang the run
SECONDS_A_TEST = {"fast": 20, "contract": 60, "model": 600, "flow": 90, "browser": 120, "fuzz": 120}


@dataclass
class Result:
    """What became of one stage."""

    name: str
    passed: bool
    seconds: float
    counts: str = ""
    skips: dict[str, str] = field(default_factory=dict)  # what was left out -> why


@dataclass(frozen=True)
class Stage:
    """One step of `test`: its name, and what runs it."""

    name: str
    go: Callable[[Sequence[str]], Result]


def tool(name: str, *commands: Sequence[str | Path]) -> Stage:
    """Return a stage that passes when every command does."""

    def go(_: Sequence[str]) -> Result:
        codes = [run(command, check=False) for command in commands]
        return Result(name, not any(codes), 0.0)

    return Stage(name, go)


def pytest_set(name: str, marks: str, *, parts: int = 1) -> Stage:
    """
    Return a stage that runs the tests which `marks` chooses; a set without a test fails, for it shows nothing.

    `parts` processes share the files; only for tests that start nothing and measure nothing.
    """

    def go(extra: Sequence[str]) -> Result:
        accounts = [BUILD / "tests" / f"{name}-{part}.json" for part in range(parts)]
        limits = [f"--timeout={SECONDS_A_TEST[name]}", f"--session-timeout={SET_LIMIT_S}"]
        commands: list[list[str | Path]] = []
        for part, account in enumerate(accounts):
            account.unlink(missing_ok=True)
            share = [f"--part={part + 1}/{parts}"] if parts > 1 else []
            commands.append([PYTHON, "-m", "pytest", "-q", "-m", marks, "--account", account, *limits, *share, *extra])
        codes = run_together(commands) if parts > 1 else [run(commands[0], check=False)]
        return counted_result(name, codes, accounts)

    return Stage(name, go)


def counted_result(name: str, codes: Sequence[int], accounts: Sequence[Path]) -> Result:
    """Return what became of a set, its parts added up."""
    kept = [json.loads(account.read_text()) for account in accounts if account.exists()]
    if all(code == NOTHING_COLLECTED for code in codes):
        return Result(name, False, 0.0, "no test in this set")
    counts = {word: sum(part.get(word, 0) for part in kept) for word in ("passed", "failed", "skipped")}
    skips = {test: reason for part in kept for test, reason in part.get("skips", {}).items()}
    ends = [f"ended by signal {-code}" for code in codes if code < 0]
    words = ", ".join([f"{count} {word}" for word, count in counts.items() if count] + ends)
    return Result(name, all(code in (0, NOTHING_COLLECTED) for code in codes), 0.0, words, skips)


def in_node(name: str, command: Callable[[], Sequence[str | Path] | None], missing: str) -> Stage:
    """Return a stage that needs Node.js; without it the stage is left out with the reason."""

    def go(_: Sequence[str]) -> Result:
        words = command() if node_bin() else None
        if words is None:
            return Result(name, True, 0.0, "", {name: missing if node_bin() else "no Node.js here"})
        return Result(name, run(words, env=node_env(), check=False) == 0, 0.0)

    return Stage(name, go)


def typescript() -> Sequence[str | Path] | None:
    """Return the command that checks the types of our JavaScript."""
    compiler = MODULES / ".bin" / "tsc"
    return [compiler, "--noEmit", "--project", "tsconfig.json"] if compiler.exists() else None


def javascript_tests() -> Sequence[str | Path] | None:
    """Return the command that runs the tests of our JavaScript."""
    tests = sorted((ROOT / "tests" / "web").rglob("*.test.js"))
    folder = node_bin()
    if not tests or folder is None:
        return None
    return [folder / "node", "--test", "--test-reporter=spec", *(str(test.relative_to(ROOT)) for test in tests)]


LINT = tool("lint", [BIN / "ruff", "check"], [BIN / "ruff", "format", "--check"])
TYPES = tool("types", [BIN / "mypy"])
LAYERS = tool("layers", [BIN / "lint-imports", "--no-logo"])
JS_TYPES = in_node("js types", typescript, "the TypeScript checker is not installed")
JS_TESTS = in_node("js tests", javascript_tests, "no JavaScript test")
FAST_SET = pytest_set("fast", FAST, parts=2)
MODEL_SET = pytest_set("model", "model", parts=2)
CHECKS = (LINT, TYPES, LAYERS, JS_TYPES)
ALL = (
    *CHECKS,
    JS_TESTS,
    FAST_SET,
    MODEL_SET,
    pytest_set("contract", "contract and not model"),
    pytest_set("flow", "flow"),
    pytest_set("browser", "browser and not flow"),
    pytest_set("fuzz", "fuzz"),
)


def run_all(stages: Sequence[Stage], extra: Sequence[str] = (), *, skips: dict[str, str] | None = None) -> int:
    """Run `stages` to the end, print the summary, and return 0 when all passed (and in CI nothing was left out)."""
    results: list[Result] = []
    for stage in stages:
        say(f"{stage.name} …")
        began = time.monotonic()
        result = stage.go(extra)
        result.seconds = time.monotonic() - began
        results.append(result)
    return summary(results, skips or {})


def summary(results: Sequence[Result], skips: dict[str, str]) -> int:
    """Print one line a stage, what was skipped and why, and a closing line with the counts."""
    in_ci = os.environ.get("CI", "").lower() == "true"
    reasons = dict(skips)
    print(f"\n{'stage':<10} {'result':<8} {'seconds':>8}")
    for result in results:
        print(f"{result.name:<10} {'passed' if result.passed else 'FAILED':<8} {result.seconds:>8.1f}  {result.counts}")
        reasons.update(result.skips)
    print(f"{'whole':<10} {'':<8} {sum(result.seconds for result in results):>8.1f}")
    for reason, count in counted(reasons):
        print(f"skipped {count}: {reason}")
    failed = [result.name for result in results if not result.passed]
    if reasons and in_ci:
        failed.append(f"{len(reasons)} skipped, and in CI a skip is a failure")
    print(f"stages: {sum(r.passed for r in results)} passed, {sum(not r.passed for r in results)} failed", flush=True)
    if failed:
        print(f"FAILED: {'; '.join(failed)}", flush=True)
    return 1 if failed else 0


def counted(reasons: dict[str, str]) -> list[tuple[str, int]]:
    """Return each reason with how often it was given."""
    given = list(reasons.values())
    return [(reason, given.count(reason)) for reason in dict.fromkeys(given)]


def interrupted(command: Sequence[str | Path]) -> int:
    """Run a command that is meant to be ended by Ctrl-C; return its exit code, or 130."""
    try:
        return run(command, check=False)
    except (KeyboardInterrupt, subprocess.SubprocessError):
        return 130
