"""Everything runs on a machine that has no network but loopback: shown in a network namespace of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from broker.synthetic.figures import PROMISES

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 240


def namespace() -> list[str]:
    """Return the words that run a command in a network namespace of its own (unshare(1))."""
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]


async def ran(*words: str) -> tuple[int, str, str]:
    """Run a command; return its exit status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, out.decode(), err.decode()


async def alone(*words: str) -> tuple[int, str, str]:
    """Run Python there with loopback up; skipped with the reason where namespaces may not be made."""
    status, _, why = await ran(*namespace(), "true")
    if status:
        pytest.skip(f"no network namespace may be made here: {why.strip()}")
    return await ran(*namespace(), sys.executable, "-m", "tests.flows.alone", *words)


@pytest.mark.flow
@pytest.mark.timeout(LIMIT_S + 30)
async def test_check_call_finds_all_well() -> None:
    status, out, err = await alone()
    assert status == 0, err
    assert json.loads(out.splitlines()[-1])["promises"] == dict.fromkeys(PROMISES, True)


@pytest.mark.browser
@pytest.mark.timeout(LIMIT_S + 30)
async def test_the_browser_call_comes_up_in_chromium(chromium_path: str) -> None:
    status, out, err = await alone(sys.executable, "-m", "tests.browser.alone", chromium_path)
    assert status == 0, out[-2000:] + err
    assert out.endswith("the call came up\n")
