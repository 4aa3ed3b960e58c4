"""An event lets its person into the journeys that begin with it: once, with the reason on record where it does not, and beside all that it
does to whoever is inside already."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from journey import ids
from journey.contract import Record
from journey.events import Event, EventDefinition
from journey.version import Version
from store import acceptance, definitions, profiles, schema, versions
from store.acceptance import Arrived, Verdict
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import DAY, HOUR, MINUTE, START, message, profile, rule, version
from tests.carts import CART, END, ENTRY, ORDER, REMIND, WAITS, abandoned, cart, order
from tests.store.driver import Driver, Store, check, document, let_in, publish


def live(store: Store, *versions_: Version) -> None:
    for one in versions_ or (abandoned(),):
        publish(store, one, {"remind": message("remind", "email")})
    store.write(lambda work: profiles.put(work, document(profile("ada"))))


def entered(verdict: Verdict) -> list[str]:
    return [start.entrant.entrant for start in verdict.entered]


def codes(store: Store) -> list[tuple[str, str, str]]:
    return [(row.event, row.code, row.version) for row in store.rows(schema.discards)]


def driver(store: Store, verdict: Verdict, of: Version) -> Driver:
    (start,) = verdict.entered
    return Driver(store, of.journey, start.entrant.entrant, Record(0, start.entrant.place))


@pytest.mark.complaint(7)
def test_an_event_lets_its_person_in_and_is_no_discard(store: Store) -> None:
    live(store)
    verdict = store.accept(cart(), "ada")
    assert (entered(verdict), verdict.code, verdict.word) == (["abandoned~ada~1"], "", "entered")
    row = store.row(schema.entrants)
    assert (row.place, row.waiting, row.entry_source, row.entry_event, row.until) == ("order", True, "shop", "cart-1", START + DAY)
    assert codes(store) == []
    assert store.rows(schema.steps)[0].said == "let in by cart-updated"
    check(store, abandoned())


def test_whoever_was_unknown_is_made_and_let_in(store: Store) -> None:
    live(store)
    assert entered(store.accept(cart(), "new")) == ["abandoned~new~1"]
    assert profiles.find(store.connection, "customer_id", "new") == "new"


def test_an_event_that_is_sent_twice_lets_in_once(store: Store) -> None:
    live(store)
    store.accept(cart(), "ada")
    again = store.accept(cart(), "ada")
    assert (again.duplicate, again.entered) == (True, ())
    assert len(store.rows(schema.entrants)) == 1
    assert codes(store) == []


def test_one_who_is_inside_is_not_let_in_again_and_the_reason_is_on_record(store: Store) -> None:
    live(store)
    store.accept(cart(), "ada")
    verdict = store.accept(cart("cart-2"), "ada")
    assert (verdict.code, verdict.entered) == ("already_inside", ())
    assert codes(store) == [("cart-2", "already_inside", "abandoned@1")]


def test_an_event_that_is_heard_inside_is_no_discard_of_its_entry(store: Store) -> None:
    """Whoever puts something more into the cart begins their wait again, in the journey where they are."""
    again = {"id": "again", "kind": "event", "event": "cart-updated", "next": "remind", "timeout": {"after": "P1D"}}
    of = abandoned(nodes=[{**ENTRY, "next": "again"}, again, REMIND, END])
    live(store, of)
    ada = driver(store, store.accept(cart(), "ada"), of)
    ada.ask()
    verdict = store.accept(cart("cart-2"), "ada")
    assert [(one.entrant, one.node) for one in verdict.decided] == [(ada.entrant, "again")]
    assert (verdict.code, verdict.entered) == ("", ())
    assert codes(store) == []
    check(store, of)


def test_what_let_somebody_in_decides_no_gate_of_the_same_entrant(store: Store) -> None:
    again = {"id": "again", "kind": "event", "event": "cart-updated", "next": "end"}
    of = abandoned(nodes=[{**ENTRY, "next": "again"}, again, END])
    live(store, of)
    verdict = store.accept(cart(), "ada")
    assert verdict.decided == ()
    assert store.row(schema.entrants).waiting
    assert store.rows(schema.kept) == []


def test_it_may_decide_a_gate_of_another_journey_and_enter_several(store: Store) -> None:
    other = abandoned(id="other")
    waits = version({"id": "waits", "kind": "event", "event": "cart-updated", "next": "end"}, END, definitions=[CART])
    live(store, abandoned(), other, waits)
    (inside,) = let_in(store, waits, [profile("ada")])
    verdict = store.accept(cart(), "ada")
    assert [one.entrant for one in verdict.decided] == [inside.entrant]
    assert entered(verdict) == ["abandoned~ada~1", "other~ada~1"]


def test_one_journey_may_refuse_what_another_takes_and_says_so(store: Store) -> None:
    other = abandoned(id="other")
    live(store, abandoned())
    store.accept(cart(), "ada")
    publish(store, other, {})
    verdict = store.accept(cart("cart-2"), "ada")
    assert (entered(verdict), verdict.code) == (["other~ada~1"], "")
    assert codes(store) == [("cart-2", "already_inside", "abandoned@1")]


@pytest.mark.parametrize(
    ("where", "lets_in"),
    [
        (rule("total", ">", 50), False),
        (rule("total", "<", 50), True),
        (rule("profile.city", "=", "Atlanta"), True),
        (rule("profile.city", "=", "Rome"), False),
    ],
)
def test_where_is_a_rule_over_the_event_and_its_person(store: Store, where: dict[str, Any], lets_in: bool) -> None:
    live(store, abandoned(nodes=[{**ENTRY, "where": where}, WAITS, REMIND, END]))
    verdict = store.accept(cart(), "ada")
    assert bool(verdict.entered) == lets_in
    assert [code for _, code, _ in codes(store)] == ([] if lets_in else ["nobody_listening"])


def test_the_event_is_recognised_as_it_is_defined_now(store: Store) -> None:
    """What a version waits for later is frozen; whom it lets in goes by the definition as it stands."""
    live(store)
    store.write(lambda work: definitions.put(work, CART.model_copy(update={"match": "basket_changed"})))
    assert store.accept(cart(), "ada").entered == ()
    assert entered(store.accept(Event("shop", "b-1", "basket_changed", {"cart": "A"}), "ada")) == ["abandoned~ada~1"]


def test_an_event_looks_at_no_definition_of_another_name(store: Store) -> None:
    """Of a hundred journeys that begin with events, one whose name is waited for nowhere reads none; one that a rule describes is read
    by every event, and one that was taken away is what it was when its version was published."""
    large = EventDefinition(id="large", rule="total > 1000", namespace="customer_id", key="customer")
    by_rule = version(nodes=[{**ENTRY, "event": "large", "next": "end"}, END], definitions=[large], id="by-rule")
    gone = EventDefinition(id="gone", match="gone_now", namespace="customer_id", key="customer")
    orphan = version(nodes=[{**ENTRY, "event": "gone", "next": "end"}, END], definitions=[gone], id="orphan")
    live(store, *(abandoned(id=f"journey-{number}") for number in range(100)))

    def asked(name: str) -> tuple[int, list[str]]:
        begun = versions.begun_by_an_event(store.connection, name)
        return len(begun), [one.id for one in definitions.of_event(store.connection, name)]

    assert asked("page") == (0, [])
    assert asked("cart_updated") == (100, ["cart-updated"])
    publish(store, by_rule, {})
    publish(store, orphan, {})
    store.write(lambda work: definitions.delete(work, "gone"))
    assert asked("page") == (2, ["large"])
    assert entered(store.accept(Event("shop", "l-1", "sale", {"total": 2000}), "ada")) == ["by-rule~ada~1"]
    assert entered(store.accept(Event("shop", "g-1", "gone_now", {}), "ada")) == ["orphan~ada~1"]
    assert [code for _, code, _ in codes(store)] == []


def test_an_event_that_is_too_old_lets_nobody_in(store: Store) -> None:
    live(store)
    assert store.accept(cart(occurred_at=START - DAY - HOUR), "ada").code == "too_old"
    assert store.rows(schema.entrants) == []


def test_a_closed_journey_lets_nobody_in(store: Store) -> None:
    live(store)
    store.write(lambda work: versions.set_state(work, "abandoned@1", "closed"))
    assert store.accept(cart(), "ada").code == "nobody_listening"


def test_events_let_people_into_the_version_that_is_live(store: Store) -> None:
    live(store)

    def publish_again(work: Work) -> None:
        versions.set_state(work, "abandoned@1", "closed")
        versions.insert(work, VersionRow("abandoned@2", "abandoned", 2, abandoned().hash, "live", START))

    store.write(publish_again)
    store.accept(cart(), "ada")
    assert store.row(schema.entrants).version == "abandoned@2"


def test_a_test_profile_is_left_out(store: Store) -> None:
    live(store)
    store.write(lambda work: profiles.put(work, document(profile("tess", test=True))))
    assert store.accept(cart(), "tess").code == "test_profile"


# ---- what let them in is asked later ---------------------------------------------------------------------------------------------


@pytest.mark.complaint(8)
def test_an_order_of_the_same_cart_is_heard_and_one_of_another_is_not(store: Store) -> None:
    live(store)
    ada = driver(store, store.accept(cart(cart="A"), "ada"), abandoned())
    ada.ask()
    assert store.accept(order("order-1", "B"), "ada").code == "nobody_listening"
    verdict = store.accept(order("order-2", "A"), "ada")
    assert [one.node for one in verdict.decided] == ["order"]


def test_a_message_shows_what_let_its_person_in_and_a_condition_asks_it(store: Store) -> None:
    decide = {"id": "decide", "kind": "condition", "branches": [{"id": "large", "when": rule("entry.total", ">", 30), "next": "remind"}]}
    of = abandoned(nodes=[{**ENTRY, "next": "decide"}, decide, REMIND, END])
    live(store, of)
    ada = driver(store, store.accept(cart(total=40), "ada"), of)
    ada.stop()
    opened = ada.open(ada.proposal())
    assert (opened.entry, opened.event) == ({"cart": "A", "total": 40}, {"cart": "A", "total": 40})  # type: ignore[union-attr]
    assert ada.path() == ("cart:next", "decide:large")


# ---- at the same moment ----------------------------------------------------------------------------------------------------------


async def test_of_many_events_at_once_each_person_is_let_in_once(database: Database) -> None:
    """Different events of one person in the same millisecond, repeats among them."""
    of = abandoned()

    def stage(work: Work) -> None:
        versions.keep(work, of)
        versions.insert(work, VersionRow(ids.version("abandoned", 1), "abandoned", 1, of.hash, "live", START))
        for definition in (CART, ORDER):
            definitions.put(work, definition)

    await database.write(stage)
    people = [f"p{number % 25}" for number in range(200)]
    arrived = [Arrived(cart(f"c-{number // 2}"), "customer_id", who) for number, who in enumerate(people)]
    arrived = [Arrived(cart(f"{one.key}-{one.event.id}"), "customer_id", one.key) for one in arrived]
    units = [partial(acceptance.accept, arrived=one, policy=acceptance.Policy()) for one in [*arrived, *arrived[:50]]]
    halves = await asyncio.gather(database.write_all(units[::2]), database.write_all(units[1::2]))
    verdicts = [one for half in halves for one in half]
    assert [one for one in verdicts if isinstance(one, BaseException)] == []
    assert sum(len(one.entered) for one in verdicts if isinstance(one, Verdict)) == 25
    rows = await database.read(lambda connection: connection.execute(schema.entrants.select()).all())
    assert sorted(row.key for row in rows) == sorted(f"p{number}" for number in range(25))


def test_one_who_has_ended_enters_again_after_five_minutes_or_as_the_journey_says(store: Store) -> None:
    of = abandoned(nodes=[{**ENTRY, "next": "end"}, END])
    live(store, of)
    ada = driver(store, store.accept(cart(), "ada"), of)
    ada.stop()
    assert store.row(schema.entrants).state == "ended"
    store.clock.instant += 2 * MINUTE
    assert store.accept(cart("cart-2"), "ada").code == "reentry_too_soon"
    store.clock.instant += 3 * MINUTE
    assert entered(store.accept(cart("cart-3"), "ada")) == ["abandoned~ada~2"]
