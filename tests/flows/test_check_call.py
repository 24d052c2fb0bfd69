"""check-call against a whole broker: it finds all well, and says plainly where it can not begin."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from broker.synthetic import check as checking
from broker.synthetic.check import BROKEN, NOT_RUN, WELL, CannotRun, check, run
from broker.synthetic.figures import PROMISES, Report
from tests.flows.support import broker_in, free_port

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]  # a guard against hanging on a busy machine


@pytest.mark.feature("F114")
async def test_every_promise_is_kept_and_every_figure_is_measured(tmp_path: Path) -> None:
    async with broker_in(tmp_path) as broker:
        report = await check(broker.url, 2, broker.credential)
    assert dict.fromkeys(PROMISES, True) == report.promises
    found = report.as_json(broker.url)
    assert found["calls"] == 2
    figures = ("open_to_media_ms", "pause_to_silence_ms", "resume_to_media_ms", "end_to_silence_ms")
    assert [found[name]["n"] for name in figures] == [2, 2, 2, 2]
    assert found["packets_lost"] == 0


async def test_a_wrong_credential_is_told_apart_from_a_broken_promise(tmp_path: Path) -> None:
    async with broker_in(tmp_path) as broker:
        with pytest.raises(CannotRun, match="credential"):
            await check(broker.url, 1, "not-a-credential")


async def test_an_address_under_another_name_is_told_as_such(tmp_path: Path) -> None:
    async with broker_in(tmp_path) as broker:
        with pytest.raises(CannotRun, match="another name"):
            await check(broker.url.replace("localhost", "127.0.0.1"), 1, broker.credential)


async def test_no_broker_is_a_plain_sentence() -> None:
    with pytest.raises(CannotRun, match="can not be reached"):
        await check(f"http://localhost:{free_port()}", 1, "whatever")


@pytest.mark.parametrize(("broken", "status"), [(None, WELL), (PROMISES[4], BROKEN)])
def test_the_exit_status_says_whether_all_is_well(
    broken: str | None, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def checked(*args: object) -> Report:
        await asyncio.sleep(0)
        report = Report(calls=1)
        for name in PROMISES:
            report.promise(name, name != broken)
        return report

    monkeypatch.setattr(checking, "check", checked)
    assert run("http://localhost:8080", 1, "whatever", True) == status
    assert json.loads(capsys.readouterr().out)["promises"][PROMISES[4]] is (broken is None)


def test_the_exit_status_is_another_where_nothing_could_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"http://localhost:{free_port()}", 1, "whatever", True) == NOT_RUN
    assert "can not be reached" in capsys.readouterr().err
