"""Observation records that write themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.domain.codes import ObservationMode
from broker.domain.observation import Observations, Span
from tests.domain.support import NOON

pytestmark = pytest.mark.feature("F48")

TILE, FOCUS = ObservationMode.TILE, ObservationMode.FOCUS


def watched(seen: list[tuple[float, ObservationMode, bool]]) -> tuple[Observations, list[Span]]:
    """Feed proofs of one call at these seconds, and return what ended."""
    open_spans = Observations(3.0, 60.0)
    ended: list[Span] = []
    for second, mode, sound in seen:
        ended += open_spans.shown("v1", "M1", "s1", NOON + timedelta(seconds=second), mode, sound)
    return open_spans, ended


def lengths(spans: list[Span]) -> list[tuple[float, float, str, bool]]:
    return [((s.start - NOON).total_seconds(), (s.end - NOON).total_seconds(), s.mode, s.sound) for s in spans]


def test_a_change_of_mode_or_sound_cuts_without_a_gap():
    seen = [(t, TILE, False) for t in range(5)]
    seen += [(t, FOCUS, False) for t in range(5, 8)] + [(t, FOCUS, True) for t in range(8, 10)]
    open_spans, ended = watched(seen)
    ended += open_spans.console_gone("s1")
    assert lengths(ended) == [(0, 5, "tile", False), (5, 8, "focus", False), (8, 9, "focus", True)]


def test_a_long_stretch_is_cut_each_minute_so_that_a_crash_loses_the_last_piece_alone():
    _, ended = watched([(t, TILE, False) for t in range(200)])
    assert lengths(ended) == [(0, 60, "tile", False), (60, 120, "tile", False), (120, 180, "tile", False)]


def test_a_gap_is_in_no_record():
    open_spans, ended = watched([(0, TILE, False), (1, TILE, False), (9, TILE, False), (10, TILE, False)])
    ended += open_spans.call_ended("v1")
    assert lengths(ended) == [(0, 1, "tile", False), (9, 10, "tile", False)]


def test_proofs_that_stop_end_the_stretch_at_the_last_of_them():
    open_spans, ended = watched([(0, TILE, False), (1, TILE, False)])
    assert ended == []
    assert open_spans.over(NOON + timedelta(seconds=3)) == []
    assert lengths(open_spans.over(NOON + timedelta(seconds=5))) == [(0, 1, "tile", False)]
    assert open_spans.over(NOON + timedelta(seconds=50)) == []


def test_an_old_proof_that_comes_late_changes_nothing():
    open_spans, _ = watched([(0, TILE, False), (5, TILE, False), (6, TILE, False)])
    assert open_spans.shown("v1", "M1", "s1", NOON + timedelta(seconds=4), FOCUS, True) == []
