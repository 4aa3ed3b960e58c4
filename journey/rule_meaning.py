"""What rules say of each other: one that can never be true, one that is true wherever another is. It knows no values of anybody.

It errs on one side: what it claims holds of everything there can be, and much that holds it does not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from journey import durations
from journey.rule_check import all_leaves
from journey.rule_tree import Did, Group, Rule, Test
from journey.rules import holds, kind, number

_MOST_PAIRS = 10_000
"""So many pairs of tests are compared at most: nobody writes rules by hand of which this would not be enough."""

_SAYS_IT_IS_THERE = ("=", "!=", "<", "<=", ">", ">=", "in", "notIn", "contains", "beginsWith", "endsWith", "notNull")


def contradicts_itself(rule: Rule) -> bool:
    """Can this rule be true of nothing, whatever the values? An empty one, and one that asks a field for two things at once."""
    return _never(rule, True)


def same(one: Rule | None, two: Rule | None) -> bool:
    """Are two rules written alike, groups that hold one part alone aside? Python takes `false` for 0, and a rule does not."""
    if one is None or two is None:
        return one is two
    mine, theirs = _meaning(one), _meaning(two)
    return mine == theirs and mine.model_dump_json() == theirs.model_dump_json()


def _meaning(rule: Rule) -> Rule:
    """The rule without groups that hold one part alone: two rules of the same meaning compare equal more often."""
    if isinstance(rule, Group) and len(rule.rules) == 1 and not rule.negated:
        return _meaning(rule.rules[0])
    return rule


def implies(rule: Rule, other: Rule) -> bool:
    """Is the other rule true of everything that this one is true of?"""
    if sum(1 for _ in all_leaves(rule)) * sum(1 for _ in all_leaves(other)) > _MOST_PAIRS:
        return same(rule, other)
    return not _never(rule, True) and _implies(rule, True, other, True)


def _implies(rule: Rule, wanted: bool, other: Rule, other_wanted: bool) -> bool:
    """The same of what is wanted of each: that it is true, or that it is false."""
    mine, theirs = _parts(rule, wanted), _parts(other, other_wanted)
    if mine is not None and mine.any_of:
        able = [part for part in mine.rules if not _never(part, mine.wanted)]
        return bool(able) and all(_implies(part, mine.wanted, other, other_wanted) for part in able)
    if theirs is not None and not theirs.any_of:
        return bool(theirs.rules) and all(_implies(rule, wanted, part, theirs.wanted) for part in theirs.rules)
    if theirs is not None and any(_implies(rule, wanted, part, theirs.wanted) for part in theirs.rules):
        return True
    if mine is not None:
        return any(_implies(part, mine.wanted, other, other_wanted) for part in mine.rules)
    return theirs is None and _leaf_implies(rule, wanted, other, other_wanted)


@dataclass(frozen=True, slots=True)
class _Parts:
    rules: tuple[Rule, ...]
    wanted: bool
    any_of: bool


def _parts(rule: Rule, wanted: bool) -> _Parts | None:
    """What a group wants of its parts, all or one of them; None of a leaf."""
    if not isinstance(rule, Group):
        return None
    inner = wanted != rule.negated
    return _Parts(rule.rules, inner, any_of=(rule.combinator == "or") == inner and len(rule.rules) > 1)


def _never(rule: Rule, wanted: bool) -> bool:
    parts = _parts(rule, wanted)
    if parts is None:
        return False
    if not parts.rules:
        return True
    if parts.any_of:
        return all(_never(part, parts.wanted) for part in parts.rules)
    if any(_never(part, parts.wanted) for part in parts.rules):
        return True
    leaves = list(_all_wanted(rule, wanted))
    if len(leaves) ** 2 > _MOST_PAIRS:
        return False
    return any(
        _leaf_implies(one, one_wanted, two, not two_wanted)
        for index, (one, one_wanted) in enumerate(leaves)
        for two, two_wanted in leaves[index + 1 :]
    )


def _all_wanted(rule: Rule, wanted: bool) -> Iterator[tuple[Rule, bool]]:
    """The leaves that must all be as wanted, through groups of which that is so."""
    parts = _parts(rule, wanted)
    if parts is None:
        yield rule, wanted
    elif not parts.any_of:
        for part in parts.rules:
            yield from _all_wanted(part, parts.wanted)


def _leaf_implies(one: Rule, wanted: bool, two: Rule, two_wanted: bool) -> bool:
    if same(one, two):
        return wanted == two_wanted
    if not wanted and not two_wanted:
        return _leaf_implies(two, True, one, True)
    if isinstance(one, Did) and isinstance(two, Did):
        return wanted and two_wanted and _did_implies(one, two)
    if not isinstance(one, Test) or not isinstance(two, Test) or one.field != two.field:
        return False
    if not wanted:  # and the other is wanted to be true
        return {one.operator, two.operator} == {"null", "notNull"}
    if "field" in (one.value_source, two.value_source):
        return _is_there(one) and ((two.operator == "notNull" and two_wanted) or (two.operator == "null" and not two_wanted))
    return _implied(one, two) if two_wanted else _excluded(one, two)


def _did_implies(one: Did, two: Did) -> bool:
    """Three times in a week is also once in a month."""
    if one.did != two.did or (two.where is not None and not same(one.where, two.where)) or one.at_least < two.at_least:
        return False
    if not two.within:
        return True
    return bool(one.within) and durations.seconds(one.within) <= durations.seconds(two.within)


def _is_there(test: Test) -> bool:
    return test.operator in _SAYS_IT_IS_THERE


def _implied(one: Test, two: Test) -> bool:
    """Wherever the first is true, is the second?"""
    if two.operator == "notNull":
        return _is_there(one)
    values = _only(one)
    if values is not None:
        return bool(values) and all(holds(two, value, two.value) for value in values)
    if kind(one.value) == "text" and isinstance(two.value, str) and isinstance(one.value, str) and one.operator in _TEXTUAL:
        return _contained(one.operator, one.value, two.operator, two.value)
    mine, theirs = _span(one), _span(two)
    if mine is None or kind(one.value) != kind(two.value):
        return False
    if two.operator == "!=":
        return not mine.holds(_bound(two.value))
    return theirs is not None and theirs.covers(mine)


def _excluded(one: Test, two: Test) -> bool:
    """Wherever the first is true, is the second false?"""
    if two.operator == "null":
        return _is_there(one)
    if one.operator == "null":
        return _is_there(two)
    values = _only(one)
    if values is not None:
        return not any(holds(two, value, two.value) for value in values)
    others = _only(two)
    if others is not None:
        return not any(holds(one, value, one.value) for value in others)
    mine, theirs = _span(one), _span(two)
    if mine is None or theirs is None:
        return False
    return kind(one.value) != kind(two.value) or mine.apart(theirs)


def _only(test: Test) -> tuple[Any, ...] | None:
    """The values with which alone the test is true; None when there are more than it names."""
    if test.operator == "=":
        return (test.value,)
    return test.value if test.operator == "in" and isinstance(test.value, tuple) else None


_TEXTUAL = ("contains", "beginsWith", "endsWith")


def _contained(operator: str, one: str, other_operator: str, other: str) -> bool:
    match other_operator:
        case "contains":
            return other in one
        case "beginsWith":
            return operator == "beginsWith" and one.startswith(other)
        case "endsWith":
            return operator == "endsWith" and one.endswith(other)
    return False


@dataclass(frozen=True, slots=True)
class _Span:
    """From a value to a value, of one kind; None is without an end. `open_low`: the value itself is left out."""

    low: Any
    high: Any
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: Any) -> bool:
        above = self.low is None or value > self.low or (value == self.low and not self.open_low)
        return above and (self.high is None or value < self.high or (value == self.high and not self.open_high))

    def covers(self, other: _Span) -> bool:
        low = self.low is None or (
            other.low is not None and (other.low > self.low or (other.low == self.low and (other.open_low or not self.open_low)))
        )
        high = self.high is None or (
            other.high is not None and (other.high < self.high or (other.high == self.high and (other.open_high or not self.open_high)))
        )
        return low and high

    def apart(self, other: _Span) -> bool:
        return self._ends_before(other) or other._ends_before(self)

    def _ends_before(self, other: _Span) -> bool:
        if self.high is None or other.low is None:
            return False
        return bool(self.high < other.low or (self.high == other.low and (self.open_high or other.open_low)))


def _span(test: Test) -> _Span | None:
    """Where the values lie of which the test is true; None of a test that does not order."""
    if kind(test.value) not in ("number", "text"):
        return None
    bound = _bound(test.value)
    match test.operator:
        case "<" | "<=":
            return _Span(None, bound, open_high=test.operator == "<")
        case ">" | ">=":
            return _Span(bound, None, open_low=test.operator == ">")
    return None


def _bound(value: Any) -> Any:
    return number(value) if kind(value) == "number" else value
