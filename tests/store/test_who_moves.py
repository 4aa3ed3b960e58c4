"""Who goes along into the version that succeeds theirs, who leaves and who stays; paused, parked, told again, written to before."""

from __future__ import annotations

import pytest

from journey.contract import Record
from store import journeys, overdue, parking, removal, schema, timeline, versions, views
from store.terminating import end_terminated
from tests.builders import DAY, MINUTE, SECOND, use_case
from tests.store.driver import Store, next_proposal
from tests.store.moves import (
    SMALL,
    check_all,
    rests_then_sends,
    sends_then_rests,
    shorter,
    succeed,
    version_without_gate,
    waits,
    woken,
    writes,
)
from tests.store.pauses import GATE, VERSION, held, let_ada_in, pause, release, resume

# ---- who leaves, stays, or cannot go -----------------------------------------------------------------------------------------------


def test_whom_the_map_leads_out_ends_with_a_reason_of_its_own(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    succeed(store, use_case(), "migrate", map={"push-opened": ":exit", "email-opened": ":exit"})
    assert woken(store, VERSION) == (ada.entrant,)
    assert ada.stop(proposal=ada.asks()).end == "journey_changed"
    assert versions.row(store.connection, VERSION).state == "finished"
    check_all(store, "thank-you")


def test_who_cannot_go_on_stays_and_is_looked_at_again_at_each_stop(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    succeed(store, version_without_gate())
    assert woken(store, VERSION) == ()
    ada.pass_time()
    ada.stop()
    assert (ada.row().version, ada.record.place, ada.record.seconds) == (VERSION, "purchase", 0)
    assert ada.deliveries()["2.email"] == "sent", "the follow-up was that of the old version"
    assert ada.stop().version == "thank-you@2"
    check_all(store, "thank-you")


def test_finish_leaves_everybody_where_they_are(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P5D"), "finish")
    assert (woken(store, SMALL), versions.row(store.connection, SMALL).successor) == ((), "")
    assert ada.open(ada.asks()) == ada.ask()
    ada.pass_time()
    assert ada.stop().end == "finished"
    assert ada.row().version == SMALL


@pytest.mark.parametrize("how", ["removed", "terminated", "journey_stopped"])
def test_whoever_must_end_is_not_moved_first(store: Store, how: str) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P5D"))
    if how == "removed":
        store.write(lambda work: removal.remove(work, ada.entrant))
    elif how == "terminated":
        store.write(lambda work: end_terminated(work, ada.entrant))
    else:
        store.write(lambda work: journeys.stop(work, "small"))
    assert woken(store, SMALL) == ()
    assert ada.stop(proposal=ada.asks()).end == how
    assert ada.row().version == SMALL
    check_all(store, "small")


# ---- paused, held, parked ----------------------------------------------------------------------------------------------------------


def test_who_is_held_by_a_pause_moves_when_they_may_go_on(store: Store) -> None:
    ada = let_ada_in(store)
    pause(store)
    held(ada)
    succeed(store, shorter())
    held(ada)
    resume(store)
    held(ada)
    release(store)
    moved = ada.stop()
    assert (moved.version, moved.place, ada.row().held) == ("thank-you@2", "first", "")
    assert ada.stop().place == GATE
    check_all(store, "thank-you")


def test_who_is_parked_before_a_step_tries_it_in_the_new_version(store: Store) -> None:
    of = writes("integer")
    ada = let_ada_in(store, of)
    assert ada.stop().held
    succeed(store, writes("string"))
    held(ada)
    store.write(lambda work: parking.unpark(work, "small"))
    assert ada.stop().version == "small@2"
    assert ada.stop().end == "finished"
    assert store.row(schema.profiles, id="ada").attributes["city"] == "Rome"
    check_all(store, "small")


# ---- again, and one after the other ------------------------------------------------------------------------------------------------


def test_a_repeat_of_the_step_that_moved_them_returns_its_record(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P5D"))
    proposal = ada.asks()
    first = ada.open(proposal)
    before = store.written()
    assert ada.open(proposal) == first, "its worker died before the workflow knew"
    ada.pass_time()
    late = ada.open(next_proposal(waits().journey, ada.entrant, Record(0, "rests")))
    assert isinstance(late, Record)
    assert (late.n, late.version) == (1, "small@2"), "what the old workflow proposes meanwhile is refused, and told where they are"
    assert store.written() == before


def test_a_workflow_that_is_lost_is_started_again_with_the_version_of_the_row(store: Store) -> None:
    ada = let_ada_in(store, waits())
    new = succeed(store, waits("P5D"))
    ada.stop(proposal=ada.asks())
    again = overdue.restart(store.connection, ada.entrant)
    assert again is not None
    assert (again.start.version, again.start.place, again.start.n, again.hash) == ("small@2", "rests", 1, new.hash)


def test_those_of_the_first_version_go_through_the_second_into_the_third(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P6D"))
    succeed(store, waits("P5D"))
    assert [one.successor for one in versions.of_journey(store.connection, "small")] == ["small@2", "small@3", ""]
    assert [one.state for one in versions.of_journey(store.connection, "small")] == ["closed", "closed", "live"], "somebody still comes"
    first = ada.stop(proposal=ada.asks())
    assert (first.version, first.seconds) == ("small@2", 0)
    assert ada.stop().version == "small@3"
    assert ada.row().until == ada.row().arrived_at + 5 * DAY
    assert [one.state for one in versions.of_journey(store.connection, "small")] == ["finished", "finished", "live"]
    check_all(store, "small")


def test_who_was_to_finish_goes_along_when_a_later_publish_takes_everybody(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P6D"), "finish")
    succeed(store, waits("P5D"))
    assert [one.successor for one in versions.of_journey(store.connection, "small")] == ["small@3", "", ""]
    assert ada.stop(proposal=ada.asks()).version == "small@3"


# ---- nobody is written to twice ----------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(7)
@pytest.mark.parametrize("named", ["by its id", "by continues"])
def test_what_was_sent_before_is_not_sent_again(store: Store, named: str) -> None:
    ada = let_ada_in(store, sends_then_rests())
    ada.walk_to("rests")
    succeed(store, rests_then_sends("one" if named == "by its id" else "other"))
    ada.stop(proposal=ada.asks())
    ada.pass_time()
    assert ada.stop().end == "finished"
    assert ada.path()[-2:] == ("rests:next", f"{'one' if named == 'by its id' else 'other'}:next")
    excluded = {"3.email": "excluded:already_sent", "3.push": "excluded:already_sent"}
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"} | excluded
    check_all(store, "small")


def test_what_could_not_be_sent_before_is_sent_now(store: Store) -> None:
    ada = let_ada_in(store, sends_then_rests())
    ada.walk_to("rests")
    store.connection.execute(schema.deliveries.update().values(status="excluded", reason="no_consent"))
    succeed(store, rests_then_sends("one"))
    ada.stop(proposal=ada.asks())
    ada.pass_time()
    ada.stop()
    assert ada.deliveries() == {
        "1.email": "excluded:no_consent", "1.push": "excluded:no_consent", "3.email": "sent", "3.push": "sent",
    }  # fmt: skip


def test_what_is_on_record_says_which_version_they_entered_and_which_they_walk(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P5D"))
    ada.stop(proposal=ada.asks())
    story = views.entrant(store.connection, ada.entrant)
    assert story.entrant.version == "small@2"
    assert [(one.from_version, one.to_version) for one in story.path] == [("", ""), (SMALL, "small@2")]
    moments = {(one.kind, one.code): one.sentence for one in timeline.of_profile(store.connection, "ada")}
    assert moments["entered", ""] == "Entered small@1."
    assert moments["step", "moved"] == "moved from small@1 to small@2; waits at rests"


def test_who_was_told_and_did_not_ask_is_overdue(store: Store) -> None:
    ada = let_ada_in(store, waits())
    succeed(store, waits("P5D"))
    woken(store, SMALL)
    store.clock.instant += 2 * MINUTE
    assert [one.entrant for one in store.write(lambda work: overdue.take(work, 60 * SECOND, 10))] == [ada.entrant]
