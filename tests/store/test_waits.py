"""A wait until a time is computed once, at the arrival, and kept with the entrant: whoever asks again, after a crash too, gets the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journey.profiles import Profile
from journey.version import Version
from store import overdue, profiles, schema, views
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, START, profile
from tests.store.driver import Driver, Store, check, let_in, next_proposal, publish

END = {"id": "end", "kind": "end"}
LATE = {"id": "late", "kind": "end"}
BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "end"}


def written(after: int) -> str:
    """The date-time so long after the beginning."""
    return f"{datetime.fromtimestamp(START / 1e6, UTC) + timedelta(microseconds=after):%Y-%m-%dT%H:%M:%S}Z"


def waiting(store: Store, until: Any, *beside: dict[str, Any], who: Profile | None = None, timeout: str = "") -> tuple[Driver, Version]:
    """Somebody behind a condition, at a wait that hangs on them."""
    pause = {"id": "pause", "kind": "wait", "until": until, "next": "end"}
    pause |= {"timeout": {"after": timeout, "next": "late"}} if timeout else {}
    choose = {"id": "choose", "kind": "condition", "otherwise": ["pause", *(str(node["id"]) for node in beside)],
              "branches": [{"id": "never", "when": builders.rule("city", "=", "Rome")}]}  # fmt: skip
    version = builders.version(choose, pause, *beside, END, LATE, timezone="America/New_York")
    publish(store, version)
    (driver,) = let_in(store, version, [who or profile("ada")])
    driver.stop()
    return driver, version


def test_the_end_is_on_the_row_and_the_record_says_how_the_gate_is_left_then(store: Store) -> None:
    driver, version = waiting(store, {"field": "profile.renewal_date"}, BUY, who=profile("ada", renewal_date=written(2 * DAY)))
    row = driver.row()
    assert (row.place, row.until, row.ends, row.due) == ("pause+buy", START + 2 * DAY, {"pause": START + 2 * DAY}, START + 2 * DAY)
    assert (driver.record.seconds, driver.record.due_node, driver.record.due_exit) == (2 * 86400, "pause", "next")
    check(store, version)


def test_a_change_of_the_field_moves_nobody_who_waits_already(store: Store) -> None:
    driver, version = waiting(store, {"field": "profile.renewal_date"}, who=profile("ada", renewal_date=written(2 * DAY)))
    store.write(lambda work: profiles.patch(work, "ada", attributes={"renewal_date": written(HOUR)}))
    store.clock.instant = START + DAY
    again = driver.ask()
    assert (again.seconds, again.due_node) == (86400, "pause")
    store.clock.instant = START + 2 * DAY
    assert driver.stop().end == "finished"
    assert driver.path()[1:] == ("choose:otherwise", "pause:next")
    assert (driver.row().ends, driver.row().until) == (None, None)
    check(store, version)


def test_a_timer_that_comes_too_early_gets_the_rest(store: Store) -> None:
    driver, _ = waiting(store, written(HOUR))
    store.clock.instant = START + 30 * MINUTE
    early = driver.open(driver.proposal())
    assert (early.n, early.seconds, early.due_node) == (1, 1800, "pause")  # type: ignore[union-attr]


def test_a_timeout_is_how_the_gate_is_left_when_it_comes_first(store: Store) -> None:
    driver, version = waiting(store, {"field": "profile.renewal_date"}, who=profile("ada", renewal_date=written(2 * DAY)), timeout="P1D")
    assert (driver.row().until, driver.record.due_exit) == (START + DAY, "timeout")
    driver.pass_time()
    driver.stop()
    assert (driver.path()[2], driver.row().place) == ("pause:timeout", "late")
    check(store, version)


def test_a_field_that_holds_no_time_is_on_record(store: Store) -> None:
    driver, version = waiting(store, {"field": "profile.renewal_date"})
    assert (driver.record.seconds, driver.row().ends) == (0, {"pause": None})
    assert "pause holds no time that can be read, and is over at once" in driver.record.said
    assert [row.node for row in store.rows(schema.facts, kind="no_time")] == ["pause"]
    assert driver.stop().end == "finished"
    check(store, version)


def test_an_event_at_the_instant_of_the_end_wins_however_late_its_signal_comes(store: Store) -> None:
    driver, version = waiting(store, written(HOUR), BUY)
    store.clock.instant = START + HOUR
    store.accept(builders.purchase("p-1"), "ada")
    store.clock.instant = START + 2 * HOUR
    corrected = driver.open(driver.proposal())
    assert (corrected.n, corrected.node) == (1, "buy")  # type: ignore[union-attr]
    driver.record = corrected  # type: ignore[assignment]
    driver.stop()
    assert driver.path()[1:] == ("choose:otherwise", "buy:next")
    check(store, version)


def test_a_workflow_that_is_started_again_is_told_the_same_end(store: Store) -> None:
    driver, version = waiting(store, {"hours": "12:00-13:00", "spread": "PT1H"})
    restart = overdue.restart(store.connection, driver.entrant)
    assert restart is not None
    assert (restart.start.place, restart.start.n) == ("pause", 1)
    store.clock.instant += 10 * MINUTE
    assert driver.ask().seconds == (driver.row().until - store.clock.instant) / 1_000_000
    proposal = next_proposal(version.journey, driver.entrant, driver.record)
    assert (proposal.left, proposal.exit) == ("pause", "next")


def test_an_admission_right_to_a_wait_knows_its_end(store: Store) -> None:
    pause = {"id": "pause", "kind": "wait", "until": {"field": "starts"}, "next": "end"}
    version = builders.version(pause, END)
    publish(store, version)
    here, not_here = let_in(store, version, [profile("ada", starts=written(HOUR)), profile("bob")])
    assert (here.row().until, here.row().due, here.row().ends) == (START + HOUR, START + HOUR, {"pause": START + HOUR})
    assert (not_here.row().until, not_here.row().due, not_here.row().ends) == (START, START, {"pause": None})
    assert [row.entrant for row in store.rows(schema.facts, kind="no_time")] == [not_here.entrant]
    for driver in (here, not_here):
        driver.ask()
        driver.pass_time()
        assert driver.stop().end == "finished"
    check(store, version)


@pytest.mark.complaint(19)
def test_the_view_says_until_when_and_where_time_leads(store: Store) -> None:
    driver, _ = waiting(store, {"hours": "12:00-13:00", "weekdays": ["mon..fri"]}, BUY)
    shown = views.entrant(store.connection, driver.entrant).waiting
    assert shown is not None
    assert ([one.what for one in shown.awaited], shown.then) == (["until 12:00-13:00 mon, tue, wed, thu, fri", "purchase"], ("end",))
    assert shown.until == START + DAY + (12 + 4 - 15) * HOUR - 6 * MINUTE - 40 * 1_000_000  # Monday noon in New York
