"""When a rule is true, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from journey.rule_explaining import explain
from journey.rule_text import parse
from journey.rule_tree import Group, Rule
from journey.rule_tree import Test as Leaf
from journey.rules import Scope, evaluate, fields
from tests import made_up_rules

THREE_CITIES = 'city in ["Atlanta", "San Francisco", "Seattle"] && birth_year > 1980'
EMPTY = Group()


def true_of(text: str, **attributes: Any) -> bool:
    return evaluate(parse(text), Scope.of_profile(attributes))


@pytest.mark.parametrize(
    ("attributes", "member"),
    [
        ({"city": "Atlanta", "birth_year": 1981}, True),
        ({"city": "Atlanta", "birth_year": 1980}, False),
        ({"city": "atlanta", "birth_year": 1985}, False),
        ({"city": "Boston", "birth_year": 1985}, False),
        ({"city": "Atlanta"}, False),
        ({"city": "Atlanta", "birth_year": None}, False),
        ({"city": "Atlanta", "birth_year": "1985"}, False),
        ({"city": "Atlanta", "birth_year": 1980.5}, True),
        ({"city": ["Atlanta"], "birth_year": 1985}, False),
    ],
)
def test_the_segment_of_the_use_case(attributes: dict[str, Any], member: bool) -> None:
    assert true_of(THREE_CITIES, **attributes) is member


def test_nothing_is_converted() -> None:
    assert not true_of("vip = true", vip=1)
    assert not true_of("vip = 1", vip=True)
    assert not true_of('born = "1985"', born=1985)
    assert true_of("n = 1.0", n=1)


@pytest.mark.parametrize("value", [None, "1980", True, [1980], {"year": 1980}, float("nan"), float("inf")])
@pytest.mark.parametrize("sign", ["==", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_something_else_than_a_number_is_false(sign: str, value: object) -> None:
    assert not true_of(f"year {sign} 1970", year=value)
    assert true_of(f"!(year {sign} 1970)", year=value)


def test_the_order_of_texts_is_by_code_point() -> None:
    assert true_of('name < "a"', name="Z")
    assert true_of('name > "z"', name="ä")
    assert true_of('name > "\uffff"', name="\U00010000")


def test_true_and_false_have_no_order() -> None:
    for operator in ("<", "<=", ">", ">="):
        assert not evaluate(Leaf(field="vip", operator=operator, value=True), Scope.of_profile({"vip": True}))


def test_parts_of_texts_are_found_as_they_are_written() -> None:
    assert true_of('name.contains("b%")', name="ab%c")
    assert not true_of('name.contains("b%")', name="abc")
    assert true_of('name.startsWith("A")', name="Ab")
    assert not true_of('name.startsWith("a")', name="Ab")
    assert true_of('name.endsWith("")', name="")
    assert not true_of('name.endsWith("5")', name=5)


def test_a_list_is_searched_among_values_of_the_same_type() -> None:
    assert true_of('x in [1, "a", true]', x=True)
    assert not true_of('x in [1, "a"]', x=True)
    assert true_of('x.notIn([1, "a"])', x="b")
    assert not true_of('x.notIn([1, "a"])', x=True)
    assert not true_of("x.notIn([1])")
    assert not true_of("x in []", x=1)
    assert not true_of("x.notIn([])", x=1)


def test_missing_and_null_are_the_same() -> None:
    for attributes in ({}, {"x": None}):
        assert true_of("x == null", **attributes)
        assert not true_of("has(x)", **attributes)
    assert true_of("has(x)", x={})


def test_a_dotted_path_leads_into_objects_and_not_into_lists() -> None:
    assert true_of('address.city = "Bern"', address={"city": "Bern"})
    assert not true_of('address.city = "Bern"', address=[{"city": "Bern"}])
    assert true_of("address.city == null", address="Bern")


def test_two_fields_are_compared() -> None:
    assert true_of("home = work", home="Bern", work="Bern")
    assert not true_of("home = work")


def test_each_scope_has_its_name() -> None:
    rule = parse('amount > 10 && event.amount > 10 && profile.city = "Bern" && entry.amount = 1')
    scope = Scope({"amount": 11}, {"city": "Bern"}, {"amount": 12}, {"amount": 1})
    assert evaluate(rule, scope)
    assert not evaluate(rule, Scope({"amount": 11}))


@pytest.mark.parametrize(
    "rule",
    [
        EMPTY,
        Group(negated=True),
        Group(rules=(EMPTY,), negated=True),
        Group(rules=(Group(rules=(EMPTY,), negated=True),), negated=True),
        Group(rules=(Leaf(field="a", operator="=", value=1), EMPTY)),
        Group(combinator="or", rules=(Leaf(field="a", operator="=", value=2), EMPTY), negated=True),
    ],
)
def test_an_empty_group_matches_nobody_however_it_is_turned_around(rule: Rule) -> None:
    assert not evaluate(rule, Scope.of_profile({"a": 1}))


def test_an_empty_group_does_not_open_what_stands_beside_it() -> None:
    not_both = Group(rules=(Leaf(field="a", operator="=", value=1), EMPTY), negated=True)
    assert not evaluate(not_both, Scope.of_profile({"a": 1}))
    assert evaluate(not_both, Scope.of_profile({"a": 2}))


@settings(max_examples=100, deadline=None)
@given(rule=made_up_rules.any_rules, attributes=made_up_rules.attributes)
def test_the_explanation_has_the_same_verdict(rule: Rule, attributes: dict[str, Any]) -> None:
    scope = Scope.of_profile(attributes)
    assert explain(rule, scope).verdict is evaluate(rule, scope)


def test_an_explanation_says_what_was_found_and_why_it_does_not_compare() -> None:
    explained = explain(parse(THREE_CITIES), Scope.of_profile({"city": "Atlanta", "birth_year": "1985"}))
    city, year = explained.parts
    assert not explained.verdict
    assert (city.verdict, city.found, city.wanted) == (True, "Atlanta", ("Atlanta", "San Francisco", "Seattle"))
    assert (year.field, year.operator, year.verdict) == ("birth_year", ">", False)
    assert year.why == 'birth_year is the text "1985", which cannot be compared with the number 1980'
    assert explain(parse("a > 1"), Scope({})).why == "a is missing"
    assert explain(parse("a in [1]"), Scope({"a": "x"})).why == 'a is the text "x", and the list has none of that type'
    assert explain(EMPTY, Scope({})).why == "an empty group matches nothing"


def test_the_fields_of_a_rule_are_named_once_each() -> None:
    assert fields(parse("a = 1 && (b = c.d || !has(a)) && profile.e > 1")) == ("a", "b", "c.d", "profile.e")
