#!/usr/bin/env python3
"""The project's commands (setup, demo, test, ...) on a machine with Python and nothing of ours. Stdlib only."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import machine
import shown
import stages
from machine import BIN, BUILD, PYTHON, ROOT, say

FAST_LIMIT_S = 10  # the promise of `make fast`; said when missed, not failed: other work on the machine slows it too


def setup(_: Sequence[str]) -> int:
    """Make everything that the demo, the checks and the tests need, and start nothing."""
    install(dev=True)
    say("ready: .venv/bin/python is the project's interpreter")
    return 0


def demo(extra: Sequence[str]) -> int:
    """Run the broker with made-up establishments and synthetic calls; Ctrl-C ends it."""
    install(dev=False)
    return stages.interrupted([PYTHON, "-m", "broker", "demo", *extra])


def test(extra: Sequence[str]) -> int:
    """Run every check and every test, and print what each stage took and what was left out."""
    install(dev=True)
    for reason in machine.make_servers():
        say(reason)
    only, rest = chosen(extra)
    return stages.run_all([stage for stage in stages.ALL if not only or stage.name in only], rest)


def fast(extra: Sequence[str]) -> int:
    """Run the fast set: no servers, no browser, under ten seconds."""
    install(dev=True)
    return stages.run_all([stages.FAST_SET], extra)


def model(extra: Sequence[str]) -> int:
    """Run the stateful model."""
    install(dev=True)
    return stages.run_all([stages.MODEL_SET], extra)


def lint(_: Sequence[str]) -> int:
    """Run the checks that start nothing: style, types, import layers, JavaScript types."""
    install(dev=True)
    return stages.run_all(stages.CHECKS)


def fmt(_: Sequence[str]) -> int:
    """Put the Python files into shape."""
    install(dev=True)
    fixed = machine.run([BIN / "ruff", "check", "--fix", "--quiet"], check=False)
    return machine.run([BIN / "ruff", "format", "--quiet"], check=False) or fixed


def features(extra: Sequence[str]) -> int:
    """Run the tests that show rows of docs/features.md and print every row as shown, failing or missing."""
    install(dev=True)
    for reason in machine.make_servers():
        say(reason)
    return shown.features(extra)


def bench(extra: Sequence[str]) -> int:
    """Measure; results lie in build/bench. `bench relay --write-docs`: one program alone, with its options."""
    install(dev=True)
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    programs = {program.stem.removeprefix("bench_"): program for program in (ROOT / "scripts").glob("bench_*.py")}
    named = extra[:1] if extra and extra[0] in programs else sorted(programs)
    options = extra[1:] if named == extra[:1] else extra
    codes = [machine.run([PYTHON, programs[name], *options], check=False) for name in named]
    return max(codes, default=0)


def fuzz(extra: Sequence[str]) -> int:
    """Throw a million mutated datagrams at the relay, and as many at its parsers; --seed and --mutations as asked."""
    install(dev=True)
    return stages.interrupted([PYTHON, "-m", "tests.media.fuzz", *extra])


def check_call(extra: Sequence[str]) -> int:
    """Drive whole synthetic calls against a running broker: --url URL [--count N] [--json]."""
    install(dev=False)
    return stages.interrupted([PYTHON, "-m", "broker", "check-call", *extra])


def lock(_: Sequence[str]) -> int:
    """Write the lock files anew from pyproject.toml and package.json (needs uv and npm on the PATH)."""
    if not shutil.which("uv") or not shutil.which("npm"):
        raise machine.Missing("Locking needs uv and npm on the PATH. Run: python3 -m pip install uv")
    return shown.lock()


def clean(_: Sequence[str]) -> int:
    """Remove what these commands made; the source and its history stay."""
    for name in (".venv", "node_modules", "build", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    shutil.rmtree(ROOT / ".import_linter_cache", ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "setup": setup,
    "demo": demo,
    "test": test,
    "fast": fast,
    "model": model,
    "lint": lint,
    "format": fmt,
    "features": features,
    "bench": bench,
    "fuzz": fuzz,
    "check-call": check_call,
    "lock": lock,
    "clean": clean,
}


def install(*, dev: bool) -> None:
    """Bring the environment up to date; two commands started at once wait for each other."""
    with machine.only_one():
        machine.make_venv(dev=dev)
        machine.make_node_modules(dev=dev)


def chosen(extra: Sequence[str]) -> tuple[set[str], list[str]]:
    """Split `--only lint,fast` from what goes on to pytest."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", default="")
    known, rest = parser.parse_known_args(list(extra))
    only = {name.strip().replace("-", " ") for name in known.only.split(",") if name.strip()}
    unknown = only - {stage.name for stage in stages.ALL}
    if unknown:
        names = ", ".join(stage.name for stage in stages.ALL)
        raise machine.Missing(f"There is no stage {', '.join(sorted(unknown))}. Stages: {names}")
    return only, rest


def main(words: Sequence[str]) -> int:
    """Run one command; what follows its name goes on to it."""
    if not words or words[0] not in COMMANDS:
        print("usage: python3 scripts/dev.py COMMAND [ARGUMENTS]\n")
        for name, command in COMMANDS.items():
            print(f"  {name:<11} {(command.__doc__ or '').strip()}")
        return 0 if words and words[0] in ("-h", "--help", "help") else 2
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # compiled modules and rewritten tests are kept: seconds for each start
    try:
        machine.right_python()
        return COMMANDS[words[0]](words[1:])
    except machine.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"FAILED: {' '.join(str(word) for word in failed.cmd)[:200]}", file=sys.stderr)
        return failed.returncode or 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
