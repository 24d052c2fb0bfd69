"""The account of a test run counts rightly: a whole pytest runs on small test files of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFTEST = """
from tests.account import Account

def pytest_configure(config):
    config.addinivalue_line("markers", "feature(row): a row")
    config.pluginmanager.register(Account({path!r}, skips_fail={skips_fail}), "account")
"""

pytestmark = pytest.mark.contract


def run(folder: Path, body: str, *, skips_fail: bool) -> tuple[int, dict, str]:
    """Run pytest on `body`; return its exit code, the account and what it printed."""
    path = folder / "account.json"
    (folder / "conftest.py").write_text(CONFTEST.format(path=str(path), skips_fail=skips_fail))
    (folder / "test_it.py").write_text(body)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(path.read_text()) if path.exists() else {}, done.stdout + done.stderr


@pytest.mark.parametrize(("skips_fail", "code"), [(False, 0), (True, 1)])
def test_a_skip_is_kept_with_its_reason_and_fails_the_run_in_ci(tmp_path, skips_fail, code):
    body = "import pytest\ndef test_a(): pytest.skip('no Chromium')\ndef test_b(): pass\n"
    exit_code, account, printed = run(tmp_path, body, skips_fail=skips_fail)

    assert exit_code == code, printed
    assert (account["passed"], account["skipped"]) == (1, 1)
    assert list(account["skips"].values()) == ["no Chromium"]


def test_a_row_passes_when_every_test_of_it_does(tmp_path):
    body = (
        "import pytest\n"
        "@pytest.mark.feature('F1')\ndef test_a(): pass\n"
        "@pytest.mark.feature('F1', 'F2')\ndef test_b(): assert False\n"
        "@pytest.mark.feature('F3')\ndef test_c(): pass\n"
        "@pytest.mark.feature('F4')\ndef test_d(): pytest.skip('no')\n"
        "@pytest.mark.feature('F5')\n@pytest.mark.xfail\ndef test_e(): assert False\n"
    )
    _, account, printed = run(tmp_path, body, skips_fail=False)

    assert account["features"] == {
        "F1": {"tests": 2, "passed": False},
        "F2": {"tests": 1, "passed": False},
        "F3": {"tests": 1, "passed": True},
        "F4": {"tests": 1, "passed": False},
        "F5": {"tests": 1, "passed": False},
    }, printed


def test_a_failure_in_setting_up_or_clearing_away_is_a_failure_of_the_row(tmp_path):
    body = (
        "import pytest\n"
        "@pytest.fixture\ndef broken(): raise RuntimeError\n"
        "@pytest.fixture\ndef untidy():\n    yield\n    raise RuntimeError\n"
        "@pytest.mark.feature('F1')\ndef test_a(broken): pass\n"
        "@pytest.mark.feature('F2')\ndef test_b(untidy): pass\n"
    )
    _, account, printed = run(tmp_path, body, skips_fail=False)

    assert [account["features"][row]["passed"] for row in ("F1", "F2")] == [False, False], printed


def test_a_row_that_is_not_in_the_table_stops_the_run(tmp_path):
    body = "import pytest\n@pytest.mark.feature('F999')\ndef test_a(): pass\n"
    exit_code, _, printed = run(tmp_path, body, skips_fail=False)

    assert exit_code != 0
    assert "F999" in printed


def test_a_process_that_a_test_leaves_running_is_ended_and_fails_the_run(tmp_path):
    body = (
        "import subprocess, sys\n"
        "def test_a():\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    )
    exit_code, account, printed = run(tmp_path, body, skips_fail=False)

    assert exit_code == 1, printed
    assert len(account["left_running"]) == 1
    assert not Path(f"/proc/{account['left_running'][0].split()[0]}/exe").exists()
