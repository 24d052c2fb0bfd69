"""A console: an enrolled, assured staff browser, and for which posts it serves (design README 18)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from broker.domain.codes import Code
from broker.domain.policy import Policy
from broker.domain.posts import Check, Holder
from broker.domain.records import NATIONAL_POOL, ConsoleDevice


def why_not(device: ConsoleDevice | None, places: Collection[str], now: datetime) -> Code | None:
    """Return why a post of these establishments may not be taken on `device`; None where it may.

    One that is enrolled for an establishment serves that one alone: several, and the pool, need NATIONAL_POOL's.
    """
    if device is None or device.key_hash is None:
        return Code.CONSOLE_NOT_ENROLLED
    if device.revoked_at is not None:
        return Code.CONSOLE_REVOKED
    if now >= device.assured_until:
        return Code.CONSOLE_EXPIRED
    everywhere = device.establishment == NATIONAL_POOL
    return None if everywhere or set(places) == {device.establishment} else Code.CONSOLE_ELSEWHERE


def check(holder: Holder, device: ConsoleDevice | None, policy: Policy, now: datetime) -> Check | None:
    """Return the condition of signing on that concerns the browser; None where policy wants no console for the post."""
    if holder.post not in policy.console_posts:
        return None
    code = why_not(device, holder.granted_by, now)
    wanted = " ".join(sorted(holder.granted_by))
    return Check(
        "device", code is None, code or Code.CONSOLE_NOT_ENROLLED, wanted, device.establishment if device else None
    )


def renewal_due(device: ConsoleDevice, policy: Policy, now: datetime) -> bool:
    """Say whether the end of the assurance is near enough to ask for its renewal."""
    return device.assured_until - now <= timedelta(days=policy.console_renew_days)
