"""What is said of a schedule that cannot be, and that those that can be are fine."""

from __future__ import annotations

from typing import Any

import pytest

from journey import documents
from journey.errors import BadInput
from journey.graph import Journey, ReadSegment, reading
from journey.schedule import Weekly
from tests.core.test_validation import END, said

NOW = 1_767_225_600_000_000
"""2026-01-01T00:00Z."""


def on(schedule: Any, timezone: str = "Europe/Berlin", **entry: Any) -> Journey:
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "end", "schedule": schedule} | entry
    return documents.parse(Journey, {"id": "small", "namespace": "customer_id", "timezone": timezone, "nodes": [read, END]})


@pytest.mark.parametrize(
    "schedule",
    [
        "asap",
        "manual",
        {"kind": "once", "at": "2026-12-24T09:00"},
        {"kind": "daily", "at": "09:00"},
        {"kind": "daily", "at": "09:00", "every": 3, "from": "2026-01-01", "until": "2026-12-31T12:00"},
        {"kind": "weekly", "days": ["mon..wed", "fri"], "at": "09:00"},
        {"kind": "monthly", "days": [1, 31, "last"], "at": "09:00"},
        {"kind": "cron", "expression": "*/5 8-17 * * mon-fri"},
    ],
)
def test_schedules_that_can_be(schedule: Any) -> None:
    assert said(on(schedule), now=NOW) == []
    assert said(on(schedule, incremental=True), now=NOW) == []
    assert said(on(schedule, force_reentry=True), now=NOW) == []


@pytest.mark.parametrize(
    ("schedule", "code", "field"),
    [
        ("daily", "schedule_invalid", "schedule"),
        ({"kind": "once"}, "field_missing", "schedule.at"),
        ({"kind": "once", "at": "09:00"}, "schedule_invalid", "schedule.at"),
        ({"kind": "daily"}, "field_missing", "schedule.at"),
        ({"kind": "daily", "at": "9 o'clock"}, "schedule_invalid", "schedule.at"),
        ({"kind": "daily", "at": "09:00", "every": 2}, "field_missing", "schedule.from"),
        ({"kind": "daily", "at": "09:00", "from": "soon"}, "schedule_invalid", "schedule.from"),
        ({"kind": "daily", "at": "09:00", "until": "2026-02-30"}, "schedule_invalid", "schedule.until"),
        ({"kind": "weekly", "at": "09:00"}, "field_missing", "schedule.days"),
        ({"kind": "monthly", "at": "09:00"}, "field_missing", "schedule.days"),
        ({"kind": "cron"}, "field_missing", "schedule.expression"),
        ({"kind": "cron", "expression": "0 9 * *"}, "schedule_invalid", "schedule.expression"),
        ({"kind": "once", "at": "2025-12-24T09:00"}, "schedule_past", "schedule.at"),
        ({"kind": "daily", "at": "09:00", "until": "2025-12-31"}, "schedule_past", "schedule.until"),
        ({"kind": "daily", "at": "09:00", "from": "2026-02-01", "until": "2026-01-31"}, "schedule_never", "schedule"),
        ({"kind": "cron", "expression": "0 9 31 2 *"}, "schedule_invalid", "schedule.expression"),
        ({"kind": "cron", "expression": "0 9 29 2 *", "from": "2026-01-01", "until": "2027-12-31"}, "schedule_never", "schedule"),
        ({"kind": "cron", "expression": "* * * * *"}, "schedule_too_often", "schedule.expression"),
        ({"kind": "cron", "expression": "58,0 12 * * *"}, None, ""),
        ({"kind": "cron", "expression": "58,2 * * * *"}, "schedule_too_often", "schedule.expression"),
        ({"kind": "cron", "expression": "59 23 1 1 *", "from": "2026-01-01"}, None, ""),
        ({"kind": "monthly", "at": "09:00", "days": [15, 31]}, "day_not_in_every_month", "schedule.days"),
    ],
)
def test_schedules_that_cannot_be(schedule: Any, code: str | None, field: str) -> None:
    assert said(on(schedule), now=NOW) == ([(code, "read", field)] if code else [])


def test_nothing_is_said_about_the_past_where_nobody_knows_what_time_it_is() -> None:
    assert said(on({"kind": "once", "at": "2025-12-24T09:00"})) == []


def test_incremental_and_forced() -> None:
    assert said(on("manual", incremental=True, force_reentry=True)) == [("incremental_and_forced", "read", "force_reentry")]


def test_forced_to_enter_anew_where_nobody_may() -> None:
    judged = on("manual", force_reentry=True).model_dump(by_alias=True) | {"reentry": {"allowed": False}}
    assert said(documents.parse(Journey, judged)) == [("reentry_and_forced", "read", "force_reentry")]


def test_where_the_timezone_is_wrong_only_that_is_said() -> None:
    assert said(on({"kind": "daily", "at": "09:00"}, "Europe/Nowhere")) == [("timezone_unknown", "", "timezone")]


@pytest.mark.parametrize(
    ("schedule", "where", "sentence"),
    [
        ({"kind": "hourly"}, "nodes[0].schedule", "There is no kind 'hourly'"),
        ({"kind": "daily", "at": "09:00", "every": 0}, "nodes[0].schedule.every", "This must be at least 1, not 0"),
        ({"kind": "daily", "days": ["mon"]}, "nodes[0].schedule.days", "There is no such field here"),
        ({"kind": "weekly", "days": ["mon", "monday"]}, "nodes[0].schedule.days[1]", "'mon'"),
        ({"kind": "monthly", "days": [32]}, "nodes[0].schedule.days[0]", "This must be at most 31, not 32"),
        (7, "nodes[0].schedule", "This must be an object with named fields"),
    ],
)
def test_what_is_no_schedule_at_all_is_refused_with_its_path(schedule: Any, where: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        on(schedule)
    assert refused.value.where == where


def test_a_schedule_is_written_as_it_was_read() -> None:
    written = {"kind": "weekly", "days": ["mon"], "at": "09:00", "from": "2026-01-01"}
    entry = reading(on(written))
    assert isinstance(entry, ReadSegment)
    assert isinstance(entry.schedule, Weekly)
    assert entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)["schedule"] == written


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"start": "2026-02-01", "end": "2026-02-02T09:00"}, None),
        ({"start": "2026-02-01T10:00", "end": "2026-02-02T09:00"}, "schedule_never"),
        ({"start": "2026-02-01T10:00", "end": "2026-02-02T09:01"}, None),
    ],
)
def test_the_dates_of_the_journey_bound_its_schedule(dates: dict[str, str], code: str | None) -> None:
    judged = on({"kind": "daily", "at": "09:00"}).model_dump(by_alias=True) | dates
    assert said(documents.parse(Journey, judged), now=NOW) == ([(code, "read", "schedule")] if code else [])
