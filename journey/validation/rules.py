"""What can be wrong with a rule: it cannot be read, or it can never be true of what it is about. It knows no graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from journey.errors import RuleError
from journey.events import REACTIONS
from journey.findings import Finding, error, warning
from journey.nearest import absent, meant
from journey.profiles import Attribute, AttributeType
from journey.rule_check import all_leaves
from journey.rule_text import as_tree
from journey.rule_tree import Did, InSegment, Rule, Test
from journey.rules import SCOPES, Kind, kind
from journey.surroundings import Surroundings
from journey.until import WEEKDAYS

CLOCK: Mapping[str, AttributeType] = {"hour": "integer", "time": "string", "weekday": "string", "date": "string"}
"""What `now` has (local_time.py: reading)."""
_KINDS: dict[str, Kind] = {"string": "text", "datetime": "text", "integer": "number", "number": "number", "boolean": "boolean"}


PAST = "did"
"""The word under which About.without says why nothing of the past can be asked."""


@dataclass(frozen=True, slots=True)
class About:
    """What a rule speaks of: a person's attributes, or the data of an event. `node` and `field` say where the rule is written.

    `beside` are the types of what else it can ask, by the first word of its fields; `why_not` says why one of these words has no meaning
    there. `surroundings` are what `did` and `in_segment` name; without them neither can be asked.
    """

    what: Literal["profile", "event"]
    types: Mapping[str, AttributeType] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, AttributeType]] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)
    surroundings: Surroundings | None = None
    node: str = ""
    field: str = "rule"

    def at(self, node: str, field: str) -> About:
        return replace(self, node=node, field=field)

    def with_beside(self, **types: Mapping[str, AttributeType]) -> About:
        return replace(self, beside={**self.beside, **types})

    def within(self, surroundings: Surroundings, *, clock: bool = True) -> About:
        """The same with what a person did and is a member of; and with what the clock of the journey shows."""
        return replace(self.with_beside(now=CLOCK) if clock else self, surroundings=surroundings)

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
        where = f" That is at column {fault.column} of the rule." if fault.column else ""
        yield error("rule_invalid", about.node, about.field, fault.sentence + where)
        return
    if not any(all_leaves(found)):
        yield warning("rule_empty", about.node, about.field, "The rule is empty, and an empty rule matches nothing: write a test into it.")
    for leaf in all_leaves(found):
        yield from _test(leaf, about) if isinstance(leaf, Test) else _past(leaf, about)


def _past(leaf: Did | InSegment, about: About) -> Iterator[Finding]:
    """What is wrong with a question about what somebody did, or is a member of."""
    asked = f"did({leaf.did!r})" if isinstance(leaf, Did) else f"in_segment({leaf.in_segment!r})"
    around = about.surroundings
    if around is None:
        why = about.why_not.get(PAST, "it can be asked in a segment, a condition, and the where of an event node")
        said = f"{asked} means nothing here: {why}."
        yield error("field_out_of_reach", about.node, about.field, said)
    elif isinstance(leaf, InSegment):
        if leaf.in_segment not in around.segments:
            yield error("unknown_segment", about.node, about.field, absent("segment", leaf.in_segment, around.segments))
    elif "." in leaf.did:
        if leaf.did not in REACTIONS:
            said = f"There is no reaction {leaf.did!r}: there are {', '.join(REACTIONS)}."
            yield error("unknown_reaction", about.node, about.field, said)
    elif leaf.did not in around.events:
        yield error("unknown_event", about.node, about.field, absent("event", leaf.did, around.events))
    elif leaf.where is not None:
        people = about_people(around.attributes).types
        inner = About("event", around.events[leaf.did].fields, {"profile": people}, node=about.node, field=about.field)
        yield from check(leaf.where, inner)


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
        if declared is None and scope == "now":
            said = f"There is no {name}: there are {', '.join(f'now.{one}' for one in CLOCK)}."
            yield error("time_unknown", about.node, about.field, said)
            return
        if declared is None and (what == "profile" or known):
            said = (
                f"{inner} is not declared as {_DECLARED[what]}, and this is never true of what lacks it: correct the name, or declare it."
            )
            said += meant(inner, known)
            yield warning("undeclared_attribute" if what == "profile" else "undeclared_field", about.node, about.field, said)
        types.append(declared)
    if "now.weekday" in names and test.value_source == "value" and test.operator not in ("null", "notNull"):
        written = test.value if isinstance(test.value, tuple) else (test.value,)
        if any(day not in WEEKDAYS for day in written):
            yield error("time_unknown", about.node, about.field, f"now.weekday is one of {', '.join(WEEKDAYS)}.")
            return
    why = _never_true(test, types)
    if why:
        of_person = (_split(test.field)[0] or about.what) == "profile"
        said = f"This is never true: {why}. Write another value, or declare another type."
        yield error("attribute_type" if of_person else "field_type", about.node, about.field, said)


_WHAT = {"profile": "a person", "event": "an event"}
_DECLARED = {"now": "", "profile": "an attribute", "event": "a field of the event", "entry": "a field of the event by which people enter"}


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
    return f"{test.field} is declared as {declared}, and {_written(wrong[0])}" if wrong else ""


def _written(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return f"{shown} is {_KIND[kind(value)]}"


_KIND: dict[Kind, str] = {"text": "a text", "number": "a number", "boolean": "yes or no", "": "neither text nor number"}
