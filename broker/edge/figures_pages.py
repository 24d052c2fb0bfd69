"""The page *Figures*: coverage and outcomes of a range of days, every gap of a post, as page, print and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from broker.domain.codes import IdentityReason
from broker.domain.cuts import Cut
from broker.domain.figures import VERBS, Tally, derive
from broker.domain.gaps import Gap
from broker.domain.policy import DEFAULT
from broker.domain.records import Scope
from broker.domain.report import Report
from broker.domain.uses import LOST
from broker.edge.figures_form import FILTERS, FiguresForm
from broker.edge.forms import FIRST_DAY
from broker.edge.names import Names
from broker.edge.plots import Bar, Dot, bars, columns, dots, stacked, swatch
from broker.edge.rendering import clock_text, day_text, render_csv, render_staff
from broker.edge.routes import STAFF, Route
from broker.edge.services import services
from broker.edge.staff_pages import SignedIn, links_for, permit
from broker.edge.visit_pages import staff_page
from broker.text import Catalogue, catalogue

Figure = float | int | None
COLUMNS: Final = (
    "calls",
    "live_s",
    "monitored_pct",
    "two_post_pct",
    "observed_pct",
    "listened_pct",
    "looks_in_time_pct",
    "delivered_pct",
    "breached_per_1000",
    "warn_per_1000",
    "pause_per_1000",
    "end_per_1000",
)
TAIL: Final = (
    "join_pct",
    "join_p50_s",
    "pause_silent_p50_ms",
    "pause_silent_max_ms",
    "attend_p50_s",
    "attend_p95_s",
    "false_alarm_pct",
    "undone",
    "identity_refused",
    *(f"refused_{reason}" for reason in IdentityReason),
)
TARGETS: Final = {
    "two_post_pct": 100.0,
    "monitored_pct": 100.0,
    "observed_pct": DEFAULT.observed_target_pct,
    "looks_in_time_pct": DEFAULT.looks_target_pct,
}


def said(value: Figure, name: str, words: Catalogue) -> str:
    """Return a figure as a person reads it: minutes for seconds of calls, two places of a percentage."""
    if value is None:
        return "–"
    if name.endswith("_pct"):
        return words("figures.pct", value=f"{value:.2f}".rstrip("0").rstrip("."))
    if name in ("live_s", "booked_s", "delivered_s", "credited_s") or name.startswith("lost_"):
        return words("figures.minutes", n=round(value / 60))
    if name.endswith("_ms"):
        return words("figures.ms", value=f"{value:.0f}")
    if name.endswith("_s"):
        return words("figures.seconds", value=f"{value:.1f}".removesuffix(".0"))
    return f"{value:,.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the page was asked, and what it found."""

    form: FiguresForm
    report: Report
    names: Names
    places: frozenset[str]


async def _answer(request: web.Request, person: SignedIn) -> _Asked:
    await permit(request, person, "figures.read")
    found = services(request)
    zone = ZoneInfo(found.config.zone)
    places = person.where("figures.read")
    form = FiguresForm.of(request.query, found.clock.now().astimezone(zone).date(), places)
    report = await found.figures.report(form.asked(places, zone))
    names = await Names.of(found.directory, Scope(places), catalogue(found.config.language))
    await names.learn(found.directory, {key for cut in (Cut.MONITOR, Cut.SUPERVISOR) for key in report.cuts[cut]})
    await names.learn(found.directory, {gap.number for gap in report.gaps if gap.number})
    return _Asked(form, report, names, places)


async def show(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /figures: the figures of some days, today's where none are named."""
    asked = await _answer(request, person)
    found = services(request)
    words, zone = catalogue(found.config.language), ZoneInfo(found.config.zone)
    report, names = asked.report, asked.names
    return render_staff(
        request,
        "figures.html",
        person.chair,
        person.cookie,
        links=links_for(request, person, "figures"),
        form=asked.form,
        filters=_filters(asked),
        cut_names=list(Cut),
        places=sorted(asked.places),
        names=names,
        range_words=_range_words(asked.form, found.config.language, words),
        quick=_quick(asked.form, found.clock.now().astimezone(zone).date()),
        csv_href="/figures.csv?" + urlencode(asked.form.query()),
        figures=report.figures,
        said=lambda value, name: said(value, name, words),
        plots=_plots(report, words),
        lost=[(use, swatch(number), report.figures[f"lost_{use}_s"]) for number, use in enumerate(LOST)],
        verbs=VERBS,
        tail=TAIL,
        columns=COLUMNS,
        rows=_rows(report.cuts[asked.form.by], asked.form.by, names),
        gaps=[_gap(gap, names, zone) for gap in report.gaps],
        targets=TARGETS,
        at=clock_text(report.now, zone),
        day=day_text(report.now.astimezone(zone).date(), found.config.language),
    )


async def csv(request: web.Request, person: SignedIn) -> web.StreamResponse:
    """GET /figures.csv: every figure of every cut, as `audit figures --csv` prints it."""
    asked = await _answer(request, person)
    return render_csv(f"figures-{asked.form.first}-{asked.form.last}", asked.report.as_rows())


def _range_words(form: FiguresForm, language: str, words: Catalogue) -> str:
    if form.first == form.last:
        return day_text(form.first, language)
    return words("figures.range", start=day_text(form.first, language), end=day_text(form.last, language))


def _quick(form: FiguresForm, today: date) -> list[tuple[str, str]]:
    """Return the ranges that are one press away: name and address."""
    week, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    starts = (("today", today), ("week", week), ("month", month), ("ever", FIRST_DAY))
    days = {name: {"from": start.isoformat(), "to": today.isoformat()} for name, start in starts}
    return [(name, "/figures?" + urlencode(form.query(**parts))) for name, parts in days.items()]


def _filters(asked: _Asked) -> list[tuple[Cut, list[tuple[str, str]], str]]:
    """Return each filter with its choices (key and words) and the one that is chosen."""
    found = []
    for cut in FILTERS:
        chosen = asked.form.only.get(cut, "")
        keys = sorted({*asked.report.cuts[cut], *([chosen] if chosen else [])})
        if cut is Cut.HALL:
            keys = sorted({*keys, *asked.names.halls})
        found.append((cut, [(key, asked.names.key(cut, key)) for key in keys], chosen))
    return found


def _rows(parts: Mapping[str, Tally], cut: Cut, names: Names) -> list[tuple[str, dict[str, Figure]]]:
    return [(names.key(cut, key), derive(sums)) for key, sums in parts.items()]


def _gap(gap: Gap, names: Names, zone: ZoneInfo) -> dict[str, object]:
    start = gap.start.astimezone(zone)
    return {
        "gap": gap,
        "day": start.date().isoformat(),
        "time": f"{start:%H:%M:%S}",
        "who": names.person(gap.number) if gap.number else names.words("figures.nobody"),
        "where": names.key(Cut.HALL, gap.hall_id) if gap.hall_id else names.place(gap.establishment),
        "held_after_s": None if gap.held_at is None else (gap.held_at - gap.start).total_seconds(),
    }


def _plots(report: Report, words: Catalogue) -> dict[str, object]:
    figures = report.figures
    coverage = [
        Dot(words(f"figures.name.{name}"), figures[name], said(figures[name], name, words), target)
        for name, target in TARGETS.items()
    ]
    acts = [_bar(f"{verb}_per_1000", figures, words) for verb in VERBS]
    lost = [_bar(f"lost_{use}_s", figures, words) for use in LOST]
    hours = {key: derive(sums) for key, sums in report.cuts[Cut.HOUR].items()}
    looks = [
        Dot(hour, found["looks_in_time_pct"], said(found["looks_in_time_pct"], "looks_in_time_pct", words), target)
        for target in (TARGETS["looks_in_time_pct"],)
        for hour, found in hours.items()
    ]
    by_day = _breached(report.cuts[Cut.DAY])
    return {
        "coverage": dots(words("figures.plot.coverage"), coverage, _floor(coverage), 100.0),
        "acts": bars(words("figures.plot.acts"), acts),
        "lost": stacked(words("figures.plot.lost"), lost),
        "looks": dots(words("figures.plot.looks"), looks, _floor(looks), 100.0) if looks else None,
        "breaches": columns(words("figures.plot.breaches"), by_day) if by_day else None,
    }


MOST_DAYS: Final = 62


def _breached(days: Mapping[str, Tally]) -> list[Bar]:
    """Return the calls with a breach by day, or by month where there are too many days."""
    size = 10 if len(days) <= MOST_DAYS else 7
    found: dict[str, int] = {}
    for day, sums in days.items():
        found[day[:size]] = found.get(day[:size], 0) + sums.breached
    return [Bar(key[5:] if size == 10 else key[2:], count, str(count)) for key, count in found.items()]


def _bar(name: str, figures: Mapping[str, Figure], words: Catalogue) -> Bar:
    return Bar(words(f"figures.name.{name}"), figures[name] or 0, said(figures[name], name, words))


def _floor(rows: Sequence[Dot]) -> float:
    """Return where the cut axis begins: a round number below the lowest dot and target, so that none is at the edge."""
    values = [value for row in rows for value in (row.value, row.target) if value is not None]
    lowest = min(values, default=90.0)
    return next((floor for floor in (90.0, 80.0, 50.0) if lowest >= floor), 0.0)


ROUTES: Final = (
    Route("GET", "/figures", staff_page(show), "figures.read", STAFF),
    Route("GET", "/figures.csv", staff_page(csv), "figures.read", STAFF),
)
