"""A rule as an SQL condition over profiles. It knows no text of rules; journey/rules.py says what each test means.

Each test gives true or false and never NULL, so that `not` and `or` see two values as the evaluator does: a comparison stands behind a
check of the types of both sides, and nothing is converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, false, func, select, true

from journey import durations, ids
from journey.events import EventDefinition, Instant
from journey.rule_text import as_tree
from journey.rule_tree import Did, Group, InSegment, Leaf, Operator, Rule, Test
from journey.rules import MICROSECONDS, SCOPES, kind
from store import schema
from store.rule_columns import Condition, Postgres, Side, Sql, Sqlite, constant, every, no, some

Dialect = Literal["sqlite", "postgresql"]
_SQL: dict[Dialect, Sql] = {"sqlite": Sqlite(), "postgresql": Postgres()}


@dataclass(frozen=True, slots=True)
class Around:
    """What a segment's rule is asked against besides the profiles: the instant, and what the names in `did` and `in_segment` stand for."""

    at: Instant = 0
    definitions: Mapping[str, EventDefinition] = field(default_factory=dict)
    segments: Mapping[str, Rule] = field(default_factory=dict)


NOTHING = Around()


@dataclass(frozen=True, slots=True)
class _Reader:
    """What the fields of a rule are read from: `subject` for bare names, and the documents that a first word names. `within` are the
    segments that are being written out: one that leads back to itself holds nobody."""

    sql: Sql
    around: Around
    subject: Column[Any]
    documents: Mapping[str, Column[Any]]
    within: tuple[str, ...] = ()


def where(rule: Rule, dialect: Dialect, around: Around = NOTHING) -> ColumnElement[bool]:
    """The condition on `store.schema.profiles` that is true for exactly the profiles that the rule is true of.

    Bare fields and `profile.x` are attributes; `event.x`, `entry.x` and `now.x` are missing, for a segment has none of them.
    """
    attributes = schema.profiles.c.attributes
    condition = _condition(rule, _Reader(_SQL[dialect], around, attributes, {"profile": attributes}), True)
    if isinstance(condition, bool):
        return true() if condition else false()
    return condition


def _condition(rule: Rule, reader: _Reader, wanted: bool) -> Condition:
    """As in journey/rules.py: what is wanted is turned around on the way down, so that an empty group fails both ways."""
    if not isinstance(rule, Group):
        leaf = _leaf(rule, reader)
        return leaf if wanted else no(leaf)
    if not rule.rules:
        return False
    wanted = wanted != rule.negated
    parts = [_condition(part, reader, wanted) for part in rule.rules]
    return every(*parts) if (rule.combinator == "and") == wanted else some(*parts)


def _leaf(leaf: Leaf, reader: _Reader) -> Condition:
    match leaf:
        case Did():
            return _did(leaf, reader)
        case InSegment(in_segment=name):
            rule = reader.around.segments.get(name) if name not in reader.within else None
            return False if rule is None else _condition(rule, replace(reader, within=(*reader.within, name)), True)
    return _test(leaf, reader)


def _did(did: Did, reader: _Reader) -> Condition:
    """How many events of the person fit what is named, as journey/past.py gathers them and journey/rules.py counts them."""
    events, around = schema.events.c, reader.around
    data = _Reader(reader.sql, around, events.data, {"event": events.data, "profile": schema.profiles.c.attributes})
    fits: list[Condition] = [events.profile == schema.profiles.c.id, events.accepted_at <= around.at]
    if did.within:
        fits.append(events.accepted_at >= around.at - durations.seconds(did.within) * MICROSECONDS)
    if "." in did.did:
        fits += [events.source == ids.REACTIONS, events.name == did.did]
    else:
        definition = around.definitions.get(did.did)
        if definition is None or not (definition.match or definition.rule is not None):
            return False
        fits += [events.source != ids.REACTIONS, events.source.not_like(f"{ids.TESTED}%")]
        fits += [events.name == definition.match] if definition.match else []
        if definition.rule is not None:
            fits.append(_condition(as_tree(definition.rule), replace(data, documents={"event": events.data}), True))
    if did.where is not None:
        fits.append(_condition(did.where, data, True))
    found = every(*fits)
    if isinstance(found, bool):
        return found
    asked = select(events.id).where(found).correlate(schema.profiles)
    if did.at_least == 1:
        return asked.exists()
    return select(func.count()).select_from(schema.events).where(found).correlate(schema.profiles).scalar_subquery() >= did.at_least


def _test(test: Test, reader: _Reader) -> Condition:
    sql, found = reader.sql, _field(test.field, reader)
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
        return _compared(test.operator, found, _field(test.value, reader), sql)
    return False


def _field(name: str, reader: _Reader) -> Side:
    first, *rest = path = name.split(".")
    if rest and first in SCOPES:
        document = reader.documents.get(first)
        return constant(None, reader.sql) if document is None else reader.sql.inside(document, rest)
    return reader.sql.inside(reader.subject, path)


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
