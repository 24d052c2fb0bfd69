"""What this machine has and what the project installs on it: interpreter, packages, Node, browsers. Stdlib only."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
BUILD = ROOT / "build"
MODULES = ROOT / "node_modules"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20  # node --test with globs of files and stable ES modules
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
CHROMIUM_PACKAGES = ("chromium", "fonts-liberation")
FIREFOX_NAMES = ("firefox-esr", "firefox")
FIREFOX_PACKAGES = ("firefox-esr",)
DISPLAY_PACKAGES = ("xvfb",)
POSTGRESQL_PACKAGES = ("postgresql",)
COTURN_PACKAGES = ("coturn",)
COTURN_UNIT = "coturn.service"
POSTGRESQL_FOLDER = Path("/usr/lib/postgresql")  # Debian keeps each version's programs there, off the PATH


class Missing(Exception):
    """Something that the machine lacks and that we may not install; the text says what an administrator must run."""


def say(text: str) -> None:
    """Print one line of progress, at once."""
    print(f"» {text}", flush=True)


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, quiet: bool = False, check: bool = True
) -> int:
    """
    Run `command` in the project's folder and return its exit code.

    With `quiet` the output is shown only when it fails.

    Raises:
        subprocess.CalledProcessError: It failed and `check` is set.
    """
    words = [str(word) for word in command]
    if not quiet:
        code = wait(subprocess.Popen(words, cwd=ROOT, env=env))
    else:
        done = subprocess.run(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        code = done.returncode
        if code and check:
            print(done.stdout, flush=True)
    if code and check:
        raise subprocess.CalledProcessError(code, words)
    return code


def wait(child: subprocess.Popen[bytes], patience_s: float = 8.0) -> int:
    """
    Wait for `child`; on Ctrl-C let it finish by itself, then end it for certain.

    The terminal sends Ctrl-C to the child as well, so it is only waited for here; a child that outlives
    `patience_s` is terminated and then killed.
    """
    try:
        return child.wait()
    except KeyboardInterrupt:
        for stop, limit_s in ((None, patience_s), (child.terminate, 3.0), (child.kill, 3.0)):
            if stop is not None:
                stop()
            try:
                child.wait(limit_s)
                break
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                continue
        raise


def run_together(commands: Sequence[Sequence[str | Path]]) -> list[int]:
    """Run `commands` side by side, print each one's output whole, and return their exit codes."""
    children = [
        subprocess.Popen([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for command in commands
    ]
    try:
        # Read one after the other: a full pipe would stop the rest, so each has a thread of its own.
        with ThreadPoolExecutor(len(children)) as readers:
            for output in readers.map(lambda child: child.communicate()[0], children):
                print(output.decode(errors="replace"), end="", flush=True)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
    return [child.returncode for child in children]


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the set-up lock, so that two commands started at once do not install into the same folders."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work here; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest(*files: Path) -> str:
    """Return a hash over the contents of `files`."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()


# --- Python ---------------------------------------------------------------


def right_python() -> None:
    """
    Go on with an interpreter that is new enough; replaces this process where another one on the PATH is.

    Raises:
        Missing: There is none.
    """
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in range(14, OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.run([other, "-c", ""], capture_output=True).returncode == 0:  # a shim may lead nowhere
            os.execv(other, [other, *sys.argv])
    raise Missing("Python 3.11 or newer is needed. An administrator must run: apt-get install -y python3 python3-venv")


def make_venv(*, dev: bool) -> None:
    """
    Make `.venv`, or bring it up to date after a lock changed. `dev` adds the tools of tests and checks.

    Raises:
        Missing: Python has no venv module and we may not install it.
    """
    name = "requirements-dev.lock" if dev else "requirements.lock"
    wanted = digest(ROOT / name)
    stamp = VENV / f"stamp-{name}"
    if not usable(PYTHON):
        create_venv()
    elif stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing the Python packages of {name} (about 30 seconds when nothing is cached)")
    began = time.monotonic()
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", ROOT / name], quiet=True)
    stamp.write_text(wanted)
    if dev:  # the development lock holds everything of the other one
        (VENV / "stamp-requirements.lock").write_text(digest(ROOT / "requirements.lock"))
    say(f"Python packages are ready ({time.monotonic() - began:.0f} s)")


def usable(python: Path) -> bool:
    """Say whether `python` starts and is the version that runs this script."""
    if not python.exists():
        return False
    probe = subprocess.run(
        [python, "-c", "import sys, pip; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return probe.stdout.split() == [str(part) for part in sys.version_info[:2]]


def create_venv() -> None:
    """Make an empty `.venv`, with Python's own module or after installing it from the system's packages."""
    say("making .venv")
    if VENV.exists():
        shutil.rmtree(VENV)
    version = f"python3.{sys.version_info.minor}-venv"
    if not has_venv() and not (apt_install(version) or apt_install("python3-venv")):
        raise Missing(f"Python's venv module is missing. An administrator must run: apt-get install -y {version}")
    run([sys.executable, "-m", "venv", VENV], quiet=True)


def has_venv() -> bool:
    """Say whether this interpreter can make environments (Debian ships ensurepip apart)."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


# --- Node and the browser packages ----------------------------------------


def node_bin() -> Path | None:
    """Return the folder that holds a good enough node and npm: the machine's, or else the wheel's in `.venv`."""
    for found in (shutil.which("node"), str(BIN / "node")):
        if found and Path(found).exists() and (Path(found).parent / "npm").exists():
            answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
            if answer.startswith("v") and int(answer[1:].split(".")[0]) >= OLDEST_NODE:
                return Path(found).parent
    return None


def node_env() -> dict[str, str]:
    """Return an environment in which `node` and `npm` are found first."""
    folder = node_bin()
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{path}" if folder else path}


def make_node_modules(*, dev: bool) -> None:
    """Install the browser packages by name and hash; `dev` adds the TypeScript checker."""
    stamp = MODULES / (".stamp-dev" if dev else ".stamp-runtime")
    wanted = digest(ROOT / "package-lock.json")
    if any(mark.exists() and mark.read_text() == wanted for mark in (stamp, MODULES / ".stamp-dev")):
        return
    if node_bin() is None:
        say("no Node.js here: installing it as a Python package")
        pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        run([*pip, "--require-hashes", "--requirement", ROOT / "requirements-node.lock"], quiet=True)
    folder = node_bin()
    if folder is None:
        raise Missing("Node.js is missing. An administrator must run: apt-get install -y nodejs npm")
    say("installing the browser packages")
    extra = [] if dev else ["--omit=dev"]
    run(
        [folder / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *extra],
        env=node_env(),
        quiet=True,
    )
    stamp.write_text(wanted)


# --- the system's packages ------------------------------------------------


def chromium() -> str | None:
    """Return the Chromium that the tests drive: $CHROMIUM, or the first of the usual names on the PATH."""
    asked = os.environ.get("CHROMIUM")
    if asked and Path(asked).exists():
        return asked
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


def firefox() -> str | None:
    """Return the Firefox that the tests drive: $FIREFOX, or the first of the usual names on the PATH."""
    asked = os.environ.get("FIREFOX")
    if asked and Path(asked).exists():
        return asked
    return next((found for name in FIREFOX_NAMES if (found := shutil.which(name))), None)


def postgresql() -> str | None:
    """Return the newest PostgreSQL server program; the tests run one of their own, on a socket in a folder."""
    on_path = shutil.which("postgres")
    return on_path or next(
        (str(found) for found in sorted(POSTGRESQL_FOLDER.glob("*/bin/postgres"), reverse=True)), None
    )


def coturn() -> str | None:
    """Return the TURN server program; the tests run one of their own on loopback."""
    return shutil.which("turnserver")


def display() -> str | None:
    """Return the program of a virtual display: a page is hidden only in a browser that has a screen."""
    return shutil.which("Xvfb")


def make_servers() -> list[str]:
    """Install what the tests drive and lack, where we may; return a sentence for each that is still missing."""
    reasons = []
    for name, there, packages in (
        ("Chromium", chromium, CHROMIUM_PACKAGES),
        ("Firefox", firefox, FIREFOX_PACKAGES),
        ("PostgreSQL", postgresql, POSTGRESQL_PACKAGES),
        ("coturn", coturn, COTURN_PACKAGES),
        ("Xvfb", display, DISPLAY_PACKAGES),
    ):
        if there():
            continue
        if name == "coturn":
            keep_stopped(COTURN_UNIT)
        say(f"installing {name} from the system's packages (about 20 seconds)")
        if not (apt_install(*packages) and there()):
            command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
            reasons.append(f"no {name} here. An administrator must run: {command}")
    return reasons


def keep_stopped(unit: str) -> None:
    """Keep the system from starting a service as its package comes: Debian would, and nobody asked for an open one."""
    prefix = administrator()
    if prefix is not None and Path("/run/systemd/system").is_dir():
        run([*prefix, "systemctl", "mask", unit], quiet=True, check=False)


def administrator() -> list[str] | None:
    """Return the words before a command that needs an administrator's rights; None where we have none."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        return None
    return ["sudo", "-n"]


def apt_install(*packages: str) -> bool:
    """Install system packages as root, or by sudo where it asks no password; say whether it worked."""
    prefix = administrator()
    if prefix is None or not shutil.which("apt-get"):
        return False
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    run([*apt, "update"], quiet=True, check=False)
    return run(install, quiet=True, check=False) == 0
