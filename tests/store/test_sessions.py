"""Test sessions on a real store: who gets in, what reaches them, and that nobody live notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journey import ids
from journey.errors import BadInput, Conflict, Invalid, NotFound
from journey.version import Session
from store import (
    acceptance,
    journeys,
    overdue,
    profiles,
    removal,
    reports,
    schema,
    session_entering,
    session_log,
    session_starting,
    sessions,
    steps,
    versions,
)
from store.steps import Opened
from store.work import CounterKey, Decided
from tests import stock
from tests.builders import DAY, SECOND, profile, purchase
from tests.store.driver import Driver, Store, document
from tests.store.in_test import (
    GATE,
    JOURNEY,
    POLICY,
    a_tester,
    codes,
    drafted,
    drivers,
    enter,
    enter_up_to,
    fire,
    live_driver,
    modes,
    publish,
    put,
    replace_ask,
    start,
    waiting_for_a_purchase,
)


@pytest.fixture
def waiting(store: Store) -> Driver:
    return waiting_for_a_purchase(store)


# ---- beginning -------------------------------------------------------------------------------------------------------------------


def test_a_test_is_a_version_of_its_own_beside_the_draft(store: Store) -> None:
    drafted(store)
    started = start(store)
    assert (started.version, started.replaced) == ("thank-you@t1", None)
    assert versions.row(store.connection, "thank-you@t1").state == "test"
    assert versions.of_journey(store.connection, JOURNEY) == []
    (summary,) = journeys.page(store.connection, "", 10)
    assert (summary.state, summary.testing, summary.draft) == ("test", True, True)


def test_a_draft_with_an_error_is_not_put_into_test(store: Store) -> None:
    store.write(lambda work: stock.put_use_case(work, nodes=[{"id": "read", "kind": "read_segment", "next": "nowhere"}]))
    with pytest.raises(Invalid):
        start(store)
    with pytest.raises(NotFound, match="is not being tested: begin with POST /v1/journeys/thank-you:test"):
        sessions.running(store.connection, JOURNEY)


def test_a_branch_that_the_journey_does_not_have_is_refused(store: Store) -> None:
    drafted(store)
    with pytest.raises(BadInput, match="is no split of thank-you: it has none"):
        start(store, branches={"ways": "a"})


def test_a_change_of_the_draft_is_not_in_the_test_and_the_log_says_so(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    assert not session_log.read(store.connection, JOURNEY, 0).draft_changed
    nodes = [{"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "end"}, {"id": "end", "kind": "end"}]
    store.write(lambda work: journeys.put_draft(work, JOURNEY, stock.use_case_document(nodes=nodes)))
    log = session_log.read(store.connection, JOURNEY, 0)
    assert log.draft_changed
    assert len(log.frozen.journey.nodes) == 8
    assert enter(store, "tess").starts[0].entrant.place == "first"


# ---- getting in ------------------------------------------------------------------------------------------------------------------


def test_one_test_profile_enters_by_its_name_and_sees_the_day_pass_in_forty_seconds(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    assert tess.entrant == "thank-you~tess~t1"
    record = tess.walk_to(GATE)
    assert record.seconds == 40
    store.clock.instant += 40 * SECOND
    assert tess.stop().place == "purchase"
    assert tess.path() == ("read:next", "first:next", "email-opened:timeout", "follow-up:next")


def test_only_test_profiles_enter_and_everybody_else_is_on_record(store: Store) -> None:
    nameless = replace(a_tester("nameless"))
    drafted(store, a_tester(), profile("ada"))
    store.write(lambda work: profiles.put(work, document(nameless, other="x")))
    start(store)
    entered = enter(store, "tess", "ada", "nobody", "nameless", "tess")
    assert [one.entrant.entrant for one in entered.starts] == ["thank-you~tess~t1"]
    refused = {one.profile: (one.code, one.sentence) for one in entered.refused}
    assert refused == {
        "ada": ("not_a_test_profile", "ada is a real person: only profiles whose `test` is true have a part in a test."),
        "nobody": ("unknown_profile", "There is no profile 'nobody'."),
        "nameless": ("no_identity", "They have no identity in the namespace customer_id, by which thank-you knows people."),
    }
    assert codes(store) == [("ada", "not_a_test_profile"), ("nobody", "unknown_profile"), ("nameless", "no_identity")]
    assert {row.version for row in store.rows(schema.discards)} == {"thank-you@t1"}
    assert [one.code for one in enter(store, "tess").refused] == ["already_inside"]


def test_up_to_a_hundred_test_profiles_of_the_segment_enter_at_once(store: Store) -> None:
    people = [a_tester(f"t{number:03}") for number in range(120)]
    drafted(store, *people, profile("ada"), a_tester("abroad", city="Lyon"))
    start(store)
    entered = enter_up_to(store, 100)
    assert len(entered.starts) == 100
    assert entered.refused == ()
    assert entered.starts[0].entrant.entrant == "thank-you~t000~t1"
    with pytest.raises(Conflict, match="100 are inside the test and 20 would enter, yet 100 is the most at once") as full:
        enter_up_to(store, 100)
    assert full.value.code == "test_full"


def test_the_next_ones_follow_those_who_are_inside(store: Store) -> None:
    drafted(store, *(a_tester(f"t{number}") for number in range(5)))
    start(store)
    assert [one.entrant.entrant for one in enter_up_to(store, 2).starts] == ["thank-you~t0~t1", "thank-you~t1~t1"]
    assert [one.entrant.entrant for one in enter_up_to(store, 2).starts] == ["thank-you~t2~t1", "thank-you~t3~t1"]


def test_whoever_came_to_the_end_may_enter_again_at_once(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.walk_to("purchase")
    tess.note(fire(store))
    tess.stop()
    assert tess.record.end == "finished"
    assert [one.entrant.entrant for one in enter(store, "tess").starts] == ["thank-you~tess~t2"]


def test_nobody_enters_without_a_test(store: Store) -> None:
    drafted(store, a_tester())
    for call in (lambda: enter(store, "tess"), lambda: enter_up_to(store, 1), lambda: fire(store)):
        with pytest.raises(NotFound, match="is not being tested"):
            call()


# ---- live and test do not meet ---------------------------------------------------------------------------------------------------


def both(store: Store) -> tuple[Driver, Driver]:
    """The same profile, live and in test, both behind the first message. It became a test profile after it had entered."""
    drafted(store, profile("tess"))
    publish(store)
    put(store, a_tester())
    start(store)
    live, (test,) = live_driver(store, "tess"), drivers(store, enter(store, "tess"))
    live.walk_to(GATE)
    test.walk_to(GATE)
    return live, test


def test_a_live_person_and_a_test_of_the_same_profile_do_not_meet(store: Store) -> None:
    live, test = both(store)
    store.react(test.entrant, 1, "email.opened")
    assert test.row().won_node == "email-opened"
    assert live.row().won_node == ""
    live.note(store.react(live.entrant, 1, "push.opened"))
    assert live.stop().place == "purchase"
    test.stop(proposal=None)
    assert test.record.place == GATE
    test.stop()
    assert (live.record.place, test.record.place) == ("purchase", "purchase")

    assert fire(store).decided == (Decided(test.entrant, 2, "purchase", "sojourn-test:thank-you@t1", "e-1"),)
    assert live.row().won_node == ""
    real = store.accept(purchase(person="tess"), "tess")
    assert [one.entrant for one in real.decided] == [live.entrant]


def test_a_real_event_does_not_reach_who_is_in_a_test(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.walk_to("purchase")
    assert store.accept(purchase(person="tess"), "tess").code == "nobody_listening"
    assert tess.row().won_node == ""
    assert [one.entrant for one in fire(store).decided] == [tess.entrant]


def test_a_test_event_does_not_reach_the_test_of_another_journey(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    other = stock.use_case_document(id="other")
    store.write(lambda work: journeys.put_draft(work, "other", other))
    store.write(lambda work: session_starting.start(work, "other", Session(), stock.PUBLIC_URL))
    (tess,) = drivers(store, enter(store, "tess"))
    elsewhere = drivers(store, store.write(lambda work: session_entering.enter(work, "other", ["tess"])))[0]
    for one in (tess, elsewhere):
        one.walk_to("purchase")
    assert [one.entrant for one in fire(store).decided] == [tess.entrant]
    assert elsewhere.row().won_node == ""


@pytest.mark.complaint(18)
def test_live_numbers_do_not_know_the_test_and_the_numbers_of_the_test_add_up(store: Store) -> None:
    live, test = both(store)
    test.pass_time()
    test.stop()
    assert modes(store) == {"live", "test"}
    graph = versions.frozen_version(store.connection, versions.row(store.connection, f"{JOURNEY}@1").hash).journey
    of_live = reports.report(store.connection, f"{JOURNEY}@1", graph)
    of_test = reports.report(store.connection, "thank-you@t1", graph, "test")
    assert (of_live.totals.entered, of_test.totals.entered) == (1, 1)
    assert {node.node: node.inside for node in of_live.nodes if node.inside} == {"push-opened": 1, "email-opened": 1}
    assert {node.node: node.inside for node in of_test.nodes if node.inside} == {"purchase": 1}
    assert live.row().place == GATE


def test_publishing_the_draft_ends_the_test(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.walk_to(GATE)
    published = store.write(lambda work: journeys.publish(work, JOURNEY, stock.PUBLIC_URL))
    assert (published.version, published.tested) == ("thank-you@1", "thank-you@t1")
    assert tess.ask().place == GATE
    assert tess.stop(proposal=replace_ask(tess)).end == "test_ended"


# ---- what is sent ----------------------------------------------------------------------------------------------------------------


def opened(store: Store, driver: Driver) -> Opened:
    found = store.write(lambda work: steps.open_step(work, driver.proposal(), driver.policy))
    assert isinstance(found, Opened)
    return found


def test_a_test_message_goes_to_the_inbox_also_where_nobody_carries_its_channel(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.policy = replace(POLICY, carriers={})
    found = opened(store, tess)
    assert sorted(claim.channel for claim in found.claims) == ["email", "push"]
    assert found.session == Session()


def test_a_test_that_really_sends_is_held_to_the_real_providers(store: Store) -> None:
    drafted(store, a_tester())
    start(store, channels="real")
    (tess,) = drivers(store, enter(store, "tess"))
    tess.policy = replace(POLICY, carriers={"email": POLICY.carriers["email"]})
    assert [claim.channel for claim in opened(store, tess).claims] == ["email"]
    assert tess.deliveries()["1.push"] == "excluded:no_provider"


def test_unsubscribing_from_a_test_message_is_noted_and_changes_no_consent(store: Store) -> None:
    drafted(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    tess.walk_to(GATE)
    store.write(lambda work: acceptance.unsubscribe(work, ids.delivery(tess.entrant, 1, "email")))
    assert profiles.get(store.connection, "tess").consents == {}
    assert "unsubscribed" in {row.kind for row in store.rows(schema.facts, entrant=tess.entrant)}


# ---- the end ---------------------------------------------------------------------------------------------------------------------


def test_ending_the_test_ends_everybody_and_clears_its_numbers(store: Store, waiting: Driver) -> None:
    assert store.write(lambda work: sessions.end(work, JOURNEY)) == "thank-you@t1"
    assert [one for one, _ in overdue.to_wind_down(store.connection, 0)] == ["thank-you@t1"]
    assert fire_code(store) == "not_found"
    assert store.write(lambda work: removal.tell_page(work, "thank-you@t1", "test_ended", 10)) == [waiting.entrant]
    assert waiting.stop(proposal=replace_ask(waiting)).end == "test_ended"
    store.write(sessions.expire)
    assert store.rows(schema.counters) == []
    with pytest.raises(NotFound):
        session_log.read(store.connection, JOURNEY, 10)
    assert journeys.page(store.connection, "", 10)[0].state == "draft"


def fire_code(store: Store) -> str:
    try:
        return fire(store).code
    except NotFound as error:
        return error.code


def test_starting_again_replaces_the_test_and_removes_everybody_of_the_former(store: Store, waiting: Driver) -> None:
    assert (start(store).replaced, start(store).replaced) == ("thank-you@t1", "thank-you@t2")
    assert sessions.running(store.connection, JOURNEY).version == "thank-you@t3"
    assert {one for one, _ in overdue.to_wind_down(store.connection, 0)} == {"thank-you@t1"}
    assert waiting.stop(proposal=replace_ask(waiting)).end == "test_ended"
    assert [one.entrant.entrant for one in enter(store, "tess").starts] == ["thank-you~tess~t2"]


def test_a_test_in_which_nothing_was_done_for_a_week_ends_by_itself(store: Store, waiting: Driver) -> None:
    store.clock.instant += 6 * DAY
    fire(store, data={"purchaseMessage": "no"})
    store.clock.instant += 6 * DAY
    assert store.write(sessions.expire) == []
    store.clock.instant += 2 * DAY
    assert store.write(sessions.expire) == ["thank-you@t1"]
    assert waiting.stop(proposal=replace_ask(waiting)).end == "test_ended"


def test_a_draft_in_test_is_not_thrown_away(store: Store, waiting: Driver) -> None:
    with pytest.raises(Conflict) as refused:
        store.write(lambda work: journeys.delete_draft(work, JOURNEY))
    assert refused.value.code == "in_test"


def test_stopping_the_journey_leaves_its_test_alone(store: Store) -> None:
    _, test = both(store)
    assert store.write(lambda work: journeys.stop(work, JOURNEY)) == ["thank-you@1"]
    assert sessions.running(store.connection, JOURNEY).version == "thank-you@t1"
    test.pass_time()
    assert test.stop().place == "purchase"


def test_counters_of_a_test_carry_its_mode(store: Store, waiting: Driver) -> None:
    keys = {CounterKey(row.version, row.mode, row.node, row.kind, row.channel) for row in store.rows(schema.counters)}
    assert CounterKey("thank-you@t1", "test", "read", "entered") in keys
    assert {key.mode for key in keys} == {"test"}
