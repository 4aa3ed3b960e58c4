"""What can be wrong with a rule: it cannot be read, or it can never be true of what it is about. It knows no graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from journey.errors import RuleError
from journey.findings import Finding, error, later, warning
from journey.profiles import Attribute, AttributeType
from journey.rule_text import as_tree
from journey.rule_tree import Group, Rule, Test
from journey.rules import SCOPES, Kind, kind, leaves

_KINDS: dict[str, Kind] = {"string": "text", "datetime": "text", "integer": "number", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class About:
    """What a rule speaks of: a person's attributes, or the data of an event. `node` and `field` say where the rule is written.

    `beside` are the types of what else it can ask, by the first word of its fields; `why_not` says why one of these words has no meaning
    there.
    """

    what: Literal["profile", "event"]
    types: Mapping[str, AttributeType] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, AttributeType]] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)
    node: str = ""
    field: str = "rule"

    def at(self, node: str, field: str) -> About:
        return replace(self, node=node, field=field)

    def with_beside(self, **types: Mapping[str, AttributeType]) -> About:
        return replace(self, beside={**self.beside, **types})

    def without(self, word: str, why: str) -> About:
        return replace(self, why_not={**self.why_not, word: why})

    def types_of(self, scope: str) -> Mapping[str, AttributeType] | None:
        """The declared types of what a word stands for; None when it stands for nothing here."""
        return self.types if scope in ("", self.what) else self.beside.get(scope)


def about_people(attributes: Mapping[str, Attribute]) -> About:
    """A rule over the attributes of a profile."""
    return About("profile", {name: attribute.type for name, attribute in attributes.items()})


def tree(rule: str | Rule | None) -> Rule | None:
    """The rule as a tree, None when it cannot be read."""
    try:
        return None if rule is None else as_tree(rule)
    except RuleError:
        return None


def check(rule: str | Rule, about: About) -> Iterator[Finding]:
    """Everything wrong with one rule."""
    try:
        found = as_tree(rule)
    except RuleError as fault:
        if fault.code == "not_supported_yet":
            yield later(about.node, about.field, fault.sentence)
        else:
            yield error("rule_invalid", about.node, about.field, fault.sentence)
        return
    tests = list(leaves(found))
    if not tests:
        yield warning("rule_empty", about.node, about.field, "The rule is empty, and an empty rule matches nothing: write a test into it.")
    for test in tests:
        yield from _test(test, about)


def contradicts_itself(rule: Rule) -> bool:
    """Can this rule be true of nothing, whatever the values? Seen are an empty rule, and one field that is to have two values."""
    if isinstance(rule, Test):
        return False
    if not rule.rules:
        return True
    if rule.negated:
        return False
    if rule.combinator == "or":
        return all(contradicts_itself(part) for part in rule.rules)
    wanted: dict[str, Any] = {}
    for part in rule.rules:
        if contradicts_itself(part):
            return True
        if isinstance(part, Test) and part.operator == "=" and part.value_source == "value":
            if part.field in wanted and not _same(wanted[part.field], part.value):
                return True
            wanted[part.field] = part.value
    return False


def meaning(rule: Rule) -> Rule:
    """The rule without groups that hold one part alone: two rules of the same meaning compare equal more often."""
    if isinstance(rule, Group) and len(rule.rules) == 1 and not rule.negated:
        return meaning(rule.rules[0])
    return rule


def _test(test: Test, about: About) -> Iterator[Finding]:
    names = [test.field, *([str(test.value)] if test.value_source == "field" else [])]
    types: list[AttributeType | None] = []
    for name in names:
        scope, inner = _split(name)
        known = about.types_of(scope)
        if known is None:
            why = about.why_not.get(scope, f"a rule about {_WHAT[about.what]} knows no {scope}")
            yield error("field_out_of_reach", about.node, about.field, f"{name} means nothing here: {why}.")
            return
        what = scope or about.what
        declared = known.get(inner)
        if declared is None and (what == "profile" or known):
            said = f"{inner} is not declared as {_DECLARED[what]}: if that is a slip, the rule is never true."
            yield warning("undeclared_attribute" if what == "profile" else "undeclared_field", about.node, about.field, said)
        types.append(declared)
    why = _never_true(test, types)
    if why:
        of_person = (_split(test.field)[0] or about.what) == "profile"
        yield error("attribute_type" if of_person else "field_type", about.node, about.field, f"{why}, so this is never true.")


_WHAT = {"profile": "a person", "event": "an event"}
_DECLARED = {"profile": "an attribute", "event": "a field of the event", "entry": "a field of the event by which people enter"}


def _split(name: str) -> tuple[str, str]:
    scope, dot, inner = name.partition(".")
    return (scope, inner) if dot and scope in SCOPES else ("", name)


def _never_true(test: Test, types: list[AttributeType | None]) -> str:
    """Why the test is false of every value of the declared type; empty when it need not be."""
    declared = types[0]
    if declared is None or test.operator in ("null", "notNull"):
        return ""
    here = _KINDS[declared]
    if test.operator in ("contains", "beginsWith", "endsWith") and here != "text":
        return f"{test.field} is declared as {declared}, and {test.operator} is for texts"
    if test.operator in ("<", "<=", ">", ">=") and here == "boolean":
        return f"{test.field} is declared as boolean, which has no order"
    if test.value_source == "field":
        other = types[1]
        differs = other is not None and _KINDS[other] != here
        return f"{test.field} is declared as {declared} and {test.value} as {other}" if differs else ""
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    wrong = [value for value in values if kind(value) != here]
    return f"{test.field} is declared as {declared} and compared with {wrong[0]!r}" if wrong else ""


def _same(one: Any, other: Any) -> bool:
    return kind(one) == kind(other) and bool(one == other)
