"""What the store measures of itself while it works. Each process has measures of its own: add them up. No label ever names a person."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection
from typing import Literal

import prometheus_client

_log = logging.getLogger("sojourn.store")
_COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

COMMIT_SECONDS = prometheus_client.Histogram(
    "sojourn_database_commit_seconds", "A grouped commit, from its begin until it is durable.", buckets=_COMMIT_BUCKETS
)
COMMIT_MEMBERS = prometheus_client.Histogram(
    "sojourn_database_commit_members", "Units of work that went into one commit together.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
WRITE_WAIT_SECONDS = prometheus_client.Histogram(
    "sojourn_database_write_wait_seconds", "How long a unit of work waited until the commit began that took it.", buckets=_COMMIT_BUCKETS
)
FAILED_COMMITS = prometheus_client.Counter("sojourn_database_commits_failed", "Commits that failed as a whole: nothing of them stays.")
EVENTS = prometheus_client.Counter(
    "sojourn_events_accepted", "Events and reactions accepted, by what became of them: decided, kept, discarded, duplicate.", ["verdict"]
)
DISCARDS = prometheus_client.Counter("sojourn_discards", "What had no effect, by the code of its discard.", ["code"])

PARKED = prometheus_client.Counter("sojourn_entrants_parked", "People parked at an error, by the code of the error.", ["reason"])

Noted = tuple[Literal["event", "discard", "parked"], str]
"""What a unit of work has counted: `event` and its verdict, `discard` and its code, or `parked` and the code of the error."""
_COUNTERS = {"event": EVENTS, "discard": DISCARDS, "parked": PARKED}


def check(noted: Counter[Noted]) -> None:
    """Raises KeyError when something was noted that nobody counts, which is a fault of ours."""
    for what, _ in noted:
        _COUNTERS[what]


def committed(began: float, members: Collection[tuple[float, Counter[Noted]]]) -> None:
    """Measure a commit that is durable now. Of each member since when it waited, and what it noted; instants of time.perf_counter."""
    if not members:
        return
    COMMIT_SECONDS.observe(time.perf_counter() - began)
    COMMIT_MEMBERS.observe(len(members))
    for since, noted in members:
        WRITE_WAIT_SECONDS.observe(began - since)
        for (what, which), times in noted.items():
            try:
                _COUNTERS[what].labels(which).inc(times)
            except ValueError:  # a fault of ours, and none of those whose commit stands
                _log.exception("%s %s cannot be counted %s times", what, which, times)
