"""Every state and everything that can be done with a journey, with a person inside and a run under way: one table (docs/lifecycle.md)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from journey.errors import Conflict
from journey.lifecycle import Pause
from store import admission, dates, duplicating, finishing, journeys, pausing, removal, runs, schema, versions
from store.work import Work
from tests import stock
from tests.builders import DAY
from tests.store.driver import Store

VERSION, RUN = "thank-you@1", "thank-you.run.1"
Deed = Callable[[Work], object]


def paused(what: Pause) -> Deed:
    return lambda work: pausing.pause(work, "thank-you", what, 3600)


def published(work: Work) -> object:
    stock.put_use_case(work, name="Another")
    return journeys.publish(work, "thank-you", stock.PUBLIC_URL)


def closed(work: Work) -> object:
    return journeys.close(work, "thank-you")


def stopped(work: Work) -> object:
    return journeys.stop(work, "thank-you")


def resumed(work: Work) -> object:
    return pausing.resume(work, "thank-you")


def left(work: Work) -> object:
    """The person inside ends."""
    stock.end(work, "thank-you~c-42~1")
    return finishing.finish_if_empty(work, VERSION)


def ended(work: Work) -> object:
    """The end date comes, and whoever looks regularly has looked."""
    work.connection.execute(schema.versions.update().where(schema.versions.c.id == VERSION).values(ends_at=work.now()))
    return [unit(work) for unit in dates.due(work.connection, work.now())]


def held_too_long(work: Work) -> object:
    work.connection.execute(schema.versions.update().where(schema.versions.c.state == "paused").values(pause_until=work.now()))
    return [unit(work) for unit in dates.due(work.connection, work.now())]


STATES: dict[str, tuple[Deed, ...]] = {
    "live": (),
    "paused, hold": (paused("hold"),),
    "paused, discard": (paused("discard"),),
    "closed": (closed,),
    "closed, paused": (closed, paused("hold")),
    "stopped": (stopped,),
    "finished": (closed, left),
}
DEEDS: dict[str, Deed] = {
    "publish": published, "pause": paused("hold"), "pause and discard": paused("discard"), "resume": resumed, "close": closed,
    "stop": stopped,
    "its end": ended, "the end of the pause": held_too_long, "the last one leaves": left,
}  # fmt: skip
TABLE: dict[str, dict[str, tuple[str, str] | str]] = {
    "live": {
        "publish": ("closed", "stopped"), "pause": ("paused", "paused"), "pause and discard": ("paused", "reading"), "resume": "state",
        "close": ("closed", "stopped"), "stop": ("stopped", "stopped"), "its end": ("closed", "stopped"),
        "the end of the pause": ("live", "reading"), "the last one leaves": ("live", "reading"),
    },
    "paused, hold": {
        "publish": ("paused", "stopped"), "pause": "state", "pause and discard": "state", "resume": ("live", "reading"),
        "close": ("paused", "stopped"), "stop": ("stopped", "stopped"), "its end": ("closed", "stopped"),
        "the end of the pause": ("live", "reading"), "the last one leaves": ("paused", "paused"),
    },
    "paused, discard": {
        "publish": ("paused", "stopped"), "pause": "state", "pause and discard": "state", "resume": ("live", "reading"),
        "close": ("paused", "stopped"), "stop": ("stopped", "stopped"), "its end": ("closed", "stopped"),
        "the end of the pause": ("live", "reading"), "the last one leaves": ("paused", "reading"),
    },
    "closed": {
        "publish": ("closed", "stopped"), "pause": ("paused", "stopped"), "pause and discard": ("paused", "stopped"), "resume": "state",
        "close": "state", "stop": ("stopped", "stopped"), "its end": ("closed", "stopped"),
        "the end of the pause": ("closed", "stopped"), "the last one leaves": ("finished", "stopped"),
    },
    "closed, paused": {
        "publish": ("paused", "stopped"), "pause": "state", "pause and discard": "state", "resume": ("closed", "stopped"),
        "close": "state", "stop": ("stopped", "stopped"), "its end": ("closed", "stopped"),
        "the end of the pause": ("closed", "stopped"), "the last one leaves": ("paused", "stopped"),
    },
    "stopped": {
        "publish": ("stopped", "stopped"), "pause": "state", "pause and discard": "state", "resume": "state", "close": "state",
        "stop": "state", "its end": ("stopped", "stopped"), "the end of the pause": ("stopped", "stopped"),
        "the last one leaves": ("stopped", "stopped"),
    },
    "finished": {
        "publish": ("finished", "stopped"), "pause": "state", "pause and discard": "state", "resume": "state", "close": "state",
        "stop": "state", "its end": ("finished", "stopped"), "the end of the pause": ("finished", "stopped"),
        "the last one leaves": ("finished", "stopped"),
    },
}  # fmt: skip
"""For each state and deed: the state of the version and of its run afterwards, or the code of the refusal."""
ENTERS = {"live": "", "paused, hold": "paused", "paused, discard": "paused"}


def brought_to(store: Store, state: str) -> None:
    store.write(stock.put_use_case)
    store.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    store.write(stock.entrant)
    for deed in STATES[state]:
        store.write(deed)


def stands(store: Store) -> tuple[str, str]:
    return versions.row(store.connection, VERSION).state, runs.get(store.connection, RUN).state


def test_the_table_is_whole() -> None:
    assert {state: set(row) for state, row in TABLE.items()} == {state: set(DEEDS) for state in STATES}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("state", STATES)
def test_what_is_done_in_a_state_leads_where_the_table_says_or_is_refused(store: Store, state: str, deed: str) -> None:
    brought_to(store, state)
    before, expected = stands(store), TABLE[state][deed]
    if isinstance(expected, str):
        with pytest.raises(Conflict) as refused:
            store.write(DEEDS[deed])
        assert refused.value.code == expected
        assert stands(store) == before
        return
    store.write(DEEDS[deed])
    assert stands(store) == expected
    reading = runs.reading(store.connection)
    assert (RUN in reading) == (expected[1] == "reading")


@pytest.mark.parametrize("state", STATES)
def test_a_run_that_somebody_asks_for_is_refused_where_nobody_enters_with_the_reason(store: Store, state: str) -> None:
    brought_to(store, state)
    code = ENTERS.get(state, "not_live")
    if not code:
        assert store.write(lambda work: journeys.start_run(work, "thank-you", ["ada"])) == "thank-you.run.2"
        return
    with pytest.raises(Conflict) as refused:
        store.write(lambda work: journeys.start_run(work, "thank-you", ["ada"]))
    assert refused.value.code == code


@pytest.mark.parametrize("state", STATES)
def test_one_person_is_taken_out_in_every_state_and_who_has_ended_stays_as_they_are(store: Store, state: str) -> None:
    brought_to(store, state)
    expected = {"stopped": ("open", "journey_stopped"), "finished": ("ended", "finished")}.get(state, ("open", "removed"))
    for _ in range(2):
        assert store.write(lambda work: removal.remove(work, "thank-you~c-42~1")) == expected


@pytest.mark.parametrize("state", STATES)
def test_a_journey_is_copied_in_every_state(store: Store, state: str) -> None:
    brought_to(store, state)
    assert store.write(lambda work: duplicating.duplicate(work, "thank-you")) == duplicating.Copied("thank-you-copy", "draft")


@pytest.mark.parametrize("state", STATES)
def test_before_its_start_and_after_its_end_no_page_lets_anybody_in(store: Store, state: str) -> None:
    brought_to(store, state)
    store.write(lambda work: work.connection.execute(schema.versions.update().values(ends_at=work.now() + DAY)))
    store.clock.instant += DAY
    found = store.write(lambda work: admission.admit_page(work, RUN))
    assert found == admission.Admitted(done=True)
