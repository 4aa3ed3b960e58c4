"""What ends a review, or gets in its way: an end, a pause, a person who is deleted, a worker that dies, an error."""

from __future__ import annotations

import pytest

from journey.contract import Record
from journey.errors import NotFound
from journey.messages import FilledEmail, FilledPush
from journey.version import Version
from store import parking, profiles, removal, resending, reviews, schema, terminating
from store.closing import Mark
from store.steps import Opened
from tests import builders
from tests.builders import DAY, SECOND, profile
from tests.store.driver import LEASE, Store, check, let_in, sent
from tests.store.moves import check_all, succeed
from tests.store.pauses import pause, release, resume
from tests.store.reviewed import ADA, WRITES, comes, goes, inside, make_out, say, waits

# ---- nobody reviews it -----------------------------------------------------------------------------------------------------------


def test_whoever_is_removed_while_it_waits_ends_at_once_and_gets_nothing(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    store.write(lambda work: removal.tell(work, ADA, "removed"))
    told = ada.open(proposal)
    assert isinstance(told, Record)
    assert told.end == "removed"
    assert ada.deliveries() == {"1.email": "excluded:ended", "1.push": "excluded:ended"}
    assert store.rows(schema.reviews) == []
    check(store, WRITES)


def test_it_waits_no_longer_than_its_person_is_in_the_journey(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    store.clock.instant += 91 * DAY - SECOND
    say(store, "approve")
    store.clock.instant += SECOND
    told = ada.open(proposal)
    assert isinstance(told, Opened), "approved in time, it goes"
    (bob,) = let_in(store, WRITES, [profile("bob")])
    of_bob = comes(bob)
    store.clock.instant += 91 * DAY
    ended = bob.open(of_bob)
    assert isinstance(ended, Record)
    assert ended.end == "global_timeout"
    assert bob.deliveries() == {"1.email": "excluded:ended", "1.push": "excluded:ended"}


def test_whose_workflow_was_terminated_ends_too(store: Store) -> None:
    (ada,) = inside(store, "ada")
    comes(ada)
    assert store.write(lambda work: terminating.end_terminated(work, ADA))
    assert (ada.row().end_reason, store.rows(schema.reviews)) == ("terminated", [])
    check(store, WRITES)


def test_what_is_approved_in_a_pause_goes_when_that_is_over(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    pause(store, journey="small")
    assert waits(ada, proposal).held, "it waits for its review as before"
    assert ada.row().held == ""
    say(store, "approve", f"{ADA}.1.push")
    told = ada.open(proposal)
    assert isinstance(told, Record)
    assert (told.held, ada.row().held) == (True, "write")
    resume(store, journey="small")
    assert release(store, "small@1").people == (ADA,)
    assert [claim.channel for claim in goes(ada, proposal).claims] == ["push"]


def test_a_pause_that_discards_ends_whoever_is_approved_in_it(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    pause(store, "discard", journey="small")
    say(store, "approve")
    told = ada.open(proposal)
    assert isinstance(told, Record)
    assert told.end == "journey_paused"
    assert ada.deliveries() == {"1.email": "excluded:ended", "1.push": "excluded:ended"}


def test_of_somebody_deleted_nothing_is_kept_that_was_made_out(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    store.write(lambda work: profiles.delete(work, "ada"))
    mail = reviews.content(store.connection, f"{ADA}.1.email")
    assert (mail.filled, mail.view.subject, mail.profile.email) == (None, "", "")
    assert len(say(store, "discard").deliveries) == 2
    told = ada.open(proposal)
    assert isinstance(told, Record)
    assert told.place == "opened"


# ---- when something goes wrong ---------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_after_the_approval_sends_what_was_approved_or_nobody_knows(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    say(store, "approve")
    goes(ada, proposal)
    store.clock.instant += LEASE
    opened = goes(ada, proposal)
    assert [claim.channel for claim in opened.claims] == ["push"], "an e-mail may have gone"
    assert opened.approved["push"] == FilledPush("Hello", "Hello Ada")
    assert ada.mark(proposal, sent(opened.claims[0])) is not None
    assert ada.deliveries() == {"1.email": "uncertain:worker_lost", "1.push": "sent"}
    assert [row.channel for row in store.rows(schema.reviews)] == ["email"], "somebody may have it sent once more"
    with pytest.raises(NotFound):
        reviews.content(store.connection, f"{ADA}.1.email")

    start, _ = resending.wanted(store.connection, f"{ADA}.1.email")
    again = store.write(lambda work: resending.open_again(work, start, ada.policy))
    assert isinstance(again, Opened)
    assert again.approved["email"] == FilledEmail("shop@example.org", "Hello Ada", "<p>Hello</p>", "Hello\n")
    store.write(lambda work: resending.mark_again(work, start, Mark("email", "sent", token=again.claims[0].token)))
    assert store.rows(schema.reviews) == []
    check(store, WRITES)


def test_an_open_proves_an_uncertain_one_and_nothing_is_kept_of_it(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    say(store, "approve")
    opened = goes(ada, proposal)
    ada.mark(proposal, Mark("email", "uncertain", "no_answer"), *(sent(claim) for claim in opened.claims if claim.channel == "push"))
    assert len(store.rows(schema.reviews)) == 1
    store.react(ADA, 1, "email.opened")
    assert store.rows(schema.reviews) == []


def test_parked_and_tried_again_it_is_reviewed_again_since_the_newest_is_another(store: Store) -> None:
    nodes = [node.model_dump(mode="json", by_alias=True, exclude_defaults=True) for node in WRITES.journey.nodes]
    parks = Version(journey=builders.journey(*nodes[1:], on_error="park"), events=WRITES.events)
    (ada,) = inside(store, "ada", version=parks)
    proposal = comes(ada)
    say(store, "approve")
    goes(ada, proposal)
    told = ada.mark(proposal, Mark("email", "failed", "address_refused"), Mark("push", "failed", "refused"))
    assert told is not None
    assert told.held
    assert store.rows(schema.reviews) == []

    store.write(lambda work: parking.unpark(work, "small"))
    assert ada.deliveries() == {"1.email": "claimed:in_review", "1.push": "claimed:in_review"}
    make_out(ada, proposal, goes(ada, proposal))
    assert waits(ada, proposal).held
    say(store, "approve")
    assert len(goes(ada, proposal).claims) == 2


def test_who_is_in_review_when_the_journey_is_published_anew_stays_on_what_was_seen_and_goes_on_in_the_new_version(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    nodes = [node.model_dump(mode="json", by_alias=True, exclude_defaults=True) for node in WRITES.journey.nodes[1:]]
    nodes[0].pop("hold_for_review")
    nodes[1]["timeout"]["after"] = "PT12H"
    succeed(store, Version(journey=builders.journey(*nodes), events=WRITES.events))
    assert waits(ada, proposal).held, "no longer held in the new version, it is in the one they are in"
    say(store, "approve")
    opened = goes(ada, proposal)
    assert opened.approved["push"] == FilledPush("Hello", "Hello Ada")
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    ada.record = record
    moved = ada.stop()
    assert (moved.version, moved.place, moved.seconds) == ("small@2", "opened", 43_200.0)
    assert store.rows(schema.reviews) == []
    check_all(store, "small")
