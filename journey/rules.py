"""Whether a rule is true of somebody or of an event. It knows no text and no SQL: rule_text.py and store/rule_sql.py do;
rule_explaining.py says why.

Truth is two-valued before `not` and `or`: a test on a value that is missing, null or of another type is false, `!=` too. Nothing is
converted: true is no number, "1985" is no number. store/rule_sql.py says the same in SQL, and a property test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from journey import durations
from journey.events import Event, Instant
from journey.rule_check import all_leaves
from journey.rule_tree import Did, InSegment, Rule, Test

Kind = Literal["text", "number", "boolean", ""]
"""What a value can be compared as; empty for null, lists, objects and what is no number (NaN, infinity)."""

SCOPES = ("profile", "event", "entry", "calls", "now")
"""The first words that name whose field it is; any other field is the subject's."""

MICROSECONDS = 1_000_000
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Scope:
    """What the fields of a rule stand for: bare names for the subject's, `profile.x`, `event.x`, `entry.x` for the others', and
    `calls.NODE.x` for what a webhook answered.

    `now` is what the clock of the journey shows (local_time.py: reading). `past` has the events that fit what `did` names, all of them
    accepted no later than the instant `at`; `segments` says of which the person is a member. past.py gathers them; what was not gathered
    is nothing.
    """

    subject: Mapping[str, Any]
    profile: Mapping[str, Any] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)
    now: Mapping[str, Any] = field(default_factory=dict)
    at: Instant = 0
    past: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    segments: Mapping[str, bool] = field(default_factory=dict)

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


def evaluate(rule: Rule, scope: Scope) -> bool:
    """Is the rule true? An empty group matches nothing, also under a `not`: a rule without content reaches nobody."""
    return satisfies(rule, scope, True)


def fields(rule: Rule) -> tuple[str, ...]:
    """Every field that a rule reads, as written and once each, in order."""
    return tuple(dict.fromkeys(name for test in leaves(rule) for name in _fields_of(test)))


def leaves(rule: Rule) -> Iterator[Test]:
    """Every test of a rule, from left to right; `did` and `in_segment` are none, nor is what stands within them."""
    for leaf in all_leaves(rule):
        if isinstance(leaf, Test):
            yield leaf


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


def satisfies(rule: Rule, scope: Scope, wanted: bool) -> bool:
    """Is the rule what is wanted of it? A `not` turns around what is wanted of the parts, so that an empty group can fail both ways."""
    match rule:
        case Test():
            return holds(rule, *sides(rule, scope)) == wanted
        case Did():
            return (times(rule, scope) >= rule.at_least) == wanted
        case InSegment():
            return scope.segments.get(rule.in_segment, False) == wanted
    if not rule.rules:
        return False
    wanted = wanted != rule.negated
    parts = (satisfies(part, scope, wanted) for part in rule.rules)
    return all(parts) if (rule.combinator == "and") == wanted else any(parts)


def times(did: Did, scope: Scope) -> int:
    """How often it was done, within its time."""
    since = scope.at - durations.seconds(did.within) * MICROSECONDS if did.within else None
    done = (event for event in scope.past.get(did.did, ()) if since is None or event.accepted_at >= since)
    where = did.where
    if where is None:
        return sum(1 for _ in done)
    return sum(satisfies(where, Scope.of_event(event.data, profile=scope.profile), True) for event in done)


def _fields_of(test: Test) -> tuple[str, ...]:
    if test.value_source == "field" and isinstance(test.value, str):
        return (test.field, test.value)
    return (test.field,)


def sides(test: Test, scope: Scope) -> tuple[Any, Any]:
    """The value of the field, and what it is compared with."""
    found = scope.find(test.field)
    if test.value_source == "field":
        return found, scope.find(test.value) if isinstance(test.value, str) else None
    return found, test.value


def holds(test: Test, found: Any, other: Any) -> bool:
    """Is the test true of these two?"""
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
