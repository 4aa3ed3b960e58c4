"""What can be wrong with a wait until something, an example for each finding."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from journey.graph import Journey
from journey.profiles import Attribute
from journey.surroundings import Surroundings
from journey.validation.judging import of_journey
from tests import builders

END = {"id": "end", "kind": "end"}
ATTRIBUTES = {
    "renewal_date": Attribute(type="datetime"), "birthday": Attribute(type="string"), "birth_year": Attribute(type="integer"),
    "timezone": Attribute(type="string"),
}  # fmt: skip


def said(wait: dict[str, Any], attributes: dict[str, Attribute] | None = None) -> list[tuple[str, str]]:
    """The code and field of each finding about a wait."""
    drawn = builders.journey({"id": "pause", "kind": "wait", "next": "end"} | wait, END)
    around = Surroundings(attributes=ATTRIBUTES if attributes is None else attributes)
    return [(found.code, found.field) for found in of_journey(drawn, around) if found.node == "pause"]


@pytest.mark.parametrize(
    "until",
    [
        "2026-12-01T09:00", "2026-12-01", {"at": "2026-12-01T09:00+01:00", "spread": "PT30M"}, {"at": "2027-01-01", "zone": "profile"},
        {"field": "profile.renewal_date"}, {"field": "birthday"}, {"field": "event.starts_at", "spread": "P1D"},
        {"hours": "09:00-17:00"}, {"hours": "22:00-06:00", "weekdays": ["mon..fri", "sun"], "zone": "profile", "spread": "PT8H"},
        {"weekdays": ["sat", "sun"]}, {"field": "birthday", "before": "P365D"}, {"field": "birthday", "after": "PT2H"},
    ],
)  # fmt: skip
def test_what_a_wait_can_wait_until(until: Any) -> None:
    assert said({"until": until}) == []
    assert said({"until": until, "timeout": {"after": "P7D", "next": "end"}}) == []


@pytest.mark.parametrize("until", ["tomorrow", "2026-02-30", "09:00", {"at": "2026-12-01T9:00"}])
def test_time_invalid(until: Any) -> None:
    assert said({"until": until}) == [("time_invalid", "until" if isinstance(until, str) else "until.at")]


@pytest.mark.parametrize("hours", ["9-17", "09:00-09:00", "25:00-26:00"])
def test_hours_invalid(hours: str) -> None:
    assert said({"until": {"hours": hours}}) == [("hours_invalid", "until.hours")]


def test_wait_ambiguous() -> None:
    assert said({"for": "P1D", "until": "2026-12-01"}) == [("wait_ambiguous", "until")]


def test_wait_ambiguous_and_duration_invalid_of_what_lies_before_or_after_a_field() -> None:
    assert said({"until": {"field": "birthday", "before": "P1D", "after": "P2D"}}) == [("wait_ambiguous", "until.after")]
    assert said({"until": {"field": "birthday", "before": "a week"}}) == [("duration_invalid", "until.before")]


def test_timeout_on_duration() -> None:
    assert said({"for": "P1D", "timeout": {"after": "P2D"}}) == [("timeout_on_duration", "timeout")]


def test_spread_too_long_for_its_window() -> None:
    assert said({"until": {"hours": "09:00-10:00", "spread": "PT61M"}}) == [("spread_too_long", "until.spread")]
    assert said({"until": {"hours": "23:00-01:00", "spread": "PT2H"}}) == []


def test_duration_invalid_and_duration_too_long_of_spread_and_timeout() -> None:
    assert said({"until": {"field": "birthday", "spread": "an hour"}}) == [("duration_invalid", "until.spread")]
    assert said({"until": {"field": "birthday", "spread": "P92D"}}) == [("duration_too_long", "until.spread")]
    assert said({"until": "2026-12-01", "timeout": {"after": "P92D"}}) == [("duration_too_long", "timeout.after")]


@pytest.mark.parametrize(
    ("until", "field"), [({"at": ""}, "until.at"), ({"zone": "profile"}, "until.at"), ({"field": ""}, "until.field"), ("", "until")]
)  # fmt: skip
def test_field_missing(until: Any, field: str) -> None:
    assert said({"until": until}) == [("field_missing", field)]


def test_field_missing_in_a_timeout_without_a_length() -> None:
    assert said({"until": "2026-12-01", "timeout": {"next": "end"}}) == [("field_missing", "timeout.after")]


def test_field_invalid() -> None:
    assert ("field_invalid", "until.field") in said({"until": {"field": "renewal date"}})


def test_attribute_type_and_undeclared_attribute_of_a_field() -> None:
    assert said({"until": {"field": "profile.birth_year"}}) == [("attribute_type", "until.field")]
    assert said({"until": {"field": "renewal"}}) == [("undeclared_attribute", "until.field")]


def test_attribute_type_and_undeclared_attribute_of_the_persons_zone() -> None:
    assert said({"until": {"hours": "09:00-17:00", "zone": "profile"}}, {}) == [("undeclared_attribute", "until.zone")]
    numbered = {"timezone": Attribute(type="integer")}
    assert said({"until": {"hours": "09:00-17:00", "zone": "profile"}}, numbered) == [("attribute_type", "until.zone")]


def test_two_timeouts_in_a_gate_with_a_wait_until_something() -> None:
    bought = {"id": "bought", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}}
    pause = {"id": "pause", "kind": "wait", "until": "2026-12-01", "next": "end", "timeout": {"after": "P2D"}}
    drawn = builders.journey(bought, pause, END, entry=["bought", "pause"])
    assert ("two_timeouts", "pause") in [(found.code, found.node) for found in of_journey(drawn, Surroundings())]


@pytest.mark.parametrize(
    "until", [5, True, [], {"at": 5}, {"when": "2026-12-01"}, {"weekdays": ["monday"]}, {"weekdays": "mon"}, {"hours": "", "zone": "shop"},
              {"at": "2026-12-01", "hours": "09:00-10:00"}],
)  # fmt: skip
def test_what_is_no_until_is_no_document(until: Any) -> None:
    with pytest.raises(ValidationError, match="until"):
        Journey.model_validate({"id": "j", "nodes": [{"id": "x", "kind": "wait", "until": until}]})
