"""Why a rule is true or not, part by part, with the values that were found. What is explained is personal: it stays in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from journey.rule_tree import Did, InSegment, Rule, Test
from journey.rules import Scope, holds, kind, satisfies, sides, times


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


def explain(rule: Rule, scope: Scope) -> Explanation:
    """The same verdict as `evaluate`, with that of every part."""
    return _explain(rule, scope, True)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """It as plain data, without what says nothing: as the store keeps it."""
    if not explanation.field:
        parts = [as_data(part) for part in explanation.parts]
        said: dict[str, Any] = {"verdict": explanation.verdict, "combinator": explanation.combinator, "parts": parts}
        return said | ({"negated": True} if explanation.negated else {}) | ({"why": explanation.why} if explanation.why else {})
    said = {name: getattr(explanation, name) for name in ("verdict", "field", "operator", "found", "wanted")}
    return said | ({"why": explanation.why} if explanation.why else {})


def _explain(rule: Rule, scope: Scope, wanted: bool) -> Explanation:
    match rule:
        case Test():
            found, other = sides(rule, scope)
            verdict = holds(rule, found, other)
            why = "" if verdict else _why(rule, found, other)
            return Explanation(verdict, field=rule.field, operator=rule.operator, found=found, wanted=other, why=why)
        case Did():
            count = times(rule, scope)
            within = f" within {rule.within}" if rule.within else ""
            why = "" if count >= rule.at_least else f"{rule.did} was done {count} times{within}"
            return Explanation(not why, field=f"did {rule.did}", operator=">=", found=count, wanted=rule.at_least, why=why)
        case InSegment():
            member = scope.segments.get(rule.in_segment, False)
            return Explanation(member, field=f"in_segment {rule.in_segment}", operator="=", found=member, wanted=True)
    verdict = satisfies(rule, scope, wanted) == wanted
    why = "" if rule.rules else "an empty group matches nothing"
    parts = tuple(_explain(part, scope, wanted != rule.negated) for part in rule.rules)
    return Explanation(verdict, rule.combinator, rule.negated, parts, why=why)


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
