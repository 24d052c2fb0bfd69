"""The rules of the house that a machine can check (CONTRIBUTING.md); the import layers stand in pyproject.toml."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from broker.text import catalogue

ROOT = Path(__file__).resolve().parent.parent
LONG_FILE, TOO_LONG_FILE = 350, 500  # a file past the second is two nouns
LONG_FUNCTION = 40
TEXT_KINDS = {
    ".cfg", ".css", ".html", ".ini", ".j2", ".js", ".json", ".lock", ".md", ".po", ".py", ".sh", ".sql", ".toml", ".ts",
    ".txt", ".yaml", ".yml", "",
}  # fmt: skip
PURE_MODULES = {
    "__future__", "abc", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib",
    "hmac", "itertools", "json", "math", "operator", "re", "string", "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock", "package-lock.json"]
# Said in pieces, so that this file does not say them.
REGISTRIES = ["pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org", "golang" + ".org"]
MACHINE_PATHS = re.compile(r"(?<![\w.}])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me)/[\w.]")
UNWANTED_WORD = re.compile(r"\binma" + r"tes?\b", re.IGNORECASE)
PEERS_OF_OTHERS = {"RTCPeerConnection", "RTCRtpReceiver", "RTCRtpSender", "MediaRelay"}


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that are committed here; without git, everything that is not made by a command."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        made = {".venv", "node_modules", "build", ".git"}
        paths = [path for path in ROOT.rglob("*") if path.is_file() and not made & set(path.parts)]
    return tuple(path for path in paths if path.is_file())


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def texts() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every tracked text file but this one."""
    for path in tracked():
        if path.suffix in TEXT_KINDS and path != Path(__file__).resolve():
            yield path.relative_to(ROOT).as_posix(), text_of(path)


@cache
def modules(folder: str) -> dict[str, ast.Module]:
    """Return the parsed Python files below `folder`."""
    inside = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]
    return {path.relative_to(ROOT).as_posix(): ast.parse(text_of(path)) for path in inside}


@cache
def nodes(folder: str) -> dict[str, list[ast.AST]]:
    """Return every node of the Python files below `folder`; walked once, for there are many tests."""
    return {name: list(ast.walk(tree)) for name, tree in modules(folder).items()}


def imported(found: list[ast.AST]) -> Iterator[str]:
    """Yield the dotted name of every module that is imported by `found`."""
    for node in found:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Return `file:line: text` of every line that `pattern` finds."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_rules_are_pure():
    wrong = [
        f"{name} imports {module}"
        for name, found in nodes("broker/domain").items()
        for module in imported(found)
        if not module.startswith("broker.domain") and module.split(".")[0] not in PURE_MODULES
    ]

    assert wrong == []


def test_the_rules_await_nothing_and_read_no_clock():
    wrong = [
        f"{name}:{node.lineno}"
        for name, found in nodes("broker/domain").items()
        for node in found
        if isinstance(node, ast.Await | ast.AsyncFunctionDef)
        or (isinstance(node, ast.Attribute) and node.attr in {"utcnow", "today"})
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "now")
    ]

    assert wrong == []


def test_only_bots_and_tests_hold_a_peer_connection_or_a_codec():
    """But for the process that makes stills, which nothing of the broker imports."""
    assert not [name for name, found in nodes("broker").items() if "broker.media.darkroom" in imported(found)]
    wrong = [
        f"{name}:{node.lineno}"
        for name, found in nodes("broker").items()
        if not name.startswith("broker/synthetic/") and name != "broker/media/darkroom.py"
        for node in found
        if (isinstance(node, ast.Name) and node.id in PEERS_OF_OTHERS)
        or (isinstance(node, ast.Attribute) and node.attr in PEERS_OF_OTHERS)
        or (isinstance(node, ast.ImportFrom) and any(alias.name in PEERS_OF_OTHERS for alias in node.names))
        or (isinstance(node, ast.Import | ast.ImportFrom) and "av" in {name.split(".")[0] for name in imported([node])})
    ]

    assert wrong == []


def test_no_task_is_started_and_forgotten():
    wrong = [
        f"{name}:{node.lineno}"
        for name, found in nodes("broker").items()
        for node in found
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in {"create_task", "ensure_future"}
        and isinstance(node.value.func.value, ast.Name)
        and node.value.func.value.id in {"asyncio", "loop"}
    ]

    assert wrong == []


def test_every_module_says_in_a_sentence_what_it_is():
    wrong = [name for name, tree in modules("broker").items() if tree.body and not ast.get_docstring(tree)]

    assert wrong == []


def test_no_file_is_two_nouns():
    lengths = {name: text.count("\n") for name, text in texts() if name.endswith((".py", ".js"))}
    growing = [f"{name} {length}" for name, length in lengths.items() if LONG_FILE < length <= TOO_LONG_FILE]
    functions = [
        f"{name}:{node.name} {node.end_lineno - node.lineno + 1}"
        for name, found in nodes("broker").items()
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONG_FUNCTION
    ]
    if growing or functions:
        warnings.warn(f"long: {', '.join(growing + functions)}", stacklevel=1)

    # Tables of cases may be long, so tests are only warned of.
    assert [name for name, length in lengths.items() if length > TOO_LONG_FILE and not name.startswith("tests/")] == []


def test_people_are_called_what_they_are():
    assert lines_with(UNWANTED_WORD) == []


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    assert lines_with(re.compile("|".join(re.escape(host) for host in REGISTRIES))) == []
    assert lines_with(MACHINE_PATHS) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_hashes_and_no_addresses(name):
    text = text_of(ROOT / name)

    assert "://" not in text
    assert "sha256:" in text or '"integrity": "sha512-' in text


def pins(name: str) -> dict[str, str]:
    """Return package → version of a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text_of(ROOT / name), re.MULTILINE))


def test_the_development_lock_holds_everything_of_the_other_at_the_same_version():
    assert pins("requirements.lock").items() - pins("requirements-dev.lock").items() == set()


def test_the_locks_hold_what_the_project_asks_for():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    exact = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)$")
    for asked, name in (
        (project["project"]["dependencies"], "requirements.lock"),
        (project["dependency-groups"]["dev"], "requirements-dev.lock"),
    ):
        wanted = {found[1].lower().replace("_", "-"): found[2] for line in asked if (found := exact.match(line))}
        assert wanted.items() - pins(name).items() == set()


def test_every_link_of_the_manuals_leads_somewhere():
    link = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
    broken = [
        f"{name} -> {target}"
        for name, text in texts()
        if name.endswith(".md")
        for target in link.findall(text)
        if "://" not in target and not target.startswith("mailto:") and not ((ROOT / name).parent / target).exists()
    ]

    assert broken == []


def test_every_sentence_that_a_page_asks_for_is_in_the_catalogue():
    asked = re.compile(r"\bt\(\s*[\"']([a-z][\w.]*\.[\w.]+)[\"']")
    known = catalogue("en")
    missing = [
        f"{name}: {key}"
        for name, text in texts()
        if name.startswith(("web/", "supervisor_console/", "broker/"))
        for key in asked.findall(text)
        if key not in known and not key.endswith(".")
    ]

    assert missing == []


def test_no_test_leans_on_another_test():
    leaning = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)

    assert [name for name, text in texts() if name.startswith("tests/") and leaning.search(text)] == []


@pytest.mark.contract
def test_the_compose_file_is_one():
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
