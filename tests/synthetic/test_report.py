"""The report of check-call: figures, promises, and when all is well."""

from __future__ import annotations

from broker.synthetic.figures import PROMISES, Report, Spread
from broker.text import catalogue


def all_kept() -> Report:
    report = Report()
    for name in PROMISES:
        report.promise(name, True)
    return report


def test_all_is_well_when_every_promise_was_kept() -> None:
    assert all_kept().kept


def test_a_promise_broken_once_stays_broken() -> None:
    report = all_kept()
    report.promise(PROMISES[0], False)
    report.promise(PROMISES[0], True)
    assert not report.kept
    assert report.as_json("u")["promises"][PROMISES[0]] is False


def test_a_promise_that_was_not_tried_is_not_kept() -> None:
    report = all_kept()
    del report.promises[PROMISES[3]]
    assert not report.kept
    assert report.as_json("u")["promises"][PROMISES[3]] is False


def test_figures_are_given_in_milliseconds_as_median_95_per_cent_and_largest() -> None:
    spread = Spread.of([at / 1000 for at in range(1, 101)])
    assert spread == Spread(51.0, 96.0, 100.0, 100)


def test_the_report_holds_every_figure_under_its_name() -> None:
    report = all_kept()
    report.open_to_media = [0.25]
    found = report.as_json("http://localhost:8080")
    assert found["open_to_media_ms"] == {"p50": 250.0, "p95": 250.0, "max": 250.0, "n": 1}
    assert {"pause_to_silence_ms", "resume_to_media_ms", "end_to_silence_ms", "packets_lost"} <= set(found)


def test_every_promise_has_a_sentence() -> None:
    words = catalogue()
    assert [name for name in PROMISES if f"check.promise.{name}" not in words] == []
