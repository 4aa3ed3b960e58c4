"""An uncertain delivery is sent once more when somebody asks: once for each asking, and a crash leaves it as it was (D3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journey import ids, reports
from journey.contract import ResendStart
from journey.errors import Conflict, NotFound
from journey.messages import MessageDocument
from journey.report_messages import ChannelReport
from store import messages, profiles, resending, schema, suppressions
from store import reports as store_reports
from store.claims import MOST_TRIES, Busy, Policy
from store.closing import Mark
from store.send_rates import SendRates
from store.steps import Opened
from tests.builders import MINUTE, SECOND, message, profile, purchase, use_case, use_case_messages
from tests.store.driver import AT_RISK, LEASE, Driver, Store, check, let_in, publish

USE_CASE = use_case()
ADA = "thank-you~ada~1"
FIRST = f"{ADA}.1.email"


@pytest.fixture
def ada(store: Store) -> Driver:
    """Nobody knows whether she got her first e-mail; her first push arrived."""
    publish(store, USE_CASE, use_case_messages())
    (driver,) = let_in(store, USE_CASE, [profile("ada")])
    driver.stop(Mark("email", "uncertain", "no_answer"))
    return driver


def asked(store: Store, delivery: str = FIRST) -> ResendStart:
    return resending.wanted(store.connection, delivery)[0]


def open_again(store: Store, start: ResendStart, policy: Policy = AT_RISK) -> Opened | Busy | str:
    return store.write(lambda work: resending.open_again(work, start, policy))


def claimed(store: Store, start: ResendStart) -> str:
    """The token of the claim."""
    found = open_again(store, start)
    assert isinstance(found, Opened)
    (claim,) = found.claims
    assert claim.delivery == start.delivery, "so the Message-ID is the same too"
    return claim.token


def answered(store: Store, start: ResendStart, status: str, reason: str = "", token: str = "", **more: float) -> Busy | str:
    answer = Mark("email", status, reason, token=token, **more)  # type: ignore[arg-type]  # `retry_after` is all there is
    return store.write(lambda work: resending.mark_again(work, start, answer))


def agree(store: Store) -> ChannelReport:
    check(store, USE_CASE)
    found = store_reports.report(store.connection, ids.version("thank-you", 1), USE_CASE.journey)
    assert reports.differences(USE_CASE.journey, found) == ()
    return next(one for one in found.nodes if one.node == "first").channels["email"]


def test_what_is_taken_this_time_is_sent_and_counted_apart(store: Store, ada: Driver) -> None:
    start = asked(store)
    assert answered(store, start, "sent", token=claimed(store, start)) == "sent (resent)"
    assert ada.deliveries()["1.email"] == "sent:resent"
    counts = agree(store)
    assert (counts.sent, counts.uncertain, counts.resent) == (0, 1, 1), "it stays in the number that it was in"
    assert open_again(store, start) == "sent (resent)", "an attempt that is repeated sends nothing"
    with pytest.raises(Conflict, match="only an uncertain one is sent once more"):
        asked(store)


def test_it_is_the_message_as_it_was_to_the_person_as_she_is(store: Store, ada: Driver) -> None:
    store.write(lambda work: messages.put(work, message("first-message", "push", push={"title": "New"})))
    store.write(lambda work: profiles.patch(work, "ada", attributes={"email": "new@example.org"}))
    found = open_again(store, asked(store))
    assert isinstance(found, Opened)
    assert isinstance(found.document, MessageDocument)
    assert found.document.email is not None
    assert found.profile.email == "new@example.org"


def test_it_works_when_she_has_long_left(store: Store, ada: Driver) -> None:
    ada.note(store.react(ADA, 1, "push.opened"))
    ada.stop()
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().end == "finished"
    start = asked(store)
    found = open_again(store, start)
    assert isinstance(found, Opened)
    assert found.event == {}, "what happened later did not lead to the first message"
    assert answered(store, start, "sent", token=found.claims[0].token) == "sent (resent)"
    agree(store)


def test_it_works_while_her_step_is_still_open(store: Store) -> None:
    publish(store, USE_CASE, use_case_messages())
    (ada,) = let_in(store, USE_CASE, [profile("ada")])
    proposal = ada.proposal()
    found = ada.open(proposal)
    assert isinstance(found, Opened)
    ada.mark(proposal, Mark("email", "uncertain", "no_answer"), Mark("push", "claimed", token=found.claims[1].token))
    start = asked(store)
    assert answered(store, start, "sent", token=claimed(store, start)) == "sent (resent)"
    store.clock.instant += MINUTE
    ada.stop()
    counts = agree(store)
    assert (counts.sent, counts.uncertain, counts.resent) == (1, 0, 1)


def test_a_crash_in_the_middle_leaves_it_uncertain_and_it_can_be_asked_for_again(store: Store, ada: Driver) -> None:
    start = asked(store)
    claimed(store, start)
    assert ada.deliveries()["1.email"] == "uncertain:resending"
    assert asked(store) == start, "asked meanwhile, it is the same sending"
    held = open_again(store, start)
    assert isinstance(held, Busy)
    assert held.seconds <= 5
    store.clock.instant += LEASE
    assert open_again(store, start) == "uncertain (worker_lost)"
    assert open_again(store, start) == "uncertain (worker_lost)", "however often it is tried"
    later = asked(store)
    assert later != start
    assert answered(store, later, "sent", token=claimed(store, later)) == "sent (resent)"
    agree(store)


@pytest.mark.complaint(13)
@pytest.mark.parametrize("reason", ["no_consent", "no_address", "suppressed"])
def test_who_may_not_be_written_to_any_more_is_not_and_the_reason_says_so(store: Store, ada: Driver, reason: str) -> None:
    if reason == "suppressed":
        store.write(lambda work: suppressions.put(work, "email", "ada@example.org", "complaint"))
    elif reason == "no_consent":
        store.write(lambda work: profiles.patch(work, "ada", consents={"email": False}))
    else:
        store.write(lambda work: profiles.patch(work, "ada", attributes={"email": None}))
    assert open_again(store, asked(store)) == f"uncertain ({reason})"
    assert ada.deliveries()["1.email"] == f"uncertain:{reason}"
    agree(store)


def test_what_the_provider_refuses_stays_uncertain_since_the_first_may_have_arrived(store: Store, ada: Driver) -> None:
    start = asked(store)
    assert answered(store, start, "failed", "address_refused", token=claimed(store, start)) == "uncertain (address_refused)"
    agree(store)


def test_a_pause_is_kept_and_its_tries_are_counted_anew(store: Store, ada: Driver) -> None:
    start = asked(store)
    assert answered(store, start, "claimed", token=claimed(store, start), retry_after=90.0) == Busy(90.0)
    paused = open_again(store, start)
    assert isinstance(paused, Busy)
    assert 90 <= paused.seconds < 90.1
    told: Busy | str = paused
    for _ in range(MOST_TRIES - 1):
        store.clock.instant += 5 * MINUTE
        told = answered(store, start, "claimed", token=claimed(store, start))
    assert told == "uncertain (retries_exhausted)"
    again = asked(store)
    assert isinstance(answered(store, again, "claimed", token=claimed(store, again)), Busy), "and not exhausted at once"


def test_no_answer_again_is_not_tried_again_by_itself(store: Store, ada: Driver) -> None:
    for status, reason in (("uncertain", "no_answer"), ("claimed", "sent_again")):
        start = asked(store)
        assert answered(store, start, status, reason, token=claimed(store, start)) == "uncertain (no_answer)"


def test_an_open_meanwhile_has_told_that_the_first_one_arrived(store: Store, ada: Driver) -> None:
    start = asked(store)
    store.react(ADA, 1, "email.opened")
    assert open_again(store, start) == "sent"
    assert ada.deliveries()["1.email"] == "sent"


def test_an_open_of_the_first_while_the_second_is_on_its_way_leaves_it_sent_twice(store: Store, ada: Driver) -> None:
    start = asked(store)
    token = claimed(store, start)
    store.react(ADA, 1, "email.opened")
    assert answered(store, start, "failed", "address_refused", token=token) == "sent"
    assert answered(store, start, "sent", token=token) == "sent (resent)"
    agree(store)


def test_it_waits_for_its_turn_where_a_rate_is_set(store: Store, ada: Driver) -> None:
    policy = replace(AT_RISK, rates=SendRates({"email": 0.1}))
    store.write(lambda work: policy.rates.turn(work, "email", "email", work.now()))
    start = asked(store)
    found = open_again(store, start, policy)
    assert isinstance(found, Busy)
    assert 10 <= found.seconds < 10.1
    store.clock.instant += 10 * SECOND
    assert isinstance(open_again(store, start, policy), Opened)


def test_only_what_is_there_and_uncertain_can_be_asked_for(store: Store, ada: Driver) -> None:
    for unknown in (f"{ADA}.9.email", "nonsense", "thank-you~ben~1.1.email"):
        with pytest.raises(NotFound):
            asked(store, unknown)
    with pytest.raises(Conflict):
        asked(store, f"{ADA}.1.push")
    assert store.rows(schema.facts, kind="resent") == []
