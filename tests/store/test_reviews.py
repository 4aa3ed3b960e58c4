"""A message held for review waits until somebody has approved or discarded it, and is sent as it was seen."""

from __future__ import annotations

import pytest

from journey.contract import Proposal, Record
from journey.messages import FilledEmail, FilledPush
from store import in_review, messages, profiles, reviews, schema, suppressions
from store.reviews import Judged, Wanted
from store.steps import Opened
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, SECOND, message, profile
from tests.store.driver import LEASE, Driver, Store, document, let_in, publish, sent
from tests.store.holding import MESSAGES, cap, hold_to
from tests.store.reviewed import ADA, WRITES, comes, goes, inside, listed, make_out, report, say, waits

# ---- held ------------------------------------------------------------------------------------------------------------------------


def test_it_is_made_out_and_nothing_is_sent_and_nobody_is_late(store: Store) -> None:
    (ada,) = inside(store, "ada")
    said = waits(ada, comes(ada))
    assert said.held == "news: email waits for somebody to review it, push waits for somebody to review it"
    assert said.seconds == pytest.approx(91 * 86_400, abs=1)
    assert ada.deliveries() == {"1.email": "claimed:in_review", "1.push": "claimed:in_review"}
    row = ada.row()
    assert (row.place, row.waiting, row.due >= row.entered_at + 91 * DAY) == ("write", False, True)
    here = report(store)
    assert (here.arrived, here.inside, here.in_review, here.left) == (1, 1, 1, {})
    mail, push = listed(store)
    assert (mail.id, mail.profile, mail.node, mail.subject, mail.error) == (f"{ADA}.1.email", "ada", "write", "Hello Ada", "")
    assert (mail.since, mail.rendered_at, mail.until - mail.since) == (builders.START, builders.START, 91 * DAY)
    assert (push.channel, push.subject) == ("push", "Hello")


def test_a_worker_that_dies_before_it_is_made_out_is_repeated_and_one_that_comes_twice_changes_nothing(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = ada.proposal()
    first = ada.open(proposal)
    assert isinstance(first, Opened)
    assert ada.row().due < store.clock.instant + MINUTE, "the sweep would look after it"
    assert [one.rendered_at for one in listed(store)] == [None, None]
    assert say(store, "approve").deliveries == (), "nobody can have seen it"
    again = goes(ada, proposal)
    assert again.to_render == ("email", "push")
    make_out(ada, proposal, again)
    assert waits(ada, proposal).held
    store.write(lambda work: in_review.keep(work, ADA, 1, first.revision, [in_review.Shown("email", error="too late")]))
    assert [one.error for one in listed(store)] == ["", ""]


def test_who_may_not_be_written_to_is_no_matter_for_a_review(store: Store) -> None:
    publish(store, WRITES, MESSAGES)
    (ada,) = let_in(store, WRITES, [profile("ada", consents={"email": False}, push_tokens=())])
    assert ada.stop().place == "opened"
    assert ada.deliveries() == {"1.email": "excluded:no_consent", "1.push": "excluded:no_token"}
    assert listed(store) == []


def test_a_transactional_message_is_held_too_where_the_node_says_so(store: Store) -> None:
    version = builders.version({"id": "write", "kind": "message", "message": "receipt", "hold_for_review": True})
    (ada,) = inside(store, "ada", version=version)
    proposal = ada.proposal()
    make_out(ada, proposal, goes(ada, proposal))
    assert waits(ada, proposal).held == "receipt: email waits for somebody to review it"


# ---- approved --------------------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(11)
def test_what_was_approved_is_what_is_sent_and_clocks_start_when_it_is(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    store.write(lambda work: messages.put(work, message("news", "email", "push", name="Changed")))
    store.write(lambda work: profiles.put(work, document(profile("ada", first_name="Bea", email="bea@example.org"))))
    store.clock.instant += 2 * DAY
    told = say(store, "approve")
    assert (told.deliveries, told.people, told.anew) == ((f"{ADA}.1.email", f"{ADA}.1.push"), (ADA,), ())
    assert ada.row().due == store.clock.instant + 10 * SECOND, "whom the news does not reach is told by the sweep"
    opened = goes(ada, proposal)
    assert opened.approved["email"] == FilledEmail("shop@example.org", "Hello Ada", "<p>Hello</p>", "Hello\n")
    assert opened.approved["push"] == FilledPush("Hello", "Hello Ada")
    assert opened.profile.email == "bea@example.org"
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert (record.place, record.seconds) == ("opened", 86_400.0)
    assert ada.row().until == store.clock.instant + DAY
    assert store.rows(schema.reviews) == [], "what is over is not kept"
    here = report(store)
    assert (here.in_review, here.left, here.channels["email"].sent) == (0, {"next": 1}, 1)


def test_to_approve_twice_sends_once(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    say(store, "approve")
    assert say(store, "approve") == Judged(), "it is not in review any more"
    goes(ada, proposal)
    assert say(store, "approve") == say(store, "discard") == Judged()
    assert waits(ada, proposal).seconds < LEASE / SECOND, "somebody has it in hand"


def test_only_what_is_meant_goes(store: Store) -> None:
    ada, bob = inside(store, "ada", "bob")
    comes(ada)
    store.clock.instant += HOUR
    comes(bob)
    assert say(store, "approve", node="elsewhere") == Judged()
    assert say(store, "approve", "nonsense", f"{ADA}.7.email", node="") == Judged()
    assert say(store, "approve", as_of=builders.START).people == (ADA,)
    assert say(store, "approve", "small~bob~1.1.push", node="").deliveries == ("small~bob~1.1.push",)
    assert [one.id for one in listed(store)] == ["small~bob~1.1.email"]


def test_pages_follow_each_other(store: Store) -> None:
    drivers = inside(store, "ada", "bob", "cid")
    for one in drivers:
        comes(one)
    first = reviews.page(store.connection, {}, limit=4)
    rest = reviews.page(store.connection, {}, after=(first[-1].entrant, first[-1].n, first[-1].channel))
    assert [(one.profile, one.channel) for one in (*first, *rest)] == [
        (who, of) for who in ("ada", "bob", "cid") for of in ("email", "push")
    ]
    wanted = Wanted("small", "write")
    page = store.write(lambda work: reviews.judge(work, "discard", wanted, most=4))
    assert (len(page.deliveries), page.after) == (4, ("small~bob~1", 1, "push"))
    last = store.write(lambda work: reviews.judge(work, "discard", wanted, after=page.after, most=4))
    assert (last.people, last.after) == (("small~cid~1",), None)


def test_one_channel_may_go_before_the_other_and_both_before_the_step_closes(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    say(store, "approve", f"{ADA}.1.push")
    opened = goes(ada, proposal)
    assert [claim.channel for claim in opened.claims] == ["push"]
    assert opened.held == "news: email waits for somebody to review it"
    assert ada.mark(proposal, sent(opened.claims[0])) is None
    assert [row.channel for row in store.rows(schema.reviews)] == ["email"]
    assert waits(ada, proposal).seconds > 90 * 86_400
    say(store, "discard")
    told = ada.open(proposal)
    assert isinstance(told, Record)
    assert told.place == "opened"
    assert ada.deliveries() == {"1.email": "excluded:discarded_in_review", "1.push": "sent"}


@pytest.mark.complaint(13)
def test_consent_and_policies_are_judged_when_it_really_goes(store: Store) -> None:
    ada, bob = inside(store, "ada", "bob")
    of_ada, of_bob = comes(ada), comes(bob)
    store.clock.instant += 3 * DAY
    hold_to(
        store,
        caps=[cap(then="retry", retry_for="PT1H", channels="email")],
        quiet_hours={"from": "15:00", "to": "16:00", "channels": "push"},
    )
    store.write(lambda work: suppressions.put(work, "email", "bob@example.org", "asked"))
    say(store, "approve")
    opened = goes(ada, of_ada)
    assert [claim.channel for claim in opened.claims] == ["email"], "three days in review are no part of the hour for which it is tried"
    assert ada.deliveries() == {"1.email": "claimed", "1.push": "claimed:quiet_hours"}
    assert ada.mark(of_ada, sent(opened.claims[0])) is None
    assert waits(bob, of_bob).held == "news: push waits for the end of quiet hours"
    assert bob.deliveries() == {"1.email": "excluded:suppressed", "1.push": "claimed:quiet_hours"}
    store.clock.instant += HOUR
    opened = goes(bob, of_bob)
    assert opened.approved["push"] == FilledPush("Hello", "Hello Ada"), "it is what was approved, also after the quiet hours"


# ---- discarded -------------------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(11)
def test_what_is_discarded_is_on_record_and_its_person_goes_on(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = comes(ada)
    told = say(store, "discard")
    assert (told.deliveries, told.people) == ((f"{ADA}.1.email", f"{ADA}.1.push"), (ADA,))
    assert say(store, "discard") == say(store, "approve") == Judged()
    assert store.rows(schema.reviews) == []
    record = ada.open(proposal)
    assert isinstance(record, Record)
    assert record.place == "opened"
    assert ada.deliveries() == {"1.email": "excluded:discarded_in_review", "1.push": "excluded:discarded_in_review"}
    here = report(store)
    assert (here.left, here.in_review, here.channels["email"].excluded) == ({"next": 1}, 0, {"discarded_in_review": 1})


# ---- what cannot be made out -----------------------------------------------------------------------------------------------------


def nameless(store: Store) -> tuple[Driver, Proposal]:
    publish(store, WRITES, MESSAGES)
    (ada,) = let_in(store, WRITES, [profile("ada", first_name=None)])
    return ada, comes(ada)


def test_a_value_that_is_missing_is_told_before_anything_is_sent(store: Store) -> None:
    nameless(store)
    mail, push = listed(store)
    assert "first_name" in mail.error
    assert (mail.subject, mail.rendered_at) == ("", builders.START)
    assert reviews.page(store.connection, {"channel": "push"}, failing=True) == [push]
    assert reviews.content(store.connection, mail.id).filled is None


def test_mended_it_is_made_out_anew_when_somebody_asks_and_waits_on(store: Store) -> None:
    ada, proposal = nameless(store)
    store.write(lambda work: profiles.put(work, document(profile("ada", first_name="Ann"))))
    told = say(store, "render")
    assert (len(told.deliveries), told.people) == (2, (ADA,))
    make_out(ada, proposal, goes(ada, proposal))
    assert [(one.subject, one.error) for one in listed(store)] == [("Hello Ann", ""), ("Hello", "")]
    assert waits(ada, proposal).held


def test_approved_it_is_tried_once_more_with_the_newest_message_and_goes(store: Store) -> None:
    ada, proposal = nameless(store)
    store.write(lambda work: messages.put(work, message("news", email={"from": "shop@example.org", "subject": "Hello", "text": "Hi"})))
    told = say(store, "approve", f"{ADA}.1.email")
    assert (told.deliveries, told.anew) == ((f"{ADA}.1.email",), (f"{ADA}.1.email",))
    assert [one.channel for one in listed(store)] == ["push"]
    opened = goes(ada, proposal)
    assert opened.to_render == ("email",)
    make_out(ada, proposal, opened)
    assert [claim.channel for claim in goes(ada, proposal).claims] == ["email"]


def test_and_if_it_still_cannot_be_it_waits_on(store: Store) -> None:
    ada, proposal = nameless(store)
    say(store, "approve")
    make_out(ada, proposal, goes(ada, proposal))
    assert waits(ada, proposal).held
    assert all("first_name" in one.error for one in listed(store))


def test_what_is_made_out_of_an_older_message_is_not_kept(store: Store) -> None:
    (ada,) = inside(store, "ada")
    proposal = ada.proposal()
    first = ada.open(proposal)
    assert isinstance(first, Opened)
    store.write(lambda work: messages.put(work, message("news", "email", "push", name="Changed")))
    say(store, "render")
    make_out(ada, proposal, first)
    opened = goes(ada, proposal)
    assert (opened.to_render, opened.revision) == (("email", "push"), 2)
    make_out(ada, proposal, opened)
    assert [one.revision for one in listed(store)] == [2, 2]
