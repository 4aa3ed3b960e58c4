"""Each occurrence of a schedule is one run, or is on record as missed: whoever asks, however often, and however late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from journey.occurrences import Occurrence
from store import due_runs, finishing, journeys, pausing, runs, schedules, schema, versions
from store.due_runs import Served
from store.work import Work
from tests import stock
from tests.builders import HOUR, MINUTE
from tests.store.driver import Store

JOURNEY = "thank-you"
BERLIN = "Europe/Berlin"


def at(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1_000_000


def publish(store: Store, schedule: Any, timezone: str = "UTC", **changed: Any) -> None:
    """The use case on this schedule is live."""
    document = stock.use_case_document(timezone=timezone, **changed)
    document["nodes"][0]["schedule"] = schedule

    def unit(work: Work) -> None:
        stock.surround(work)
        journeys.put_draft(work, JOURNEY, document)
        journeys.publish(work, JOURNEY, stock.PUBLIC_URL)

    store.write(unit)


def serve(store: Store) -> Served:
    return store.write(lambda work: due_runs.serve(work, JOURNEY))


def end(store: Store, run: str | None) -> None:
    assert run is not None
    store.write(lambda work: stock.end_run(work, run))


def on_record(store: Store) -> list[tuple[str, str, str]]:
    """Occurrence, state and reason of each run, the oldest first."""
    return [(row.occurrence, row.state, row.reason) for row in sorted(store.rows(schema.runs), key=lambda row: row.number)]


def next_one(store: Store) -> str | None:
    there = schedules.find(store.connection, JOURNEY)
    return None if there is None or there.occurrence is None else there.occurrence.local


def state(store: Store, number: int = 1) -> str:
    return versions.row(store.connection, f"{JOURNEY}@{number}").state


@pytest.fixture
def daily(store: Store) -> Store:
    """Live since ten, and read every day at nine."""
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "daily", "at": "09:00"})
    return store


# ---- one occurrence, one run ----------------------------------------------------------------------------------------------------


def test_a_publish_begins_nothing_and_knows_what_is_due_next(daily: Store) -> None:
    assert on_record(daily) == []
    assert next_one(daily) == "2026-03-02T09:00"
    assert serve(daily) == Served(next_at=at("2026-03-02T09:00"))
    assert [one.local for one in schedules.upcoming(daily.connection, JOURNEY, 2)] == ["2026-03-02T09:00", "2026-03-03T09:00"]


def test_what_is_due_is_begun_once_however_often_it_is_asked_for(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00")
    first = serve(daily)
    assert first.run == "thank-you.run.2026-03-02T09:00"
    run = runs.get(daily.connection, first.run)
    assert (run.state, run.occurrence, run.due_at, run.segment) == ("reading", "2026-03-02T09:00", daily.clock.instant, stock.SEGMENT["id"])
    before = daily.written()
    assert serve(daily).run is None
    assert serve(daily).missed == 0
    assert daily.written() == before
    assert next_one(daily) == "2026-03-03T09:00"


def test_the_next_day_it_is_begun_again(daily: Store) -> None:
    for day in ("02", "03"):
        daily.clock.instant = at(f"2026-03-{day}T09:00") + 1
        end(daily, serve(daily).run)
    assert on_record(daily) == [("2026-03-02T09:00", "done", ""), ("2026-03-03T09:00", "done", "")]


@pytest.mark.complaint(19)
def test_a_doubled_hour_admits_once(store: Store) -> None:
    store.clock.instant = at("2026-10-24T12:00")
    publish(store, {"kind": "daily", "at": "02:30"}, BERLIN)
    store.clock.instant = at("2026-10-25T00:30")
    end(store, serve(store).run)
    store.clock.instant = at("2026-10-25T01:30")  # 02:30 for the second time
    assert serve(store).run is None
    assert on_record(store) == [("2026-10-25T02:30", "done", "")]


def test_a_skipped_hour_happens_after_the_gap(store: Store) -> None:
    store.clock.instant = at("2026-03-28T12:00")
    publish(store, {"kind": "daily", "at": "02:30"}, BERLIN)
    store.clock.instant = at("2026-03-29T01:00") - 1
    assert serve(store).run is None
    store.clock.instant += 1
    assert serve(store).run == "thank-you.run.2026-03-29T02:30"


def test_after_a_restore_an_occurrence_that_is_on_record_is_not_begun_again(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00")
    end(daily, serve(daily).run)
    version = versions.row(daily.connection, "thank-you@1")
    was = Occurrence("2026-03-02T09:00", daily.clock.instant)
    daily.write(lambda work: schedules.save(work, version, was))
    assert serve(daily).run is None
    assert on_record(daily) == [("2026-03-02T09:00", "done", "")]
    assert next_one(daily) == "2026-03-03T09:00"


# ---- too late -------------------------------------------------------------------------------------------------------------------


def test_an_hour_late_it_is_begun_all_the_same(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T10:00")
    assert serve(daily).run == "thank-you.run.2026-03-02T09:00"


def test_later_than_an_hour_it_is_missed_and_that_is_on_record(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T10:00") + 1
    assert serve(daily) == Served(None, 1, next_at=at("2026-03-03T09:00"))
    assert on_record(daily) == [("2026-03-02T09:00", "missed", "too_late")]
    run = runs.get(daily.connection, "thank-you.run.2026-03-02T09:00")
    assert (run.read, run.ended_at) == (0, daily.clock.instant)


def test_of_several_that_are_due_the_last_is_begun(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "cron", "expression": "*/20 * * * *"})
    store.clock.instant = at("2026-03-01T12:10")
    assert serve(store).missed == 5
    assert on_record(store) == [
        ("2026-03-01T10:20", "missed", "too_late"),
        ("2026-03-01T10:40", "missed", "too_late"),
        ("2026-03-01T11:00", "missed", "too_late"),
        ("2026-03-01T11:20", "missed", "superseded"),
        ("2026-03-01T11:40", "missed", "superseded"),
        ("2026-03-01T12:00", "reading", ""),
    ]


def test_a_long_time_away_is_put_on_record_piece_by_piece(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "cron", "expression": "*/5 * * * *"})
    store.clock.instant = at("2026-03-04T10:00")
    first = serve(store)
    assert (first.more, first.missed, first.run) == (True, 500, None)
    last = serve(store)
    assert (last.more, last.missed, last.run) == (False, 363, "thank-you.run.2026-03-04T10:00")
    assert len(store.rows(schema.runs)) == 3 * 288


# ---- one after the other --------------------------------------------------------------------------------------------------------


def test_while_an_earlier_run_reads_the_next_waits(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T08:50")
    by_hand = daily.write(lambda work: journeys.start_run(work, JOURNEY))
    daily.clock.instant = at("2026-03-02T09:00")
    assert serve(daily) == Served(next_at=at("2026-03-02T09:00"))
    assert on_record(daily) == [("", "reading", "")]
    end(daily, by_hand)
    daily.clock.instant += 59 * MINUTE
    assert serve(daily).run == "thank-you.run.2026-03-02T09:00"


def test_after_an_hour_of_waiting_it_is_missed(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T08:50")
    daily.write(lambda work: journeys.start_run(work, JOURNEY))
    daily.clock.instant = at("2026-03-02T10:00") + 1
    assert serve(daily).missed == 1
    assert on_record(daily)[1:] == [("2026-03-02T09:00", "missed", "run_reading")]


def test_a_run_of_a_list_holds_up_nothing(daily: Store) -> None:
    daily.write(lambda work: journeys.start_run(work, JOURNEY, ["somebody"]))
    daily.clock.instant = at("2026-03-02T09:00")
    assert serve(daily).run is not None


def test_whoever_waits_gives_way_to_the_next_that_is_due(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "cron", "expression": "*/20 * * * *"})
    store.clock.instant = at("2026-03-01T10:20")
    first = serve(store).run
    store.clock.instant = at("2026-03-01T11:00")
    serve(store)
    assert on_record(store)[1:] == [("2026-03-01T10:40", "missed", "run_reading")]
    end(store, first)
    assert serve(store).run == "thank-you.run.2026-03-01T11:00"


# ---- the end --------------------------------------------------------------------------------------------------------------------


def test_behind_until_there_is_no_further_one_and_the_empty_version_is_finished(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "daily", "at": "09:00", "until": "2026-03-03"})
    for day in ("02", "03"):
        store.clock.instant = at(f"2026-03-{day}T09:00")
        run = serve(store).run
        assert state(store) == "live"
        end(store, run)
    serve(store)
    assert state(store) == "finished"
    assert schedules.find(store.connection, JOURNEY) is None
    store.clock.instant = at("2026-03-04T09:00")
    assert serve(store) == Served()


def test_with_somebody_inside_it_is_closed_and_finished_when_they_have_left(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "once", "at": "2026-03-02T09:00"})
    store.clock.instant = at("2026-03-02T09:00")
    run = serve(store).run
    inside = store.write(stock.entrant)
    end(store, run)
    assert schedules.due(store.connection, store.clock.instant) == [JOURNEY]
    serve(store)
    assert state(store) == "closed"
    store.write(lambda work: stock.end(work, inside))
    assert store.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))


def test_one_that_was_missed_ends_it_too(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "once", "at": "2026-03-02T09:00"})
    store.clock.instant = at("2026-03-02T12:00")
    serve(store)
    assert on_record(store) == [("2026-03-02T09:00", "missed", "too_late")]
    assert state(store) == "finished"


@pytest.mark.parametrize("act", [journeys.close, journeys.stop])
def test_closed_or_stopped_nothing_is_due_any_more(daily: Store, act: Any) -> None:
    daily.write(lambda work: act(work, JOURNEY))
    assert schedules.journeys_on_schedule(daily.connection) == []
    daily.clock.instant = at("2026-03-02T09:00")
    assert schedules.due(daily.connection, daily.clock.instant) == []
    assert serve(daily) == Served()
    assert on_record(daily) == []


def test_closed_before_what_was_due_had_begun_that_is_on_record(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00") + 1
    daily.write(lambda work: journeys.close(work, JOURNEY))
    assert on_record(daily) == [("2026-03-02T09:00", "missed", "not_live")]


# ---- a new version --------------------------------------------------------------------------------------------------------------


def test_the_next_version_goes_on_where_the_one_before_was(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00")
    end(daily, serve(daily).run)
    daily.clock.instant += HOUR
    publish(daily, {"kind": "daily", "at": "09:00"}, name="Another")
    assert next_one(daily) == "2026-03-03T09:00"
    daily.clock.instant = at("2026-03-03T09:00")
    assert runs.get(daily.connection, serve(daily).run or "").version == "thank-you@2"


def test_published_at_the_moment_at_which_one_is_due_the_new_version_takes_it(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00") + 1
    publish(daily, {"kind": "daily", "at": "09:00"}, name="Another")
    assert runs.get(daily.connection, serve(daily).run or "").version == "thank-you@2"


def test_published_with_other_times_what_was_due_and_had_not_begun_is_on_record(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00") + 1
    publish(daily, {"kind": "daily", "at": "12:00"})
    assert on_record(daily) == [("2026-03-02T09:00", "missed", "not_live")]
    assert next_one(daily) == "2026-03-02T12:00"


def test_published_without_a_schedule_nothing_is_due(daily: Store) -> None:
    publish(daily, "manual")
    assert schedules.find(daily.connection, JOURNEY) is None


def test_the_same_local_time_in_another_timezone_is_the_same_occurrence(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T09:00")
    end(daily, serve(daily).run)
    publish(daily, {"kind": "daily", "at": "09:00"}, "America/New_York")
    daily.clock.instant = at("2026-03-02T14:00")
    assert serve(daily).run is None
    assert next_one(daily) == "2026-03-03T09:00"


# ---- the dates of the journey, and a pause --------------------------------------------------------------------------------------


def test_before_its_start_and_from_its_end_on_nothing_is_due(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "daily", "at": "09:00"}, start="2026-03-03T09:00", end="2026-03-05T09:00")
    assert [one.local for one in schedules.upcoming(store.connection, JOURNEY)] == ["2026-03-03T09:00", "2026-03-04T09:00"]
    for day in ("03", "04"):
        store.clock.instant = at(f"2026-03-{day}T09:00")
        end(store, serve(store).run)
    serve(store)
    assert state(store) == "finished"


def test_while_it_is_paused_occurrences_are_missed_and_then_it_goes_on(daily: Store) -> None:
    daily.write(lambda work: pausing.pause(work, JOURNEY, "hold", 3 * 86_400))
    daily.clock.instant = at("2026-03-02T09:00")
    assert serve(daily).missed == 1
    daily.write(lambda work: pausing.resume(work, JOURNEY))
    assert serve(daily).run is None
    daily.clock.instant = at("2026-03-03T09:00")
    end(daily, serve(daily).run)
    assert on_record(daily) == [("2026-03-02T09:00", "missed", "paused"), ("2026-03-03T09:00", "done", "")]


def test_a_run_that_a_pause_holds_lets_the_next_occurrence_wait(daily: Store) -> None:
    daily.clock.instant = at("2026-03-02T08:50")
    by_hand = daily.write(lambda work: journeys.start_run(work, JOURNEY))
    daily.write(lambda work: pausing.pause(work, JOURNEY, "hold", 86_400))
    daily.clock.instant = at("2026-03-02T08:55")
    daily.write(lambda work: pausing.resume(work, JOURNEY))
    daily.clock.instant = at("2026-03-02T09:00")
    assert serve(daily) == Served(next_at=at("2026-03-02T09:00"))
    end(daily, by_hand)
    assert serve(daily).run is not None


def test_the_last_one_over_during_a_pause_the_version_closes_after_it(store: Store) -> None:
    store.clock.instant = at("2026-03-01T10:00")
    publish(store, {"kind": "once", "at": "2026-03-02T09:00"})
    store.write(lambda work: pausing.pause(work, JOURNEY, "hold", 3 * 86_400))
    store.clock.instant = at("2026-03-02T09:00")
    serve(store)
    assert state(store) == "paused"
    store.write(lambda work: pausing.resume(work, JOURNEY))
    assert schedules.due(store.connection, store.clock.instant) == [JOURNEY]
    serve(store)
    assert state(store) == "finished"


def test_closed_during_a_pause_nothing_is_due_after_it(daily: Store) -> None:
    daily.write(lambda work: pausing.pause(work, JOURNEY, "hold", 3 * 86_400))
    daily.write(lambda work: journeys.close(work, JOURNEY))
    assert schedules.find(daily.connection, JOURNEY) is None
