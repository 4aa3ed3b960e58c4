"""When a journey starts and ends, as its document says it and as the clocks of its zone show it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from journey import dates
from journey.errors import BadInput
from tests import builders

ZONE = "America/New_York"


def utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-12-01T09:30", ZONE, "2026-12-01T14:30:00"),
        ("2026-07-01T09:30:15", ZONE, "2026-07-01T13:30:15"),
        ("2026-12-01", ZONE, "2026-12-01T05:00:00"),
        ("2026-12-01T09:30Z", ZONE, "2026-12-01T09:30:00"),
        ("2026-12-01T09:30+02:00", ZONE, "2026-12-01T07:30:00"),
        ("2026-03-08T02:30", ZONE, "2026-03-08T07:00:00"),  # left out: the moment of the jump
        ("2026-11-01T01:30", ZONE, "2026-11-01T05:30:00"),  # comes twice: the first
        ("2026-12-01T09:30", "UTC", "2026-12-01T09:30:00"),
        ("2026-12-01T09:30", "Asia/Kolkata", "2026-12-01T04:00:00"),
    ],
)
def test_a_date_is_an_instant_of_its_zone(text: str, zone: str, expected: str) -> None:
    assert utc(dates.instant(text, zone)) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "2026-12-01T25:00", "09:30", "20261201", "0001-01-01"])
def test_what_is_no_date_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="is no date: write one as") as refused:
        dates.instant(text, ZONE)
    assert refused.value.code == "date_invalid"


def test_an_unknown_zone_is_refused_too() -> None:
    with pytest.raises(BadInput, match="no time zone"):
        dates.instant("2026-12-01", "Mars/Olympus")


def test_a_journey_without_dates_opens_at_once_and_never_ends() -> None:
    journey = builders.use_case_journey()
    assert (dates.opens(journey), dates.ends(journey)) == (None, None)
    dated = builders.use_case_journey(start="2026-12-01", end="2026-12-24T18:00")
    assert (utc(dates.opens(dated) or 0), utc(dates.ends(dated) or 0)) == ("2026-12-01T05:00:00", "2026-12-24T23:00:00")
    assert dates.told(dates.opens(dated) or 0) == "2026-12-01 05:00 UTC"
