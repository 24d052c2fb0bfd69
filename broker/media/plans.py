"""The plans in force: who claims each receive line, and until when; the book that the plane obeys."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.domain.plan import Media, MediaPlan, Route

KeptLine = tuple[str, Media, int]
"""A receive line: endpoint, kind, index."""

MAX_ENDED = 10_000  # calls without a route whose epoch is still remembered


@dataclass(slots=True)
class Obeyed:
    """The last plan of a call."""

    epoch: int
    routes: frozenset[Route] = frozenset()


@dataclass(slots=True)
class PlanBook:
    """Every call's last plan. Where two calls claim a line, the later claim has it and the other waits."""

    _calls: dict[str, Obeyed] = field(default_factory=dict)
    _claims: dict[KeptLine, list[tuple[str, Route]]] = field(default_factory=dict)

    def take(self, plan: MediaPlan) -> tuple[frozenset[Route], frozenset[Route]] | None:
        """Note `plan`; return (routes gone, routes new), or None for a plan with a lower epoch than the last."""
        held = self._calls.pop(plan.call_id, None) or Obeyed(plan.epoch)
        self._calls[plan.call_id] = held  # the last one said is the last to be forgotten
        if plan.epoch < held.epoch:
            return None
        gone, new = held.routes - plan.routes, plan.routes - held.routes
        held.epoch, held.routes = plan.epoch, plan.routes
        for route in gone:
            claims = self._claims[_line(route)]
            claims.remove((plan.call_id, route))
            if not claims:
                del self._claims[_line(route)]
        for route in sorted(new):
            self._claims.setdefault(_line(route), []).append((plan.call_id, route))
        self._forget()
        return gone, new

    def _forget(self) -> None:
        if len(self._calls) > MAX_ENDED:
            ended = next((call for call, held in self._calls.items() if not held.routes), None)
            if ended is not None:
                del self._calls[ended]

    def holder(self, line: KeptLine) -> tuple[str, Route] | None:
        """Return (call, route) of the claim that has `line`."""
        claims = self._claims.get(line)
        return claims[-1] if claims else None

    def lines_of(self, endpoint: str) -> list[KeptLine]:
        """Return the claimed lines that `endpoint` receives on or is the source of."""
        return [
            line
            for line, claims in self._claims.items()
            if line[0] == endpoint or any(route.source == endpoint for _, route in claims)
        ]

    def routes(self, call_id: str) -> frozenset[Route]:
        """Return the routes of the call's last plan."""
        held = self._calls.get(call_id)
        return held.routes if held else frozenset()


def _line(route: Route) -> KeptLine:
    return route.sink, route.kind, route.line


def lines(routes: frozenset[Route]) -> list[KeptLine]:
    """Return the lines of `routes`, in order."""
    return sorted({_line(route) for route in routes})
