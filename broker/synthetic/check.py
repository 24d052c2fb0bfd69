"""check-call: whole synthetic supervised calls against a running broker; how an operator knows that it works."""

from __future__ import annotations

import asyncio
import json as jsonlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console
from rich.table import Table

from broker.synthetic import people
from broker.synthetic.figures import PROMISES, Report, Spread
from broker.synthetic.inspection import inspect
from broker.synthetic.keys import HandshakeFailed
from broker.synthetic.peer import Unreachable as RelayUnreachable
from broker.synthetic.sdp import BadAnswer
from broker.synthetic.site import Denied, Site, Unreachable
from broker.synthetic.stage import PAIRS, ask_for_calls, both_posts, staffed
from broker.synthetic.talk import Closed, Refused, TookTooLong
from broker.synthetic.timing import timed
from broker.text import catalogue

WELL, BROKEN, NOT_RUN = 0, 1, 2
MISDIRECTED = 421  # RFC 9110 §15.5.20: the broker is there, under another name
AT_ONCE = PAIRS  # timed calls that run side by side: more would measure this process rather than the broker
ROUND = 20  # calls that are booked together: what one console shows
CALL_S = 60.0

_FAILURES = (Refused, Closed, TookTooLong, Denied, RelayUnreachable, HandshakeFailed, BadAnswer, TimeoutError)


class CannotRun(Exception):
    """check-call cannot begin; the sentence says why."""


def run(url: str, count: int, credential: str, json: bool, chairs: dict[str, str] | None = None) -> int:
    """
    Run `count` timed calls and one inspected call, and print the report on standard output.

    Returns:
        0 when every promise was kept, 1 when one was not, 2 when nothing could be run (with a sentence on
        standard error).
    """
    screen = Console(stderr=True)
    try:
        report = asyncio.run(check(url, count, credential, chairs, lambda text: screen.print(text, style="dim")))
    except CannotRun as reason:
        screen.print(str(reason), style="bold red")
        return NOT_RUN
    except KeyboardInterrupt:
        return 130
    if json:
        sys.stdout.write(jsonlib.dumps(report.as_json(url), indent=2) + "\n")
    else:
        show(report, Console())
    return WELL if report.kept else BROKEN


async def check(
    url: str,
    count: int,
    credential: str,
    chairs: dict[str, str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Report:
    """
    Run the calls and return the report.

    Raises:
        CannotRun: The broker does not answer, the credential is refused, or nobody could sign in.
    """
    say = catalogue()
    progress(say("check.drawing"))
    for number in range(2 * min(PAIRS, count)):
        await asyncio.to_thread(people.person, number)
    report = Report()
    try:
        async with Site(url, chairs) as site:
            for first in range(0, count, ROUND):
                await _round(site, credential, count, first, report, progress)
                if not report.promises.get("every_call_ran_to_its_end", False) and not report.calls:
                    break
    except Unreachable as error:
        raise CannotRun(say("check.unreachable", url=url, detail=str(error))) from None
    except Denied as denied:
        if denied.status == MISDIRECTED:
            raise CannotRun(say("check.misdirected", url=url)) from None
        raise CannotRun(say("check.denied", status=denied.status, code=denied.code or "-")) from None
    except (KeyError, TypeError):
        raise CannotRun(say("check.not_ours", url=url)) from None
    return report


async def _round(
    site: Site, credential: str, count: int, first: int, report: Report, progress: Callable[[str], None]
) -> None:
    """Run up to ROUND timed calls from number `first` on; the first round inspects one more."""
    say = catalogue()
    inspected = first == 0
    cast = await ask_for_calls(site, credential, min(ROUND, count - first) + inspected)
    async with staffed(site, cast) as stage:
        calls = list(cast.calls)
        if inspected:
            progress(say("check.inspecting"))
            if not await _finished(inspect(stage, calls.pop(0), report), report, progress):
                return
        else:
            await both_posts(stage)
        stage.monitor.verifies = stage.supervisor.verifies = lambda call: True
        for at in range(0, len(calls), AT_ONCE):
            group = calls[at : at + AT_ONCE]
            running = (timed(stage, booked, pair, report) for pair, booked in enumerate(group))
            await asyncio.gather(*(_finished(call, report, progress) for call in running))
            progress(say("check.progress", done=first + at + len(group), count=count))


async def _finished(call: Coroutine[Any, Any, None], report: Report, progress: Callable[[str], None]) -> bool:
    """Run one call; one that stops half-way is a broken promise, and the next is tried all the same."""
    try:
        async with asyncio.timeout(CALL_S):
            await call
    except _FAILURES as error:
        progress(catalogue()("check.stopped", kind=type(error).__name__, detail=str(error)))
        report.promise("every_call_ran_to_its_end", False)
        return False
    report.promise("every_call_ran_to_its_end", True)
    return True


def show(report: Report, screen: Console) -> None:
    """Print the report for a person."""
    say = catalogue()
    figures = Table(title=say("check.figures"))
    for column in ("check.figure", "check.p50", "check.p95", "check.max", "check.n"):
        figures.add_column(say(column))
    rows = (
        ("check.open_to_media", report.open_to_media),
        ("check.pause_to_silence", report.pause_to_silence),
        ("check.resume_to_media", report.resume_to_media),
        ("check.end_to_silence", report.end_to_silence),
    )
    for key, seconds in rows:
        spread = Spread.of(seconds)
        cells = (spread.p50, spread.p95, spread.max, spread.n) if spread else ("-",) * 4
        figures.add_row(say(key), *(str(cell) for cell in cells))
    screen.print(figures)
    screen.print(say("check.packets", received=report.packets_received, lost=report.packets_lost))
    promises = Table(title=say("check.promises"))
    promises.add_column(say("check.promise"))
    promises.add_column(say("check.kept"))
    for name in PROMISES:
        tried, kept = name in report.promises, report.promises.get(name, False)
        answer = say("check.yes") if kept else say("check.no") if tried else say("check.untried")
        promises.add_row(say(f"check.promise.{name}"), answer, style=None if kept else "bold red")
    screen.print(promises)
    screen.print(say("check.well") if report.kept else say("check.broken"))
