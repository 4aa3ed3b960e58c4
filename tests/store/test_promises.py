"""What is done when nobody knows whether a provider took a message: never_twice leaves it uncertain, never_lost sends it again (D3)."""

from __future__ import annotations

from typing import Any

import pytest

from journey import ids, reports
from journey.contract import Proposal, Record
from journey.report_messages import ChannelReport
from store import removal, schema
from store import reports as store_reports
from store.claims import MOST_TRIES, SENT_AGAIN, UNANSWERED, Busy
from store.closing import Mark
from store.steps import Opened
from store.taking import Claim
from tests.builders import MINUTE, SECOND, message, profile, use_case, use_case_messages
from tests.store.driver import AT_RISK, LEASE, Driver, Store, check, let_in, publish, sent

USE_CASE = use_case()


def let_ada_in(store: Store, **changed: Any) -> Driver:
    """Her first message goes out by e-mail alone."""
    first = message("first-message", "email", **changed)
    publish(store, USE_CASE, use_case_messages() | {"first-message": first})
    (driver,) = let_in(store, USE_CASE, [profile("ada")], policy=AT_RISK)
    return driver


def claimed(ada: Driver, proposal: Proposal) -> Claim:
    found = ada.open(proposal)
    assert isinstance(found, Opened)
    (claim,) = found.claims
    return claim


def in_the_report(store: Store, node: str = "first") -> ChannelReport:
    found = store_reports.report(store.connection, ids.version("thank-you", 1), USE_CASE.journey)
    assert reports.differences(USE_CASE.journey, found) == ()
    return next(one for one in found.nodes if one.node == node).channels["email"]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({}, False),
        ({"class": "transactional"}, True),
        ({"promise": "never_lost"}, True),
        ({"class": "transactional", "promise": "never_twice"}, False),
    ],
)
def test_the_promise_of_a_message_says_what_becomes_of_one_whose_sender_died(store: Store, changed: dict[str, str], again: bool) -> None:
    ada = let_ada_in(store, **changed)
    proposal = ada.proposal()
    before = claimed(ada, proposal)
    store.clock.instant += LEASE
    if again:
        after = claimed(ada, proposal)
        assert after.delivery == before.delivery, "the same delivery has the same Message-ID"
        assert ada.mark(proposal, sent(after)) is not None
    else:
        assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "sent:sent_again" if again else "uncertain:worker_lost"}
    counts = in_the_report(store)
    assert (counts.sent, counts.sent_again, counts.uncertain) == ((1, 1, 0) if again else (0, 0, 1))
    check(store, USE_CASE)


def test_an_answer_that_never_came_is_one_try_and_stays_marked_until_it_is_sent(store: Store) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    ada.mark(proposal, Mark("email", "claimed", SENT_AGAIN, token=claimed(ada, proposal).token))
    store.clock.instant += MINUTE
    ada.mark(proposal, Mark("email", "claimed", token=claimed(ada, proposal).token))
    store.clock.instant += MINUTE
    second = claimed(ada, proposal)
    assert second.tries == 2
    assert ada.mark(proposal, sent(second)) is not None
    assert ada.deliveries() == {"1.email": "sent:sent_again"}


def test_one_that_may_have_gone_and_is_put_off_for_ever_is_uncertain_and_no_failure(store: Store) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    for _ in range(MOST_TRIES):
        found = ada.mark(proposal, Mark("email", "claimed", SENT_AGAIN, token=claimed(ada, proposal).token))
        store.clock.instant += 10 * MINUTE
    assert found is not None
    assert ada.deliveries() == {"1.email": "uncertain:no_answer"}
    assert ada.path() == ("read:next", "first:next")
    check(store, USE_CASE)


def test_a_transient_answer_to_somebody_who_was_given_up_does_not_end_the_claim_of_his_successor(store: Store) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    lost = claimed(ada, proposal)
    store.clock.instant += LEASE
    claimed(ada, proposal)
    ada.mark(proposal, Mark("email", "claimed", token=lost.token))
    store.clock.instant += 5 * SECOND
    assert isinstance(ada.open(proposal), Busy)
    assert store.row(schema.deliveries).tries == 0


@pytest.mark.parametrize("promise", ["never_twice", "never_lost"])
@pytest.mark.parametrize("reaction", ["opened", "clicked"])
def test_whoever_has_opened_it_has_got_it_and_it_is_not_sent_again(store: Store, promise: str, reaction: str) -> None:
    ada = let_ada_in(store, promise=promise)
    proposal = ada.proposal()
    claimed(ada, proposal)
    store.react(ada.entrant, 1, f"email.{reaction}", "https://shop.example/" if reaction == "clicked" else "")
    store.clock.instant += LEASE
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "sent"}
    assert in_the_report(store).uncertain == 0
    check(store, USE_CASE)


def test_an_open_during_the_pause_before_it_is_sent_again_ends_the_pause(store: Store) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    ada.mark(proposal, Mark("email", "claimed", SENT_AGAIN, retry_after=300, token=claimed(ada, proposal).token))
    assert isinstance(ada.open(proposal), Busy)
    store.react(ada.entrant, 1, "email.opened")
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "sent"}


def test_an_answer_that_never_came_is_no_question_any_more_when_it_was_opened_meanwhile(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    claimed(ada, proposal)
    store.react(ada.entrant, 1, "email.opened")
    assert ada.mark(proposal, Mark("email", "uncertain", "no_answer")) is not None
    assert ada.deliveries() == {"1.email": "sent"}


@pytest.mark.parametrize(("opened", "becomes"), [(False, "uncertain:worker_lost"), (True, "sent")])
def test_one_who_must_end_keeps_what_is_known_of_a_lost_senders_message(store: Store, opened: bool, becomes: str) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    claimed(ada, proposal)
    if opened:
        store.react(ada.entrant, 1, "email.opened")
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    store.clock.instant += LEASE
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": becomes}
    check(store, USE_CASE)


def test_one_who_must_end_in_the_pause_before_it_is_sent_again_may_have_got_it(store: Store) -> None:
    ada = let_ada_in(store, promise="never_lost")
    proposal = ada.proposal()
    ada.mark(proposal, Mark("email", "claimed", SENT_AGAIN, retry_after=300, token=claimed(ada, proposal).token))
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "uncertain:no_answer"}


def test_no_connection_of_our_own_being_free_is_no_try_however_often(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    for _ in range(MOST_TRIES + 1):
        claim = claimed(ada, proposal)
        assert claim.tries == 0
        assert ada.mark(proposal, Mark("email", "claimed", retry_after=5, token=claim.token, asked=False)) is None
        store.clock.instant += 5 * SECOND
    assert ada.deliveries() == {"1.email": "claimed"}


def test_one_who_must_end_after_a_call_that_nobody_answered_may_have_got_it(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    ada.mark(proposal, Mark("email", "claimed", UNANSWERED, retry_after=300, token=claimed(ada, proposal).token))
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "uncertain:no_answer"}
    check(store, USE_CASE)


def test_what_cannot_be_sent_any_more_after_a_call_that_nobody_answered_may_have_arrived(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    for reason in (UNANSWERED, ""):  # a plain "later" after it takes nothing back
        assert ada.mark(proposal, Mark("email", "claimed", reason, retry_after=5, token=claimed(ada, proposal).token)) is None
        store.clock.instant += 5 * SECOND
    assert ada.mark(proposal, Mark("email", "failed", "no_token", token=claimed(ada, proposal).token, asked=False)) is not None
    assert ada.deliveries() == {"1.email": "uncertain:no_answer"}
    check(store, USE_CASE)


def test_a_providers_own_no_counts_also_after_a_call_that_nobody_answered(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    ada.mark(proposal, Mark("email", "claimed", UNANSWERED, retry_after=5, token=claimed(ada, proposal).token))
    store.clock.instant += 5 * SECOND
    ada.mark(proposal, Mark("email", "failed", "message_refused", token=claimed(ada, proposal).token))
    assert ada.deliveries() == {"1.email": "failed:message_refused"}
