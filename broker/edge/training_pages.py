"""The page *Training*: how the officer answered an exercise's cues, as page, print and CSV. In a training broker alone.

While the exercise runs it tells nothing that may still be noticed: a cue stands here once it is answered or over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from broker.domain.training import Answer, Score, Verdict
from broker.edge.names import Names
from broker.edge.plots import swatch_of
from broker.edge.rendering import render_csv, render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, links_for, permit
from broker.edge.timeline import Row, Stretch, clock, timeline
from broker.edge.visit_pages import staff_page
from broker.text import Catalogue, catalogue

PATTERN: Final = {Verdict.MET: "pale", Verdict.LATE: "hatch", Verdict.MISSED: "white", Verdict.WRONG: "plum"}
COUNTED: Final = (Verdict.MET, Verdict.LATE, Verdict.MISSED, Verdict.WRONG)
AREAS: Final = {  # where the words of an act's detail stand
    "warn": "warning",
    "pause": "pause",
    "end": "end",
    "attend": "attend",
    "ack": "alert",
    "clear": "alert",
    "dismiss": "alert",
    "note": "note",
    "breach": "breach",
}


async def _score(request: web.Request, person: SignedIn) -> Score | None:
    await permit(request, person, "training.read")
    return await services(request).exercises.score(person.where("training.read"))


async def show(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /training: the exercise as far as it may be told; `?follow=1` keeps it up to date."""
    score = await _score(request, person)
    found = services(request)
    words = catalogue(found.config.language)
    names = Names(words)
    await names.learn(found.directory, score.numbers if score else ())
    running = score is None or not score.over
    return render_staff(
        request,
        "training.html",
        person.chair,
        person.cookie,
        links=links_for(request, person, "training"),
        score=score,
        follows=running and request.query.get("follow") == "1",
        running=running,
        names=names,
        clock=clock,
        counted=[(verdict, swatch_of(PATTERN[verdict]), score.count(verdict)) for verdict in COUNTED] if score else [],
        plot=_plot(score, words) if score else None,
        rows=[_row(score, answer, words) for answer in score.closed] if score else [],
        alarms=[(deed, _act(deed.key, words)) for deed in score.false_alarms] if score else [],
    )


async def csv(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /training.csv: the same, as `audit training --csv` prints it."""
    score = await _score(request, person)
    if score is None:
        raise web.HTTPNotFound
    return render_csv(f"{score.exercise}-{score.began_at:%Y%m%d-%H%M}", score.as_rows(), "TRAINING")


def _plot(score: Score, words: Catalogue) -> object:
    rows = [
        Row(
            words("training.call", n=place),
            [_stretch(score, answer, words) for answer in score.closed if answer.cue.call_id == call_id],
            [(score.second(one.at), _act(one.key, words)) for one in score.false_alarms if one.call_id == call_id],
        )
        for place, call_id in enumerate(score.calls, 1)
    ]
    return timeline(words("training.plot"), rows, max(score.seconds, score.elapsed_s))


def _stretch(score: Score, answer: Answer, words: Catalogue) -> Stretch:
    start = score.second(answer.cue.at)
    length = answer.due.late_s if answer.after_s is None else answer.after_s
    title = f"{words(f'training.misdeed.{answer.cue.misdeed}')}: {words(f'training.verdict.{answer.verdict}')}"
    return Stretch(start, start + length, PATTERN[answer.verdict], title, answer.deed is not None)


def _row(score: Score, answer: Answer, words: Catalogue) -> dict[str, object]:
    cue, due = answer.cue, answer.due
    wanted = _either(due.one_of, words) or words("training.not", acts=_either(cue.never, words))
    return {
        "answer": answer,
        "at": clock(score.second(cue.at)),
        "call": score.place(cue.call_id),
        "what": words(f"training.misdeed.{cue.misdeed}"),
        "due": wanted,
        "act": _act(answer.deed.key, words) if answer.deed else None,
    }


def _either(keys: Sequence[str], words: Catalogue) -> str:
    return f" {words('training.or')} ".join(_act(key, words) for key in keys)


def _act(key: str, words: Catalogue) -> str:
    """Return an act in words: its verb, with what of where there is a detail."""
    verb, _, detail = key.partition(".")
    said = words(f"training.act.{verb}")
    if not detail:
        return said
    known = f"{AREAS.get(verb, '')}.{detail}"
    return words("training.act_of", act=said, what=words(known).rstrip(".") if known in words else detail)


ROUTES: Final = (
    Route("GET", "/training", staff_page(show), "training.read", STAFF),
    Route("GET", "/training.csv", staff_page(csv), "training.read", STAFF),
)
