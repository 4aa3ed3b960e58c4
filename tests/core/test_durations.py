"""Durations are read as ISO 8601 writes them, in whole seconds of days of 24 hours, and said as people say them."""

from __future__ import annotations

import pytest

from journey import durations
from journey.errors import BadInput


@pytest.mark.parametrize(
    ("written", "seconds"), [("P1D", 86_400), ("P2W", 1_209_600), ("PT36H", 129_600), ("P1DT12H", 129_600), ("PT1M30S", 90)]
)
def test_a_duration_has_a_length_in_seconds(written: str, seconds: int) -> None:
    assert durations.seconds(written) == durations.if_any(written) == seconds


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("P1M", "write days"),
        ("P1Y", "write days"),
        ("1 day", "write P"),
        ("P1DT", "write P"),
        ("p1d", "write P"),
        ("PT0S", "no time at all"),
    ],
)
def test_what_is_no_duration_is_refused_with_what_to_write(written: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        durations.seconds(written)
    assert durations.if_any(written) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [("P1D", "1 day"), ("PT36H", "1 day 12 hours"), ("P1W", "7 days"), ("PT1M30S", "1 minute 30 seconds"), ("P1M", "P1M"), ("", "?")],
)
def test_durations_are_written_as_people_say_them(written: str, said: str) -> None:
    assert durations.spoken(written) == said
