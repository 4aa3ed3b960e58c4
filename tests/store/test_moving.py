"""Those inside go on in the version that succeeds theirs: a step like any other, by one law of time, and nobody is counted twice."""

from __future__ import annotations

import pytest

from journey.contract import Proposal, Record
from store import numbers, schema, succeeding, versions
from store.steps import Opened
from tests.builders import DAY, HOUR, SECOND, START, profile, purchase, rule, use_case, version
from tests.store.driver import Store, let_in, publish, sent
from tests.store.moves import SMALL, check_all, listens, looks_back, refund, renamed, shorter, step, succeed, waits, without_push, woken
from tests.store.pauses import GATE, VERSION, let_ada_in, pause, resume


@pytest.mark.behaviour(8)
def test_a_wait_of_seven_days_that_is_cut_to_five_ends_five_days_after_the_arrival(store: Store) -> None:
    ada = let_ada_in(store, waits())
    arrived = ada.row().arrived_at
    store.clock.instant += DAY
    succeed(store, waits("P5D"))
    assert woken(store, SMALL) == (ada.entrant,)
    assert woken(store, SMALL) == (), "they are due, and not told twice"

    moved = ada.stop(proposal=ada.asks())
    assert (moved.n, moved.place, moved.version, moved.seconds) == (1, "rests", "small@2", 4 * 86_400)
    row = ada.row()
    assert (row.version, row.arrived_at, row.until, row.due) == ("small@2", arrived, arrived + 5 * DAY, arrived + 5 * DAY)
    assert (step(ada).outcome, step(ada).from_version, step(ada).to_version) == ("moved", SMALL, "small@2")
    assert step(ada).said == "moved from small@1 to small@2; waits at rests"
    assert versions.row(store.connection, SMALL).state == "finished", "nobody is inside any more"
    assert succeeding.to_wake(store.connection, store.clock.now()) == []
    inside = numbers.held(store.connection, store.clock.now()).open_by_version
    assert inside == {("small", "small@2"): 1}
    check_all(store, "small")

    ada.pass_time()
    assert store.clock.instant == arrived + 5 * DAY
    assert ada.stop().end == "finished"
    check_all(store, "small")


def test_a_workflow_that_is_ahead_of_a_restored_store_is_told_in_which_version_it_is(store: Store) -> None:
    """It was moved since the backup, and walks another graph than its person does here."""
    ada = let_ada_in(store, waits())
    before = ada.row()
    for n in (before.n + 2, before.n + 7):
        told = ada.open(Proposal(entrant=ada.entrant, n=n))
        assert isinstance(told, Record)
        assert (told.n, told.place, told.version) == (before.n, "rests", SMALL)
        assert told.hash == versions.row(store.connection, SMALL).hash
    assert ada.row() == before
    asked = ada.open(Proposal(entrant=ada.entrant, n=before.n))
    assert isinstance(asked, Record)
    assert asked.version == "", "who is not ahead knows it"


# ---- who is told, and who goes by themselves ---------------------------------------------------------------------------------------


def test_where_nothing_but_arrows_has_changed_nobody_is_woken_and_they_move_at_their_next_stop(store: Store) -> None:
    ada = let_ada_in(store, waits())
    until = ada.row().until
    succeed(store, waits("P7D", leads="one"))
    assert woken(store, SMALL) == ()
    ada.pass_time()
    moved = ada.stop()
    assert (moved.version, moved.place, moved.seconds, ada.row().until) == ("small@2", "rests", 0, until)
    ada.stop()
    assert ada.path() == ("read:next", "rests:next", "one:next")
    assert ada.deliveries() == {"2.email": "sent", "2.push": "sent"}
    check_all(store, "small")


def test_a_closing_that_comes_after_the_publish_answers_that_there_is_nothing_to_wait_for(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    succeed(store, shorter())
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert (record.place, record.seconds, record.version) == (GATE, 0, ""), "they were written to by the old version, and ask at once"
    ada.record = record
    moved = ada.stop()
    assert (moved.version, moved.place, ada.row().until) == ("thank-you@2", GATE, ada.row().arrived_at + 12 * HOUR)
    check_all(store, "thank-you")


def test_as_many_are_told_in_a_second_as_was_said_and_those_who_are_about_to_ask_are_not(store: Store) -> None:
    publish(store, waits())
    people = let_in(store, waits(), [profile(f"p{number}") for number in range(5)])
    store.clock.instant += 7 * DAY - 20 * SECOND
    first = people[0]
    store.connection.execute(
        schema.entrants.update().where(schema.entrants.c.id == first.entrant).values(due=first.row().due - 15 * SECOND)
    )
    succeed(store, waits("P5D"), rate=3)
    pages = [store.write(lambda work: succeeding.wake(work, SMALL)) for _ in range(2)]
    assert [(len(page.people), page.rate, page.done) for page in pages] == [(3, 3, False), (1, 3, True)]
    assert first.entrant not in pages[0].people + pages[1].people


def test_whoever_goes_on_where_they_are_is_no_more_due_than_before(store: Store) -> None:
    """Told, and paused before they could ask."""
    ada = let_ada_in(store, waits())
    until = ada.row().until
    succeed(store, waits("P5D"))
    woken(store, SMALL)
    pause(store, journey="small")
    assert ada.open(ada.asks()) == ada.ask()
    assert (ada.row().version, ada.row().due, ada.record.seconds) == (SMALL, until, 7 * 86_400)
    assert succeeding.to_wake(store.connection, store.clock.now()) == [], "while it is paused nobody is moved"
    resumed = resume(store, "small")
    assert resumed.succeeded == (SMALL,)
    assert succeeding.to_wake(store.connection, store.clock.now()) == [SMALL]
    assert woken(store, SMALL) == (ada.entrant,)
    assert ada.stop(proposal=ada.asks()).version == "small@2"


# ---- the law of time ---------------------------------------------------------------------------------------------------------------


def test_who_has_waited_longer_than_the_new_length_is_done_at_once(store: Store) -> None:
    ada = let_ada_in(store, waits())
    store.clock.instant += 6 * DAY
    succeed(store, waits("P5D"))
    ada.stop(proposal=ada.asks())
    assert (ada.record.version, ada.record.seconds, ada.row().due) == ("small@2", 0, store.clock.instant)
    assert ada.stop().end == "finished"
    check_all(store, "small")


def test_a_wait_that_is_made_longer_lasts_longer_from_the_publish_on(store: Store) -> None:
    ada = let_ada_in(store, waits("P5D"))
    store.clock.instant += 4 * DAY
    succeed(store, waits("P7D"))
    store.clock.instant += 2 * DAY
    assert ada.stop().seconds == 86_400, "its timer fires after five days, and there are two more"


def test_a_wait_that_was_over_before_the_publish_is_left_as_it_was_drawn_then(store: Store) -> None:
    ada = let_ada_in(store, waits("P5D", leads="one"))
    store.clock.instant += 5 * DAY
    succeed(store, waits("P7D", leads="end"))
    assert woken(store, SMALL) == ()
    ada.stop()
    assert (ada.row().version, ada.path()) == (SMALL, ("read:next", "rests:next", "one:next"))
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}


def test_a_time_in_the_journey_that_is_made_longer_is_longer_for_those_inside(store: Store) -> None:
    ada = let_ada_in(store, waits("P7D", global_timeout="P2D"))
    store.clock.instant += DAY
    succeed(store, waits("P7D", global_timeout="P4D"))
    assert woken(store, SMALL) == (ada.entrant,)
    assert ada.stop(proposal=ada.asks()).seconds == 3 * 86_400


def test_a_wait_until_a_window_is_computed_as_if_they_had_come_then(store: Store) -> None:
    ada = let_ada_in(store, waits())
    arrived = ada.row().arrived_at
    store.clock.instant += 3 * HOUR
    window = {"id": "rests", "kind": "wait", "until": {"hours": "20:00-21:00"}, "next": "end"}
    succeed(store, version(window, {"id": "end", "kind": "end"}, timezone="UTC"))
    ada.stop(proposal=ada.asks())
    row = ada.row()
    assert row.until == row.ends["rests"] == START - START % DAY + 20 * HOUR
    assert row.arrived_at == arrived


# ---- what decides a gate -----------------------------------------------------------------------------------------------------------


def test_a_gate_that_an_event_has_decided_stays_decided(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    told = store.react(ada.entrant, 1, "email.opened")
    succeed(store, shorter())
    assert woken(store, VERSION) == (), "it goes on by itself"
    ada.note(told)
    moved = ada.stop()
    assert (moved.n, moved.version, moved.node, moved.seconds) == (2, "thank-you@2", "email-opened", 0)
    ada.stop()
    assert ada.path()[-1] == "email-opened:next"
    assert ada.record.place == "purchase"
    check_all(store, "thank-you")


def test_where_the_node_that_won_is_gone_they_go_on_as_it_was_drawn_and_move_at_their_next_place(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    told = store.react(ada.entrant, 1, "push.opened")
    succeed(store, without_push())
    ada.note(told)
    at_purchase = ada.stop()
    assert (at_purchase.place, at_purchase.version, at_purchase.seconds) == ("purchase", "", 0)
    assert ada.path()[-1] == "push-opened:next"
    assert ada.stop().version == "thank-you@2"
    check_all(store, "thank-you")


def test_an_event_is_heard_by_the_old_gate_before_the_move_and_by_the_new_one_after_it(store: Store) -> None:
    publish(store, listens("purchase"))
    ada, bob = let_in(store, listens("purchase"), [profile("ada"), profile("bob")])
    succeed(store, listens("refund"))
    assert store.accept(purchase("p-1"), "ada").word == "decided"
    assert ada.row().won_node == "hears"
    bob.stop(proposal=bob.asks())
    assert (bob.version, bob.record.n) == ("small@2", 1)
    assert store.accept(purchase("p-2"), "bob").code == "nobody_listening"
    told = store.accept(refund("r-1"), "bob")
    assert [(one.entrant, one.n, one.node) for one in told.decided] == [(bob.entrant, 1, "hears")]
    bob.note(told)
    assert bob.stop().end == "finished"


def test_a_kept_event_decides_the_gate_that_they_are_led_to(store: Store) -> None:
    ada = let_ada_in(store)
    assert store.accept(purchase("p-1"), "ada").word == "kept"
    succeed(store, use_case(), "migrate", map={"first": "purchase"})
    moved = ada.stop()
    assert (moved.place, moved.node, moved.event) == ("purchase", "purchase", "p-1")
    assert ada.stop().end == "finished"
    assert ada.deliveries() == {"2.push": "sent"}
    check_all(store, "thank-you")


def test_what_came_after_the_new_deadline_does_not_decide(store: Store) -> None:
    """Kept on day 6 by somebody who listens further on; the gate that they are led to was over after a day."""
    ada = let_ada_in(store, looks_back())
    store.clock.instant += 6 * DAY
    assert store.accept(purchase("p-1"), "ada").word == "kept"
    succeed(store, looks_back(), "migrate", map={"rests": "hears"})
    ada.stop(proposal=ada.asks())
    assert (ada.record.version, ada.record.node, ada.record.due_node) == ("small@2", "", "")
    ada.stop()
    assert ada.path()[-1] == "hears:timeout"


def test_a_rule_that_is_true_already_decides_at_once(store: Store) -> None:
    ada = let_ada_in(store, waits())
    rested = {"id": "rests", "kind": "wait", "until": {"rule": rule("profile.city", "=", "Atlanta")}, "next": "end"}
    succeed(store, version(rested, {"id": "end", "kind": "end"}))
    assert ada.stop(proposal=ada.asks()).node == "rests"
    assert ada.stop().end == "finished"
    check_all(store, "small")


def test_an_open_of_what_the_old_version_sent_counts_for_the_node_that_continues_it(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    succeed(store, renamed())
    ada.stop(proposal=ada.asks())
    assert ada.version == "thank-you@2"
    told = store.react(ada.entrant, 1, "email.opened")
    assert [one.node for one in told.decided] == ["email-opened"]
    ada.note(told)
    assert ada.stop().place == "purchase"
    opened = store.rows(schema.counters, kind="opened")
    assert [(row.version, row.node) for row in opened] == [(VERSION, "first")], "it is counted where it was sent"
    check_all(store, "thank-you")
