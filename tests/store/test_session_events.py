"""Events that are fired in a test session, and its log."""

from __future__ import annotations

from typing import Any

import pytest

from journey import ids
from journey.errors import BadInput
from store import changes, journeys, schema, session_events, session_log, sessions
from store.claims import Carrier, Policy
from store.steps import Opened
from tests import stock
from tests.builders import SECOND, THANKS, purchase
from tests.store.driver import LEASE, Driver, Store
from tests.store.in_test import (
    GATE,
    JOURNEY,
    a_tester,
    codes,
    drafted,
    drivers,
    enter,
    enter_up_to,
    fire,
    put,
    start,
    waiting_for_a_purchase,
)


@pytest.fixture
def waiting(store: Store) -> Driver:
    return waiting_for_a_purchase(store)


# ---- events ----------------------------------------------------------------------------------------------------------------------


def test_a_form_is_sent_with_its_fields_alone(store: Store, waiting: Driver) -> None:
    data = {"purchaseMessage": "thank you", "product": "Lamp"}
    assert [one.entrant for one in fire(store, data=data).decided] == [waiting.entrant]
    row = store.row(schema.events)
    assert (row.source, row.name, row.profile) == ("sojourn-test:thank-you@t1", "purchase", "tess")
    assert row.data == data | {"customer": "tess"}
    assert sessions.running(store.connection, JOURNEY).forms == {"purchase": data}


def test_a_form_that_the_rule_does_not_fit_says_so(store: Store, waiting: Driver) -> None:
    verdict = fire(store, data={"purchaseMessage": "no"})
    assert (verdict.code, verdict.decided) == ("no_definition", ())
    assert waiting.row().won_node == ""


def test_a_raw_event_names_its_person_by_a_key(store: Store, waiting: Driver) -> None:
    verdict = fire(store, profile_id="", definition="", name="sale", key="tess")
    assert [one.entrant for one in verdict.decided] == [waiting.entrant]


def test_an_event_that_names_nobody_is_found_by_its_definition(store: Store, waiting: Driver) -> None:
    verdict = fire(store, profile_id="", definition="", name="sale", data=THANKS | {"customer": "tess"})
    assert [one.entrant for one in verdict.decided] == [waiting.entrant]


@pytest.mark.parametrize(
    ("fired", "said"),
    [
        ({"definition": "refund"}, "thank-you waits for no event 'refund': it waits for purchase."),
        ({"profile_id": "nobody"}, "There is no profile 'nobody': put it first."),
        ({"profile_id": "", "key": "nobody"}, "Nobody has the identity customer_id = 'nobody'."),
        ({"profile_id": "", "definition": "", "name": "x", "data": {}}, "The event names nobody: give a profile, or a key."),
    ],
)
def test_an_event_that_cannot_be_fired_says_why(store: Store, waiting: Driver, fired: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        fire(store, **fired)
    assert refused.value.sentence.startswith(said)


def test_an_event_about_a_real_person_is_refused_and_on_record(store: Store, waiting: Driver) -> None:
    assert fire(store, profile_id="ada").code == "not_a_test_profile"
    assert codes(store) == [("ada", "not_a_test_profile")]


def test_an_event_fired_twice_with_one_id_has_no_second_effect(store: Store, waiting: Driver) -> None:
    assert fire(store).decided
    assert fire(store).duplicate


def test_the_forms_name_the_fields_and_those_of_the_rule_first(store: Store, waiting: Driver) -> None:
    log = session_log.read(store.connection, JOURNEY, 0)
    (form,) = session_events.forms(log.frozen, {"purchase": {"product": "Lamp"}})
    assert [(field["name"], field["in_rule"]) for field in form["fields"]] == [
        ("purchaseMessage", True), ("customer", False), ("product", False),
    ]  # fmt: skip
    assert (form["event"], form["key"], form["last"]) == ("purchase", "customer", {"product": "Lamp"})


# ---- the log ---------------------------------------------------------------------------------------------------------------------


def test_the_log_tells_path_place_deliveries_and_what_went_wrong(store: Store) -> None:
    drafted(store, a_tester(), a_tester("theo"))
    start(store)
    tess, theo = (drivers(store, enter(store, name))[0] for name in ("tess", "theo"))
    tess.walk_to("purchase")
    tess.note(fire(store))
    tess.stop()
    store.clock.instant += SECOND
    theo.walk_to(GATE)

    log = session_log.read(store.connection, JOURNEY, 10)
    assert log.counts == {"running": 1, "finished": 1, "error": 0, "timed_out": 0}
    shown = {one.story.entrant.profile: one for one in log.entrants}
    assert shown["tess"].phase == "finished"
    assert shown["tess"].looks["email-opened"] == "timed_out"
    assert [heard.data for heard in shown["tess"].heard.values()] == [THANKS | {"customer": "c-42"}]
    waiting = shown["theo"].story.waiting
    assert waiting is not None
    assert waiting.until == waiting.since + 40 * SECOND
    assert shown["theo"].looks["push-opened"] == "here"
    assert {one.channel for one in shown["theo"].story.deliveries} == {"email", "push"}
    content = session_log.content(store.connection, JOURNEY, ids.delivery(tess.entrant, 3, "push"))
    assert (content.document.id, content.profile.id, content.event["product"]) == ("thank-you", "tess", "Lamp")


# ---- a journey that begins with an event -----------------------------------------------------------------------------------------

CART = [
    {"id": "cart", "kind": "event", "event": "purchase", "next": "thanks"},
    {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
    {"id": "end", "kind": "end"},
]


def test_an_event_that_is_fired_lets_into_the_test_and_nowhere_else(store: Store) -> None:
    store.write(lambda work: stock.put_use_case(work, nodes=CART))
    put(store, a_tester())
    store.write(lambda work: journeys.publish(work, JOURNEY, stock.PUBLIC_URL))
    start(store)
    with pytest.raises(BadInput, match="thank-you begins with the event purchase: fire it, by POST"):
        enter(store, "tess")

    (entered,) = fire(store).entered
    assert entered.entrant.entrant == "thank-you~tess~t1"
    assert [row.version for row in store.rows(schema.entrants)] == ["thank-you@t1"]
    (tess,) = session_log.read(store.connection, JOURNEY, 10).entrants
    assert tess.heard[0].data["product"] == "Lamp"


def test_a_real_event_lets_nobody_into_a_test(store: Store) -> None:
    store.write(lambda work: stock.put_use_case(work, nodes=CART))
    put(store, a_tester())
    start(store)
    assert store.accept(purchase(person="tess"), "tess").code == "nobody_listening"
    assert store.rows(schema.entrants) == []


# ---- a journey that calls a webhook ----------------------------------------------------------------------------------------------

CALL = [
    {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "tell"},
    {
        "id": "tell",
        "kind": "webhook",
        "url": "https://crm.example/{{ profile.id }}",
        "body": '{"city": "{{ profile.city }}"}',
        "next": "end",
    },
    {"id": "end", "kind": "end"},
]


@pytest.mark.parametrize(("webhooks", "really"), [("recorded", False), ("real", True)])
def test_a_call_is_only_recorded_unless_calls_are_really_to_be_made(store: Store, webhooks: str, really: bool) -> None:
    store.write(lambda work: stock.put_use_case(work, nodes=CALL))
    put(store, a_tester())
    start(store, webhooks=webhooks)
    (tess,) = drivers(store, enter(store, "tess"))
    lease = {"webhook": Carrier(LEASE, idempotent=True, account="of nobody")}
    tess.policy = Policy(inbox={} if really else lease, carriers=lease if really else {})
    opened = tess.open(tess.proposal())
    assert isinstance(opened, Opened)
    assert opened.session is not None
    assert opened.session.really("webhook") == really
    assert not opened.session.really("email")
    content = session_log.content(store.connection, JOURNEY, ids.delivery(tess.entrant, 1, "webhook"))
    assert (getattr(content.document, "kind", ""), content.channel) == ("webhook", "webhook")


def test_a_write_of_the_profile_lets_on_who_waits_for_a_rule_in_a_test(store: Store) -> None:
    nodes = [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "rich"},
        {"id": "rich", "kind": "wait", "until": {"rule": "birth_year > 1999"}, "next": "end", "timeout": {"after": "P30D"}},
        {"id": "end", "kind": "end"},
    ]
    store.write(lambda work: stock.put_use_case(work, nodes=nodes))
    put(store, a_tester())
    start(store)
    (tess,) = drivers(store, enter(store, "tess"))
    row = tess.row()
    assert (row.waiting, row.until) == (True, row.arrived_at + 10 * SECOND)
    store.write(lambda work: changes.patch(work, "tess", attributes={"birth_year": 2000}))
    assert tess.row().won_node == "rich"


def test_a_journey_that_begins_with_a_qualification_is_tested_with_named_profiles(store: Store) -> None:
    nodes = [
        {"id": "in", "kind": "qualification", "segment": "three-cities-after-1980", "next": "thanks"},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
        {"id": "end", "kind": "end"},
    ]
    store.write(lambda work: stock.put_use_case(work, nodes=nodes))
    put(store, a_tester())
    start(store)
    assert [one.entrant.entrant for one in enter(store, "tess").starts] == ["thank-you~tess~t1"]
    with pytest.raises(BadInput, match="thank-you reads no segment: name the profiles"):
        enter_up_to(store, 10)


def test_an_event_that_is_fired_waits_for_the_profile_in_the_test_and_nowhere_else(store: Store) -> None:
    cart = CART[0] | {"where": "profile.vip == true", "settle_for": "PT10M"}
    store.write(lambda work: stock.put_use_case(work, nodes=[cart, *CART[1:]]))
    put(store, a_tester())
    store.write(lambda work: journeys.publish(work, JOURNEY, stock.PUBLIC_URL))
    start(store)
    assert fire(store).word == "kept"
    (entered,) = store.write(lambda work: changes.patch(work, "tess", attributes={"vip": True})).set_off.entered

    row = store.row(schema.entrants)
    assert (row.id, row.version, row.mode) == (entered.entrant.entrant, "thank-you@t1", "test")
    assert codes(store) == []
