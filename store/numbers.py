"""The numbers that the database holds, as metrics: whichever process is asked answers alike, so one is enough. It measures nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import Connection, func, select, text

from journey.events import Instant
from journey.lifecycle import HOLDS_PEOPLE
from store import overdue, schema


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds at an instant, ready to be written out."""

    open_by_version: dict[tuple[str, str], int]  # (journey, version)
    overdue: int
    stalled: int
    runs_reading: int
    deliveries: dict[tuple[str, str], int]  # (channel, status)
    facts: dict[tuple[str, str, str, str, str], int]  # (journey, version, node, kind, channel)
    paused: dict[tuple[str, str], int] = field(default_factory=dict)  # (journey, version): people whom a pause holds


def held(connection: Connection, now: Instant) -> Held:
    """Read the numbers: counters, which are small, and two counts over partial indexes; no table of people is gone through."""
    late, stuck = overdue.counts(connection, now)
    states = {row.id: (row.journey, row.state) for row in connection.execute(_VERSIONS)}
    inside: Counter[tuple[str, str]] = Counter()
    deliveries: Counter[tuple[str, str]] = Counter()
    facts: dict[tuple[str, str, str, str, str], int] = {}
    for version, node, kind, channel, times in connection.execute(_COUNTED):
        journey, state = states[version]
        if kind == "entered" or (kind == "moved_in" and not node):
            inside[journey, version] += int(times)
        elif kind.startswith("ended.") or kind == "moved_out":
            inside[journey, version] -= int(times)
        status = kind.partition(".")[0]
        if channel and status in _STATUSES:
            deliveries[channel, status] += int(times)
        if state in HOLDS_PEOPLE:
            facts[journey, version, node, kind, channel] = int(times)
    shown = {key: count for key, count in inside.items() if count or states[key[1]][1] in HOLDS_PEOPLE}
    paused = {(states[row.version][0], row.version): row.people for row in connection.execute(_PAUSED)}
    return Held(shown, late, stuck, connection.execute(_READING).scalar_one(), dict(deliveries), facts, paused)


def families(numbers: Held) -> Iterator[Metric]:
    """The numbers as metrics."""
    inside = GaugeMetricFamily("sojourn_entrants_open", "People inside a version.", labels=["journey", "version"])
    for key, count in sorted(numbers.open_by_version.items()):
        inside.add_metric(key, count)
    yield inside
    yield GaugeMetricFamily("sojourn_entrants_overdue", "Open entrants more than a minute past the instant they are due.", numbers.overdue)
    yield GaugeMetricFamily("sojourn_entrants_stalled", "Those of them more than ten minutes past it.", numbers.stalled)
    held_up = GaugeMetricFamily("sojourn_entrants_held", "People whom a pause holds before an action.", labels=["journey", "version"])
    for key, count in sorted(numbers.paused.items()):
        held_up.add_metric(key, count)
    yield held_up
    yield GaugeMetricFamily("sojourn_runs_reading", "Runs that are reading their segment.", numbers.runs_reading)
    sent = CounterMetricFamily(
        "sojourn_deliveries", "Deliveries that are over: sent, failed, excluded, uncertain.", labels=["channel", "status"]
    )
    for (channel, status), count in sorted(numbers.deliveries.items()):
        sent.add_metric((channel, status), count)
    yield sent
    facts = CounterMetricFamily(
        "sojourn_facts", "The counters of every version that holds people.", labels=["journey", "version", "node", "kind", "channel"]
    )
    for of, count in sorted(numbers.facts.items()):
        facts.add_metric(of, count)
    yield facts


_STATUSES = frozenset({"sent", "failed", "excluded", "uncertain"})
_counters = schema.counters.c
_VERSIONS = select(schema.versions.c.id, schema.versions.c.journey, schema.versions.c.state)
_COUNTED = (
    select(_counters.version, _counters.node, _counters.kind, _counters.channel, func.sum(_counters.count))
    .where(_counters.mode == "live")
    .group_by(_counters.version, _counters.node, _counters.kind, _counters.channel)
)
_PAUSED = (
    select(schema.entrants.c.version, func.count().label("people"))
    .where(text("entrants.state = 'open' AND entrants.held <> ''"), schema.entrants.c.mode == "live")
    .group_by(schema.entrants.c.version)
)
_READING = select(func.count()).where(schema.runs.c.state == "reading")
