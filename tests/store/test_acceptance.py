"""What an accepted event does: it decides, is kept, or is a discard, once, and never two of these (G4 to G7, D5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journey.errors import NotFound
from journey.events import Event
from journey.profiles import ProfileDocument
from journey.version import Version
from store import acceptance, profiles, removal, schema, versions
from store.closing import Mark
from store.steps import Opened
from tests.builders import DAY, MINUTE, profile, purchase, use_case, use_case_messages, version
from tests.store.driver import Driver, Store, check, let_in, publish, sent

ADA = profile("ada")
GATE = "push-opened+email-opened"


def let_ada_in(store: Store, of: Version | None = None) -> Driver:
    published = of or use_case()
    publish(store, published, use_case_messages())
    (driver,) = let_in(store, published, [ADA])
    return driver


def waits_for_purchase(journey: str) -> Version:
    return version(
        {"id": "buys", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}},
        {"id": "end", "kind": "end"},
        id=journey,
    )


def sends_then_waits(journey: str) -> Version:
    return version(
        {"id": "one", "kind": "message", "message": "follow-up", "next": "buys"},
        {"id": "buys", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}},
        {"id": "end", "kind": "end"},
        id=journey,
    )


def open_stop(driver: Driver) -> Opened:
    found = driver.open(driver.proposal())
    assert isinstance(found, Opened)
    return found


# ---- one event, one effect -------------------------------------------------------------------------------------------------------


def test_an_event_that_is_waited_for_decides_and_is_to_be_signalled(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to("purchase")
    verdict = store.accept(purchase("p-1"), "ada")
    (decided,) = verdict.decided
    assert (verdict.code, decided.entrant, decided.n, decided.node) == ("", ada.entrant, ada.record.n, "purchase")
    assert store.effect_of("shop", "p-1") == "decided"


@pytest.mark.complaint(4)
def test_the_same_event_twice_has_one_effect(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to("purchase")
    store.accept(purchase("p-1"), "ada")
    before = store.written()
    again = store.accept(replace(purchase("p-1"), data={"purchaseMessage": "another"}), "ada")
    assert again.duplicate
    assert again.decided == ()
    assert store.written() == before


def test_two_sources_may_use_one_id(store: Store) -> None:
    let_ada_in(store).walk_to("purchase")
    assert not store.accept(purchase("p-1"), "ada").duplicate
    assert not store.accept(replace(purchase("p-1"), source="till"), "ada").duplicate


def test_a_second_event_for_a_gate_that_is_decided_is_kept_for_the_next(store: Store) -> None:
    twice = version(
        {"id": "buys", "kind": "event", "event": "purchase", "next": "again"},
        {"id": "again", "kind": "event", "event": "purchase", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    ada = let_ada_in(store, twice)
    ada.note(store.accept(purchase("p-1"), "ada"))
    store.clock.instant += 1
    assert store.accept(purchase("p-2"), "ada").decided == ()
    assert store.effect_of("shop", "p-2") == "kept"
    assert ada.stop().node == "again"
    assert store.effect_of("shop", "p-2") == "decided"
    assert ada.stop().end == "finished"
    check(store, twice)


def test_an_event_while_a_message_is_on_its_way_is_kept(store: Store) -> None:
    """Accepted between the two commits of a stop (G6)."""
    sends = sends_then_waits("sends")
    ada = let_ada_in(store, sends)
    opened = open_stop(ada)
    assert store.accept(purchase("p-1"), "ada").decided == ()
    record = ada.mark(ada.proposal(), *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert (record.node, record.event, record.seconds) == ("buys", "p-1", 0)


def test_an_event_before_anybody_has_set_off_is_kept(store: Store) -> None:
    sends = sends_then_waits("sends")
    ada = let_ada_in(store, sends)
    store.accept(purchase("p-1"), "ada")
    assert ada.stop().node == "buys"


def test_an_open_of_the_first_message_while_it_is_sent_decides_the_gate_behind_it(store: Store) -> None:
    ada = let_ada_in(store)
    opened = open_stop(ada)
    email, push = (sent(claim) for claim in opened.claims)
    proposal = ada.proposal()
    ada.mark(proposal, push)
    store.react(ada.entrant, 1, "push.opened")
    record = ada.mark(proposal, email)
    assert record is not None
    assert (record.place, record.node) == (GATE, "push-opened")


@pytest.mark.parametrize("delivery", ["thank-you~ada~1.1.email", "thank-you~ada~1.9.push", "thank-you~bob~1.1.push", "garbage", ".1.", ""])
def test_what_was_never_sent_cannot_be_opened(store: Store, delivery: str) -> None:
    let_ada_in(store)
    with pytest.raises(NotFound):
        store.write(lambda work: acceptance.react(work, delivery, "opened"))
    assert store.rows(schema.events) == []


def test_what_was_excluded_cannot_be_opened(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    (ada,) = let_in(store, use_case(), [profile("ada", email=None)])
    ada.stop()
    with pytest.raises(NotFound):
        store.react(ada.entrant, 1, "email.opened")


def test_opened_twice_is_one_event_and_one_fact(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    assert store.react(ada.entrant, 1, "push.opened").decided
    assert store.react(ada.entrant, 1, "push.opened").duplicate
    assert len(store.rows(schema.facts, kind="opened")) == 1
    check(store, use_case())


def test_each_link_clicked_is_an_event_and_all_are_one_fact(store: Store) -> None:
    ada = let_ada_in(store)
    ada.stop()
    for link in ("https://a.example", "https://b.example", "https://a.example"):
        store.react(ada.entrant, 1, "email.clicked", link)
    assert len(store.rows(schema.events)) == 2
    assert len(store.rows(schema.facts, kind="clicked")) == 1
    check(store, use_case())


def test_a_reaction_after_the_end_is_a_fact_and_late(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    (ada,) = let_in(store, use_case(), [profile("ada", push_tokens=())])
    ada.walk_to("purchase")
    ada.note(store.accept(purchase("p-1"), "ada"))
    ada.stop()
    assert ada.record.end == "finished"
    assert store.react(ada.entrant, 1, "email.opened").code == "late"
    assert store.row(schema.facts, kind="opened").node == "first"
    check(store, use_case())


def test_a_reaction_moves_nobody_else(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    ada, bob = let_in(store, use_case(), [ADA, profile("bob")])
    ada.stop(), bob.stop()
    assert [decided.entrant for decided in store.react(ada.entrant, 1, "push.opened").decided] == [ada.entrant]
    assert bob.row().waiting


def test_a_reaction_further_on_stays_kept_past_gates_that_do_not_hear_it_and_is_late_at_the_end(store: Store) -> None:
    far = version(
        {"id": "one", "kind": "message", "message": "follow-up", "next": "buys"},
        {"id": "buys", "kind": "event", "event": "purchase", "next": ["opens", "pause"]},
        {"id": "opens", "kind": "reaction", "of": "one", "to": "email.opened", "next": "end"},
        {"id": "pause", "kind": "wait", "for": "PT1H", "next": "never"},
        {"id": "never", "kind": "reaction", "of": "one", "to": "email.clicked", "next": "end", "timeout": {"after": "PT1H"}},
        {"id": "end", "kind": "end"},
    )
    ada = let_ada_in(store, far)
    ada.stop()
    store.react(ada.entrant, 1, "email.clicked")
    assert store.effect_of("sojourn", f"{ada.entrant}.1.email:clicked") == "kept"
    store.react(ada.entrant, 1, "email.opened")
    store.clock.instant += MINUTE
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().node == "opens"
    assert store.effect_of("sojourn", f"{ada.entrant}.1.email:clicked") == "kept"
    assert ada.stop().end == "finished"
    assert store.effect_of("sojourn", f"{ada.entrant}.1.email:clicked") == "late"
    check(store, far)


# ---- by time, not by luck --------------------------------------------------------------------------------------------------------


def test_an_event_at_the_deadline_still_counts_and_one_after_it_does_not(store: Store) -> None:
    waits = waits_for_purchase("waits")
    publish(store, waits)
    ada, bob = let_in(store, waits, [ADA, profile("bob")])
    store.clock.instant += DAY
    assert store.accept(purchase("p-1"), "ada").decided
    store.clock.instant += 1
    assert store.accept(purchase("p-2"), "bob").decided == ()
    assert ada.ask().node == "buys"
    assert bob.stop().end == "finished"
    assert bob.path() == ("read:next", "buys:timeout")
    assert store.effect_of("shop", "p-2") == "nobody_listening"


def test_an_event_that_happened_long_ago_decides_nothing(store: Store) -> None:
    waits = waits_for_purchase("waits")
    ada = let_ada_in(store, waits)
    old = replace(purchase("p-1"), occurred_at=store.clock.now() - DAY - 1)
    verdict = store.accept(old, "ada")
    assert verdict.code == "too_old"
    assert ada.row().waiting
    assert store.accept(replace(old, id="p-2", occurred_at=store.clock.now() - DAY), "ada").decided


def test_an_event_that_is_too_old_stands_in_the_record_of_its_person(store: Store) -> None:
    let_ada_in(store)
    store.accept(replace(purchase("p-1"), occurred_at=1), "ada")
    row = store.row(schema.events, id="p-1")
    assert (row.profile, row.accepted_at) == ("ada", store.clock.now())


# ---- who hears it ----------------------------------------------------------------------------------------------------------------


def test_two_journeys_that_wait_for_one_event_both_hear_it(store: Store) -> None:
    drivers = []
    for journey in ("left", "right"):
        publish(store, waits_for_purchase(journey))
        drivers += let_in(store, waits_for_purchase(journey), [ADA])
    verdict = store.accept(purchase("p-1"), "ada")
    assert {decided.entrant for decided in verdict.decided} == {driver.entrant for driver in drivers}
    for driver in drivers:
        driver.note(verdict)
        assert driver.stop().end == "finished"
        check(store, waits_for_purchase(driver.journey.id))


def test_an_event_that_won_in_one_journey_and_was_kept_in_vain_in_another_is_no_discard(store: Store) -> None:
    publish(store, waits_for_purchase("waits"))
    publish(store, sends_then_waits("sends"), use_case_messages())
    let_in(store, waits_for_purchase("waits"), [ADA])
    (sending,) = let_in(store, sends_then_waits("sends"), [ADA])
    store.accept(purchase("p-1"), "ada")
    assert len(store.rows(schema.kept)) == 1
    store.write(lambda work: versions.set_state(work, "sends@1", "stopped"))
    assert sending.stop().end == "journey_stopped"
    assert store.effect_of("shop", "p-1") == "decided"


@pytest.mark.parametrize("wins", [False, True])
def test_an_event_that_two_journeys_keep_is_a_discard_when_the_last_of_them_drops_it(store: Store, wins: bool) -> None:
    drivers = []
    for journey in ("left", "right"):
        publish(store, sends_then_waits(journey), use_case_messages())
        drivers += let_in(store, sends_then_waits(journey), [ADA])
    left, right = drivers
    store.accept(purchase("p-1"), "ada")
    store.write(lambda work: versions.set_state(work, "left@1", "stopped"))
    left.stop()
    assert store.effect_of("shop", "p-1") == "kept"
    if not wins:
        store.write(lambda work: versions.set_state(work, "right@1", "stopped"))
    right.stop()
    assert store.effect_of("shop", "p-1") == ("decided" if wins else "nobody_listening")


def test_an_event_of_somebody_else_moves_nobody(store: Store) -> None:
    waits = waits_for_purchase("waits")
    ada = let_ada_in(store, waits)
    store.write(lambda work: profiles.put(work, somebody("bob")))
    assert store.accept(purchase("p-1"), "bob").code == "nobody_listening"
    assert ada.row().waiting


def somebody(name: str) -> ProfileDocument:
    return ProfileDocument(id=name, identities={"customer_id": name})


@pytest.mark.parametrize("how", ["told to end", "stopped"])
def test_one_who_must_end_hears_nothing(store: Store, how: str) -> None:
    waits = waits_for_purchase("waits")
    ada = let_ada_in(store, waits)
    if how == "stopped":
        store.write(lambda work: versions.set_state(work, "waits@1", "stopped"))
    else:
        assert store.write(lambda work: removal.tell_page(work, "waits@1", "removed", 10)) == [ada.entrant]
    verdict = store.accept(purchase("p-1"), "ada")
    assert (verdict.code, verdict.decided) == ("nobody_listening", ())
    assert ada.stop().end == ("journey_stopped" if how == "stopped" else "removed")
    check(store, waits)


def test_the_first_reason_to_end_stays(store: Store) -> None:
    ada = let_ada_in(store, waits_for_purchase("waits"))
    store.write(lambda work: removal.tell_page(work, "waits@1", "removed", 10))
    assert store.write(lambda work: removal.tell_page(work, "waits@1", "journey_stopped", 10)) == []
    assert ada.row().ending == "removed"


# ---- whose it is -----------------------------------------------------------------------------------------------------------------


def test_the_person_is_found_by_the_definition_when_no_key_is_given(store: Store) -> None:
    ada = let_ada_in(store, waits_for_purchase("waits"))
    event = purchase("p-1", customer="ada")
    verdict = store.write(lambda work: acceptance.accept(work, acceptance.Arrived(event), acceptance.Policy()))
    assert [decided.entrant for decided in verdict.decided] == [ada.entrant]


@pytest.mark.parametrize(("create", "code"), [(True, "nobody_listening"), (False, "unknown_profile")])
def test_an_unknown_person_is_made_when_that_is_wanted(store: Store, create: bool, code: str) -> None:
    let_ada_in(store)
    assert store.accept(purchase("p-1"), "stranger", create_profiles=create).code == code
    assert (profiles.find(store.connection, "customer_id", "stranger") is not None) is create


def test_an_event_that_no_definition_fits_has_no_definition(store: Store) -> None:
    let_ada_in(store)
    assert store.accept(Event("shop", "x", "sneeze"), "ada").code == "no_definition"


def test_a_withdrawn_consent_counts_from_the_next_message_on(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    store.write(lambda work: acceptance.unsubscribe(work, f"{ada.entrant}.1.email"))
    ada.pass_time()
    ada.stop()
    assert ada.deliveries()["2.email"] == "excluded:no_consent"
    check(store, use_case())


def test_somebody_who_was_deleted_may_still_unsubscribe(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    store.write(lambda work: profiles.delete(work, "ada"))
    store.write(lambda work: acceptance.unsubscribe(work, f"{ada.entrant}.1.email"))
    check(store, use_case())


def test_an_uncertain_delivery_that_somebody_opens_was_sent(store: Store) -> None:
    """M1: nobody knew whether it arrived; now somebody does."""
    ada = let_ada_in(store)
    ada.stop(Mark("email", "uncertain", "no_answer"))
    store.react(ada.entrant, 1, "email.opened")
    assert ada.deliveries()["1.email"] == "sent"
    check(store, use_case())
