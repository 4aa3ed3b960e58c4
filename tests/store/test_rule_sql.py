"""The evaluator and the database say the same of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql

from journey.rule_text import parse
from journey.rule_tree import Group, Operator, Rule
from journey.rule_tree import Test as Leaf
from journey.rules import Scope, evaluate
from store import rule_sql, schema
from tests import made_up_rules

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@contextmanager
def kept(connection: Connection, people: list[dict[str, Any]]) -> Iterator[None]:
    """These people are the profiles of the database for a while."""
    with connection.begin() as transaction:
        rows = [
            {"id": str(place), "attributes": person, "consents": {}, "push_tokens": [], "test": False, "created_at": 0, "updated_at": 0}
            for place, person in enumerate(people)
        ]
        connection.execute(schema.profiles.insert(), rows)
        yield
        transaction.rollback()


def asked(connection: Connection, rule: Rule) -> list[int]:
    """Who of the people kept satisfies the rule, by their place in the list, as the database sees it."""
    query = select(schema.profiles.c.id).where(rule_sql.where(rule, "postgresql" if connection.dialect.name == "postgresql" else "sqlite"))
    return sorted(int(place) for place in connection.execute(query).scalars())


def members(connection: Connection, rule: Rule, people: list[dict[str, Any]]) -> list[int]:
    """Who of these people satisfies the rule."""
    with kept(connection, people):
        return asked(connection, rule)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule=made_up_rules.any_rules, people=st.lists(made_up_rules.attributes, min_size=1, max_size=8))
def test_the_evaluator_and_the_database_agree_on_everybody(connection: Connection, rule: Rule, people: list[dict[str, Any]]) -> None:
    expected = [place for place, person in enumerate(people) if evaluate(rule, Scope.of_profile(person))]
    event("nobody" if not expected else "everybody" if len(expected) == len(people) else "some")
    assert members(connection, rule, people) == expected


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ('name.contains("50%")', {"name": "5000 units"}),
        ('name.contains("a_b")', {"name": "axb"}),
        ('name.startsWith("Ab")', {"name": "abc"}),
        ('name.endsWith("long tail")', {"name": "tail"}),
        ("vip = 1", {"vip": True}),
        ("vip = true", {"vip": 1}),
        ("born > 1980", {"born": "1985"}),
        ("born != 1980", {}),
        ("born != 1980", {"born": None}),
        ("born != 1980", {"born": "1980"}),
        ("born != 1980", {"born": [1985]}),
        ('city != "x"', {"city": {"name": "y"}}),
        ('city.notIn(["x"])', {"city": 5}),
        ('city.notIn(["x"])', {}),
        ('"\U00010000" < name', {"name": "\uffff"}),
        ("", {"city": "Atlanta"}),
        ("9007199254740992 = n", {"n": 9007199254740993}),
    ],
)
def test_what_is_false_is_false_in_the_database_too(connection: Connection, text: str, person: dict[str, Any]) -> None:
    assert members(connection, parse(text), [person]) == []
    assert not evaluate(parse(text), Scope.of_profile(person))


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ('city in ["Atlanta", "San Francisco", "Seattle"] && birth_year > 1980', {"city": "Seattle", "birth_year": 1981}),
        ('!(city = "Atlanta")', {}),
        ("!(born > 1980)", {"born": "1985"}),
        ("n = 1.0", {"n": 1}),
        ('city in [1, "x", true]', {"city": True}),
        ('city.notIn([1, "x", true])', {"city": "y"}),
        ('name.contains("")', {"name": ""}),
        ('name.endsWith("")', {"name": "a"}),
        ('address.city = "Bern"', {"address": {"city": "Bern"}}),
        ("home = work", {"home": "Bern", "work": "Bern"}),
        ('name = "O\'Neil \\"x\\" \\\\ %s :p ?"', {"name": 'O\'Neil "x" \\ %s :p ?'}),
        ("n > 1e300", {"n": 10**400}),
    ],
)
def test_what_is_true_is_true_in_the_database_too(connection: Connection, text: str, person: dict[str, Any]) -> None:
    assert members(connection, parse(text), [person]) == [0]
    assert evaluate(parse(text), Scope.of_profile(person))


def test_every_value_is_compared_with_every_value_alike(connection: Connection) -> None:
    people: list[dict[str, Any]] = [{}] + [{"a": value} for value in made_up_rules.every_value]
    everybody = set(range(len(people)))
    with kept(connection, people):
        for operator, value in product(get_args(Operator), made_up_rules.every_value):
            if isinstance(value, list | dict):
                continue
            test = Leaf(field="a", operator=operator, value=(value,) if operator in ("in", "notIn") and value is not None else value)
            expected = {place for place, person in enumerate(people) if evaluate(test, Scope.of_profile(person))}
            assert set(asked(connection, test)) == expected
            assert set(asked(connection, Group(rules=(test,), negated=True))) == everybody - expected


def test_every_field_is_compared_with_every_field_alike(connection: Connection) -> None:
    people = [{"a": one, "b": other} for one, other in product(made_up_rules.every_value, repeat=2)]
    with kept(connection, people):
        for operator in get_args(Operator):
            test = Leaf(field="a", operator=operator, value="b", value_source="field")
            expected = [place for place, person in enumerate(people) if evaluate(test, Scope.of_profile(person))]
            assert asked(connection, test) == expected


def test_a_rule_of_the_largest_size_can_be_asked(connection: Connection) -> None:
    rule = parse("||".join(f"a={number}" for number in range(500)))
    assert members(connection, rule, [{"a": 499}, {"a": 500}]) == [0]
    many = parse("a in [" + ",".join(str(number) for number in range(500)) + "]")
    assert members(connection, many, [{"a": 499}, {"a": 500}]) == [0]


def test_the_use_case_compiles_for_postgresql() -> None:
    rule = parse('city in ["Atlanta", "Seattle"] && birth_year > 1980')
    sql = str(rule_sql.where(rule, "postgresql").compile(dialect=POSTGRESQL))
    assert "CAST(profiles.attributes AS JSONB)" in sql
    assert 'COLLATE "C"' in sql


@settings(max_examples=50, deadline=None)
@given(rule=made_up_rules.any_rules)
def test_every_rule_compiles_for_postgresql(rule: Rule) -> None:
    assert str(rule_sql.where(rule, "postgresql").compile(dialect=POSTGRESQL))


def test_an_empty_group_is_no_member_however_it_is_turned_around(connection: Connection) -> None:
    empty = Group(negated=True)
    for rule in (empty, Group(rules=(empty,), negated=True), Group(combinator="or", rules=(Group(), empty))):
        assert members(connection, rule, [{}, {"a": 1}]) == []
