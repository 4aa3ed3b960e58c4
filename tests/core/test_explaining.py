"""Why an event fits a node or does not, said aloud; what is said agrees with what decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import explaining, ids, matching
from journey.events import Event
from tests import builders

ENTRANT = ids.entrant("thank-you", builders.PERSON, 1)
VERSION = builders.use_case()
WHERE = builders.version({"id": "large", "kind": "event", "event": "purchase", "where": "amount > 100 && currency == 'EUR'"})


@pytest.mark.behaviour(6)
def test_a_purchase_in_the_wrong_currency_names_the_condition_and_both_values() -> None:
    said = explaining.node(WHERE, ENTRANT, WHERE.journey.node("large"), builders.purchase(amount=120, currency="USD")).said
    assert said.fits is False
    assert said.sentence == "It is a purchase, and what the node asks of it is not true."
    assert said.rule is not None
    assert [(part.field, part.found, part.wanted, part.verdict) for part in said.rule.parts] == [
        ("amount", 120, 100, True),
        ("currency", "USD", "EUR", False),
    ]


def test_a_value_of_another_type_is_said_to_be_one() -> None:
    said = explaining.node(WHERE, ENTRANT, WHERE.journey.node("large"), builders.purchase(amount="120", currency="EUR")).said
    assert said.rule is not None
    assert said.rule.parts[0].why != ""


def test_a_reaction_says_whose_and_to_what_it_is() -> None:
    at = VERSION.journey.node("push-opened")
    for event, sentence in (
        (builders.reaction("push.opened"), "It is push.opened of first."),
        (builders.reaction("email.opened"), "It is email.opened; this node waits for push.opened."),
        (
            builders.reaction("push.opened", of="follow-up"),
            "It is a reaction to the message of follow-up; this node waits for one to that of first.",
        ),
        (builders.reaction("push.opened", entrant="thank-you~x~1"), "It is a reaction to a message of another passage through a journey."),
        (builders.purchase(), "It is no reaction; this node waits for push.opened of first."),
    ):
        assert explaining.node(VERSION, ENTRANT, at, event).said.sentence == sentence


def test_a_definition_says_which_name_it_describes() -> None:
    definition = builders.purchase_definition(match="Order Completed", rule=None)
    assert explaining.definition(definition, Event("shop", "1", "Order Completed")).fits
    said = explaining.definition(definition, Event("shop", "1", "order completed"))
    assert (said.fits, said.sentence) == (False, "It is named 'order completed', and purchase describes events named 'Order Completed'.")


EVENTS = st.builds(
    lambda amount, currency, message, react: (
        builders.reaction("push.opened")
        if react
        else replace(builders.purchase(), data={"amount": amount, "currency": currency, "purchaseMessage": message})
    ),
    st.one_of(st.integers(0, 200), st.none(), st.just("120")),
    st.sampled_from(["EUR", "USD", None]),
    st.sampled_from(["thank you", "no"]),
    st.booleans(),
)


@given(EVENTS)
def test_what_is_said_is_what_decides(event: Event) -> None:
    for version in (VERSION, WHERE):
        fits = matching.fits(version, ENTRANT)
        for node in version.journey.nodes:
            assert explaining.node(version, ENTRANT, node, event).said.fits == fits(node, event), node.id
        for definition in version.events.values():
            assert explaining.definition(definition, event).fits == matching.definition_fits(definition, event)
