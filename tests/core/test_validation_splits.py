"""What can be wrong with a split, an example for each finding."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from journey.graph import Journey
from journey.surroundings import Surroundings
from journey.validation.judging import of_journey
from tests import builders

END = {"id": "end", "kind": "end"}


def said(*shares: dict[str, Any]) -> list[tuple[str, str]]:
    """The code and field of each finding about a split of these shares."""
    drawn = builders.journey({"id": "divide", "kind": "split", "shares": [{"next": "end"} | share for share in shares]}, END)
    return [(found.code, found.field) for found in of_journey(drawn, Surroundings()) if found.node == "divide"]


def test_shares_that_add_up_to_100_are_fine_also_with_parts_of_a_percent() -> None:
    assert said({"id": "a", "percent": 33.3}, {"id": "b", "percent": 33.3}, {"id": "c", "percent": 33.4}) == []
    assert said({"id": "most", "percent": 99.5}, {"id": "rest", "percent": 0.5}) == []


def test_split_of_one_is_no_split() -> None:
    assert said({"id": "all", "percent": 100}) == [("split_of_one", "shares")]


@pytest.mark.parametrize("percents", [(50, 49), (50, 51), (99.9,), (0.1, 0.2), ()])
def test_shares_do_not_add_up(percents: tuple[float, ...]) -> None:
    found = said(*({"id": f"s{index}", "percent": percent} for index, percent in enumerate(percents)))
    assert found == ([("shares_do_not_add_up", "shares")] if percents else [("field_missing", "shares")])


@pytest.mark.parametrize("percent", [-1, 100.5, float("inf"), float("nan")])
def test_percent_invalid(percent: float) -> None:
    assert said({"id": "a", "percent": percent}, {"id": "b", "percent": 100}) == [("percent_invalid", "shares[0].percent")]


def test_share_never_taken() -> None:
    assert said({"id": "off", "percent": 0}, {"id": "on", "percent": 100}) == [("share_never_taken", "shares[0].percent")]


def test_duplicate_id_and_reserved_id_of_shares() -> None:
    assert said({"id": "a", "percent": 50}, {"id": "a", "percent": 50}) == [("duplicate_id", "shares[1].id")]
    assert said({"id": "next", "percent": 50}, {"id": "b", "percent": 50}) == [("reserved_id", "shares[0].id")]


@pytest.mark.parametrize("percent", ["50", True, None])
def test_a_percentage_that_is_no_number_is_no_document(percent: object) -> None:
    with pytest.raises(ValidationError, match="percent"):
        Journey.model_validate({"id": "j", "nodes": [{"id": "x", "kind": "split", "shares": [{"id": "a", "percent": percent}]}]})
