"""The book of plans: what comes, what goes, and who holds a line that two calls want."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.plan import Media, Route
from broker.media import plans
from tests.media.support import plan

route = st.builds(Route, st.sampled_from("ab"), st.sampled_from(list(Media)), st.sampled_from("xy"), st.integers(0, 1))
step = st.tuples(st.sampled_from(["call1", "call2", "call3"]), st.integers(0, 3), st.sets(route, max_size=4))


@settings(max_examples=50)
@given(st.lists(step, max_size=12))
def test_a_line_is_held_exactly_while_some_call_in_force_claims_it(steps: list[tuple[str, int, set[Route]]]) -> None:
    book = plans.PlanBook()
    epochs: dict[str, int] = {}
    in_force: dict[str, set[Route]] = {}
    for call, epoch, routes in steps:
        taken = book.take(plan(routes, call, epoch))
        assert (taken is None) == (epoch < epochs.get(call, 0))
        if taken is not None:
            assert taken == (
                frozenset(in_force.get(call, set()) - routes),
                frozenset(routes - in_force.get(call, set())),
            )
            epochs[call], in_force[call] = epoch, routes
        for sink in "xy":
            for kind in Media:
                for line in (0, 1):
                    wanted = {
                        (name, held)
                        for name, all_held in in_force.items()
                        for held in all_held
                        if (held.sink, held.kind, held.line) == (sink, kind, line)
                    }
                    holder = book.holder((sink, kind, line))
                    assert holder in wanted if wanted else holder is None


def test_an_ended_call_is_remembered_long_enough_to_ignore_a_stray_plan() -> None:
    book = plans.PlanBook()
    book.take(plan(set(), "ended", 5))
    for number in range(plans.MAX_ENDED - 1):
        book.take(plan(set(), f"call{number}", 1))
    assert book.take(plan({Route("a", Media.AUDIO, "b", 0)}, "ended", 4)) is None
