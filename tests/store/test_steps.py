"""A step is opened and closed once, whatever is repeated, late, early or wrong: what counts is what the store has (D1, D3, G4, M1, M2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from journey import ids
from journey.contract import Happened, Landing, Proposal, Record
from journey.errors import NotFound
from journey.profiles import Profile
from journey.proposing import propose
from journey.version import Version
from journey.walk import Outcome
from store import messages, profiles, schema, suppressions, versions
from store.claims import LONGEST_PAUSE, MOST_TRIES, Busy, Carrier, Policy, pause
from store.closing import Mark
from store.steps import Opened
from tests import builders
from tests.builders import DAY, HOUR, MINUTE, SECOND, START, message, profile, purchase, rule, use_case, use_case_messages, version
from tests.store.driver import AT_RISK, LEASE, Driver, Store, check, let_in, next_proposal, publish, sent

ADA = profile("ada")
GATE = "push-opened+email-opened"
SAFE = Policy({channel: Carrier(LEASE, idempotent=True) for channel in ("email", "push")})


def let_ada_in(store: Store, of: Version | None = None, who: Profile = ADA, policy: Policy = AT_RISK, **documents: Any) -> Driver:
    published = of or use_case()
    publish(store, published, use_case_messages() | documents)
    (driver,) = let_in(store, published, [who], policy=policy)
    return driver


def opened(driver: Driver, proposal: Proposal | None = None) -> Opened:
    found = driver.open(proposal or driver.proposal())
    assert isinstance(found, Opened)
    return found


def record_of(driver: Driver, proposal: Proposal) -> Record:
    found = driver.open(proposal)
    assert isinstance(found, Record)
    return found


def unchanged(driver: Driver, proposal: Proposal) -> Record:
    """The store refuses the proposal: it writes nothing, and says what it has."""
    before = driver.store.written()
    found = record_of(driver, proposal)
    assert driver.store.written() == before
    return found


# ---- a repeat gets the record back -----------------------------------------------------------------------------------------------


def test_a_closed_step_proposed_again_gets_its_record_back(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    record = ada.stop()
    assert unchanged(ada, proposal) == record
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}


@pytest.mark.complaint(2)
def test_every_stop_of_the_use_case_repeated_sends_nothing_again(store: Store) -> None:
    ada = let_ada_in(store)
    seen: list[tuple[Proposal, Record]] = []
    while not ada.record.end:
        if ada.waits() and ada.record.place == "purchase":
            ada.note(store.accept(purchase("p-1"), "ada"))
        elif ada.waits():
            ada.pass_time()
        proposal = ada.proposal()
        seen.append((proposal, ada.stop()))
        for earlier, _ in seen:
            assert unchanged(ada, earlier) == ada.record
    assert ada.path() == ("read:next", "first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next")
    check(store, use_case())


def test_marks_repeated_close_nothing_again(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    marks = [sent(claim) for claim in opened(ada, proposal).claims]
    record = ada.mark(proposal, *marks)
    before = store.written()
    assert ada.mark(proposal, *marks) == record
    assert store.written() == before


def test_one_who_marks_first_leaves_the_closing_to_the_last(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    email, push = (sent(claim) for claim in opened(ada, proposal).claims)
    assert ada.mark(proposal, push) is None
    record = ada.mark(proposal, email)
    assert record is not None
    assert (record.n, record.place) == (1, GATE)


# ---- a proposal of another step --------------------------------------------------------------------------------------------------


def test_a_step_far_ahead_is_not_opened(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    assert unchanged(ada, replace(ada.proposal(), n=7)).n == 1


def test_a_step_behind_gets_the_last_closed_one_while_another_is_open(store: Store) -> None:
    """A workflow that was reset is far behind; it is told how the gate was left that the open step left."""
    ada = let_ada_in(store)
    first = ada.proposal()
    ada.stop()
    ada.pass_time()
    follow_up = ada.proposal()
    opened(ada, follow_up)
    found = unchanged(ada, first)
    assert (found.n, found.place, found.seconds, found.node) == (1, GATE, 0, "")
    assert next_proposal(ada.journey, ada.entrant, found) == follow_up


def test_a_step_behind_is_told_which_event_the_open_one_goes_back_to(store: Store) -> None:
    ada = let_ada_in(store)
    first = ada.proposal()
    ada.walk_to("purchase")
    ada.note(store.accept(purchase("p-1"), "ada"))
    thanks = ada.proposal()
    opened(ada, thanks)
    found = unchanged(ada, first)
    assert (found.place, found.node, found.source, found.event) == ("purchase", "purchase", "shop", "p-1")
    assert next_proposal(ada.journey, ada.entrant, found) == thanks


@pytest.mark.parametrize("dead", [False, True])
def test_an_open_step_is_not_finished_by_a_proposal_that_is_not_its_own(store: Store, dead: bool) -> None:
    """The task ran again with a signal to leave in it: it knows less than the attempt that opened the step."""
    ada = let_ada_in(store, policy=SAFE)
    ada.stop()
    ada.pass_time()
    follow_up = ada.proposal()
    opened(ada, follow_up)
    store.clock.instant += 2 * LEASE if dead else 0
    opens_push = Happened(1, "push-opened", "sojourn", "forged")
    for wrong in (
        Proposal(entrant=ada.entrant, n=2),
        propose(ada.journey, ada.entrant, 2, "purchase", Outcome("push-opened", "next"), opens_push),
        replace(follow_up, exit="next"),
    ):
        found = unchanged(ada, wrong)
        assert next_proposal(ada.journey, ada.entrant, found) == follow_up
    if dead:
        assert [claim.channel for claim in opened(ada, follow_up).claims] == ["email"]


def test_one_who_is_under_way_is_not_taken_on_by_a_proposal_without_a_way_on(store: Store) -> None:
    ada = let_ada_in(store)
    assert unchanged(ada, Proposal(entrant=ada.entrant, n=1)).place == "first"


def test_an_entrant_that_the_store_does_not_have_is_not_found(store: Store) -> None:
    ada = let_ada_in(store)
    with pytest.raises(NotFound, match="restore the database"):
        ada.open(Proposal(entrant="thank-you~nobody~1", n=1))


# ---- the gate is as the store has it ---------------------------------------------------------------------------------------------


def test_a_timer_that_comes_too_early_gets_the_rest(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    store.clock.instant += DAY - 2 * SECOND
    found = unchanged(ada, ada.proposal())
    assert (found.n, found.node, found.seconds) == (1, "", 2.0)


def test_an_event_that_the_store_does_not_have_opens_no_gate(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    ada.heard = Happened(1, "push-opened", "sojourn", "forged")
    assert unchanged(ada, ada.proposal()).node == ""
    store.react(ada.entrant, 1, "push.opened")
    found = unchanged(ada, ada.proposal())
    assert (found.node, found.event) == ("push-opened", f"{ada.entrant}.1.push:opened")


def test_another_exit_than_the_decided_one_is_not_taken(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    ada.note(store.react(ada.entrant, 1, "email.opened"))
    right = ada.proposal()
    for wrong in (replace(right, exit="timeout"), replace(right, left="push-opened"), replace(right, source="", event="")):
        assert unchanged(ada, wrong).node == "email-opened"
    assert record_of(ada, right).place == "purchase"


@pytest.mark.complaint(1)
def test_an_open_before_the_deadline_never_loses_to_the_timeout(store: Store) -> None:
    """Its signal has not come yet when the timer fires: the store knows better (G4)."""
    ada = let_ada_in(store)
    ada.stop()
    ada.pass_time()
    timeout = ada.proposal()
    store.react(ada.entrant, 1, "push.opened")
    store.clock.instant += HOUR
    ada.record = unchanged(ada, timeout)
    assert ada.record.node == "push-opened"
    assert ada.stop().place == "purchase"
    assert "push-opened:next" in ada.path()


def test_an_open_after_the_deadline_decides_nothing_even_when_nobody_has_acted_on_the_timeout(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    ada.pass_time()
    store.clock.instant += 1
    assert store.react(ada.entrant, 1, "push.opened").decided == ()
    assert ada.stop().place == "purchase"
    assert "email-opened:timeout" in ada.path()
    assert store.effect_of("sojourn", f"{ada.entrant}.1.push:opened") == "late"


def test_a_signal_for_an_older_gate_decides_no_new_one(store: Store) -> None:
    """The same event node at two gates: the first purchase went to the first of them."""
    again = version(
        {"id": "buys", "kind": "event", "event": "purchase", "next": "one"},
        {"id": "one", "kind": "message", "message": "one", "next": "buys-again"},
        {"id": "buys-again", "kind": "event", "event": "purchase"},
    )
    ada = let_ada_in(store, again, one=message("one", "email"))
    ada.note(store.accept(purchase("p-1"), "ada"))
    old = ada.heard
    ada.stop()
    assert old is not None
    ada.heard = replace(old, n=ada.record.n, node="buys-again")
    assert unchanged(ada, ada.proposal()).node == ""


def test_somebody_at_a_gate_since_their_admission_is_told_how_long_to_wait(store: Store) -> None:
    waits = version({"id": "pause", "kind": "wait", "for": "PT2H", "next": "end"}, {"id": "end", "kind": "end"})
    ada = let_ada_in(store, waits)
    store.clock.instant += HOUR
    assert ada.ask() == Record(n=0, place="pause", seconds=3600.0, said="admitted")
    store.clock.instant += HOUR
    assert ada.stop().end == "finished"
    check(store, waits)


# ---- conditions ------------------------------------------------------------------------------------------------------------------

SORTED = (
    {"id": "buys", "kind": "event", "event": "purchase", "next": "sort"},
    {"id": "sort", "kind": "condition", "next": [], "branches": [
        {"id": "lamp", "when": rule("event.product", "=", "Lamp"), "next": "again"},
        {"id": "atlanta", "when": rule("profile.city", "=", "Atlanta"), "next": "again"},
    ]},
    {"id": "again", "kind": "event", "event": "purchase", "next": "resort"},
    {"id": "resort", "kind": "condition", "branches": [{"id": "rug", "when": rule("event.product", "=", "Rug"), "next": "end"}]},
    {"id": "end", "kind": "end"},
)  # fmt: skip


def sorting() -> Version:
    nodes = [{name: value for name, value in node.items() if (node["id"], name) != ("sort", "next")} for node in SORTED]
    return version(*nodes)


def test_a_condition_right_behind_an_event_sees_what_was_in_it(store: Store) -> None:
    ada = let_ada_in(store, sorting())
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().place == "again"
    ada.note(store.accept(purchase("p-2", product="Rug"), "ada"))
    assert ada.stop().end == "finished"
    assert ada.path() == ("read:next", "buys:next", "sort:lamp", "again:next", "resort:rug")


def test_a_condition_sees_the_person_as_they_are_now(store: Store) -> None:
    ada = let_ada_in(store, sorting())
    store.write(lambda work: profiles.patch(work, "ada", attributes={"city": "Rome"}))
    ada.note(store.accept(purchase("p-1", product="Vase"), "ada"))
    assert ada.stop().end == "no_branch"


# ---- a crash between open and mark -----------------------------------------------------------------------------------------------


def test_a_live_lease_is_left_alone(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened(ada, proposal)
    store.clock.instant += LEASE - 1
    before = store.written()
    found = ada.open(proposal)
    assert isinstance(found, Busy)
    assert 0 < found.seconds <= 5
    assert store.written() == before


def test_a_dead_lease_is_taken_over_where_a_repeat_does_no_harm(store: Store) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    before = opened(ada, proposal)
    store.clock.instant += LEASE
    after = opened(ada, proposal)
    assert [claim.delivery for claim in after.claims] == [claim.delivery for claim in before.claims]
    assert {claim.token for claim in after.claims}.isdisjoint(claim.token for claim in before.claims)
    assert isinstance(ada.open(proposal), Busy)


@pytest.mark.complaint(2)
def test_a_dead_lease_is_uncertain_where_a_repeat_might_reach_somebody_twice(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened(ada, proposal)
    store.clock.instant += LEASE
    taken = opened(ada, proposal)
    assert [claim.channel for claim in taken.claims] == ["push"]
    assert ada.mark(proposal, sent(taken.claims[0])) is not None
    assert ada.deliveries() == {"1.email": "uncertain:worker_lost", "1.push": "sent"}
    check(store, use_case())


def test_a_step_whose_only_delivery_is_uncertain_goes_on(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    ada.pass_time()
    proposal = ada.proposal()
    opened(ada, proposal)
    store.clock.instant += LEASE
    assert record_of(ada, proposal).place == "purchase"
    assert ada.deliveries()["2.email"] == "uncertain:worker_lost"


def test_an_answer_that_comes_after_the_lease_still_counts(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    email, push = (sent(claim) for claim in opened(ada, proposal).claims)
    store.clock.instant += LEASE
    ada.mark(proposal, push)
    ada.record = record_of(ada, proposal)
    assert ada.record.place == GATE
    ada.mark(proposal, email)
    assert ada.deliveries()["1.email"] == "sent"


def test_a_transient_answer_that_comes_after_the_step_is_over_opens_nothing_again(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    _, push = opened(ada, proposal).claims
    store.clock.instant += LEASE
    ada.mark(proposal, sent(push))
    record_of(ada, proposal)
    ada.mark(proposal, Mark("email", "claimed", retry_after=0))
    assert ada.deliveries()["1.email"] == "uncertain:worker_lost"
    assert ada.record is not None
    check(store, use_case())


# ---- what the provider answers ---------------------------------------------------------------------------------------------------


def test_a_transient_answer_is_one_try_and_a_pause(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    _, push = opened(ada, proposal).claims
    assert ada.mark(proposal, sent(push), Mark("email", "claimed")) is None
    row = store.row(schema.deliveries, channel="email")
    assert (row.status, row.tries, row.lease, row.not_before) == ("claimed", 1, None, store.clock.now() + SECOND)
    found = ada.open(proposal)
    assert isinstance(found, Busy)
    assert found.seconds == pytest.approx(1, abs=0.02)
    store.clock.instant += SECOND
    (again,) = opened(ada, proposal).claims
    assert (again.channel, again.tries) == ("email", 1)
    assert ada.mark(proposal, sent(again)) is not None


def test_a_crash_is_no_try(store: Store) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    for _ in range(MOST_TRIES + 5):
        opened(ada, proposal)
        store.clock.instant += LEASE
    assert {row.tries for row in store.rows(schema.deliveries)} == {0}


def test_the_longer_of_the_pause_and_retry_after_is_waited(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened(ada, proposal)
    ada.mark(proposal, Mark("email", "claimed", retry_after=90.0), Mark("push", "claimed", retry_after=0.2))
    waits = {row.channel: row.not_before - store.clock.now() for row in store.rows(schema.deliveries)}
    assert waits == {"email": 90 * SECOND, "push": SECOND}


def test_what_a_provider_said_last_stands_with_the_delivery_until_it_is_sent(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", push_tokens=()))
    proposal = ada.proposal()
    said: list[str] = []
    for answer in (Mark("email", "claimed", detail="451 greylisted"), Mark("email", "claimed", detail="421 busy"), Mark("email", "sent")):
        opened(ada, proposal)
        ada.mark(proposal, answer)
        said.append(store.row(schema.deliveries, channel="email").detail)
        store.clock.instant += MINUTE
    assert said == ["451 greylisted", "421 busy", ""]


def test_pauses_double_to_five_minutes_and_add_up_to_about_an_hour() -> None:
    pauses = [pause(tries) for tries in range(1, MOST_TRIES)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert max(pauses) == LONGEST_PAUSE == 300
    assert 0.8 < sum(pauses) / 3600 < 1.2


def test_twenty_transient_answers_are_a_failure(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", push_tokens=()))
    proposal = ada.proposal()
    for tries in range(MOST_TRIES):
        (claim,) = opened(ada, proposal).claims
        assert claim.tries == tries
        record = ada.mark(proposal, Mark("email", "claimed"))
        store.clock.instant += 300 * SECOND
    assert record is not None
    assert record.end == "error"
    assert ada.deliveries()["1.email"] == "failed:retries_exhausted"


def test_somebody_elses_live_lease_is_looked_at_again_soon_though_the_other_channel_pauses_for_long(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened(ada, proposal)
    ada.mark(proposal, Mark("push", "claimed", retry_after=300))
    found = ada.open(proposal)
    assert isinstance(found, Busy)
    assert found.seconds <= 5


def test_a_dead_token_is_forgotten(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", push_tokens=("old", "new")))
    ada.stop(Mark("push", "sent", dead_tokens=("old",)))
    found = profiles.read(store.connection, "ada")
    assert found is not None
    assert found.push_tokens == ("new",)


# ---- excluded, failed, none of them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "excluded"),
    [
        (profile("ada", consents={"email": False}), {"1.email": "excluded:no_consent", "1.push": "sent"}),
        (profile("ada", email=None), {"1.email": "excluded:no_address", "1.push": "sent"}),
        (profile("ada", email="  "), {"1.email": "excluded:no_address", "1.push": "sent"}),
        (profile("ada", email=7), {"1.email": "excluded:no_address", "1.push": "sent"}),
        (profile("ada", email=" Barred@Example.org "), {"1.email": "excluded:suppressed", "1.push": "sent"}),
        (profile("ada", push_tokens=()), {"1.email": "sent", "1.push": "excluded:no_token"}),
        (profile("ada", consents={"push": False}, push_tokens=()), {"1.email": "sent", "1.push": "excluded:no_consent"}),
        (profile("ada", email="barred@example.org", consents={"email": False}), {"1.email": "excluded:no_consent", "1.push": "sent"}),
    ],
)
def test_an_excluded_channel_is_not_sent_on_and_the_journey_goes_on(store: Store, who: Profile, excluded: dict[str, str]) -> None:
    ada = let_ada_in(store, who=who)
    store.write(lambda work: suppressions.put(work, "email", "barred@example.org"))
    assert ada.stop().place == GATE
    assert ada.deliveries() == excluded


def test_with_explicit_consent_a_silent_person_is_excluded(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", consents={"push": True}), policy=replace(AT_RISK, consent_explicit=True))
    ada.stop()
    assert ada.deliveries() == {"1.email": "excluded:no_consent", "1.push": "sent"}


def test_one_who_can_be_sent_nothing_goes_on(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", email=None, push_tokens=()))
    assert ada.stop().place == GATE
    assert store.row(schema.steps, entrant=ada.entrant, n=1).outcome == "next"
    check(store, use_case())


def test_a_channel_that_nobody_carries_is_excluded(store: Store) -> None:
    ada = let_ada_in(store, policy=Policy({"push": AT_RISK.carriers["push"]}))
    ada.stop()
    assert ada.deliveries() == {"1.email": "excluded:no_provider", "1.push": "sent"}


def test_one_sent_and_one_failed_goes_on(store: Store) -> None:
    ada = let_ada_in(store)
    assert ada.stop(Mark("email", "failed", "refused")).place == GATE


def test_none_sent_and_one_failed_without_an_error_exit_is_the_end(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", push_tokens=()))
    assert ada.stop(Mark("email", "failed", "refused")).end == "error"
    assert ada.path() == ("read:next", "first:error")
    check(store, use_case())


def test_none_sent_and_one_failed_takes_the_error_exit(store: Store) -> None:
    drawn = version(
        {"id": "one", "kind": "message", "message": "one", "next": "end", "error": "sorry"},
        {"id": "sorry", "kind": "message", "message": "sorry", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    ada = let_ada_in(store, drawn, one=message("one", "email"), sorry=message("sorry", "push"))
    assert ada.stop(Mark("email", "failed", "refused")).place == "sorry"
    assert ada.stop().end == "finished"
    assert ada.path() == ("read:next", "one:error", "sorry:next")


def test_a_profile_that_is_gone_is_sent_nothing_and_walks_on(store: Store) -> None:
    ada = let_ada_in(store)
    store.write(lambda work: profiles.delete(work, "ada"))
    assert ada.stop().place == GATE
    assert ada.deliveries() == {"1.email": "excluded:no_address", "1.push": "excluded:no_token"}


def test_a_repeat_sends_the_revision_that_the_step_was_opened_with(store: Store) -> None:
    ada = let_ada_in(store, policy=SAFE)
    proposal = ada.proposal()
    before = opened(ada, proposal).document
    store.write(lambda work: messages.put(work, message("first-message", "email", "push", name="newer")))
    store.clock.instant += LEASE
    assert opened(ada, proposal).document == before


# ---- people who must end ---------------------------------------------------------------------------------------------------------


def stop_version(store: Store) -> None:
    store.write(lambda work: versions.set_state(work, "thank-you@1", "stopped"))


def tell_to_end(store: Store, reason: str) -> None:
    store.connection.execute(schema.entrants.update().values(ending=reason))


def test_in_a_stopped_version_the_next_commit_is_the_end(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    stop_version(store)
    assert ada.stop(proposal=Proposal(entrant=ada.entrant, n=2)).end == "journey_stopped"
    assert store.row(schema.facts, kind="ended.journey_stopped").node == ""
    check(store, use_case())


def test_what_is_on_its_way_when_a_version_is_stopped_is_marked_and_then_it_ends(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    claims = opened(ada, proposal).claims
    stop_version(store)
    assert isinstance(ada.open(proposal), Busy)
    record = ada.mark(proposal, *(sent(claim) for claim in claims))
    assert record is not None
    assert record.end == "journey_stopped"
    assert ada.path() == ("read:next", "first:next")
    check(store, use_case())


def test_one_who_must_end_is_not_sent_again_what_paused(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    _, push = opened(ada, proposal).claims
    ada.mark(proposal, sent(push), Mark("email", "claimed", retry_after=300))
    tell_to_end(store, "removed")
    assert record_of(ada, proposal).end == "removed"
    assert ada.deliveries() == {"1.email": "excluded:ended", "1.push": "sent"}


def test_one_who_must_end_may_have_got_what_a_lost_worker_was_sending(store: Store) -> None:
    ada = let_ada_in(store)
    proposal = ada.proposal()
    opened(ada, proposal)
    tell_to_end(store, "removed")
    store.clock.instant += LEASE
    assert record_of(ada, proposal).end == "removed"
    assert ada.deliveries() == {"1.email": "uncertain:worker_lost", "1.push": "uncertain:worker_lost"}
    assert store.react(ada.entrant, 1, "email.opened").code == "late"


def test_an_event_that_has_decided_a_gate_does_not_save_somebody_who_must_end(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    ada.note(store.react(ada.entrant, 1, "push.opened"))
    tell_to_end(store, "removed")
    assert ada.stop().end == "removed"
    check(store, use_case())


def test_the_global_timeout_ends_somebody_who_waits(store: Store) -> None:
    short = use_case(global_timeout="P2D")
    ada = let_ada_in(store, short)
    ada.walk_to("purchase")
    ada.pass_time()
    assert store.clock.now() == START + 2 * DAY
    assert ada.stop().end == "global_timeout"
    check(store, short)


def test_the_global_timeout_ends_somebody_between_two_nodes(store: Store) -> None:
    two = version(
        {"id": "one", "kind": "message", "message": "one", "next": "two"},
        {"id": "two", "kind": "message", "message": "one"},
        global_timeout="PT1H",
    )
    ada = let_ada_in(store, two, one=message("one", "email"))
    ada.stop()
    store.clock.instant += HOUR
    assert ada.stop().end == "global_timeout"
    check(store, two)


def test_an_event_at_the_last_instant_comes_before_the_global_timeout(store: Store) -> None:
    short = use_case(global_timeout="P2D")
    ada = let_ada_in(store, short)
    ada.walk_to("purchase")
    ada.pass_time()
    ada.note(store.accept(purchase("p-1"), "ada"))
    store.clock.instant += MINUTE
    assert ada.stop().end == "finished"


def test_one_who_has_ended_gets_their_end_whatever_is_proposed(store: Store) -> None:
    ada = let_ada_in(store, who=profile("ada", push_tokens=()))
    ada.stop(Mark("email", "failed", "refused"))
    for n in range(5):
        assert unchanged(ada, Proposal(entrant=ada.entrant, n=n, landings={"": Landing("purchase")})).end == "error"
    assert ids.entrant("thank-you", "ada", 1) == ada.entrant
    assert builders.PERSON != "ada"
