"""The posts' promises hold in any order of events, and the model that says so notices each rule that is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from broker.domain import handover
from broker.domain.gate import plan_for
from broker.domain.records import NATIONAL_POOL
from broker.engine.alerts import Alerts
from broker.engine.handovers import Handovers
from broker.engine.posts import Posts
from broker.engine.presence import Presence
from broker.engine.transfers import Transfers
from tests.domain.support import without
from tests.engine.posts_model import EXAMPLES, PostsModel

pytestmark = pytest.mark.model

Patch = pytest.MonkeyPatch


@pytest.mark.timeout(300)
@pytest.mark.feature("F35")
@pytest.mark.feature("F42")
@pytest.mark.feature("F60")
@pytest.mark.feature("F74")
def test_no_order_of_events_leaves_a_call_unwatched():
    run_state_machine_as_test(PostsModel, settings=EXAMPLES)


def handover_without_a_screen(patch: Patch) -> None:
    patch.setattr(
        "broker.engine.handovers.require", lambda out, into, live, proven: handover.require(out, into, (), ())
    )


def handover_of_more_than_the_other_has(patch: Patch) -> None:
    def require(out: Any, into: Any, live: Any, proven: Any) -> None:
        handover.require(replace(out, scope=frozenset()), into, live, proven)

    patch.setattr("broker.engine.handovers.require", require)


def handover_after_its_time(patch: Patch) -> None:
    async def never(self: Handovers) -> None:
        return

    patch.setattr(Handovers, "expire", never)


def handover_that_leaves_the_cover(patch: Patch) -> None:
    """The one going off is released, and the one coming on is not on post either."""
    leave = Posts.leave

    async def both(self: Posts, session: str, why: str) -> None:
        await leave(self, session, why)
        if why == "handed_over":
            for holder in self._presence.holders:
                self._presence._monitor = {k: v for k, v in self._presence._monitor.items() if k[0] != holder.session}

    patch.setattr(Posts, "leave", both)


def transfer_without_a_proof(patch: Patch) -> None:
    patch.setattr(Transfers, "_proven", lambda self, transfer: True)


def transfer_that_releases_nobody(patch: Patch) -> None:
    async def nobody(self: Transfers, place: str, side: object) -> None:
        return

    patch.setattr(Transfers, "_release", nobody)


def transfer_that_leaves_the_newcomer_out(patch: Patch) -> None:
    widen = Transfers._widen

    async def once(self: Transfers, place: str) -> bool:
        return True if place in self.of_pool() else await widen(self, place)

    patch.setattr(Transfers, "_widen", once)


def both_posts_in_a_day(patch: Patch) -> None:
    patch.setattr("broker.engine.posts.sign_on", lambda *of: None)


def proof_from_out_of_scope(patch: Patch) -> None:
    """What a console displayed while its post reached the call counts on when it does not any more."""
    proofs = Presence._proofs

    def wider(self: Presence, call: Any, post: Any, mark_of: Any) -> Any:
        held = self._holders
        everywhere = frozenset({call.establishment, NATIONAL_POOL})
        self._holders = {id: replace(one, scope=everywhere, hall_id=None) for id, one in held.items()}
        try:
            return proofs(self, call, post, mark_of)
        finally:
            self._holders = held

    patch.setattr(Presence, "_proofs", wider)


def cover_without_a_proof(patch: Patch) -> None:
    patch.setattr("broker.domain.settle.covered", lambda post, evidence, policy, now: evidence.monitor is not None)


def hold_that_goes_at_the_first_proof(patch: Patch) -> None:
    patch.setattr("broker.domain.settle._limits", lambda post, policy: (5.0, 10_000.0))


def gate_without(name: str) -> Callable[[Patch], None]:
    def broken(patch: Patch) -> None:
        conditions = without(name)
        patch.setattr("broker.engine.actor.plan_for", lambda *of: plan_for(*of, conditions))

    broken.__name__ = f"gate_without_{name}"
    return broken


def alert_that_outlives_its_cause(patch: Patch) -> None:
    patch.setattr(Alerts, "clear", lambda self, code, **of: None)


BROKEN = (
    handover_without_a_screen,
    handover_of_more_than_the_other_has,
    handover_after_its_time,
    handover_that_leaves_the_cover,
    transfer_without_a_proof,
    transfer_that_releases_nobody,
    transfer_that_leaves_the_newcomer_out,
    both_posts_in_a_day,
    proof_from_out_of_scope,
    cover_without_a_proof,
    hold_that_goes_at_the_first_proof,
    gate_without("monitored"),
    gate_without("supervised"),
    gate_without("no_holds"),
    alert_that_outlives_its_cause,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_the_model_notices(broken: Callable[[Patch], None], monkeypatch: Patch):
    """Up to four hunts, each with a seed: what Hypothesis draws depends on every module loaded, so one may miss."""
    broken(monkeypatch)
    hunt = settings(EXAMPLES, phases=[Phase.generate], max_examples=200, database=None)
    for number in range(4):
        try:
            run_state_machine_as_test(seed(number)(type("Broken", (PostsModel,), {})), settings=hunt)
        except (AssertionError, ExceptionGroup):
            return
    pytest.fail(f"the model does not notice {broken.__name__}")
