"""What every test has: strict catalogues, the browser's path, and the account of the run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from broker.text import Catalogue
from tests.account import Account, in_ci

TESTS = Path(__file__).resolve().parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")

# No test asserts how long something takes, Hypothesis included; in CI the examples are the same every time.
house = settings(
    max_examples=30,  # keeps the fast set fast; `make fuzz` asks for the deep profile
    deadline=None,
    print_blob=True,
    derandomize=in_ci(),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("house", house)
settings.register_profile("deep", house, max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))
Catalogue.strict = True  # a sentence that is missing fails the test which meets it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--account", default=None, help="write what was shown and skipped to this JSON file")
    parser.addoption("--part", default="1/1", help="collect this share of the test files only, such as 1/2")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of the other parts; shares are dealt by size, so that they weigh about the same."""
    part, parts = (int(number) for number in config.getoption("--part").split("/"))
    if parts == 1 or not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    files = sorted(TESTS.rglob("test_*.py"), key=lambda path: (path.stat().st_size, path.as_posix()))
    turn, place = divmod(files.index(collection_path), parts)
    share = place if turn % 2 else parts - 1 - place  # there and back, or one share would always get the larger file
    return True if share != part - 1 else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Account(config.getoption("--account"), skips_fail=in_ci()), "account")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive ($CHROMIUM or one on the PATH); without one the test is skipped with the reason."""
    asked = os.environ.get("CHROMIUM")
    found = asked or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here; an administrator must run: apt-get install -y chromium fonts-liberation")
    return found
