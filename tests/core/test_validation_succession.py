"""One failing example for each finding about what becomes of people inside: the map of a publish, and `continues` of message nodes."""

from __future__ import annotations

import pytest

from journey.freezing import frozen
from journey.graph import Journey, Message
from journey.succession import Succession
from journey.surroundings import Surroundings
from journey.validation.succession import check
from tests import builders
from tests.builders import journey, use_case_journey, use_case_nodes
from tests.core.test_validation import said

END = {"id": "end", "kind": "end"}
WHICH = {"id": "which", "kind": "condition", "branches": [{"id": "yes", "when": builders.rule("city", "=", "Rome"), "next": "end"}]}


def found(told: dict[str, str], *, people: str = "migrate", older: list[Journey] | None = None) -> list[tuple[str, str, str]]:
    """Code, node and field of each finding about a map from the use case to itself."""
    asked = Succession.model_validate({"people": people, "map": told})
    return [(one.code, one.node, one.field) for one in check(asked, use_case_journey(), [use_case_journey()] if older is None else older)]


def test_a_map_to_nodes_and_words_that_are_there_is_fine() -> None:
    assert found({"purchase": ":next", "first": ":exit", "push-opened": ":stay", "follow-up": "thanks", "thanks": "end"}) == []
    assert found({}, people="finish") == found({}, people="flow_in") == []


@pytest.mark.parametrize("people", ["finish", "flow_in"])
def test_a_map_where_nobody_migrates_is_a_mistake(people: str) -> None:
    assert found({"purchase": ":next"}, people=people) == [("map_not_used", "", "map")]


def test_a_map_of_a_node_that_no_older_version_has() -> None:
    assert found({"purchace": ":next"}) == [("map_node_unknown", "purchace", "map")]
    small = journey({"id": "purchace", "kind": "wait", "for": "P1D"})
    assert found({"purchace": "purchase"}, older=[small, use_case_journey()]) == [], "one of several versions with people is enough"
    assert found({"purchace": "purchase"}, older=[]) == [], "where nobody is, it says nothing"


@pytest.mark.parametrize("to", ["thank", ":back", ""])
def test_a_map_to_what_is_no_node(to: str) -> None:
    assert found({"purchase": to}) == [("map_target_unknown", "purchase", "map")]


def test_a_map_of_where_people_enter_or_to_it() -> None:
    assert found({"read": "first"}) == [("map_entry", "read", "map")]
    assert found({"first": "read"}) == [("map_entry", "first", "map")]


def test_a_map_to_the_next_of_what_has_none() -> None:
    older = [journey(WHICH, END)]
    assert found({"which": ":next"}, older=older) == [("map_without_next", "which", "map")]
    assert found({"end": ":next"}, older=older) == [("map_without_next", "end", "map")]


# ---- continues -------------------------------------------------------------------------------------------------------------------


def named(node: str, *continues: str) -> Journey:
    """The use case with its first message under this id, which continues others."""
    nodes = use_case_nodes()
    nodes[1] |= {"id": node, "continues": list(continues)}
    nodes[0]["next"] = nodes[2]["of"] = nodes[3]["of"] = node
    return use_case_journey(nodes=nodes)


def test_continuing_a_message_of_an_earlier_version_is_fine_and_so_is_a_journey_that_was_never_published() -> None:
    assert said(named("hello", "first"), earlier=(use_case_journey(),)) == said(use_case_journey())
    assert said(named("hello", "first")) == said(use_case_journey())


@pytest.mark.parametrize("name", ["frist", "pause"])
def test_continues_unknown(name: str) -> None:
    earlier = (use_case_journey(), journey({"id": "pause", "kind": "wait", "for": "P1D"}))
    assert ("continues_unknown", "hello", "continues") in said(named("hello", name), earlier=earlier)


def test_what_an_earlier_version_continued_is_known() -> None:
    assert said(named("hello", "first"), earlier=(named("hello", "first"),)) == said(use_case_journey())


def test_continues_twice() -> None:
    nodes = use_case_nodes()
    nodes[1]["continues"], nodes[4]["continues"] = "welcome", ["welcome", "welcome"]
    assert ("continues_twice", "follow-up", "continues") in said(use_case_journey(nodes=nodes))
    assert ("continues_twice", "hello", "continues") in said(named("hello", "thanks"))


def frozen_continues(draft: Journey, *earlier: Journey) -> tuple[str, ...]:
    """What the first message continues in the version that is made of a draft."""
    version = frozen(draft, Surroundings(events={"purchase": builders.purchase_definition()}, earlier=earlier))
    node = version.journey.nodes[1]
    assert isinstance(node, Message)
    return node.continues


def test_a_version_continues_all_that_those_before_it_did() -> None:
    first, second, third = named("first"), named("welcome", "first"), named("hello", "welcome")
    assert frozen_continues(third, first, second) == ("welcome", "first")
    assert frozen_continues(named("hello"), first, second, named("hello", "welcome", "first")) == ("welcome", "first")
    assert frozen_continues(third) == ("welcome",)


def test_an_id_that_is_used_anew_is_not_continued() -> None:
    nodes = use_case_nodes()
    nodes[1] |= {"id": "hello", "continues": "welcome"}
    nodes[0]["next"] = nodes[2]["of"] = nodes[3]["of"] = "hello"
    nodes[4]["id"] = nodes[3]["timeout"]["next"] = "first"
    assert frozen_continues(use_case_journey(nodes=nodes), named("first"), named("welcome", "first")) == ("welcome",)
