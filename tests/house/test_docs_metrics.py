"""docs/metrics.md has every metric there is with its type and its labels, and none that is not."""

from __future__ import annotations

import re

import prometheus_client
from prometheus_client.metrics import MetricWrapperBase

import activities.metrics
import api.metrics
import store.metrics
import workflows.metrics
from store import numbers
from store.numbers import Held
from tests.house.source import text

MEASURING = (store.metrics, activities.metrics, workflows.metrics, api.metrics)
HELD = Held({("j", "j@1"): 1}, 0, 0, 0, {("email", "sent"): 1}, {("j", "j@1", "n", "sent", "email"): 1}, {("j", "j@1"): 1})

Described = dict[str, tuple[str, tuple[str, ...]]]


def described() -> Described:
    rows = re.findall(r"^\| `(sojourn_\w+)` \| (\w+) \|([^|]*)\|", text("docs/metrics.md"), re.MULTILINE)
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def written(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def measured() -> Described:
    """The measures of every package, and the numbers that the store holds."""
    found: Described = {}
    for module in MEASURING:
        for one in vars(module).values():
            if isinstance(one, MetricWrapperBase):
                (family,) = one.describe()
                found[written(family.name, family.type)] = family.type, tuple(one._labelnames)
    for family in numbers.families(HELD):
        labels = family.samples[0].labels if family.samples else {}
        found[written(family.name, family.type)] = family.type, tuple(labels)
    return found


def test_every_metric_is_described_with_its_type_and_labels_and_nothing_else_is() -> None:
    assert described() == measured()


def test_every_measure_that_is_exposed_is_one_of_these() -> None:
    exposed = {written(family.name, family.type) for family in prometheus_client.REGISTRY.collect() if family.name.startswith("sojourn_")}
    assert exposed <= measured().keys()


def test_a_metric_is_named_as_prometheus_names_them_and_explains_itself() -> None:
    for module in MEASURING:
        for one in vars(module).values():
            if isinstance(one, MetricWrapperBase):
                (family,) = one.describe()
                assert family.documentation.endswith("."), family.name
                if family.type == "histogram":
                    assert family.name.endswith(("_seconds", "_members")), family.name
