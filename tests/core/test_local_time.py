"""Clocks on the wall and windows on them: a table of cases for each way in which a clock can be moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey import local_time, windows
from journey.errors import BadInput
from journey.until import WEEKDAYS, Weekday

NEW_YORK, SYDNEY, SANTIAGO = "America/New_York", "Australia/Sydney", "America/Santiago"
HAVANA, LORD_HOWE, APIA, KATHMANDU, LONDON = "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Europe/London"
MINUTE = 60_000_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def utc(written: str) -> int:
    return int(datetime.fromisoformat(written + "+00:00").timestamp()) * 1_000_000


def shown(at: int) -> str:
    return f"{BEGINNING + timedelta(microseconds=at):%Y-%m-%dT%H:%M}"


@pytest.mark.complaint(19)
@pytest.mark.parametrize(
    ("zone", "written", "instant"),
    [
        (NEW_YORK, "2026-01-15T09:00", "2026-01-15T14:00"),
        (NEW_YORK, "2026-07-15T09:00", "2026-07-15T13:00"),
        (NEW_YORK, "2026-07-15", "2026-07-15T04:00"),
        (NEW_YORK, "2026-07-15 09:00:30", "2026-07-15T13:00"),
        # the clock jumps from 2:00 to 3:00: what is between is the moment of the jump
        (NEW_YORK, "2026-03-08T01:59", "2026-03-08T06:59"),
        (NEW_YORK, "2026-03-08T02:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T03:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08T03:01", "2026-03-08T07:01"),
        # it shows 1:30 twice: the first of the two
        (NEW_YORK, "2026-11-01T01:30", "2026-11-01T05:30"),
        (NEW_YORK, "2026-11-01T02:00", "2026-11-01T07:00"),
        # in the south summer begins in October and ends in April
        (SYDNEY, "2026-10-04T02:30", "2026-10-03T16:00"),
        (SYDNEY, "2026-04-05T02:30", "2026-04-04T15:30"),
        (SANTIAGO, "2026-09-06T00:30", "2026-09-06T04:00"),  # there the jump is at midnight
        (SANTIAGO, "2026-09-06", "2026-09-06T04:00"),
        (SANTIAGO, "2026-04-04T23:30", "2026-04-05T02:30"),
        (HAVANA, "2026-03-08", "2026-03-08T05:00"),
        (HAVANA, "2026-11-01T00:30", "2026-11-01T04:30"),
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),  # by half an hour alone
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-04T14:45"),
        (APIA, "2011-12-30T12:00", "2011-12-30T10:00"),  # a day that there was not
        (KATHMANDU, "2026-01-01T00:00", "2025-12-31T18:15"),
        # an offset says all by itself
        (NEW_YORK, "2026-03-08T02:30Z", "2026-03-08T02:30"),
        (SYDNEY, "2026-03-08T02:30+02:00", "2026-03-08T00:30"),
    ],
)
def test_a_time_that_is_written_is_the_first_instant_at_which_the_clock_shows_it_or_more(zone: str, written: str, instant: str) -> None:
    found = local_time.read(written, ZoneInfo(zone))
    assert found is not None
    assert shown(found) == instant


@pytest.mark.parametrize(
    "written",
    ["", "soon", "2026-13-01", "2026-02-30", "20260301", "2026-W01-1", "2026-03-01T9:00", "2026-03-01T25:00", "2026-03-01T09:00+25:00",
     "2026-03-01+02:00", "1767225600", 1767225600, 1.5, True, None, [], {}, "٢٠٢٦-03-01"],
)  # fmt: skip
def test_what_is_no_date_time_is_none(written: object) -> None:
    assert local_time.read(written, ZoneInfo(NEW_YORK)) is None


@given(written=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), zone=st.sampled_from([NEW_YORK, APIA, KATHMANDU]))
def test_no_date_is_too_early_or_too_late_to_be_read_or_refused(written: datetime, zone: str) -> None:
    found = local_time.read(written.isoformat(), ZoneInfo(zone))
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize("name", ["Europe/Zurich", "UTC"])
def test_a_zone_that_there_is(name: str) -> None:
    assert local_time.zone(name) is not None


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "a" * 300, "\0", "Europe"])
def test_a_zone_that_there_is_not_is_none(name: str) -> None:
    assert local_time.zone(name) is None


WORKDAYS: tuple[Weekday, ...] = WEEKDAYS[:5]


@pytest.mark.complaint(19)
@pytest.mark.parametrize(
    ("zone", "hours", "weekdays", "at", "opens"),
    [
        # a Wednesday in New York
        (NEW_YORK, "09:00-17:00", WORKDAYS, "2026-01-14T15:30", "2026-01-14T15:30"),
        (NEW_YORK, "09:00-17:00", WORKDAYS, "2026-01-14T13:59", "2026-01-14T14:00"),
        (NEW_YORK, "09:00-17:00", WORKDAYS, "2026-01-14T14:00", "2026-01-14T14:00"),
        (NEW_YORK, "09:00-17:00", WORKDAYS, "2026-01-14T22:00", "2026-01-15T14:00"),  # its end is not in it
        (NEW_YORK, "09:00-17:00", WORKDAYS, "2026-01-16T22:00", "2026-01-19T14:00"),  # Friday night: on Monday
        (NEW_YORK, "09:00-17:00", ("wed",), "2026-01-14T22:00", "2026-01-21T14:00"),
        (NEW_YORK, "", ("sat", "sun"), "2026-01-14T22:00", "2026-01-17T05:00"),  # days alone
        (NEW_YORK, "18:00-24:00", (), "2026-01-15T04:59", "2026-01-15T04:59"),
        (NEW_YORK, "18:00-24:00", (), "2026-01-15T05:00", "2026-01-15T23:00"),
        # over midnight, and the morning belongs to the day before
        (LONDON, "22:00-06:00", (), "2026-01-14T05:59", "2026-01-14T05:59"),
        (LONDON, "22:00-06:00", (), "2026-01-14T06:00", "2026-01-14T22:00"),
        (LONDON, "22:00-06:00", ("fri",), "2026-01-17T03:00", "2026-01-17T03:00"),  # Saturday morning
        (LONDON, "22:00-06:00", ("fri",), "2026-01-16T03:00", "2026-01-16T22:00"),  # Friday morning
        # the clock jumps over its beginning
        (NEW_YORK, "02:30-05:00", (), "2026-03-08T06:00", "2026-03-08T07:00"),
        (SYDNEY, "02:15-04:00", (), "2026-10-03T15:00", "2026-10-03T16:00"),
        # over all of it: that day has none
        (NEW_YORK, "02:00-03:00", (), "2026-03-08T06:30", "2026-03-09T06:00"),
        (NEW_YORK, "02:15-02:45", ("sun",), "2026-03-08T05:00", "2026-03-15T06:15"),
        # over its end: it is over at the jump
        (NEW_YORK, "01:00-02:30", (), "2026-03-08T06:59", "2026-03-08T06:59"),
        (NEW_YORK, "01:00-02:30", (), "2026-03-08T07:00", "2026-03-09T05:00"),
        # an hour that comes twice has its window twice
        (NEW_YORK, "01:00-01:30", (), "2026-11-01T05:29", "2026-11-01T05:29"),
        (NEW_YORK, "01:00-01:30", (), "2026-11-01T05:30", "2026-11-01T06:00"),
        (NEW_YORK, "01:30-01:45", (), "2026-11-01T05:50", "2026-11-01T06:30"),
        (NEW_YORK, "00:30-01:30", (), "2026-11-01T05:40", "2026-11-01T06:00"),  # put back into its middle
        (NEW_YORK, "01:30-03:00", (), "2026-11-01T06:10", "2026-11-01T06:30"),
        (SYDNEY, "02:00-02:30", (), "2026-04-04T15:45", "2026-04-04T16:00"),
        # over midnight and over a change of the clock
        (NEW_YORK, "23:00-02:30", ("sat",), "2026-03-08T06:59", "2026-03-08T06:59"),
        (NEW_YORK, "23:00-02:30", ("sat",), "2026-03-08T07:00", "2026-03-15T03:00"),
        (SANTIAGO, "23:30-00:30", (), "2026-04-05T03:10", "2026-04-05T03:30"),  # put back from midnight to 23:00
        (HAVANA, "00:00-00:30", (), "2026-11-01T04:40", "2026-11-01T05:00"),  # from 1:00 to midnight
        (LORD_HOWE, "01:45-02:00", (), "2026-04-04T14:30", "2026-04-04T14:45"),
        (LORD_HOWE, "01:45-02:00", (), "2026-04-04T15:00", "2026-04-04T15:15"),
        (APIA, "09:00-17:00", ("fri",), "2011-12-29T12:00", "2012-01-05T19:00"),  # the Friday that there was not
    ],
)
def test_a_window_opens_when_the_clock_shows_it(zone: str, hours: str, weekdays: tuple[Weekday, ...], at: str, opens: str) -> None:
    assert shown(windows.next_open(utc(at), windows.hours(hours), weekdays, ZoneInfo(zone))) == opens


QUARTERS = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
HOURS = st.tuples(QUARTERS, QUARTERS).filter(lambda pair: pair[0] != pair[1]).map("-".join)
CHANGES = st.sampled_from([
    (NEW_YORK, "2026-03-08T07:00"), (NEW_YORK, "2026-11-01T06:00"), (SYDNEY, "2026-10-03T16:00"), (SYDNEY, "2026-04-04T16:00"),
    (SANTIAGO, "2026-09-06T04:00"), (SANTIAGO, "2026-04-05T03:00"), (HAVANA, "2026-11-01T05:00"), (LORD_HOWE, "2026-04-04T15:00"),
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(change=CHANGES, hours=HOURS, before=st.integers(0, 40))
def test_no_window_opens_sooner_than_it_is_said_to(change: tuple[str, str], hours: str, before: int) -> None:
    """Against a look at the clock every five minutes, around the changes of clocks."""
    where, of = ZoneInfo(change[0]), windows.hours(hours)
    at = looked = utc(change[1]) - before * 15 * MINUTE
    while not windows.is_open(looked, of, (), where):
        looked += 5 * MINUTE
    assert windows.next_open(at, of, (), where) == looked


@pytest.mark.parametrize(
    "written", ["9-17", "9:00-17:00", "09:00", "09:00-17:60", "25:00-26:00", "24:00-01:00", "09:00-09:00", "00:00 - 01:00"]
)  # fmt: skip
def test_hours_that_cannot_be_read_are_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(BadInput, match=r"hours|begin") as refused:
        windows.hours(written)
    assert refused.value.code == "hours_invalid"
