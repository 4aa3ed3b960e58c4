"""`/metrics`: every number of this process and of the store, for Prometheus; and the measuring of calls. It knows no resource.

No key is asked for: there are only numbers, and no label names a person.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import cache
from weakref import WeakKeyDictionary

import prometheus_client
from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activities import telemetry
from api.services import With
from store import numbers
from store.database import Database
from store.numbers import Held

router = APIRouter(tags=["service"])

FRESH_SECONDS = 5.0
"""The store is asked at most so often, however many scrape."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = prometheus_client.Counter(
    "sojourn_http_requests", "Calls of the API, by the route's template and the status of the answer.", ["method", "route", "status"]
)
REQUEST_SECONDS = prometheus_client.Histogram(
    "sojourn_http_request_seconds", "How long a call took until its answer had been sent.", ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)  # fmt: skip
STORE_READ = prometheus_client.Gauge("sojourn_store_read", "1 when the store's own numbers could be read for this answer, else 0.")


@cache  # as many as there are series: finding one takes longer than adding to it
def _series(method: str, route: str, status: int) -> tuple[prometheus_client.Counter, prometheus_client.Histogram]:
    return REQUESTS.labels(method, route, status), REQUEST_SECONDS.labels(method, route)


class Measured:
    """Middleware around all others: counts each call and how long it took."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")  # never the path itself: a person may stand in it
            calls, seconds = _series(method, route, status)
            calls.inc()
            seconds.observe(time.perf_counter() - began)


class _Read(Collector):
    def __init__(self, held: Held) -> None:
        self._held = held

    def collect(self) -> Iterator[Metric]:
        return numbers.families(self._held)


class _Cache:
    """The store's numbers, read by one caller at a time and kept for some seconds."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._read: tuple[float, Held] | None = None

    async def held(self, database: Database) -> Held:
        async with self._lock:
            if self._read is None or time.monotonic() - self._read[0] > FRESH_SECONDS:
                read = await database.read(lambda connection: numbers.held(connection, database.clock.now()))
                self._read = time.monotonic(), read
            return self._read[1]


_caches: WeakKeyDictionary[Database, _Cache] = WeakKeyDictionary()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def show(services: With) -> Response:
    """The numbers of this process and of the store, as Prometheus reads them. docs/metrics.md says what each means."""
    registries = []
    try:
        held = await _caches.setdefault(services.database, _Cache()).held(services.database)
        registry = CollectorRegistry()
        registry.register(_Read(held))
        registries.append(registry)
        STORE_READ.set(1)
    except Exception:  # a database that is away is what the others of these numbers are then looked at for
        STORE_READ.set(0)
    return Response(await asyncio.to_thread(telemetry.exposition, *registries), media_type=telemetry.CONTENT_TYPE)
