"""What is measured while people are served: each stop on its path, and each call of a provider. No label ever names a person."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from functools import cache
from typing import Any

import prometheus_client
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from providers.port import Answer, Later, Refused, Took, Uncertain

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

STOP_SECONDS = prometheus_client.Histogram(
    "sojourn_stop_seconds",
    "A stop, by the path it took (fast, durable) and how it went: done, again (a delivery is still out), failed (a fault of ours).",
    ["path", "outcome"],
    buckets=_BUCKETS,
)
PROVIDER_SECONDS = prometheus_client.Histogram(
    "sojourn_provider_call_seconds",
    "A call of a provider, by channel and answer: took, refused, later, uncertain, broke (a fault of ours).",
    ["channel", "answer"],
    buckets=_BUCKETS,
)


RESTING = prometheus_client.Gauge(
    "sojourn_provider_resting", "1 while a provider is slow or away: its messages take the durable path, and one probe at a time asks it.",
    ["provider"],
)  # fmt: skip

_stops, _calls, _resting = cache(STOP_SECONDS.labels), cache(PROVIDER_SECONDS.labels), cache(RESTING.labels)
"""Few, and kept: finding one takes longer than adding to it."""


def rests(provider: str, resting: bool) -> None:
    """Say of a provider, which is a channel or a webhook's host, whether it is given a rest."""
    _resting(provider).set(resting)


async def timed(channel: str, call: Awaitable[Answer]) -> Answer:
    """Await a provider's answer, and measure how long it took."""
    began, answered = time.perf_counter(), "broke"
    try:
        answer = await call
        answered = _named(answer)
        return answer
    finally:
        _calls(channel, answered).observe(time.perf_counter() - began)


def _named(answer: Answer) -> str:
    match answer:
        case Took():
            return "took"
        case Refused():
            return "refused"
        case Uncertain():
            return "uncertain"
        case Later():
            return "later"


class Measuring(Interceptor):
    """For the worker: measures its activities from outside; workflows are none of its business."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _MeasuredActivity(next)


class _MeasuredActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.activity_type != "stop":
            return await self.next.execute_activity(input)
        began, outcome = time.perf_counter(), "failed"
        try:
            result = await self.next.execute_activity(input)
            outcome = "done"
            return result
        except ApplicationError as error:
            outcome = "again" if error.category == ApplicationErrorCategory.BENIGN else "failed"
            raise
        finally:
            _stops("fast" if info.is_local else "durable", outcome).observe(time.perf_counter() - began)
