"""The page of an exercise: what is closed and nothing else, marked as training, and in a training broker alone."""

from __future__ import annotations

import html
import re

import pytest

from broker.domain.records import Role
from tests.edge.support import Browser, Page, pages
from tests.exercised import put_on_record
from tests.office import Desk

BAND = "TRAINING – these are not real calls"


async def read(browser: Browser, path: str = "/training", username: str = "grace") -> Page:
    await browser.sign_in("base", username)
    return await browser.get("base", path)


async def desk_with(over: bool | None) -> Desk:
    desk = Desk()
    await desk.person("grace", "7001", Role.DUTY_GOVERNOR)
    if over is not None:
        await put_on_record(desk, over)
    return desk


def rows(page: Page) -> list[str]:
    """Return the rows of the page's tables as text."""
    found = re.findall(r"<tr.*?</tr>", page.text, re.DOTALL)
    return [html.unescape(" ".join(re.sub(r"<[^>]+>", " ", row).split())) for row in found]


@pytest.mark.feature("F114")
async def test_every_cue_stands_with_what_was_due_what_was_done_and_how_long_it_took() -> None:
    async with pages(await desk_with(over=True), training=True) as browser:
        page = await read(browser)
        found = rows(page)

        for what, ends in (
            ("camera was covered", "20 s warn: Please stay in view of the camera 8.0 s In time"),
            ("raised a hand", "41.0 s Late"),
            ("left the picture", "– – Missed"),
            ("shouted", "Wrong"),
            ("froze", "Missed"),
        ):
            assert next(row for row in found if what in row).endswith(ends)
        assert found[-1].startswith("0:40 2 warn: ")
        assert "The exercise is over" in page.text
        assert "The connection was lost" in page.text


@pytest.mark.feature("F114")
async def test_while_it_runs_the_page_tells_nothing_that_may_still_be_noticed() -> None:
    async with pages(await desk_with(over=False), training=True) as browser:
        page = await read(browser)
        table = await browser.get("base", "/training.csv")

        assert "The exercise runs" in page.text
        assert "froze" not in page.text
        assert "frozen" not in table.text
        assert "raised a hand" in page.text


async def test_before_it_begins_the_page_says_what_it_waits_for() -> None:
    async with pages(await desk_with(over=None), training=True) as browser:
        page = await read(browser)

        assert "begins when the officer has signed on" in page.text
        assert (await browser.get("base", "/training.csv")).status == 404


@pytest.mark.feature("F98")
async def test_the_page_the_file_and_its_name_say_that_it_is_training() -> None:
    async with pages(await desk_with(over=True), training=True) as browser:
        page = await read(browser)
        table = await browser.get("base", "/training.csv")

        assert page.text.count('<p class="marking">OFFICIAL</p>') == 2
        assert page.text.count(BAND) == 3  # title, head, foot
        assert table.text.startswith("OFFICIAL TRAINING")
        assert 'filename="OFFICIAL-TRAINING-first-shift-' in table.headers["Content-Disposition"]


async def test_every_page_of_a_training_broker_says_so_and_no_page_of_another_does() -> None:
    for training in (True, False):
        async with pages(await desk_with(over=None), training=training) as browser:
            staff = [await read(browser, path) for path in ("/visits", "/figures", "/shifts")]
            callers = [await browser.get("family", "/visit"), await browser.get("laptop", "/laptop")]
            signing_in = [await browser.get("monitor", "/sign-in"), await browser.get("hall", "/sign-in")]

            assert [page.status for page in (*staff, *callers, *signing_in)] == [200] * 7
            assert [BAND in page.text for page in (*staff, *callers, *signing_in)] == [training] * 7
            assert all('class="training-marking"' in page.text for page in callers) is training


async def test_the_console_is_told_that_it_is_training() -> None:
    desk = await desk_with(over=None)
    await desk.person("amy", "M1", Role.MONITOR)
    async with pages(desk, training=True) as browser:
        await browser.sign_in("monitor", "amy")
        console = await browser.get("monitor", "/monitor")

        assert '"training": true' in console.text
        assert BAND in console.text


async def test_there_is_no_such_page_where_calls_are_real() -> None:
    async with pages(await desk_with(over=True)) as browser:
        page = await read(browser)
        visits = await browser.get("base", "/visits")

        assert page.status == 404
        assert (await browser.get("base", "/training.csv")).status == 404
        assert 'href="/training"' not in visits.text


async def test_an_exercise_is_for_those_who_train_and_who_answer_for_it() -> None:
    desk = await desk_with(over=True)
    await desk.person("ruth", "B1", Role.BOOKING)
    await desk.person("amy", "M2", Role.MONITOR)
    await desk.person("bea", "M3", Role.MONITOR, "SKB")
    async with pages(desk, training=True) as browser:
        assert (await read(browser, username="ruth")).status == 403
        assert "Exercise first-shift" in (await read(browser, username="amy")).text
        assert "Exercise first-shift" not in (await read(browser, username="bea")).text


async def test_a_page_is_kept_up_to_date_where_that_was_asked_for_and_while_it_runs() -> None:
    async with pages(await desk_with(over=False), training=True) as browser:
        assert "data-follow" not in (await read(browser)).text
        assert "data-follow" in (await read(browser, "/training?follow=1")).text
    async with pages(await desk_with(over=True), training=True) as browser:
        assert "data-follow" not in (await read(browser, "/training?follow=1")).text
