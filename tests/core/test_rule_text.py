"""Rules in text: what is read, what is written back, and what a faulty one is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter

from journey.errors import RuleError
from journey.rule_check import all_leaves
from journey.rule_text import as_tree, parse, write
from journey.rule_tree import Group, Rule
from journey.rules import Scope, evaluate
from tests import made_up_rules

TREES: TypeAdapter[Rule] = TypeAdapter(Rule)


def dumped(rule: Rule) -> str:
    """Two trees that are the same have the same text; 1, 1.0 and true are equal in Python and differ here."""
    return json.dumps(TREES.dump_python(rule, mode="json", by_alias=True, exclude_defaults=True), sort_keys=True)


def tree(raw: dict[str, Any]) -> Rule:
    return TREES.validate_python(raw)


def test_the_rule_of_the_use_case_becomes_the_tree_of_a_query_builder() -> None:
    rule = parse('city in ["Atlanta", "Seattle"] && birth_year > 1980')
    assert json.loads(dumped(rule)) == {
        "rules": [
            {"field": "city", "operator": "in", "value": ["Atlanta", "Seattle"]},
            {"field": "birth_year", "operator": ">", "value": 1980},
        ]
    }


def test_a_single_sign_of_equality_reads_as_two() -> None:
    assert parse('purchaseMessage="thank you"') == parse('purchaseMessage == "thank you"')
    assert write(parse('a = "x = y" // b = c\n && d != 1')) == 'a == "x = y" && d != 1'


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1980 < year", "year > 1980"),
        ("null != x", "x != null"),
        ("has(x)", "x != null"),
        ("vip", "vip == true"),
        ("!vip", "!(vip == true)"),
        ("((a = 1))", "a == 1"),
        ("a = -1 && b > - 2.5", "a == -1 && b > -2.5"),
        ("a = 0x10", "a == 16"),
        ("a=1&&b=2||c=3", "(a == 1 && b == 2) || c == 3"),
        ("a = 1 && (b = 2 && c = 3)", "a == 1 && (b == 2 && c == 3)"),
        ("a = b.c", "a == b.c"),
        ("name.contains('it\\'s')", 'name.contains("it\'s")'),
        ('name.startsWith("\\u00e4\\n")', 'name.startsWith("ä\\U0000000a")'),
        ("a = '''x\ny'''", 'a == "x\\U0000000ay"'),
        ("inside > 1 && nullable = true && trueish < 2", "inside > 1 && nullable == true && trueish < 2"),
        (" \n", ""),
    ],
)
def test_what_is_read_is_written_in_one_way(text: str, same: str) -> None:
    assert write(parse(text)) == same


@settings(deadline=None)
@given(rule=made_up_rules.rules_over_the_past)
def test_a_rule_over_the_past_is_written_so_that_it_reads_as_the_same(rule: Rule) -> None:
    text = write(rule)
    assert write(parse(text)) == text
    assert [*all_leaves(parse(text))] == [*all_leaves(as_tree(rule))] or not all_hold(rule)


def all_hold(rule: Rule) -> bool:
    """Is nothing of it left out when it is written, since it could never be?"""
    return not isinstance(rule, Group) or (bool(rule.rules) and all(all_hold(part) for part in rule.rules))


@settings(max_examples=150, deadline=None)
@given(rule=made_up_rules.sensible_rules, attributes=made_up_rules.attributes)
def test_what_is_written_reads_as_the_same(rule: Rule, attributes: dict[str, Any]) -> None:
    text = write(rule)
    if len(text) > 4000:
        return
    again = parse(text)
    scope = Scope.of_profile(attributes)
    assert evaluate(again, scope) is evaluate(rule, scope)
    assert write(again) == text
    assert dumped(parse(write(again))) == dumped(again)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("a = 1 &&", 9, "ends in the middle"),
        ("(a = 1", 7, "ends in the middle"),
        ("a = 1 && b @ 2", 12, "'@'"),
        ("a = 1 and b = 2", 7, "'and'"),
        ("city = “Bern”", 8, "“Bern”"),
        ('city = "Bern', 8, "no closing quote"),
        ('a = 1 && b = "\\q"', 14, "write \\\\"),
        ('a = 1\n&& b = r"x"', 14, "without a letter"),
        ("1 < a < 3", 1, "join them with &&"),
        ("a + 1 > 2", 1, "do not calculate"),
        ('first-name = "x"', 1, "do not calculate"),
        ('name.matches("x")', 6, "no function .matches"),
        ("today() = a", 1, "The name of a field"),
        ("today()", 1, "no function today"),
        ("name.contains(1)", 15, "in quotes"),
        ("has(a, b)", 1, "takes one thing"),
        ("has()", 1, "takes one thing"),
        ('"vip" in tags', 1, "name of a field"),
        ("a in b", 6, "list of values"),
        ("a in [1, null]", 10, "A list holds values only"),
        ("a = [1]", 5, "The name of a field"),
        ("a < null", 5, "null has no order"),
        ("1 = 1", 1, "Two values"),
        ('"x"', 1, "A value alone"),
        ("a ? b : c", 1, "cannot be asked"),
        ("a[0] = 1", 1, "The name of a field"),
        ("a = 5u", 5, "no number"),
        ("a = 1e999", 5, "too large"),
        ("in = 1", 1, "no name of a field"),
        ("(" * 33 + "a" + ")" * 33, 34, "more than 32 deep"),
        ("!" * 33 + "a", 34, "more than 32 deep"),
        ("(" * 1900 + "a" + ")" * 1900, 34, "more than 32 deep"),
        ("a = 1 || " * 500 + "a = 1", 4001, "4000 are the most"),
    ],
)
def test_a_faulty_rule_is_told_where_and_what(text: str, column: int, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert says in caught.value.sentence
    assert caught.value.column == column
    assert caught.value.code == "rule_invalid"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('did("purchase")', {"did": "purchase"}),
        ("did('email.opened', {})", {"did": "email.opened"}),
        ('did("purchase", {at_least: 2, within: "P7D"})', {"did": "purchase", "within": "P7D", "at_least": 2}),
        (
            'did("purchase", {where: total > 100 && product = "Lamp"})',
            {"did": "purchase", "where": {"rules": [
                {"field": "total", "operator": ">", "value": 100}, {"field": "product", "operator": "=", "value": "Lamp"},
            ]}},
        ),
        ('in_segment("vip")', {"in_segment": "vip"}),
        ('!in_segment("vip")', {"rules": [{"in_segment": "vip"}], "not": True}),
    ],
)  # fmt: skip
def test_what_somebody_did_and_is_a_member_of_can_be_asked(text: str, tree: dict[str, Any]) -> None:
    assert json.loads(dumped(parse(text))) == tree
    assert parse(text) == as_tree(TREES.validate_python(tree))
    assert dumped(parse(write(parse(text)))) == dumped(parse(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("did()", "did(...) names an event"),
        ("did(purchase)", "did(...) names an event"),
        ('did("purchase", "P7D")', "did(...) names an event"),
        ('did("purchase", {during: "P7D"})', "did(...) names an event"),
        ('did("purchase", {within: 7})', "did(...) names an event"),
        ('did("purchase", {at_least: "2"})', "did(...) names an event"),
        ('did("purchase", {at_least: true})', "did(...) names an event"),
        ('did("purchase", {within: "P1D", within: "P2D"})', "stands twice"),
        ('did("purchase", {within: "P1M"})', "months and years"),
        ('did("purchase", {at_least: 0})', "at_least of"),
        ('did("purchase", {at_least: 1001})', "at_least of"),
        ('did("Order Completed")', "is no event"),
        ('did("purchase", {where: did("refund")})', "beside it"),
        ('did("purchase", {where: in_segment("vip")})', "beside it"),
        ('did("purchase", {where: now.hour > 9})', "knows no now"),
        ("in_segment()", "takes one thing"),
        ("in_segment(vip)", "names a segment"),
        ('in_segment("VIP")', "is no id of a segment"),
        ('did("purchase") == true', "The name of a field"),
    ],
)
def test_a_faulty_question_about_the_past_is_told_how_it_is_written(text: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert says in caught.value.sentence
    assert caught.value.code == "rule_invalid"


def test_a_where_that_can_hold_of_nothing_is_refused() -> None:
    for empty in ({"rules": list[Any]()}, {"rules": [{"rules": []}, {"field": "a", "operator": "null"}]}):
        with pytest.raises(RuleError, match="matches nothing"):
            as_tree(tree({"did": "purchase", "where": empty}))


@pytest.mark.parametrize("text", ["true", "x.true = 1", "a < true"])
def test_a_fault_at_true_has_a_sentence_though_no_column(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert caught.value.sentence


def test_a_tree_is_taken_as_a_query_builder_writes_it() -> None:
    raw = {
        "id": "g-1", "combinator": "or", "not": True,
        "rules": [
            {"id": "r-1", "field": "city", "operator": "=", "value": "Bern", "valueSource": "value"},
            {"id": "r-2", "field": "city", "operator": "null", "value": ""},
        ],
    }  # fmt: skip
    assert write(as_tree(tree(raw))) == '!(city == "Bern" || city == null)'


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"field": "first name", "operator": "=", "value": 1}, "no name of a field"),
        ({"field": "a", "operator": "in", "value": "x,y"}, "list of values"),
        ({"field": "a", "operator": "in", "value": "b", "valueSource": "field"}, "list of values"),
        ({"field": "a", "operator": "=", "value": [1]}, "one value"),
        ({"field": "a", "operator": "="}, "one value"),
        ({"field": "a", "operator": "<", "value": True}, "no order"),
        ({"field": "a", "operator": "contains", "value": 1}, "text in quotes"),
        ({"field": "a", "operator": "=", "value": 1, "valueSource": "field"}, "name of that field"),
        ({"field": "a", "operator": "=", "value": float("inf")}, "too large"),
        ({"field": "a", "operator": "=", "value": "\0"}, "no database keeps"),
        ({"field": "a", "operator": "=", "value": "\ud800"}, "no database keeps"),
        ({"rules": [{"field": "a", "operator": "=", "value": 1}] * 501}, "500"),
    ],
)
def test_a_tree_that_cannot_be_asked_is_refused(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(RuleError, match=says):
        as_tree(tree(raw))


def test_a_tree_too_deep_is_refused() -> None:
    rule = Group()
    for _ in range(32):
        rule = Group(rules=(rule,))
    with pytest.raises(RuleError, match="32 deep"):
        as_tree(rule)
