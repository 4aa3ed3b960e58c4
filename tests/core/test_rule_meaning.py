"""What rules say of each other is so, whoever is asked; and what marketers get wrong is seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from journey.rule_meaning import contradicts_itself, implies
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.rules import Scope, evaluate
from tests import made_up_rules

SEEN = [
    ("spent >= 200", "spent >= 100"),
    ("spent > 100", "spent >= 100"),
    ("spent == 150", "spent > 100"),
    ("spent in [150, 300]", "spent > 100 && spent < 1000"),
    ("spent > 100", "spent != 100"),
    ("spent > 100", "has(spent)"),
    ('city == "Bern" && spent > 100', 'city in ["Bern", "Basel"]'),
    ('city == "Bern"', 'city == "Bern" || vip'),
    ('city == "Bern" || city == "Basel"', 'city in ["Bern", "Basel"]'),
    ('!(city == "Bern" || vip)', "!vip"),
    ("!(spent >= 100)", "!(spent >= 200)"),
    ('name.startsWith("Ada")', 'name.contains("d")'),
    ('joined > "2026-03-01"', 'joined > "2026-01-01"'),
    ('did("buy", {within: "P7D", at_least: 3})', 'did("buy", {within: "P30D"})'),
    ('in_segment("vip") && spent > 3', 'in_segment("vip")'),
]
NOT_SEEN = [
    ("spent >= 100", "spent >= 200"),
    ("spent >= 100", "spent > 100"),
    ("spent != 100", "spent > 100"),
    ("!has(spent)", "spent < 100"),
    ("!(spent >= 100)", "spent < 100"),  # whoever has not spent anything
    ('spent > "100"', "spent > 50"),
    ("spent > 100", "paid > 100"),
    ("vip == false", "vip == 0"),  # true and false are no numbers
    ("spent in [1, 2]", "spent in [true, 2]"),
    ('city == "Bern" || vip', 'city == "Bern"'),
    ("spent > paid", "spent > 100"),
    ('did("buy", {within: "P30D"})', 'did("buy", {within: "P7D"})'),
    ('did("buy", {where: total > 3})', 'did("buy", {where: total > 1})'),
]
NEVER = [
    'city == "Bern" && city == "Basel"', "spent > 100 && spent < 50", "spent > 100 && spent <= 100", 'spent > 100 && spent == "200"',
    "!has(city) && city != \"Bern\"", "vip && !vip", 'city in ["Bern", "Basel"] && city == "Chur"',
    '(spent > 9 && spent < 3) || (vip && !vip)',
    'spent > 100 && spent < "2"',  # no value is a number and a text
]  # fmt: skip
SOMETIMES = [
    "spent >= 100 && spent <= 100", 'city != "Bern" && city != "Basel"', "!(spent > 100) && !(spent <= 100)", "vip || !vip",
    'city in ["Bern", "Basel"] && city == "Basel"', "spent > 100 && paid < 50", "!(city == \"Bern\" && city == \"Basel\")",
]  # fmt: skip


@pytest.mark.parametrize(("one", "two"), SEEN)
def test_a_rule_is_true_wherever_another_is(one: str, two: str) -> None:
    assert implies(as_tree(one), as_tree(two))


@pytest.mark.parametrize(("one", "two"), NOT_SEEN)
def test_a_rule_is_not_true_wherever_another_is(one: str, two: str) -> None:
    assert not implies(as_tree(one), as_tree(two))


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_nothing_satisfies(rule: str) -> None:
    assert contradicts_itself(as_tree(rule))


@pytest.mark.parametrize("rule", SOMETIMES)
def test_a_rule_that_something_satisfies(rule: str) -> None:
    assert not contradicts_itself(as_tree(rule))


@settings(max_examples=150, deadline=None)
@given(made_up_rules.sensible_rules, made_up_rules.sensible_rules, made_up_rules.attributes)
def test_what_is_said_of_two_rules_is_so_whoever_is_asked(one: Rule, two: Rule, person: dict[str, Any]) -> None:
    scope = Scope.of_profile(person)
    truth = evaluate(one, scope)
    if truth:
        assert not contradicts_itself(one)
        assert not implies(one, two) or evaluate(two, scope)


@settings(max_examples=60, deadline=None)
@given(made_up_rules.sensible_rules, made_up_rules.attributes)
def test_a_rule_that_is_true_of_somebody_implies_itself(rule: Rule, person: dict[str, Any]) -> None:
    if evaluate(rule, Scope.of_profile(person)):
        assert implies(rule, rule)
