"""Rules and people that Hypothesis makes up: values of every kind, chosen so that they often meet. It starts nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from journey.rule_tree import Did, Group, InSegment, Rule
from journey.rule_tree import Test as Leaf

_TEXTS = [
    "", "a", "A", "ab", "b", "ä", "a\u0308", "a%", "%", "_", "a_b", "\\", "'", '"', "\n",
    "true", "null", "1", "1985", "ß", "\uffff", "\U00010000", "😀", "Zürich",
]  # fmt: skip
_NUMBERS: list[int | float] = [
    0, -0.0, 1, 1.0, 1985, 1980.5, 0.1, 0.30000000000000004, -3, 2**53, 2**53 + 1, float(2**53),
    2**63 - 1, 2**63, 2**63 + 1, -(2**63), -(2**63) - 1,
    float(2**63), 10**30, 10**30 + 1, 1e30, 10**400, -(10**400), 5e-324, 1.7976931348623157e308,
]  # fmt: skip
_FIELDS = ["a", "a", "a", "b", "b", "a.b", "a.b.c", "missing", "profile", "profile.a", "profile.a.b", "event", "event.a", "entry.b"]
_OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "in", "notIn", "contains", "beginsWith", "endsWith", "null", "notNull"]

texts = st.sampled_from(_TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
numbers = st.sampled_from(_NUMBERS) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.booleans() | numbers | texts
values = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=4,
)
attributes: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {}, optional={"a": values, "b": values, "profile": values, "event": values}
)
every_value: list[Any] = [*_TEXTS, *_NUMBERS, True, False, None, [], ["a"], {}, {"a": 1}]


def _groups(rules: st.SearchStrategy[Rule]) -> st.SearchStrategy[Group]:
    parts = st.lists(rules, min_size=1, max_size=3).map(tuple) | st.just(())
    return st.builds(Group, combinator=st.sampled_from(["and", "or"]), rules=parts, negated=st.booleans())


def _with_field(operator: str) -> st.SearchStrategy[Leaf]:
    return st.builds(
        Leaf, field=st.sampled_from(_FIELDS), operator=st.just(operator), value=st.sampled_from(_FIELDS), value_source=st.just("field")
    )


def _sensible(operator: str) -> st.SearchStrategy[Leaf]:
    """A test that can be asked: its value fits its operator."""
    of: dict[str, st.SearchStrategy[Any]] = {
        "=": scalars, "!=": scalars, "in": st.lists(scalars, max_size=4).map(tuple), "notIn": st.lists(scalars, max_size=4).map(tuple),
        "contains": texts, "beginsWith": texts, "endsWith": texts, "null": st.none(), "notNull": st.none(),
    }  # fmt: skip
    plain = st.builds(Leaf, field=st.sampled_from(_FIELDS), operator=st.just(operator), value=of.get(operator, numbers | texts))
    return plain if operator in ("in", "notIn", "null", "notNull") else plain | _with_field(operator)


def _any(operator: str) -> st.SearchStrategy[Leaf]:
    """A test whose value may be of any shape, as a tree that nobody checked can hold."""
    value = scalars | st.none() | st.lists(scalars, max_size=3).map(tuple)
    source = st.sampled_from(["value", "field"])
    return st.builds(Leaf, field=st.sampled_from(_FIELDS), operator=st.just(operator), value=value, value_source=source)


EVENTS = ["bought", "named", "left", "unknown", "email.opened"]
SEGMENTS = ["vip", "nested", "circle", "unknown"]
_wheres: st.SearchStrategy[Rule] = (
    st.sampled_from(_OPERATORS).flatmap(_sensible).filter(lambda leaf: "entry" not in str((leaf.field, leaf.value)))
)  # fmt: skip
_past: st.SearchStrategy[Rule] = st.builds(
    Did, did=st.sampled_from(EVENTS), within=st.sampled_from(["", "P1D", "PT1H"]), at_least=st.sampled_from([1, 1, 2, 3]),
    where=st.none() | _wheres,
) | st.builds(InSegment, in_segment=st.sampled_from(SEGMENTS))  # fmt: skip
rules_over_the_past: st.SearchStrategy[Rule] = st.recursive(
    st.sampled_from(_OPERATORS).flatmap(_sensible) | _past | _past, _groups, max_leaves=5
)  # fmt: skip
"""Rules that ask what somebody did and is a member of, beside plain tests."""
sensible_rules: st.SearchStrategy[Rule] = st.recursive(st.sampled_from(_OPERATORS).flatmap(_sensible), _groups, max_leaves=6)
any_rules: st.SearchStrategy[Rule] = st.recursive(
    st.sampled_from(_OPERATORS).flatmap(lambda operator: _sensible(operator) | _any(operator)), _groups, max_leaves=6
)
