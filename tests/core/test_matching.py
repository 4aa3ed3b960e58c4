"""Which events fit which nodes, whose they are, and which are kept."""

from __future__ import annotations

from typing import Any

import pytest

from journey import ids
from journey.events import Event, EventDefinition
from journey.matching import definition_fits, fits, is_kept, person_of
from tests import builders

ENTRANT = ids.entrant("thank-you", builders.PERSON, 1)
VERSION = builders.use_case()


def definition(**document: Any) -> EventDefinition:
    return EventDefinition.model_validate({"id": "purchase"} | document)


def fitting(event: Event, *nodes: str, entrant: str = ENTRANT) -> list[str]:
    """Which of these nodes of the use case the event fits."""
    fit = fits(VERSION, entrant)
    return [node for node in nodes if fit(VERSION.journey.node(node), event)]


def test_a_definition_recognises_by_name_or_by_rule() -> None:
    event = Event("shop", "1", "bought", {"amount": 12})
    assert definition_fits(definition(match="bought"), event)
    assert not definition_fits(definition(match="Bought"), event)
    assert definition_fits(definition(rule="amount > 10"), event)
    assert not definition_fits(definition(rule="amount > 12"), event)
    assert definition_fits(definition(rule="event.amount > 10"), event)


def test_a_definition_that_says_nothing_fits_nothing() -> None:
    event = Event("shop", "1", "", {"amount": 12})
    assert not definition_fits(definition(), event)
    assert not definition_fits(definition(rule=""), event)


def test_a_reaction_is_no_event_of_a_definition() -> None:
    assert not definition_fits(definition(match="email.opened"), builders.reaction("email.opened"))


def test_the_purchase_of_the_use_case_fits_its_node_alone() -> None:
    assert fitting(builders.purchase(), "push-opened", "email-opened", "purchase", "first") == ["purchase"]
    assert fitting(builders.purchase(purchaseMessage="Thank you"), "purchase") == []


def test_a_where_looks_into_the_data() -> None:
    version = builders.version({"id": "large", "kind": "event", "event": "purchase", "where": "amount > 100 && event.product = 'Lamp'"})
    fit = fits(version, ENTRANT)
    assert fit(version.journey.node("large"), builders.purchase(amount=101))
    assert not fit(version.journey.node("large"), builders.purchase(amount=100))


def test_an_event_whose_definition_is_not_frozen_fits_nothing() -> None:
    version = builders.version({"id": "other", "kind": "event", "event": "other"})
    assert not fits(version, ENTRANT)(version.journey.node("other"), builders.purchase())


@pytest.mark.complaint(17)
def test_a_reaction_fits_the_node_of_its_channel_and_message() -> None:
    assert fitting(builders.reaction("push.opened"), "push-opened", "email-opened", "purchase") == ["push-opened"]
    assert fitting(builders.reaction("email.opened"), "push-opened", "email-opened") == ["email-opened"]
    assert fitting(builders.reaction("email.clicked"), "push-opened", "email-opened") == []
    assert fitting(builders.reaction("email.opened", of="follow-up"), "push-opened", "email-opened") == []


def test_a_reaction_to_the_message_that_a_node_continues_fits_as_one_to_its_own() -> None:
    nodes = builders.use_case_nodes()
    nodes[1] |= {"id": "hello", "continues": "first"}
    nodes[2]["of"] = nodes[3]["of"] = "hello"
    version = builders.use_case(nodes=nodes)
    hears = fits(version, ENTRANT)
    opened = version.journey.node("email-opened")
    assert hears(opened, builders.reaction("email.opened", of="hello"))
    assert hears(opened, builders.reaction("email.opened", of="first"))
    assert not hears(opened, builders.reaction("email.opened", of="thanks"))


@pytest.mark.complaint(17)
def test_a_reaction_to_somebody_elses_message_fits_nothing() -> None:
    other = ids.entrant("thank-you", "c-43", 1)
    assert fitting(builders.reaction("push.opened", entrant=other), "push-opened") == []


def test_an_event_that_only_looks_like_a_reaction_fits_nothing() -> None:
    real = builders.reaction("push.opened")
    assert fitting(Event("shop", real.id, real.name, real.data), "push-opened") == []


@pytest.mark.parametrize(
    ("data", "person"),
    [
        ({"customer": {"id": "c-42"}}, ("customer_id", "c-42")),
        ({"customer": {"id": 42}}, ("customer_id", "42")),
        ({"customer": {"id": True}}, None),
        ({"customer": {"id": 42.0}}, None),
        ({"customer": {"id": ""}}, None),
        ({"customer": {"id": "two\nlines"}}, None),
        ({"customer": {"id": " "}}, None),
        ({"customer": {"id": "x" * 500}}, ("customer_id", "x" * 500)),
        ({"customer": {"id": "x" * 501}}, None),
        ({"customer": "c-42"}, None),
        ({}, None),
    ],
)
def test_the_person_of_an_event_is_read_from_its_data(data: dict[str, Any], person: tuple[str, str] | None) -> None:
    assert person_of(definition(namespace="customer_id", key="customer.id"), Event("shop", "1", "x", data)) == person


def test_a_definition_without_namespace_or_key_names_nobody() -> None:
    event = Event("shop", "1", "x", {"customer": "c-42"})
    assert person_of(definition(key="customer"), event) is None
    assert person_of(definition(namespace="customer_id"), event) is None


def test_an_event_that_the_version_describes_is_kept_wherever_the_entrant_is() -> None:
    assert is_kept(VERSION, "first", ENTRANT, builders.purchase())
    assert is_kept(VERSION, "thanks", ENTRANT, builders.purchase())
    assert not is_kept(VERSION, "first", ENTRANT, Event("shop", "1", "visit", {}))


def test_a_reaction_is_kept_while_a_node_that_listens_to_it_is_ahead() -> None:
    opened = builders.reaction("push.opened")
    assert is_kept(VERSION, "first", ENTRANT, opened)
    assert is_kept(VERSION, "push-opened+email-opened", ENTRANT, opened)
    assert not is_kept(VERSION, "purchase", ENTRANT, opened)
    assert not is_kept(VERSION, "first", ENTRANT, builders.reaction("push.opened", entrant="another~1"))
    assert not is_kept(VERSION, "first", ENTRANT, builders.reaction("push.clicked"))


def test_a_definition_that_no_node_listens_for_keeps_nothing() -> None:
    version = builders.version({"id": "pause", "kind": "wait", "for": "P1D"})
    assert not is_kept(version, "pause", ENTRANT, builders.purchase())
