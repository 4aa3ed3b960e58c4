"""One failing example for each thing that can be wrong with a jump."""

from __future__ import annotations

from typing import Any

import pytest

from journey.findings import Finding
from journey.graph import Journey
from journey.surroundings import Surroundings
from journey.validation.jumps import check
from tests.carts import END, ENTRY


def journey(name: str, *to: str, **changed: Any) -> Journey:
    """A journey that begins with an event and jumps to these."""
    jumps = [{"id": f"jump-{number}", "kind": "jump", "journey": target, "next": "end"} for number, target in enumerate(to)]
    nodes = [{**ENTRY, "next": jumps[0]["id"] if jumps else "end"}, *jumps, END]
    return Journey.model_validate({"id": name, "namespace": "customer_id", "nodes": nodes} | changed)


def said(judged: Journey, *others: Journey, not_live: str = "") -> list[Finding]:
    around = Surroundings(journeys={one.id: one for one in others}, not_live=frozenset({not_live}))
    return list(check(judged, around))


def test_a_jump_into_a_journey_that_begins_with_an_event() -> None:
    assert said(journey("a", "b"), journey("b")) == []
    assert said(journey("a", "b"), journey("b", "c"), journey("c")) == []


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("unknown_journey", journey("c")),
        ("jump_not_by_event", journey("b", nodes=[{"id": "read", "kind": "read_segment", "segment": "s", "next": "end"}, END])),
        ("namespace_differs", journey("b", namespace="email")),
    ],
)
def test_where_a_jump_cannot_lead(code: str, other: Journey) -> None:
    assert [(one.code, one.node, one.field, one.grade) for one in said(journey("a", "b"), other)] == [(code, "jump-0", "journey", "error")]


def test_jump_not_live() -> None:
    assert [one.code for one in said(journey("a", "b"), journey("b"), not_live="b")] == ["jump_not_live"]


def test_jump_circle() -> None:
    assert [one.code for one in said(journey("a", "a"))] == ["jump_circle"]
    (found,) = said(journey("a", "b"), journey("b", "c"), journey("c", "a"))
    assert found.code == "jump_circle"
    assert "a -> b -> c -> a" in found.sentence
