"""A tree written as rule text. It knows no parser: rule_text.py reads what is written here."""

from __future__ import annotations

from journey.rule_check import check
from journey.rule_literals import quoted
from journey.rule_tree import Did, Group, InSegment, Rule, Scalar, Test

_SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_METHODS = {"contains": "contains", "beginsWith": "startsWith", "endsWith": "endsWith", "notIn": "notIn"}


def write(rule: Rule) -> str:
    """The rule as text; empty for one that matches nothing. A large tree can give more text than `parse` takes.

    Raises RuleError when the tree says something that cannot be asked.
    """
    short = _simplified(check(rule), True)
    return "" if short is None else _text(short)


def negate(rule: Rule) -> Group:
    """The rule turned around by `not`, in as few groups as can be."""
    if isinstance(rule, Group) and not rule.negated:
        return rule.model_copy(update={"negated": True})
    return Group(rules=(rule,), negated=True)


def _simplified(rule: Rule, wanted: bool) -> Rule | None:
    """Without groups of one and without empty ones, true of the same; None when it can never be what is wanted (rules.py: an empty
    group fails both ways)."""
    if not isinstance(rule, Group):
        return _simplified_where(rule) if isinstance(rule, Did) else rule
    inner = wanted != rule.negated
    parts = [_simplified(part, inner) for part in rule.rules]
    left = tuple(part for part in parts if part is not None)
    all_needed = (rule.combinator == "and") == inner
    if not left or (all_needed and len(left) < len(parts)):
        return None
    if len(left) > 1:
        return Group(combinator=rule.combinator, rules=left, negated=rule.negated)
    return negate(left[0]) if rule.negated else left[0]


def _simplified_where(did: Did) -> Did:
    """A `where` that can hold of nothing is refused before (rule_check.py)."""
    return did if did.where is None else did.model_copy(update={"where": _simplified(did.where, True)})


def _text(rule: Rule) -> str:
    match rule:
        case Test():
            return _test(rule)
        case InSegment():
            return f"in_segment({quoted(rule.in_segment)})"
        case Did():
            return _did(rule)
    joined = (" && " if rule.combinator == "and" else " || ").join(_part(part) for part in rule.rules)
    if not rule.negated:
        return joined
    alone = len(rule.rules) == 1 and isinstance(rule.rules[0], Group)
    return f"!{joined}" if alone else f"!({joined})"


def _part(rule: Rule) -> str:
    text = _text(rule)
    return f"({text})" if isinstance(rule, Group) and not rule.negated else text


def _did(did: Did) -> str:
    options = [f"within: {quoted(did.within)}"] if did.within else []
    options += [f"at_least: {did.at_least}"] if did.at_least != 1 else []
    options += [f"where: {_text(did.where)}"] if did.where is not None else []
    return f"did({quoted(did.did)}, {{{', '.join(options)}}})" if options else f"did({quoted(did.did)})"


def _test(test: Test) -> str:
    match test.operator:
        case "null":
            return f"{test.field} == null"
        case "notNull":
            return f"{test.field} != null"
        case "in":
            return f"{test.field} in {_value(test)}"
    if test.operator in _SIGNS:
        return f"{test.field} {_SIGNS[test.operator]} {_value(test)}"
    return f"{test.field}.{_METHODS[test.operator]}({_value(test)})"


def _value(test: Test) -> str:
    if test.value_source == "field":
        return str(test.value)
    if isinstance(test.value, tuple):
        return "[" + ", ".join(_literal(value) for value in test.value) + "]"
    return _literal(test.value)


def _literal(value: Scalar | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else repr(value)
