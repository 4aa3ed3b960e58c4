"""Of what was kept while somebody was under way, the gate where they arrive decides one, and the gate behind it may decide another (G6)."""

from __future__ import annotations

from store.steps import Opened
from tests.builders import profile, purchase, use_case, use_case_messages
from tests.store.driver import Driver, Store, check, let_in, publish, sent

GATE = "push-opened+email-opened"


def let_ada_in(store: Store) -> Driver:
    publish(store, use_case(), use_case_messages())
    (driver,) = let_in(store, use_case(), [profile("ada")])
    return driver


def test_the_earliest_kept_event_wins_and_the_others_are_without_effect_once(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    ada.note(store.react(ada.entrant, 1, "push.opened"))
    for number in (3, 1, 2):
        store.clock.instant += 1
        store.accept(purchase(f"p-{number}"), "ada")
    ada.stop()
    assert [store.effect_of("shop", f"p-{number}") for number in (3, 1, 2)] == ["decided", "nobody_listening", "nobody_listening"]
    check(store, use_case())


def test_of_what_came_while_a_message_was_on_its_way_an_open_decides_its_gate_and_the_purchase_behind_it_the_next(store: Store) -> None:
    """As it would have been, had the message been quick; a purchase before the open has come before it was asked for (decision 0009)."""
    ada = let_ada_in(store)
    opened = ada.open(ada.proposal())
    assert isinstance(opened, Opened)
    for deed in ("before", "open", "behind", "again"):
        store.clock.instant += 1
        if deed == "open":
            store.react(ada.entrant, 1, "push.opened")
        else:
            store.accept(purchase(deed), "ada")
    record = ada.mark(ada.proposal(), *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert record.node == "push-opened"
    ada.record = record
    assert store.effect_of("shop", "before") == "nobody_listening"
    assert store.effect_of("shop", "behind") == "kept"
    assert ada.stop().event == "behind"
    assert [store.effect_of("shop", name) for name in ("behind", "again")] == ["decided", "nobody_listening"]
    assert ada.stop().end == "finished"
    assert ada.path()[-2:] == ("purchase:next", "thanks:next")
    check(store, use_case())


def test_of_kept_events_of_one_instant_the_smaller_id_wins(store: Store) -> None:
    ada = let_ada_in(store)
    ada.walk_to(GATE)
    ada.note(store.react(ada.entrant, 1, "push.opened"))
    for number in (3, 1, 2):
        store.accept(purchase(f"p-{number}"), "ada")
    assert ada.stop().event == "p-1"
