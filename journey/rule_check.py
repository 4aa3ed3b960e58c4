"""Whether a tree says something that can be asked: depth, field names, a value that fits its operator. It knows no text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from journey import durations
from journey.errors import BadInput, RuleError
from journey.rule_tree import Did, Group, InSegment, Leaf, Rule, Test

DEEPEST = 32
"""Groups inside groups."""
MOST_TESTS = 500
MOST_VALUES = 10_000

MOST_TIMES = 1_000
"""Of `at_least`."""

_DONE = re.compile(r"[a-z][a-z0-9-]{0,62}|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", re.ASCII)
_SEGMENT = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
_TAKEN = {"true", "false", "null", "in"}
_ORDER = ("<", "<=", ">", ">=")
_TEXTUAL = ("contains", "beginsWith", "endsWith")


def check(rule: Rule) -> Rule:
    """The rule without what means nothing (ids, a value beside `null`). Raises RuleError with a sentence that names the field."""
    checked, count, values = _checked(rule, 1)
    if count > MOST_TESTS or values > MOST_VALUES:
        raise RuleError(f"The rule has {count} tests with {values} values; {MOST_TESTS} and {MOST_VALUES} are the most. Use an attribute.")
    return checked


def check_field(name: str, *, column: int = 0) -> str:
    """The name, if a rule can ask for it."""
    if _FIELD.fullmatch(name) is None or not _TAKEN.isdisjoint(name.split(".")):
        raise RuleError(
            f"{name!r} is no name of a field: write letters, digits and _, with a dot before a part of it, as in address.city.",
            column=column,
        )
    return name


def can_hold(rule: Rule, wanted: bool = True) -> bool:
    """Can the rule be what is wanted of anything? An empty group fails both ways (rules.py)."""
    if not isinstance(rule, Group):
        return True
    inner = wanted != rule.negated
    parts = [can_hold(part, inner) for part in rule.rules]
    return bool(parts) and (all(parts) if (rule.combinator == "and") == inner else any(parts))


def _checked(rule: Rule, depth: int) -> tuple[Rule, int, int]:
    if isinstance(rule, Test):
        return _test(rule), 1, len(rule.value) if isinstance(rule.value, tuple) else 1
    if isinstance(rule, InSegment):
        if _SEGMENT.fullmatch(rule.in_segment) is None:
            raise RuleError(f'{rule.in_segment!r} is no id of a segment: write one as in in_segment("vip").')
        return InSegment(in_segment=rule.in_segment), 1, 1
    if isinstance(rule, Did):
        return _did(rule, depth)
    if depth > DEEPEST:
        raise RuleError(f"The rule has groups in groups more than {DEEPEST} deep: make it flatter.")
    parts = [_checked(part, depth + 1) for part in rule.rules]
    group = Group(combinator=rule.combinator, rules=tuple(part for part, _, _ in parts), negated=rule.negated)
    return group, sum(count for _, count, _ in parts), sum(values for _, _, values in parts)


def _did(did: Did, depth: int) -> tuple[Rule, int, int]:
    said = f'did("{did.did}")'
    if _DONE.fullmatch(did.did) is None:
        raise RuleError(f"{did.did!r} is no event: write the id of a definition, or a reaction as email.opened.")
    if not 1 <= did.at_least <= MOST_TIMES:
        raise RuleError(f"at_least of {said} is from 1 to {MOST_TIMES}: to ask whether something was never done, write !{said}.")
    if did.within:
        try:
            durations.seconds(did.within)
        except BadInput as fault:
            raise RuleError(f"within of {said}: {fault.sentence}") from None
    if did.where is None:
        return Did(did=did.did, within=did.within, at_least=did.at_least), 1, 1
    where, count, values = _checked(did.where, depth + 1)
    if any(not isinstance(leaf, Test) for leaf in all_leaves(where)):
        raise RuleError(f"The where of {said} is about the event: write did(...) and in_segment(...) beside it.")
    if any(name.partition(".")[0] in ("now", "entry") for leaf in all_leaves(where) if isinstance(leaf, Test) for name in _names(leaf)):
        raise RuleError(f"The where of {said} looks at the data of the event, and at profile.x: it knows no now and no entry.")
    if not can_hold(where):
        raise RuleError(f"The where of {said} is empty and matches nothing: leave it out, or write a test into it.")
    return Did(did=did.did, within=did.within, at_least=did.at_least, where=where), count + 1, values


def all_leaves(rule: Rule) -> Iterator[Leaf]:
    """Every leaf of a rule from left to right; not what stands within a `where`."""
    if not isinstance(rule, Group):
        yield rule
        return
    for part in rule.rules:
        yield from all_leaves(part)


def _names(test: Test) -> tuple[str, ...]:
    named = test.field if "." in test.field else ""
    other = test.value if test.value_source == "field" and isinstance(test.value, str) and "." in test.value else ""
    return (named, other)


def _test(test: Test) -> Test:
    check_field(test.field)
    if test.operator in ("null", "notNull"):
        return Test(field=test.field, operator=test.operator)
    if test.operator in ("in", "notIn"):
        if test.value_source == "field" or not isinstance(test.value, tuple):
            raise RuleError(f'{test.operator!r} on {test.field} needs a list of values, as in ["Atlanta", "Seattle"].')
        values = tuple(_value(test, value) for value in test.value)
        return Test(field=test.field, operator=test.operator, value=values)
    if test.value_source == "field":
        if not isinstance(test.value, str):
            raise RuleError(f"The test on {test.field} compares with another field: its value is the name of that field.")
        return Test(field=test.field, operator=test.operator, value=check_field(test.value), value_source="field")
    value = _value(test, test.value)
    if test.operator in _TEXTUAL and not isinstance(value, str):
        raise RuleError(f"{test.operator!r} on {test.field} needs a text in quotes.")
    if test.operator in _ORDER and isinstance(value, bool):
        raise RuleError(f"{test.field} {test.operator} {str(value).lower()}: true and false have no order, compare with == or !=.")
    return Test(field=test.field, operator=test.operator, value=value)


def _value(test: Test, value: Any) -> Any:
    if value is None or isinstance(value, tuple):
        raise RuleError(f"{test.operator!r} on {test.field} needs one value: a text, a number, true or false.")
    if isinstance(value, float) and not math.isfinite(value):
        raise RuleError(f"The test on {test.field} has a number that is too large, or none.")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise RuleError(f"The test on {test.field} has a text with a character that no database keeps (NUL or half a surrogate pair).")
    return value
