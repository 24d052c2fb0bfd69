"""Two commands that report or write: which rows of docs/features.md are shown, and the lock files. Stdlib only."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import BUILD, PYTHON, ROOT, run

_ROW = re.compile(r"^\| (F\d+) \| (.+?) \|", re.MULTILINE)
LOCKS = {  # the development lock first: what it had to lower (a package that a tool caps) holds for both
    "requirements-dev.lock": ["--group", "dev"],
    "requirements.lock": ["--constraint", "requirements-dev.lock"],
}


def features(extra: Sequence[str]) -> int:
    """Run what is marked, print every row, write build/features.json; return 1 when a shown row fails."""
    account = BUILD / "tests" / "features.json"
    account.unlink(missing_ok=True)
    run([PYTHON, "-m", "pytest", "-q", "-m", "feature", "--account", account, "--timeout=600", *extra], check=False)
    kept: dict[str, Any] = json.loads(account.read_text()) if account.exists() else {}
    return report(kept.get("features", {}), BUILD / "features.json")


def report(marked: dict[str, dict[str, Any]], out: Path) -> int:
    """Print every row of docs/features.md as shown, failing or missing and write what is marked to `out`."""
    rows = dict(_ROW.findall((ROOT / "docs" / "features.md").read_text(encoding="utf-8")))
    words = {row: word_of(marked.get(row)) for row in rows}
    for row, title in rows.items():
        tests = marked.get(row, {}).get("tests", 0)
        print(f"{row:<5} {words[row]:<8} {tests:>3}  {title[:100]}")
    counts = {word: list(words.values()).count(word) for word in ("shown", "failing", "missing")}
    print(", ".join(f"{count} {word}" for word, count in counts.items()), flush=True)
    out.write_text(json.dumps({row: marked[row] for row in rows if row in marked}, indent=1) + "\n")
    return 1 if counts["failing"] else 0


def word_of(entry: dict[str, Any] | None) -> str:
    """Return the word for one row."""
    if entry is None:
        return "missing"
    return "shown" if entry["passed"] else "failing"


def lock() -> int:
    """Write every lock file: names, versions and hashes, no addresses."""
    for name, options in LOCKS.items():
        compile_lock("pyproject.toml", name, *options)
    compile_lock("requirements-node.in", "requirements-node.lock")
    run(["npm", "install", "--package-lock-only", "--ignore-scripts"], quiet=True)
    path = ROOT / "package-lock.json"
    kept = json.loads(path.read_text())
    for package in kept["packages"].values():
        package.pop("funding", None)  # holds addresses, serves nobody here
        package.pop("resolved", None)
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return 0


def compile_lock(source: str, target: str, *more: str) -> None:
    """Pin everything that `source` needs, on every platform, by hash."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    plain = ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    run([*command, *plain, source, *more, "--output-file", target])
