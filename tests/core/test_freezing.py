"""A version holds all that its walk needs and nothing that could change: trees for rules, and the definitions of its events."""

from __future__ import annotations

import pytest

from journey import rule_tree
from journey.errors import Invalid
from journey.events import EventDefinition
from journey.freezing import freeze
from journey.graph import Condition, EventNode, Journey
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings
from journey.version import Version
from tests.builders import journey, purchase_definition, use_case_journey, use_case_messages

BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}}
END = {"id": "end", "kind": "end"}


def surroundings(*definitions: EventDefinition) -> Surroundings:
    segments = {name: SegmentDocument(id=name, rule='city == "Atlanta"') for name in ("everybody", "three-cities-after-1980")}
    attributes = {"city": Attribute(type="string"), "vip": Attribute(type="boolean")}
    events = {one.id: one for one in definitions or (purchase_definition(),)}
    return Surroundings(attributes, segments, events, use_case_messages())


def test_the_use_case_is_frozen_with_the_one_event_that_it_waits_for() -> None:
    others = purchase_definition(id="refund", rule=None, match="Refund")
    version = freeze(use_case_journey(), surroundings(purchase_definition(rule='purchaseMessage = "thank you"'), others))
    assert version.journey == use_case_journey()
    assert version.events == {"purchase": purchase_definition()}


def test_rules_written_as_text_are_trees_in_a_version() -> None:
    choose = {"id": "choose", "kind": "condition", "branches": [{"id": "vip", "when": "vip == true", "next": "buy"}], "otherwise": "buy"}
    version = freeze(journey(choose, BUY | {"where": 'product == "Lamp" || product == "Desk"'}, END), surroundings())
    buy, chosen = version.journey.node("buy"), version.journey.node("choose")
    assert isinstance(buy, EventNode)
    assert isinstance(buy.where, rule_tree.Group)
    assert isinstance(chosen, Condition)
    assert chosen.branches[0].when == rule_tree.Test(field="vip", operator="=", value=True)


def test_a_version_reads_back_as_it_was_written_and_keeps_its_hash() -> None:
    empty = {"combinator": "and", "rules": []}
    for drawn in (BUY, BUY | {"where": "product == 'Lamp' && !(price > 3)"}, BUY | {"where": empty}):
        version = freeze(journey(drawn, END), surroundings())
        again = Version.model_validate_json(version.canonical)
        assert again == version
        assert again.hash == version.hash


def test_the_same_rule_as_text_and_as_tree_is_the_same_version() -> None:
    written = freeze(journey(BUY | {"where": 'product = "Lamp"'}, END), surroundings())
    built = freeze(journey(BUY | {"where": {"field": "product", "operator": "=", "value": "Lamp"}}, END), surroundings())
    assert written.hash == built.hash


def test_a_draft_whose_nodes_were_looked_up_before_freezes_as_any_other() -> None:
    draft = journey(BUY | {"where": 'product = "Lamp"'}, END)
    assert draft.node("buy") is draft.nodes[1]
    frozen = freeze(draft, surroundings()).journey
    assert frozen.node("buy") is frozen.nodes[1]


def test_a_journey_with_errors_is_not_frozen_and_all_findings_travel_along() -> None:
    faulty = journey(BUY | {"event": "nothing", "timeout": None}, END, namespace="")
    with pytest.raises(Invalid, match=r"^The journey small has 2 errors; the first: The journey names no namespace") as refused:
        freeze(faulty, surroundings())
    assert [one.code for one in refused.value.findings] == ["namespace_missing", "unknown_event", "no_timeout"]
    with pytest.raises(Invalid, match="has one error"):
        freeze(Journey.model_validate({"id": "small", "namespace": "customer_id"}), surroundings())
