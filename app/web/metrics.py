"""Figures for the operator's monitoring, at /metrics in the Prometheus text format.

What the requests cost is counted in the process; with several web processes the operator sets
PROMETHEUS_MULTIPROC_DIR, and prometheus-client adds their files up. Everything else is asked of the
database when it is read, so it is right whichever process answers.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from flask import Blueprint, Flask, Response, g, make_response, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.domain.errors import AccessDenied
from app.queries.vitals import Vitals, vitals
from app.settings import process_environ
from app.web.edge import platform, public
from templates_lib.compose import Picture, watchers

bp = Blueprint("metrics", __name__)

_REQUESTS: Final = Histogram(
    "imprimatur_request_seconds",
    "Time from the first line of a request to its answer, by rule.",
    ("method", "rule", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=None,
)
_PICTURES: Final = Counter(
    "imprimatur_pages_drawn",
    "Pages drawn by this process: by design, by the way their ink came onto the page, and why.",
    ("design", "way", "reason"),
    registry=None,
)
_PROXY_MARKS: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def register_metrics(app: Flask) -> None:
    """Count every request by its rule: addresses hold codes and tokens, and do not belong here."""
    if _count_picture not in watchers:
        watchers.append(_count_picture)

    @app.after_request
    def _observe(response: Response) -> Response:
        if request.endpoint != "static" and "began" in g:
            _REQUESTS.labels(
                request.method if request.url_rule else "-",
                str(request.url_rule or "-"),
                str(response.status_code),
            ).observe(time.perf_counter() - g.began)
        return response


def _count_picture(design: str, picture: Picture) -> None:
    _PICTURES.labels(design, picture.way.value, picture.reason).inc()


@bp.get("/metrics")
@public
def show_metrics() -> ResponseReturnValue:
    """Only for the monitoring: by its token, or from this machine itself where none is set."""
    if not _is_monitoring():
        raise AccessDenied(permission="metrics")
    with platform().sessions() as session:
        state = vitals(session, at=platform().clock.now())
    registry = CollectorRegistry(auto_describe=False)
    if process_environ().get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_REQUESTS)
        registry.register(_PICTURES)
    registry.register(_VitalsCollector(state))
    response = make_response(generate_latest(registry))
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_monitoring() -> bool:
    token = platform().settings.web.metrics_token
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # a proxy of ours that we were not told about would make everybody look local
    if any(name in request.headers for name in _PROXY_MARKS):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class _VitalsCollector(Collector):
    def __init__(self, state: Vitals) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        state = self._state
        events = GaugeMetricFamily(
            "imprimatur_events_today",
            "What happened on links today, by kind and by who did it.",
            labels=("kind", "hit_class"),
        )
        for (kind, hit_class), count in sorted(state.events_today.items()):
            events.add_metric((kind.value, hit_class.value), count)
        yield events
        checks = CounterMetricFamily(
            "imprimatur_checks", "Completed compliance checks, by verdict.", labels=("verdict",)
        )
        for verdict, count in sorted(state.checks_completed.items()):
            checks.add_metric((verdict,), count)
        yield checks
        yield CounterMetricFamily("imprimatur_renditions", "Pictures drawn and kept.", value=state.renditions)
        for name, meaning, value in (
            ("imprimatur_checks_waiting", "Compliance checks not completed yet.", state.checks_waiting),
            (
                "imprimatur_check_oldest_wait_seconds",
                "How long the oldest waiting check has waited.",
                state.oldest_check_waits_s,
            ),
            ("imprimatur_reviews_open", "Reviews that wait for a person.", state.reviews_open),
            ("imprimatur_publications_live", "Publications that are public now.", state.publications_live),
        ):
            yield GaugeMetricFamily(name, meaning, value=value)
