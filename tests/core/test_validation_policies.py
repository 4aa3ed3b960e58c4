"""One failing example for each thing that can be wrong with policies, and some that have nothing wrong."""

from __future__ import annotations

from typing import Any

import pytest

from journey.policies import Policies
from journey.validation.policies import of_policies

CAP: dict[str, Any] = {"id": "weekly", "channels": ["email", "push"], "most": 3, "within": "P7D", "then": "retry", "retry_for": "P2D"}
QUIET: dict[str, Any] = {"channels": "all", "from": "21:00", "to": "08:00", "zone": "America/New_York", "longest": "P1D"}


def found(**document: Any) -> list[tuple[str, str, str]]:
    """Code, grade and field of each finding."""
    return [(one.code, one.grade, one.field) for one in of_policies(Policies.model_validate(document))]


def test_good_ones_have_no_finding() -> None:
    assert found() == []
    assert found(caps=[CAP, CAP | {"id": "daily", "within": "P1D", "then": "wait", "retry_for": ""}], quiet_hours=QUIET) == []
    assert found(quiet_hours=[QUIET, QUIET | {"from": "00:00", "to": "00:00", "weekdays": ["sat", "sun"]}]) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"within": ""}, ("field_missing", "error", "caps[0].within")),
        ({"within": "P1M"}, ("duration_invalid", "error", "caps[0].within")),
        ({"retry_for": ""}, ("field_missing", "error", "caps[0].retry_for")),
        ({"retry_for": "soon"}, ("duration_invalid", "error", "caps[0].retry_for")),
        ({"then": "wait"}, ("retry_for_unused", "warning", "caps[0].retry_for")),
        ({"channels": ["email", "fax"]}, ("unknown_channel", "error", "caps[0].channels")),
        ({"channels": ["email", "email"]}, ("channel_twice", "error", "caps[0].channels")),
        ({"channels": []}, ("field_missing", "error", "caps[0].channels")),
    ],
)
def test_what_can_be_wrong_with_a_cap(changed: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert found(caps=[CAP | changed]) == [expected]


def test_two_caps_have_two_ids() -> None:
    assert found(caps=[CAP, CAP | {"most": 1}]) == [("duplicate_id", "error", "caps[1].id")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"from": ""}, ("field_missing", "error", "quiet_hours.from")),
        ({"to": "8 o'clock"}, ("time_invalid", "error", "quiet_hours.to")),
        ({"to": "24:00"}, ("time_invalid", "error", "quiet_hours.to")),
        ({"zone": "New York"}, ("timezone_unknown", "error", "quiet_hours.zone")),
        ({"channels": "pigeon"}, ("unknown_channel", "error", "quiet_hours.channels")),
        ({"longest": ""}, ("field_missing", "error", "quiet_hours.longest")),
        ({"longest": "P1Y"}, ("duration_invalid", "error", "quiet_hours.longest")),
        ({"longest": "PT10H"}, ("longest_too_short", "warning", "quiet_hours.longest")),
    ],
)
def test_what_can_be_wrong_with_quiet_hours(changed: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert found(quiet_hours=QUIET | changed) == [expected]


def test_they_must_leave_some_minute_of_the_week() -> None:
    always = ("quiet_hours_always", "error", "quiet_hours")
    assert found(quiet_hours=QUIET | {"from": "08:00", "to": "08:00"}) == [always, always]  # on either channel
    assert found(quiet_hours=[QUIET, QUIET | {"from": "08:00", "to": "21:00", "channels": "push"}]) == [always]
    assert found(quiet_hours=[QUIET, QUIET | {"from": "08:00", "to": "20:59"}]) == []
