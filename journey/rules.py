"""Whether a rule is true of somebody or of an event, and why. It knows no text and no SQL: rule_text.py and store/rule_sql.py do.

Truth is two-valued before `not` and `or`: a test on a value that is missing, null or of another type is false, `!=` too. Nothing is
converted: true is no number, "1985" is no number. store/rule_sql.py says the same in SQL, and a property test holds the two together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from journey.rule_tree import Rule, Test

Kind = Literal["text", "number", "boolean", ""]
"""What a value can be compared as; empty for null, lists, objects and what is no number (NaN, infinity)."""

SCOPES = ("profile", "event", "entry", "calls")
"""The first words that name whose field it is; any other field is the subject's."""

_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Scope:
    """What the fields of a rule stand for: bare names for the subject's, `profile.x`, `event.x`, `entry.x` for the others', and
    `calls.NODE.x` for what a webhook answered."""

    subject: Mapping[str, Any]
    profile: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_profile(
        cls, attributes: Mapping[str, Any], *, event: Mapping[str, Any] | None = None, entry: Mapping[str, Any] | None = None,
        calls: Mapping[str, Any] | None = None,
    ) -> Scope:  # fmt: skip
        """A rule about a person, as in a segment or a condition: bare names are attributes, and `profile.x` are the same."""
        return cls(attributes, attributes, event or {}, entry or {}, calls or {})

    @classmethod
    def of_event(
        cls, data: Mapping[str, Any], *, profile: Mapping[str, Any] | None = None, entry: Mapping[str, Any] | None = None
    ) -> Scope:
        """A rule about an event, as in a definition or a `where`: bare names are its data, and `event.x` are the same."""
        return cls(data, profile or {}, data, entry or {})

    def find(self, name: str) -> Any:
        """The value of a field; None when it is missing."""
        first, dot, rest = name.partition(".")
        if dot and first in SCOPES:
            return look_up(getattr(self, first), rest)
        return look_up(self.subject, name)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a rule is true or not: the tree of the rule with the verdict of each part.

    A group has `combinator`, `negated` and `parts`. A test has `field` and `operator`, `found` (the value of the field) and `wanted`
    (what it is compared with, looked up when that is a field too). `why` is a sentence when the two could not be compared at all.
    """

    verdict: bool
    combinator: str = ""
    negated: bool = False
    parts: tuple[Explanation, ...] = ()
    field: str = ""
    operator: str = ""
    found: Any = None
    wanted: Any = None
    why: str = ""


def evaluate(rule: Rule, scope: Scope) -> bool:
    """Is the rule true? An empty group matches nothing, also under a `not`: a rule without content reaches nobody."""
    return _satisfies(rule, scope, True)


def explain(rule: Rule, scope: Scope) -> Explanation:
    """The same verdict as `evaluate`, with that of every part."""
    return _explain(rule, scope, True)


def fields(rule: Rule) -> tuple[str, ...]:
    """Every field that a rule reads, as written and once each, in order."""
    return tuple(dict.fromkeys(name for test in leaves(rule) for name in _fields_of(test)))


def leaves(rule: Rule) -> Iterator[Test]:
    """Every test of a rule, from left to right."""
    if isinstance(rule, Test):
        yield rule
        return
    for part in rule.rules:
        yield from leaves(part)


def look_up(values: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None when any part of it is missing. Lists are not looked into."""
    value: Any = values
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def kind(value: Any) -> Kind:
    """What a value can be compared as."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return "number"
    return ""


def number(value: int | float) -> int | float:
    """A number as databases hold it: an integer beyond 64 bits is a float, and one beyond floats is infinite."""
    if isinstance(value, float) or -_LARGEST <= value < _LARGEST:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _satisfies(rule: Rule, scope: Scope, wanted: bool) -> bool:
    """Is the rule what is wanted of it? A `not` turns around what is wanted of the parts, so that an empty group can fail both ways."""
    if isinstance(rule, Test):
        return _holds(rule, *_sides(rule, scope)) == wanted
    if not rule.rules:
        return False
    wanted = wanted != rule.negated
    parts = (_satisfies(part, scope, wanted) for part in rule.rules)
    return all(parts) if (rule.combinator == "and") == wanted else any(parts)


def _explain(rule: Rule, scope: Scope, wanted: bool) -> Explanation:
    if isinstance(rule, Test):
        found, other = _sides(rule, scope)
        verdict = _holds(rule, found, other)
        why = "" if verdict else _why(rule, found, other)
        return Explanation(verdict, field=rule.field, operator=rule.operator, found=found, wanted=other, why=why)
    verdict = _satisfies(rule, scope, wanted) == wanted
    why = "" if rule.rules else "an empty group matches nothing"
    parts = tuple(_explain(part, scope, wanted != rule.negated) for part in rule.rules)
    return Explanation(verdict, rule.combinator, rule.negated, parts, why=why)


def _fields_of(test: Test) -> tuple[str, ...]:
    if test.value_source == "field" and isinstance(test.value, str):
        return (test.field, test.value)
    return (test.field,)


def _sides(test: Test, scope: Scope) -> tuple[Any, Any]:
    found = scope.find(test.field)
    if test.value_source == "field":
        return found, scope.find(test.value) if isinstance(test.value, str) else None
    return found, test.value


def _holds(test: Test, found: Any, other: Any) -> bool:
    match test.operator:
        case "null":
            return found is None
        case "notNull":
            return found is not None
        case "in" | "notIn":
            return _among(test, found)
    if not kind(found) or kind(found) != kind(other):
        return False
    if kind(found) == "number":
        found, other = number(found), number(other)
    match test.operator:
        case "=":
            return bool(found == other)
        case "!=":
            return bool(found != other)
        case "contains" | "beginsWith" | "endsWith":
            return kind(found) == "text" and _matches(test.operator, found, other)
    return kind(found) != "boolean" and _ordered(test.operator, found, other)


def _among(test: Test, found: Any) -> bool:
    """`in` and `notIn` look only at values of the same type; with none of these to compare with, both are false."""
    if test.value_source == "field" or not isinstance(test.value, tuple) or not kind(found):
        return False
    same = [value for value in test.value if kind(value) == kind(found)]
    if kind(found) == "number":
        same, found = [number(value) for value in same if not isinstance(value, str)], number(found)
    return bool(same) and (found in same) == (test.operator == "in")


def _matches(operator: str, found: str, other: str) -> bool:
    match operator:
        case "contains":
            return other in found
        case "beginsWith":
            return found.startswith(other)
    return found.endswith(other)


def _ordered(operator: str, found: Any, other: Any) -> bool:
    match operator:
        case "<":
            return bool(found < other)
        case "<=":
            return bool(found <= other)
        case ">":
            return bool(found > other)
    return bool(found >= other)


def _why(test: Test, found: Any, other: Any) -> str:
    """Why two things could not be compared; empty when they could, and simply did not match."""
    if test.operator == "null":
        return ""
    if found is None:
        return f"{test.field} is missing"
    if isinstance(other, tuple):
        alike = any(kind(value) == kind(found) for value in other)
        return "" if alike else f"{test.field} is {_shown(found)}, and the list has none of that type"
    if other is None and test.value_source == "field":
        return f"{test.value} is missing"
    if kind(found) != kind(other):
        return f"{test.field} is {_shown(found)}, which cannot be compared with {_shown(other)}"
    return ""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"the {kind(value) or 'value'} {text if len(text) <= 60 else text[:60] + '…'}"
