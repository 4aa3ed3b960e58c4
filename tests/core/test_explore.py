"""Every way that one person can go through a journey."""

from __future__ import annotations

from itertools import islice

import pytest

from journey.profiles import Profile
from journey.simulation.explore import example, ways
from journey.simulation.story import World
from journey.version import Version
from tests.builders import message, profile, purchase_definition, rule, use_case, use_case_messages, version

WORLD = World(messages=use_case_messages() | {"one": message("one", "email")})
END = {"id": "end", "kind": "end"}


def paths(of: Version, who: Profile | None = None) -> list[str]:
    return [" ".join((*way.story.path[1:], way.story.end)) for way in ways(of, who or profile(), WORLD)]


def test_the_use_case_has_six_ways_through() -> None:
    assert paths(use_case()) == [
        "first:next push-opened:next purchase:next thanks:next finished",
        "first:next push-opened:next global_timeout",
        "first:next email-opened:next purchase:next thanks:next finished",
        "first:next email-opened:next global_timeout",
        "first:next email-opened:timeout follow-up:next purchase:next thanks:next finished",
        "first:next email-opened:timeout follow-up:next global_timeout",
    ]


def test_one_without_a_token_can_open_no_push() -> None:
    assert not any("push-opened" in path for path in paths(use_case(), profile(push_tokens=())))


def test_a_branch_that_is_not_theirs_is_no_way_of_theirs() -> None:
    branches = [{"id": "atlanta", "when": rule("city", "=", "Atlanta"), "next": "end"}]
    asks = version({"id": "where", "kind": "condition", "branches": branches, "otherwise": "end"}, END)
    assert paths(asks) == ["where:atlanta finished"]
    assert paths(asks, profile(city="Seattle")) == ["where:otherwise finished"]


def test_a_short_gate_is_heard_before_its_end() -> None:
    short = version({"id": "bought", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "PT1S"}}, END)
    assert paths(short) == ["bought:next finished", "bought:timeout finished"]


def test_an_event_that_no_example_can_be_made_for_is_left_out() -> None:
    dear = purchase_definition(rule=rule("product", "contains", "Lamp"))
    assert paths(version({"id": "bought", "kind": "event", "event": "purchase", "next": "end"}, END, definitions=[dear])) == [
        "global_timeout"
    ]


def test_very_many_ways_are_found_one_by_one() -> None:
    chain = [
        {"id": f"n{index}", "kind": "event", "event": "purchase", "next": f"n{index + 1}", "timeout": {"after": "P1D"}}
        for index in range(60)
    ]
    many = version(*chain, {"id": "n60", "kind": "end"})
    assert len(list(islice(ways(many, profile(), WORLD), 5))) == 5


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        (rule("purchaseMessage", "=", "thank you"), {"purchaseMessage": "thank you"}),
        (rule("event.order.kind", "in", ["new", "old"]), {"order": {"kind": "new"}}),
        ({"combinator": "and", "rules": [rule("a", "=", 1), rule("b", "=", 2), rule("c", ">", 3)]}, {"a": 1, "b": 2, "c": 4}),
        ({"combinator": "or", "rules": [rule("a", "=", 1), rule("b", "=", 2)]}, {"a": 1}),
        ({"combinator": "and", "rules": [rule("a", "=", 1), rule("a.b", "=", 2)]}, {"a": 1}),
        ({"combinator": "and", "not": True, "rules": [rule("a", "=", 1)]}, {}),
    ],
)
def test_an_example_says_what_the_rule_asks_for(asked: dict[str, object], data: dict[str, object]) -> None:
    assert example(purchase_definition(rule=asked)) == data


def test_an_example_satisfies_the_node_too() -> None:
    assert example(purchase_definition(), purchase_definition(rule=rule("product", "=", "Lamp")).rule) == {
        "purchaseMessage": "thank you", "product": "Lamp",
    }  # fmt: skip
