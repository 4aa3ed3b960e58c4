"""When a schedule happens: calendars, and the days on which clocks are set. Each time has its local name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies
from pydantic import TypeAdapter

from journey import occurrences, schedule_words
from journey.errors import BadInput
from journey.events import Instant
from journey.schedule import Schedule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NINE = {"at": "09:00"}


def of(kind: str, **fields: Any) -> Schedule:
    made: Schedule = TypeAdapter(Schedule).validate_python({"kind": kind} | {name.rstrip("_"): value for name, value in fields.items()})
    return made


def at(utc: str) -> Instant:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1_000_000


def told(schedule: Schedule, timezone: str, after: str, most: int = 3) -> list[str]:
    """Local name and UTC of the next ones after an instant in UTC."""
    found = occurrences.upcoming(schedule, timezone, at(after), most)
    return [f"{one.local} {datetime.fromtimestamp(one.at / 1_000_000, UTC):%Y-%m-%dT%H:%MZ}" for one in found]


def names(schedule: Schedule, after: str = "2026-01-01T00:00", most: int = 4, timezone: str = "UTC") -> list[str]:
    return [line.split()[0] for line in told(schedule, timezone, after, most)]


# ---- calendars -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (of("once", at="2026-12-24T09:00"), ["2026-12-24T09:00"]),
        (of("once", at="2025-12-24T09:00"), []),
        (of("daily", at="09:00"), ["2026-01-01T09:00", "2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]),
        (of("daily", at="00:00"), ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00", "2026-01-05T00:00"]),
        (
            of("daily", at="09:00", every=10, from_="2025-12-30"),
            ["2026-01-09T09:00", "2026-01-19T09:00", "2026-01-29T09:00", "2026-02-08T09:00"],
        ),
        (
            of("daily", at="09:00", every=10, from_="2026-02-01"),
            ["2026-02-01T09:00", "2026-02-11T09:00", "2026-02-21T09:00", "2026-03-03T09:00"],
        ),
        (
            of("daily", at="09:00", from_="2026-01-01T10:00"),
            ["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00", "2026-01-05T09:00"],
        ),
        (of("daily", at="09:00", until="2026-01-02"), ["2026-01-01T09:00", "2026-01-02T09:00"]),
        (of("daily", at="09:00", until="2026-01-02T08:59"), ["2026-01-01T09:00"]),
        (of("daily", at="09:00", until="2026-01-02T09:00"), ["2026-01-01T09:00", "2026-01-02T09:00"]),
        (
            of("weekly", days=["fri", "mon"], at="09:00"),
            ["2026-01-02T09:00", "2026-01-05T09:00", "2026-01-09T09:00", "2026-01-12T09:00"],
        ),
        (
            of("weekly", days=["mon", "sun"], at="09:00", every=2, from_="2026-01-07"),  # a Wednesday: its own week counts
            ["2026-01-11T09:00", "2026-01-19T09:00", "2026-01-25T09:00", "2026-02-02T09:00"],
        ),
        (
            of("weekly", days=["mon"], at="09:00", every=2, from_="2025-06-02"),
            ["2026-01-12T09:00", "2026-01-26T09:00", "2026-02-09T09:00", "2026-02-23T09:00"],
        ),
        (of("monthly", days=[1, 15, "last"], at="09:00"), ["2026-01-01T09:00", "2026-01-15T09:00", "2026-01-31T09:00", "2026-02-01T09:00"]),
        (of("monthly", days=[31], at="09:00"), ["2026-01-31T09:00", "2026-03-31T09:00", "2026-05-31T09:00", "2026-07-31T09:00"]),
        (of("monthly", days=[31, "last"], at="09:00"), ["2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T09:00", "2026-04-30T09:00"]),
        (of("monthly", days=[29], at="09:00", from_="2027-02-01", until="2027-03-01"), []),
        (of("cron", expression="30 9 * * mon-fri"), ["2026-01-01T09:30", "2026-01-02T09:30", "2026-01-05T09:30", "2026-01-06T09:30"]),
        (of("cron", expression="0 0 29 2 *"), ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00", "2040-02-29T00:00"]),
        (of("cron", expression="0 0 29 2 *", until="2027-12-31"), []),
        (of("cron", expression="0 12 L * *", until="2026-02-28"), ["2026-01-31T12:00", "2026-02-28T12:00"]),
        (
            of("cron", expression="0 9 1 * *", from_="2026-06-01"),
            ["2026-06-01T09:00", "2026-07-01T09:00", "2026-08-01T09:00", "2026-09-01T09:00"],
        ),
    ],
)  # fmt: skip
def test_calendars(schedule: Schedule, expected: list[str]) -> None:
    assert names(schedule) == expected


def test_an_occurrence_at_the_very_instant_is_not_after_it() -> None:
    assert names(of("daily", at="09:00"), "2026-01-01T09:00", 1) == ["2026-01-02T09:00"]
    assert names(of("daily", at="09:00"), "2026-01-01T08:59", 1) == ["2026-01-01T09:00"]


# ---- days on which clocks are set ------------------------------------------------------------------------------------------------


@pytest.mark.complaint(19)
@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00. What is skipped happens as the clocks jump, under its own name.
        (
            of("daily", at="02:30"), BERLIN, "2026-03-28T00:00",
            ["2026-03-28T02:30 2026-03-28T01:30Z", "2026-03-29T02:30 2026-03-29T01:00Z", "2026-03-30T02:30 2026-03-30T00:30Z"],
        ),
        (
            of("daily", at="02:00"), BERLIN, "2026-03-28T02:00",
            ["2026-03-29T02:00 2026-03-29T01:00Z", "2026-03-30T02:00 2026-03-30T00:00Z", "2026-03-31T02:00 2026-03-31T00:00Z"],
        ),
        (
            of("daily", at="03:00"), BERLIN, "2026-03-28T03:00",
            ["2026-03-29T03:00 2026-03-29T01:00Z", "2026-03-30T03:00 2026-03-30T01:00Z", "2026-03-31T03:00 2026-03-31T01:00Z"],
        ),
        # Several that are skipped come to one instant, and are one.
        (
            of("cron", expression="*/20 1-3 * * *"), BERLIN, "2026-03-29T00:30",
            ["2026-03-29T01:40 2026-03-29T00:40Z", "2026-03-29T03:00 2026-03-29T01:00Z", "2026-03-29T03:20 2026-03-29T01:20Z"],
        ),
        (
            of("cron", expression="15,45 2 * * *"), BERLIN, "2026-03-28T12:00",
            ["2026-03-29T02:45 2026-03-29T01:00Z", "2026-03-30T02:15 2026-03-30T00:15Z", "2026-03-30T02:45 2026-03-30T00:45Z"],
        ),
        # Berlin, 25 October 2026: 03:00 becomes 02:00. What is shown twice happens the first time.
        (
            of("daily", at="02:30"), BERLIN, "2026-10-24T12:00",
            ["2026-10-25T02:30 2026-10-25T00:30Z", "2026-10-26T02:30 2026-10-26T01:30Z", "2026-10-27T02:30 2026-10-27T01:30Z"],
        ),
        (
            of("daily", at="02:30"), BERLIN, "2026-10-25T00:30",  # between the two
            ["2026-10-26T02:30 2026-10-26T01:30Z", "2026-10-27T02:30 2026-10-27T01:30Z", "2026-10-28T02:30 2026-10-28T01:30Z"],
        ),
        (
            of("cron", expression="0,30 * * * *"), BERLIN, "2026-10-24T23:59",
            ["2026-10-25T02:00 2026-10-25T00:00Z", "2026-10-25T02:30 2026-10-25T00:30Z", "2026-10-25T03:00 2026-10-25T02:00Z"],
        ),
        # New York, 8 March and 1 November 2026.
        (
            of("weekly", days=["sun"], at="02:15"), NEW_YORK, "2026-03-02T00:00",
            ["2026-03-08T02:15 2026-03-08T07:00Z", "2026-03-15T02:15 2026-03-15T06:15Z", "2026-03-22T02:15 2026-03-22T06:15Z"],
        ),
        (
            of("monthly", days=[1], at="01:30"), NEW_YORK, "2026-10-02T00:00",
            ["2026-11-01T01:30 2026-11-01T05:30Z", "2026-12-01T01:30 2026-12-01T06:30Z", "2027-01-01T01:30 2027-01-01T06:30Z"],
        ),
        (of("once", at="2026-03-29T02:30"), BERLIN, "2026-01-01T00:00", ["2026-03-29T02:30 2026-03-29T01:00Z"]),
        # Lord Howe Island sets its clocks by half an hour, on 4 October 2026 and 5 April 2026.
        (
            of("daily", at="02:15"), "Australia/Lord_Howe", "2026-10-03T00:00",
            ["2026-10-04T02:15 2026-10-03T15:30Z", "2026-10-05T02:15 2026-10-04T15:15Z", "2026-10-06T02:15 2026-10-05T15:15Z"],
        ),
        # Cairo and Santiago jump at midnight: a day without its first hour.
        (
            of("daily", at="00:00"), "Africa/Cairo", "2026-04-22T23:00",
            ["2026-04-24T00:00 2026-04-23T22:00Z", "2026-04-25T00:00 2026-04-24T21:00Z", "2026-04-26T00:00 2026-04-25T21:00Z"],
        ),
        # Samoa left out 30 December 2011.
        (
            of("daily", at="09:00"), "Pacific/Apia", "2011-12-29T10:00",
            ["2011-12-29T09:00 2011-12-29T19:00Z", "2011-12-30T09:00 2011-12-30T10:00Z", "2011-12-31T09:00 2011-12-30T19:00Z"],
        ),
    ],
)  # fmt: skip
def test_days_on_which_clocks_are_set(schedule: Schedule, timezone: str, after: str, expected: list[str]) -> None:
    assert told(schedule, timezone, after) == expected


@given(
    timezone=strategies.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Kathmandu"]),
    hour=strategies.integers(0, 23),
    minute=strategies.sampled_from([0, 5, 30, 59]),
    day=strategies.integers(0, 500),
)
def test_a_daily_one_happens_once_for_each_day_in_order_and_never_before_its_time(timezone: str, hour: int, minute: int, day: int) -> None:
    after = at("2026-01-01T00:00") + day * 86_400_000_000
    found = occurrences.upcoming(of("daily", at=f"{hour:02}:{minute:02}"), timezone, after, 5)
    days = [datetime.fromisoformat(one.local) for one in found]
    assert [later - earlier for earlier, later in pairwise(days)] == [timedelta(days=1)] * 4
    assert sorted({one.at for one in found}) == [one.at for one in found]
    for one in found:
        shown = datetime.fromtimestamp(one.at / 1_000_000, ZoneInfo(timezone)).replace(tzinfo=None)
        assert timedelta() <= shown - datetime.fromisoformat(one.local) <= timedelta(hours=1)


@given(after=strategies.integers(0, 400 * 24 * 60), later=strategies.integers(0, 5000))
def test_what_follows_does_not_hang_on_where_one_begins_to_look(after: int, later: int) -> None:
    schedule = of("cron", expression="*/17 1-3 * * *")
    start = at("2026-01-01T00:00")
    first, second = start + after * 60_000_000, start + (after + later) * 60_000_000
    among = [one for one in occurrences.upcoming(schedule, BERLIN, first, 100) if one.at > second]
    assert list(occurrences.upcoming(schedule, BERLIN, second, len(among))) == among


# ---- what cannot be read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["9:00", "24:00", "09:60", "0900", "", "09:00:00", "nine"])
def test_no_time_of_day(text: str) -> None:
    with pytest.raises(BadInput, match="09:00"):
        occurrences.clock(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13-01T09:00", "24.12.2026", "2026-12-24 09:00", "2026-12-24T09:00Z", "1900-01-01", "3000-01-01"]
)
def test_no_date(text: str) -> None:
    with pytest.raises(BadInput, match="2026-12-24T09:00"):
        occurrences.moment(text)


@pytest.mark.parametrize("expression", ["0 9 * *", "0 9 * * * *", "61 * * * *", "0 9 32 * *", "0 9 30 2 *", "0 9 * * xyz", "@daily", ""])
def test_no_cron(expression: str) -> None:
    with pytest.raises(BadInput):
        occurrences.cron(expression)


# ---- in words --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("asap", "at once"),
        ("manual", "by hand"),
        (of("once", at="2026-12-24T09:00"), "once, at 2026-12-24T09:00"),
        (of("daily", at="09:00"), "every day at 09:00"),
        (of("daily", at="09:00", every=3, from_="2026-01-01"), "every 3 days at 09:00, from 2026-01-01"),
        (
            of("weekly", days=["mon", "fri"], at="09:00", until="2026-12-31"),
            "every week on mon and fri at 09:00, until 2026-12-31",
        ),
        (of("monthly", days=[1, 15, "last"], at="09:00"), "every month on day 1, 15 and the last at 09:00"),
        (of("monthly", days=["last"], at="02:30"), "every month on the last day at 02:30"),
        (of("cron", expression="0 9 * * *"), "by cron 0 9 * * *"),
        (of("weekly"), "every week on ? at ?"),
    ],
)  # fmt: skip
def test_in_words(schedule: str | Schedule, said: str) -> None:
    assert schedule_words.spoken(schedule) == said
