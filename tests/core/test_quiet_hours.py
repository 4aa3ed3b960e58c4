"""Quiet hours hold by the clock where a person is, over the change of that clock too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journey.events import Instant
from journey.policies import Policies, QuietHours
from journey.profiles import Profile
from journey.quiet_hours import Quiet, judge, zone_of
from tests.builders import DAY, HOUR, MINUTE, SECOND

NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"


def utc(text: str) -> Instant:
    """`2026-03-08 07:00` in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def local(text: str, zone: str, fold: int = 0) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * SECOND


def quiet(start: str = "21:00", end: str = "08:00", **more: Any) -> QuietHours:
    return QuietHours.model_validate({"from": start, "to": end} | more)


def until(one: QuietHours, now: Instant, zone: str = "", channel: str = "email") -> Instant | None:
    """When a message that is due now may go; None when it may go now."""
    found = judge([one], channel, zone, now, now)
    return found.until if found is not None else None


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-01 20:59:59", None),
        ("2026-06-01 21:00", "2026-06-02 08:00"),
        ("2026-06-02 00:00", "2026-06-02 08:00"),
        ("2026-06-02 07:59:59", "2026-06-02 08:00"),
        ("2026-06-02 08:00", None),
    ],
)
def test_they_begin_at_their_first_minute_and_end_before_their_last_also_over_midnight(now: str, end: str | None) -> None:
    assert until(quiet(), utc(now)) == (utc(end) if end else None)


@pytest.mark.complaint(19)
@pytest.mark.parametrize(
    ("zone", "start", "end", "now", "over"),
    [
        # New York, 8 March 2026: at 02:00 clocks show 03:00; the night is an hour shorter
        (NEW_YORK, "21:00", "06:00", "2026-03-08 03:00", "2026-03-08 10:00"),
        (NEW_YORK, "21:00", "06:00", "2026-03-08 09:59:59", "2026-03-08 10:00"),
        (NEW_YORK, "21:00", "02:30", "2026-03-08 06:59:59", "2026-03-08 07:00"),  # 02:30 is skipped: over when the clock jumps
        (NEW_YORK, "21:00", "02:30", "2026-03-08 07:00", None),
        (NEW_YORK, "02:15", "02:45", "2026-03-08 07:00", None),  # skipped altogether
        (NEW_YORK, "02:30", "06:00", "2026-03-08 07:00", "2026-03-08 10:00"),  # begin when the clock jumps over their beginning
        # New York, 1 November 2026: at 02:00 clocks show 01:00 once more; the night is an hour longer
        (NEW_YORK, "21:00", "06:00", "2026-11-01 10:59:59", "2026-11-01 11:00"),
        (NEW_YORK, "21:00", "01:30", "2026-11-01 05:45", "2026-11-01 06:30"),  # between the two 01:30: nobody is woken twice
        (NEW_YORK, "21:00", "01:30", "2026-11-01 06:30", None),
        (NEW_YORK, "01:30", "06:00", "2026-11-01 05:30", "2026-11-01 11:00"),  # from the first 01:30 on
        (NEW_YORK, "01:30", "06:00", "2026-11-01 05:29:59", None),
        # Berlin changes at 01:00 UTC, Lord Howe by half an hour
        (BERLIN, "22:00", "07:00", "2026-03-28 23:00", "2026-03-29 05:00"),
        (BERLIN, "22:00", "07:00", "2026-10-24 23:00", "2026-10-25 06:00"),
        (LORD_HOWE, "22:00", "02:15", "2026-10-03 15:00", "2026-10-03 15:30"),
        # no change at all
        ("Asia/Kolkata", "21:00", "08:00", "2026-03-08 15:30", "2026-03-09 02:30"),
    ],
)
def test_the_change_of_the_clock(zone: str, start: str, end: str, now: str, over: str | None) -> None:
    assert until(quiet(start, end, zone=zone), utc(now)) == (utc(over) if over else None)


def test_weekdays_are_those_on_which_they_begin() -> None:
    weekend = quiet("18:00", "09:00", weekdays=["sat", "sun"])
    assert until(weekend, utc("2026-06-05 20:00")) is None  # a Friday
    assert until(weekend, utc("2026-06-06 20:00")) == utc("2026-06-07 09:00")
    assert until(weekend, utc("2026-06-08 08:00")) == utc("2026-06-08 09:00")  # Monday, of those that began on Sunday
    assert until(weekend, utc("2026-06-09 08:00")) is None


def test_whole_days_are_quiet_when_they_end_when_they_begin_and_follow_each_other() -> None:
    weekend = quiet("00:00", "00:00", weekdays=["sat", "sun"])
    assert until(weekend, utc("2026-06-06 10:00")) == utc("2026-06-08 00:00")


def test_hours_that_touch_each_other_are_waited_for_together() -> None:
    night, morning = quiet("21:00", "08:00"), quiet("07:30", "09:00", channels="push")
    now = utc("2026-06-01 22:00")
    assert judge([night, morning], "push", "", now, now) == Quiet(utc("2026-06-02 09:00"))
    assert judge([night, morning], "email", "", now, now) == Quiet(utc("2026-06-02 08:00"))


def test_one_is_left_out_when_it_is_to_be_discarded_or_would_wait_longer_than_is_allowed() -> None:
    now = utc("2026-06-01 22:00")
    assert judge([quiet(then="discard")], "email", "", now, now) == Quiet(None)
    assert judge([quiet(longest="PT10H")], "email", "", now, now) == Quiet(now + 10 * HOUR)
    assert judge([quiet(longest="PT10H")], "email", "", now - MINUTE, now) == Quiet(None)
    assert judge([quiet(), quiet(then="discard", channels="push")], "email", "", now, now) == Quiet(now + 10 * HOUR)


def test_other_channels_have_no_quiet_hours() -> None:
    assert until(quiet(channels=["push"]), utc("2026-06-01 22:00"), channel="email") is None


@pytest.mark.parametrize(
    ("device", "attribute", "zone"),
    [
        (BERLIN, NEW_YORK, BERLIN),
        ("", NEW_YORK, NEW_YORK),
        ("Mars/Olympus", NEW_YORK, NEW_YORK),
        ("", "Mars/Olympus", ""),
        ("", "../../etc/passwd", ""),
        ("", 42, ""),
        ("", None, ""),
    ],
)
def test_the_zone_of_a_person_is_that_of_their_device_then_that_of_their_profile(device: str, attribute: object, zone: str) -> None:
    assert zone_of(Profile("ada", {"timezone": attribute}, device_zone=device)) == zone


def test_whoever_has_a_zone_sleeps_by_it_and_everybody_else_by_the_default() -> None:
    one, now = quiet(zone=NEW_YORK), utc("2026-06-02 05:00")  # 01:00 in New York, 07:00 in Berlin, 14:00 in Tokyo
    assert until(one, now) == local("2026-06-02 08:00", NEW_YORK)
    assert until(one, now, BERLIN) == local("2026-06-02 08:00", BERLIN)
    assert until(one, now, "Asia/Tokyo") is None


def test_of_every_minute_around_a_change_the_end_is_free_and_no_free_minute_is_passed_over() -> None:
    night = Policies(quiet_hours=(quiet("21:00", "06:00", zone=NEW_YORK),)).quiet_hours
    for day in ("2026-03-08", "2026-11-01"):
        for minute in range(-12 * 60, 24 * 60):
            now = utc(f"{day} 00:00") + minute * MINUTE
            found = judge(night, "email", "", now, now)
            if found is not None:
                assert found.until is not None
                assert now < found.until <= now + DAY
                assert judge(night, "email", "", now, found.until) is None
                assert judge(night, "email", "", now, found.until - 1) is not None
