"""Health: that the process lives, that its node owns its calls, and what its relay counted."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from broker.domain.call import Phase
from broker.edge.routes import ANY, Route
from broker.edge.services import Services, services
from broker.edge.ws import HUB, VIOLATIONS


async def alive(request: web.Request) -> web.Response:
    """GET /healthz: the loop turns."""
    return web.Response(text="ok")


async def ready(request: web.Request) -> web.Response:
    """GET /readyz: this node's lease on its calls is valid and its relay stands, so media may flow through it."""
    found = services(request)
    until = found.engine.presence.lease_until
    leased = until is not None and until > found.clock.now()
    if request.app[HUB].closing or not leased or not found.engine.media.homes_up:
        return web.Response(text="not ready", status=503)
    return web.Response(text="ok")


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics, for a collector on this machine alone."""
    if not _is_local(request):
        raise web.HTTPNotFound
    registry = CollectorRegistry()
    registry.register(_Counts(request.app, services(request)))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4"})


def _is_local(request: web.Request) -> bool:
    try:
        return ip_address(request.remote or "").is_loopback and "X-Forwarded-For" not in request.headers
    except ValueError:
        return False


class _Counts(Collector):
    """What is counted, read at the moment of asking."""

    def __init__(self, app: web.Application, found: Services) -> None:
        self._app = app
        self._services = found

    def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily]:
        """Return totals and levels; no name, number or address of anybody is among them."""
        engine, denials = self._services.engine, self._services.access.denials
        phases = dict.fromkeys((phase.value for phase in Phase), 0)
        held = 0
        for entry in engine.registry:
            phases[entry.actor.call.phase.value] += 1
            held += bool(entry.actor.call.holds)
        calls = GaugeMetricFamily("broker_calls", "Open calls by phase", labels=["phase"])
        for phase, count in phases.items():
            calls.add_metric([phase], count)
        posts = GaugeMetricFamily("broker_posts", "Posts that somebody holds", labels=["post"])
        for post in ("monitor", "supervisor"):
            posts.add_metric([post], sum(holder.post.value == post for holder in engine.presence.holders))
        return [
            calls,
            GaugeMetricFamily("broker_calls_held", "Calls under at least one hold", value=held),
            posts,
            GaugeMetricFamily("broker_sockets", "Open sockets", value=len(self._app[HUB])),
            GaugeMetricFamily(
                "broker_record_behind", "1 while events wait in the journal", value=engine.recorder.behind
            ),
            GaugeMetricFamily("broker_relay_homes", "Relay processes", value=engine.media.homes),
            GaugeMetricFamily("broker_relay_homes_up", "Relay processes that carry", value=engine.media.homes_up),
            _totals("broker_relay", "What the relay counted", "what", engine.media.counters()),
            _totals("broker_refused_strangers", "Refusals to strangers", "why", denials.strangers),
            _totals("broker_protocol_violations", "Sockets closed for a violation", "code", self._app[VIOLATIONS]),
        ]


def _totals(name: str, about: str, label: str, counts: object) -> CounterMetricFamily:
    family = CounterMetricFamily(name, about, labels=[label])
    for key, value in dict(counts).items():  # type: ignore[call-overload]
        family.add_metric([key], value)
    return family


ROUTES: Final = (
    Route("GET", "/healthz", alive, "health.read", ANY, any_host=True),
    Route("GET", "/readyz", ready, "health.read", ANY, any_host=True),
    Route("GET", "/metrics", metrics, "health.read", ANY, any_host=True),
)
