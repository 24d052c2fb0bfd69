"""Policy: every number of seconds and every limit, versioned, stamped on each call (design README 15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from broker.domain.codes import Post


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. Units stand in the names."""

    version: str = "2026-11"
    effective_from: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    changes: tuple[str, ...] = ("console.guidance.2026-11.watched", "console.guidance.2026-11.handed_over")
    notice_version: str = "2026-11"
    # Proof of viewing (design README 5)
    proof_stale_s: float = 5.0
    proof_grace_s: float = 10.0
    steady_s: float = 3.0
    # The posts that are taken on an enrolled, assured console alone, and when its renewal is due (docs/decisions/0025)
    console_posts: frozenset[Post] = frozenset({Post.MONITOR})
    console_renew_days: int = 14
    # The technical post (reliability.md X32)
    supervisor_stale_s: float = 15.0
    supervisor_grace_s: float = 30.0
    # The relay (design README 4)
    plan_valid_s: float = 5.0
    lease_valid_s: float = 5.0
    # Relief of the monitoring post, and breaks (features F42)
    handover_offer_s: float = 120.0
    handover_proof_s: float = 2.0
    transfer_offer_s: float = 300.0
    transfer_proof_s: float = 60.0
    break_after_s: float = 60 * 60.0
    break_snooze_s: float = 10 * 60.0
    break_rest_s: float = 15 * 60.0
    # A person's pause (design README 3)
    undo_s: float = 5.0
    relabel_s: float = 60.0
    # A leg that drops (features F20)
    rejoin_grace_s: float = 60.0
    # A leg shows a warning within this, or the monitor is told that it did not (features F51)
    warning_shown_s: float = 3.0
    # The hall answers a request to attend within this, or the orderly officer is called (features F69)
    attend_ack_s: float = 15.0
    # A breach recorded by mistake (features F83)
    breach_withdraw_s: float = 60.0
    # What people write: a note, and a line between the posts
    text_most_chars: int = 2_000
    line_most_chars: int = 500
    # A photo on file
    photo_most_bytes: int = 200_000
    # A draft of an incident holds the record of this long before it (features F84)
    incident_looks_back_s: float = 60.0
    # The lobby
    lobby_opens_s: float = 15 * 60.0
    # A picture counts as shown from this size, in CSS pixels (wall.md 4; a strip's cell is smaller than a tile)
    shown_min_width: int = 96
    shown_min_height: int = 54
    shown_ratio: float = 0.95
    shown_frame_age_s: float = 2.0
    # Beyond a console's live lines: stills. Whether one proves that the call is watched is a choice of the service:
    # between two of them are two seconds in which nothing was seen (docs/decisions/0014)
    still_fresh_s: float = 5.0
    stills_prove: bool = False
    # Alerts: how long each cause lasts before it is one (features F74)
    disconnected_s: float = 5.0
    no_show_min: float = 5.0
    ending_soon_s: float = 300.0
    ending_last_s: float = 60.0
    # What a console's detectors see: advice only, and never of a call that staff may not watch (features F78, F79)
    detectors: bool = True
    faces: bool = True  # of those detectors, the one that counts faces (docs/faces.md)
    covered_s: float = 10.0
    frozen_s: float = 10.0
    silence_s: float = 60.0
    faces_more_s: float = 5.0
    faces_none_s: float = 20.0
    child_absent_s: float = 20.0
    advice_fresh_s: float = 15.0
    # What the figures are held against (domain.md 7.10); the two posts' and the monitoring post's target is 100
    observed_target_pct: float = 95.0
    looks_target_pct: float = 98.0
    # Risk (docs/decisions/0020)
    restriction_near_days: int = 90
    authorisation_review_days: int = 92
    # Suspensions of a visitor (docs/decisions/0027): the longest, and how long the words about an appeal may be
    suspension_most_days: int = 183
    appeal_most_chars: int = 400
    # How much one monitor can watch: the weights of the live calls of the scope add up to no more than the cap for each
    monitor_cap: int = 16
    weight_tier1: int = 4
    weight_tier2: int = 2
    weight_tier3: int = 1
    weight_privileged: int = 1
    # Privileged calls (domain.md 7.6)
    look_max_s: float = 20.0
    look_gap_s: float = 300.0
    patrol_every_s: float = 900.0
    patrol_late_s: float = 120.0
    # Of the frames that the relay sent in the last seconds, a page must have presented this share (wall.md 4)
    shown_frames_ratio: float = 0.5
    shown_report_age_s: float = 3.0  # a receiver report of that line must have advanced within
    # Attention (design README 5, features F58): how long a call may flow without a look, by its tier
    attention_tier1_grace_s: float = 10.0  # tier 1 is in focus all the time
    attention_tier2_s: float = 30.0
    attention_tier3_s: float = 120.0
    attention_due_ratio: float = 0.8
    attention_offer_ratio: float = 1.5
    attention_hold_ratio: float = 2.0
    attention_room_calls: int = 16  # a monitor with that many calls is offered no more
    same_look_s: float = 3.0  # two looks by one console that are nearer than this are one
    # Observation records are cut at every change, and at the latest after
    observation_cut_s: float = 60.0
    # The attention check (wall.md 4)
    check_after_least_s: float = 180.0
    check_after_most_s: float = 360.0
    check_ring_s: float = 15.0
    check_tone_s: float = 15.0
    check_governor_s: float = 90.0
    check_defer_s: float = 60.0  # the longest that a panel in use puts one off


DEFAULT = Policy()
POLICIES = {DEFAULT.version: DEFAULT}
"""Every version ever published. `changes` are catalogue keys: what is new in it, as staff read it at sign-on."""


def in_force(now: datetime, published: Iterable[Policy] = POLICIES.values()) -> Policy:
    """Return the version in force: the last of those whose date has come, or the first before there is one."""
    dated = sorted(published, key=lambda one: one.effective_from)
    return next((one for one in reversed(dated) if one.effective_from <= now), dated[0])


def policy(version: str) -> Policy:
    """Return the policy of that version; KeyError where it was never published."""
    return POLICIES[version]
