"""A pause holds from its commit: wherever it meets somebody nobody is written to any more, and then nobody is lost or written to twice."""

from __future__ import annotations

import pytest

from journey import durations
from journey.contract import Record
from journey.version import Version
from store import journeys, overdue, pausing, removal, schema, views, waiting_list
from store.claims import Busy, Policy
from store.closing import Mark
from store.pausing import Page, Resumed
from store.steps import Opened
from store.terminating import end_terminated
from tests.builders import DAY, HOUR, SECOND, purchase, rule, use_case, version
from tests.store.driver import AT_RISK, LEASE, Store, check, sent
from tests.store.pauses import GATE, SAFE, VERSION, held, let_ada_in, pause, release, resume

# ---- where a pause meets somebody ------------------------------------------------------------------------------------------------


def test_just_let_in_they_are_held_before_the_first_action_until_they_may_go_on(store: Store) -> None:
    ada = let_ada_in(store)
    pause(store)
    found = held(ada)
    assert (found.n, found.place, found.said) == (0, "first", "held before first: the journey is paused")
    assert found.seconds == durations.seconds("P91D")
    row = ada.row()
    assert (row.held, row.due) == ("first", row.entered_at + 91 * DAY)
    before = store.written()
    held(ada)
    assert store.written() == before, "held again, there is nothing to write"

    assert resume(store) == Resumed({VERSION: "live"}, (), 1, 100)
    before = store.written()
    held(ada)
    assert store.written() == before, "their turn has not come"
    assert release(store) == Page((ada.entrant,), 100, True)
    assert ada.stop().place == GATE
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}
    check(store, use_case())


def test_waits_timers_events_and_conditions_go_on(store: Store) -> None:
    of = version(
        {"id": "buys", "kind": "event", "event": "purchase", "next": "rests"},
        {"id": "rests", "kind": "wait", "for": "PT1H", "next": "which"},
        {"id": "which", "kind": "condition", "branches": [{"id": "all", "when": rule("profile.city", "=", "Atlanta"), "next": "again"}]},
        {"id": "again", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D", "next": "one"}},
        {"id": "one", "kind": "message", "message": "first-message", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    ada = let_ada_in(store, of)
    pause(store, journey="small")
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().place == "rests"
    ada.pass_time()
    assert ada.stop().place == "again"
    ada.pass_time()
    assert held(ada).said == "held before one: the journey is paused"
    assert overdue.counts(store.connection, store.clock.now() + DAY) == (0, 0)
    assert views.entrant(store.connection, ada.entrant).waiting is None, "the gate is over, and not left"
    assert views.entrant(store.connection, ada.entrant).entrant.held == "one"
    store.clock.instant += SECOND
    assert store.accept(purchase("p-2"), "ada").word == "kept"

    resume(store, "small")
    release(store, "small@1")
    assert ada.stop().end == "finished"
    assert store.effect_of("shop", "p-2") == "nobody_listening"
    check(store, of)


def test_an_end_is_no_action(store: Store) -> None:
    of = version({"id": "rests", "kind": "wait", "for": "PT1H", "next": "end"}, {"id": "end", "kind": "end"})
    ada = let_ada_in(store, of)
    pause(store, journey="small")
    ada.pass_time()
    assert ada.stop().end == "finished"


def test_what_was_claimed_before_is_on_its_way_and_is_marked(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    pause(store)
    assert isinstance(ada.open(proposal), Busy), "somebody has it in hand: nobody else sends it"
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert (record.place, record.held) == (GATE, False)
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}


@pytest.mark.parametrize("pauses_for", [None, 3600.0])
def test_what_the_provider_put_off_is_not_tried_again_before_they_may_go_on(store: Store, pauses_for: float | None) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    assert ada.mark(proposal, Mark("email", "claimed", retry_after=pauses_for), sent(opened.claims[1])) is None
    pause(store)
    store.clock.instant += 0 if pauses_for else HOUR
    assert held(ada, proposal).said == "held before first: the journey is paused"
    store.clock.instant += DAY
    held(ada, proposal)

    resume(store)
    held(ada, proposal)
    release(store)
    again = ada.open(proposal)
    assert isinstance(again, Opened)
    assert [claim.channel for claim in again.claims] == ["email"]
    record = ada.mark(proposal, sent(again.claims[0]))
    assert record is not None
    assert record.place == GATE
    check(store, use_case())


@pytest.mark.parametrize("policy", [SAFE, None], ids=["idempotent", "at risk"])
def test_what_a_dead_worker_had_in_hand_is_not_sent_before_they_may_go_on(store: Store, policy: Policy | None) -> None:
    ada = let_ada_in(store, policy=policy or AT_RISK)
    proposal = ada.proposal()
    ada.open(proposal)
    pause(store)
    store.clock.instant += 2 * LEASE
    found = ada.open(proposal)  # an e-mail that may have gone out is marked as such: nobody is written to by that
    assert isinstance(found, Record)
    assert found.held
    held(ada, proposal)
    resume(store)
    release(store)
    again = ada.open(proposal)
    assert isinstance(again, Opened)
    assert [claim.channel for claim in again.claims] == (["email", "push"] if policy else ["push"])
    assert ada.mark(proposal, *(sent(claim) for claim in again.claims)) is not None
    assert ada.deliveries() == {"1.email": "sent" if policy else "uncertain:worker_lost", "1.push": "sent"}
    check(store, use_case())


def test_an_answer_that_comes_late_lets_a_held_one_go_on_to_what_is_no_action(store: Store) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    pause(store)
    store.clock.instant += 2 * LEASE
    held(ada, proposal)
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    row = ada.row()
    assert (record.place, row.held, row.due) == (GATE, "", row.until)


def test_the_time_in_the_journey_runs_on_for_whoever_is_held(store: Store) -> None:
    of = use_case(global_timeout="P2D")
    ada = let_ada_in(store, of)
    ada.walk_to(GATE)
    pause(store)
    ada.pass_time()
    assert held(ada).seconds == durations.seconds("P1D")
    store.clock.instant += DAY
    assert ada.stop().end == "global_timeout"
    assert ada.row().held == ""
    check(store, of)


def test_time_is_up_for_a_held_one_whose_message_was_put_off_too(store: Store) -> None:
    of = use_case(global_timeout="P2D")
    ada = let_ada_in(store, of, policy=SAFE)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    ada.mark(proposal, Mark("email", "claimed"), sent(opened.claims[1]))
    pause(store)
    held(ada, proposal)
    store.clock.instant += 2 * DAY
    ended = ada.open(proposal)
    assert isinstance(ended, Record)
    assert ended.end == "global_timeout"
    assert ada.deliveries() == {"1.email": "excluded:ended", "1.push": "sent"}
    check(store, of)


@pytest.mark.parametrize("how", ["remove", "stop", "terminate"])
def test_whoever_must_leave_does_so_from_where_they_are_held(store: Store, how: str) -> None:
    ada = let_ada_in(store)
    pause(store)
    held(ada)
    if how == "remove":
        assert store.write(lambda work: removal.remove(work, ada.entrant)) == ("open", "removed")
    elif how == "stop":
        assert store.write(lambda work: journeys.stop(work, "thank-you")) == [VERSION]
        assert overdue.to_wind_down(store.connection, store.clock.now()) == [(VERSION, "journey_stopped")]
    else:
        store.write(lambda work: end_terminated(work, ada.entrant))
    reasons = {"remove": "removed", "stop": "journey_stopped", "terminate": "terminated"}
    assert ada.stop().end == reasons[how]
    assert (ada.row().held, pausing.held(store.connection, VERSION)) == ("", {})
    check(store, use_case())


# ---- discard ---------------------------------------------------------------------------------------------------------------------


def test_a_pause_that_discards_ends_whoever_comes_to_an_action(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    pause(store, "discard")
    ada.pass_time()
    assert ada.stop().end == "journey_paused"
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}
    check(store, use_case())


def test_one_whose_message_was_put_off_ends_too_and_what_is_on_its_way_is_waited_for(store: Store) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    pause(store, "discard")
    assert isinstance(ada.open(proposal), Busy)
    ada.mark(proposal, Mark("email", "claimed"), sent(opened.claims[1]))
    ended = ada.open(proposal)
    assert isinstance(ended, Record)
    assert ended.end == "journey_paused"
    assert ada.deliveries() == {"1.email": "excluded:ended", "1.push": "sent"}
    check(store, use_case())


def test_those_whom_an_earlier_pause_held_end_by_one_that_discards(store: Store) -> None:
    ada = let_ada_in(store)
    pause(store)
    held(ada)
    resume(store)
    assert pause(store, "discard").wake == (VERSION,)
    assert pausing.held_back(store.connection) == [VERSION]
    assert release(store).people == (ada.entrant,)
    assert ada.stop().end == "journey_paused"
    assert pausing.held_back(store.connection) == []


def test_paused_again_before_all_have_gone_on_the_others_stay(store: Store) -> None:
    ada = let_ada_in(store)
    pause(store)
    held(ada)
    resume(store)
    assert pausing.held_back(store.connection) == [VERSION]
    assert pause(store).wake == ()
    assert pausing.held_back(store.connection) == []
    assert release(store) == Page()
    assert ada.row().held == "first"


def test_one_held_behind_the_entry_stays_so_whoever_asks(store: Store) -> None:
    """Let in at a gate, whose time is over: a question of the workflow does not make them overdue."""
    of = version(
        {"id": "rests", "kind": "wait", "for": "PT1H", "next": "one"},
        {"id": "one", "kind": "message", "message": "first-message", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    ada = let_ada_in(store, of)
    pause(store, journey="small")
    ada.pass_time()
    held(ada)
    due = ada.row().due
    before = store.written()
    assert ada.ask().n == 0
    assert (store.written(), ada.row().due) == (before, due)
    assert [one.waiting for one in waiting_list.at_node(store.connection, "small@1", of.journey, "rests")] == [False]


def test_a_profile_is_not_written_before_they_may_go_on(store: Store) -> None:
    of = version({"id": "mark", "kind": "update_profile", "set": {"city": "Rome"}, "next": "end"}, {"id": "end", "kind": "end"})
    of = Version(journey=of.journey, events=of.events, writes={"city": "string"})
    ada = let_ada_in(store, of)
    pause(store, journey="small")
    assert held(ada).said == "held before mark: the journey is paused"
    assert store.row(schema.profiles, id="ada").attributes["city"] == "Atlanta"
    resume(store, "small")
    release(store, "small@1")
    assert ada.stop().end == "finished"
    assert store.row(schema.profiles, id="ada").attributes["city"] == "Rome"
    check(store, of)
