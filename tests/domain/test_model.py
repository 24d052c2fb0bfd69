"""The model's promises: no order of events breaks an invariant, and with everybody there a call comes to media."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from broker.domain.call import Phase as CallPhase
from broker.domain.codes import HoldKind
from tests.domain.model import EXAMPLES, CallModel
from tests.domain.support import Scene

pytestmark = pytest.mark.model


@pytest.mark.timeout(300)
@pytest.mark.feature("F34")
@pytest.mark.feature("F52")
@pytest.mark.feature("F53")
def test_no_order_of_events_breaks_an_invariant():
    run_state_machine_as_test(CallModel, settings=EXAMPLES)


@pytest.mark.timeout(300)
@pytest.mark.feature("F20")
def test_with_everybody_there_and_no_hold_a_call_comes_to_media():
    """I22: the gate is not shut for ever. From any state that is not over, good conditions lead to media."""

    class Progress(CallModel):
        def teardown(self) -> None:
            scene = getattr(self, "scene", None)
            if scene is None or self.ended_at is not None or self.mixed or self.barred or self.left:
                return
            self.proofs_again()
            if scene.call.phase is not CallPhase.ENDED and not _human_holds(scene):
                assert scene.crosses or scene.now >= scene.call.ends_at, (scene.call.phase, scene.call.holds)

        def proofs_again(self) -> None:
            scene = self.scene
            scene.lease_until = scene.now + timedelta(hours=1)
            if scene.now < self.first.starts_at:
                scene.now = self.first.starts_at
            for number in range(len(self.first.legs)):
                self._all_steps(number)
            for _ in range(5):
                scene.now += timedelta(seconds=1)
                self.prove_both()

    def _human_holds(scene: Scene) -> bool:
        return any(
            hold.kind in (HoldKind.SECURITY, HoldKind.TECHNICAL, HoldKind.RECOVERED) for hold in scene.call.holds
        )

    run_state_machine_as_test(Progress, settings=settings(EXAMPLES, max_examples=300))
