"""Cuts: how the figures are parted, by what a call is and by when and under whom its seconds passed.

A cut gives each instant of a call exactly one key, so that its parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from broker.domain.figures import Measured, Tally, tally
from broker.domain.records import Establishment
from broker.domain.spans import ALWAYS, EVER, NEVER, Span, Spans, Track, meet
from broker.domain.story import Story

NOBODY = "-"
LOADS = ((0, "0"), (4, "1-4"), (8, "5-8"), (12, "9-12"), (16, "13-16"))
MOST_LOAD = "17+"


class Cut(StrEnum):
    """What the figures may be parted by; catalogue key `figures.cut.<code>`."""

    ESTABLISHMENT = "establishment"
    ESTATE = "estate"
    OPERATOR = "operator"
    HALL = "hall"
    KIND = "kind"
    TIER = "tier"
    DAY = "day"
    HOUR = "hour"
    MONITOR = "monitor"
    SUPERVISOR = "supervisor"
    LOAD = "load"  # live calls per monitor


@dataclass(frozen=True, slots=True)
class Frame:
    """What a cut needs besides the call: the establishments, the zone of days and hours, and every monitor's load."""

    zone: tzinfo
    places: Mapping[str, Establishment] = field(default_factory=dict)
    loads: Mapping[str, Track[str]] = field(default_factory=dict)  # staff number -> load


def loads_of(stories: Iterable[Story]) -> dict[str, Track[str]]:
    """Return, for each monitor, how many live calls they covered at each instant, as a key of LOADS."""
    steps: dict[str, list[tuple[datetime, int]]] = {}
    for story in stories:
        for span, number in story.monitors:
            if number is not None:
                for start, end in meet((span,), story.live):
                    steps.setdefault(number, []).extend([(start, 1), (end, -1)])
    found: dict[str, Track[str]] = {}
    for number, changes in steps.items():
        count, track = 0, Track(_load(0))
        for at, step in sorted(changes):
            count += step
            track.set(at, _load(count))
        found[number] = track
    return found


def _load(count: int) -> str:
    return next((key for most, key in LOADS if count <= most), MOST_LOAD)


def parts(story: Story, cut: Cut, frame: Frame) -> dict[str, Spans]:
    """Return the key of every instant of a call: key → spans, together all of time."""
    call = story.call
    place = frame.places.get(call.establishment) or Establishment(call.establishment, call.establishment)
    match cut:
        case Cut.ESTABLISHMENT:
            return {call.establishment: ALWAYS}
        case Cut.ESTATE:
            return {place.estate: ALWAYS}
        case Cut.OPERATOR:
            return {place.operator: ALWAYS}
        case Cut.HALL:
            return {call.hall_id: ALWAYS}
        case Cut.KIND:
            return story.kinds.keys()
        case Cut.TIER:
            return {str(tier): spans for tier, spans in story.tiers.keys().items()}
        case Cut.MONITOR:
            return _named(story.monitors)
        case Cut.SUPERVISOR:
            return _named(story.supervisors)
        case Cut.LOAD:
            return _loaded(story, frame)
        case Cut.DAY | Cut.HOUR:
            return _clocked(story, cut, frame.zone)


def _named(track: Track[str | None]) -> dict[str, Spans]:
    return {number or NOBODY: spans for number, spans in track.keys().items()}


def _loaded(story: Story, frame: Frame) -> dict[str, Spans]:
    found: dict[str, list[Span]] = {}
    for number, spans in story.monitors.keys().items():
        track = frame.loads.get(number or "")
        if track is None:
            found.setdefault(NOBODY, []).extend(spans)
            continue
        for load, times in track.keys().items():
            found.setdefault(load, []).extend(meet(spans, times))
    return {load: tuple(sorted(spans)) for load, spans in found.items() if spans}


def _clocked(story: Story, cut: Cut, zone: tzinfo) -> dict[str, Spans]:
    """Hours and days of the halls' clock. Zones with half hours change within one, so quarters are walked."""
    step = timedelta(minutes=15)
    begins = min(story.call.starts_at, story.arrived_at or story.call.starts_at)
    first = begins.replace(minute=begins.minute // 15 * 15, second=0, microsecond=0)
    last = max(story.until, story.call.starts_at + timedelta(seconds=story.call.booked_s)) + step
    track = Track(_clock(first, cut, zone))
    at = first
    while at <= last:
        track.set(at, _clock(at, cut, zone))
        at += step
    return track.keys()


def _clock(at: datetime, cut: Cut, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H}:00" if cut is Cut.HOUR else local.date().isoformat()


def parted(calls: Iterable[tuple[Measured, Spans]], cut: Cut, frame: Frame) -> dict[str, Tally]:
    """Return the tally of each part of a cut, by key in order; parts in which nothing happened are left out.

    Args:
        calls: Each with the spans of time that are asked about.
    """
    found: dict[str, Tally] = {}
    for call, within in calls:
        for key, spans in parts(call.story, cut, frame).items():
            found[key] = found.get(key, Tally()) + tally(call, meet(spans, within))
    return {key: found[key] for key in sorted(found) if found[key] != Tally()}


def window(start: datetime | None, end: datetime | None) -> Spans:
    """Return the time from `start` up to `end`."""
    return ((start or EVER, end or NEVER),)
