"""Without any one condition of the gate, the model fails: that it passes says something of each of them."""

from __future__ import annotations

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from broker.domain.gate import GATE
from tests.domain.model import EXAMPLES, CallModel
from tests.domain.support import without

pytestmark = pytest.mark.model


@pytest.mark.timeout(300)
@pytest.mark.feature("F37")
@pytest.mark.parametrize("name", [condition.name for condition in GATE])
def test_the_model_fails_without_any_one_condition_of_the_gate(name):
    """What Hypothesis draws depends on every module loaded, so one hunt may miss: up to four, each with a seed."""
    hunt = settings(EXAMPLES, phases=[Phase.generate], max_examples=1500, database=None)
    for number in range(4):
        mutant = seed(number)(type("Mutant", (CallModel,), {"conditions": without(name)}))
        try:
            run_state_machine_as_test(mutant, settings=hunt)
        except AssertionError:
            return
    pytest.fail(f"the model does not notice that {name} is missing")
