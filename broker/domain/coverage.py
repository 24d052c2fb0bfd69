"""What proves that a call was displayed: the rule of wall.md 4, as pure functions over one second's facts.

Records say "displayed", never "watched": an empty chair cannot be seen by a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class ShownFact:
    """What the page's main thread says of one picture, over the last second."""

    leg_id: str
    line: int | None
    frames: int
    advanced: bool
    ratio: float
    unobscured: bool
    width: int
    height: int
    still: int | None = None  # the number of the still that stands there, in place of a line
    frames_2s: int = 0  # presented over the last two seconds


@dataclass(frozen=True, slots=True)
class SentFact:
    """What the relay knows of the line that should show this leg.

    `line` is the line that carries the leg now (None: none does); `sending` says
    that the relay sent video on it within the last seconds; `frame_age_s` is how
    long ago the timestamp that the page echoed was sent on that very line. `able`:
    were this leg's picture sent, the console could show it (it has a line for it,
    on a connection that is up), or the leg sends no picture. `still_age_s`: how
    long ago the still that the page names was sent to it, None where none was.
    `frames`: how many the relay sent on the line in the last two seconds;
    `report_age_s`: how long ago a receiver report last said that more of it had
    arrived (RFC 3550 §6.4.1), None: none has.
    """

    line: int | None
    sending: bool
    frame_age_s: float | None
    able: bool = True
    still_age_s: float | None = None
    frames: int = 0
    report_age_s: float | None = None


def leg_shown(shown: ShownFact, sent: SentFact, policy: Policy) -> bool:
    """Say whether this picture, or its placeholder where nothing is sent, was displayed."""
    presented = (
        shown.unobscured
        and shown.ratio >= policy.shown_ratio
        and shown.width >= policy.shown_min_width
        and shown.height >= policy.shown_min_height
    )
    if not presented:
        return False
    if shown.still is not None:
        return policy.stills_prove and sent.still_age_s is not None and sent.still_age_s <= policy.still_fresh_s
    if not sent.able:  # a console that could not show a picture proves nothing by its placeholder
        return False
    if sent.line is None or not sent.sending:
        return True  # where the relay sent nothing, absence of frames is not the monitor's loss
    return (
        shown.line == sent.line
        and shown.frames >= 1
        and shown.advanced
        and shown.frames_2s >= sent.frames * policy.shown_frames_ratio
        and sent.report_age_s is not None
        and sent.report_age_s <= policy.shown_report_age_s
        and sent.frame_age_s is not None
        and sent.frame_age_s <= policy.shown_frame_age_s
    )


def tile_shown(
    legs: Sequence[str], shown: Mapping[str, ShownFact], sent: Mapping[str, SentFact], policy: Policy
) -> bool:
    """Say whether every leg of a call was displayed."""
    return all(leg in shown and leg_shown(shown[leg], sent[leg], policy) for leg in legs)
