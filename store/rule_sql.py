"""A rule as an SQL condition over profiles. It knows no text of rules; journey/rules.py says what each test means.

Each test gives true or false and never NULL, so that `not` and `or` see two values as the evaluator does: a comparison stands behind a
check of the types of both sides, and nothing is converted.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, false, true

from journey.rule_tree import Operator, Rule, Test
from journey.rules import SCOPES, kind
from store.rule_columns import Condition, Postgres, Side, Sql, Sqlite, constant, every, no, some

Dialect = Literal["sqlite", "postgresql"]
_SQL: dict[Dialect, Sql] = {"sqlite": Sqlite(), "postgresql": Postgres()}


def where(rule: Rule, dialect: Dialect) -> ColumnElement[bool]:
    """The condition on `store.schema.profiles` that is true for exactly the profiles that the rule is true of.

    Bare fields and `profile.x` are attributes; `event.x` and `entry.x` are missing, for a segment has neither.
    """
    condition = _condition(rule, _SQL[dialect], True)
    if isinstance(condition, bool):
        return true() if condition else false()
    return condition


def _condition(rule: Rule, sql: Sql, wanted: bool) -> Condition:
    """As in journey/rules.py: what is wanted is turned around on the way down, so that an empty group fails both ways."""
    if isinstance(rule, Test):
        test = _test(rule, sql)
        return test if wanted else no(test)
    if not rule.rules:
        return False
    wanted = wanted != rule.negated
    parts = [_condition(part, sql, wanted) for part in rule.rules]
    return every(*parts) if (rule.combinator == "and") == wanted else some(*parts)


def _test(test: Test, sql: Sql) -> Condition:
    found = _field(test.field, sql)
    match test.operator:
        case "null":
            return found.is_missing
        case "notNull":
            return no(found.is_missing)
        case "in" | "notIn":
            return _among(found, test, sql)
    if test.value_source == "value":
        return _compared(test.operator, found, constant(test.value, sql), sql)
    if isinstance(test.value, str):
        return _compared(test.operator, found, _field(test.value, sql), sql)
    return False


def _field(name: str, sql: Sql) -> Side:
    first, *rest = path = name.split(".")
    if rest and first in SCOPES:
        return sql.attribute(rest) if first == "profile" else constant(None, sql)
    return sql.attribute(path)


def _compared(operator: Operator, one: Side, other: Side, sql: Sql) -> Condition:
    texts = every(one.is_text, other.is_text)
    numbers = every(one.is_number, other.is_number)
    match operator:
        case "contains":
            return every(texts, sql.contains(one.text, other.text))
        case "beginsWith":
            return every(texts, sql.begins_with(one.text, other.text))
        case "endsWith":
            return every(texts, sql.ends_with(one.text, other.text))
        case "=" | "!=":
            truths = every(one.is_boolean, other.is_boolean, _same_truth(one, other, operator == "="))
        case _:
            truths = False  # true and false have no order
    return some(
        every(texts, _signed(operator, one.text, other.text)),
        every(numbers, _signed(operator, one.number, other.number)),
        truths,
    )


def _signed(operator: Operator, one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    match operator:
        case "=":
            return one == other
        case "!=":
            return one != other
        case "<":
            return one < other
        case "<=":
            return one <= other
        case ">":
            return one > other
    return one >= other


def _same_truth(one: Side, other: Side, same: bool) -> Condition:
    equal = some(every(one.is_true, other.is_true), every(no(one.is_true), no(other.is_true)))
    return equal if same else no(equal)


def _among(found: Side, test: Test, sql: Sql) -> Condition:
    """`in` and `notIn` look only at values of the same type; with none of these to compare with, both are false."""
    if test.value_source == "field" or not isinstance(test.value, tuple):
        return False
    texts = [value for value in test.value if isinstance(value, str)]
    numbers = [sql.number(value) for value in test.value if kind(value) == "number" and not isinstance(value, str)]
    truths = {value for value in test.value if isinstance(value, bool)}
    same: list[tuple[Condition, Condition]] = []
    if texts:
        same.append((found.is_text, found.text.in_(texts)))
    if numbers:
        same.append((found.is_number, found.number.in_(numbers)))
    if truths:
        same.append((found.is_boolean, some(*(_same_truth(found, constant(value, sql), True) for value in truths))))
    return some(*(every(of_type, one if test.operator == "in" else no(one)) for of_type, one in same))
