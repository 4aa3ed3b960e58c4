"""Somebody made up who is a member of a segment, by lot: the same for the same seed. It knows no folder and no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from journey import past, rules
from journey.errors import BadInput
from journey.profiles import Profile
from journey.rule_tree import Rule, Test
from journey.rules import Scope, leaves
from journey.simulation.rates import Lots

NO_SEGMENTS: Mapping[str, Rule] = {}
_TRIES = 500
_SPREAD = 30  # how far beyond a bound a number is drawn


def make(segment: Rule | None, others: Iterable[Rule], lots: Lots, segments: Mapping[str, Rule] = NO_SEGMENTS) -> Profile:
    """A person whom the segment holds, anybody without one, and who can be reached on every channel. `others` are the rules that the
    journey asks later: their fields are drawn too, so that people take different branches; `segments` is what `in_segment` names. What
    somebody did before is taken to be as the segment wants it. Raises BadInput when nobody can be found."""
    asked = (*([segment] if segment is not None else []), *others, *segments.values())
    tests = [test for rule in asked for test in leaves(rule) if test.value_source == "value"]
    pools = {name: tuple(_values(name, tests)) for name in dict.fromkeys(_attribute(test) for test in tests) if name}
    for attempt in range(_TRIES):
        attributes: dict[str, Any] = {"email": f"person-{lots.person}@mail.example", "first_name": f"Person {lots.person}"}
        for name, pool in pools.items():
            _put(attributes, name, _drawn(pool, lots, name, str(attempt)))
        if segment is None or past.may_hold(segment, Scope.of_profile(attributes), segments):
            return Profile(f"person-{lots.person}", attributes, push_tokens=(f"device-{lots.person}",))
    raise BadInput("Nobody could be made up whom the segment holds: put profiles into the folder, in profiles.ndjson or profiles.csv.")


def _attribute(test: Test) -> str:
    """The attribute that a test asks for; empty when it asks for something else."""
    first, dot, rest = test.field.partition(".")
    if dot and first in rules.SCOPES:
        return rest if first == "profile" else ""
    return test.field


def _values(name: str, tests: Iterable[Test]) -> Iterator[tuple[Any, int]]:
    """Values at which a test of this attribute changes its mind, each with the direction to go on from it by lot."""
    for test in tests:
        if _attribute(test) != name:
            continue
        values = test.value if isinstance(test.value, tuple) else (test.value,)
        is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        for value in values:
            if is_number and test.operator in (">", ">=", "<", "<=", "!="):
                yield value, -1
                yield value, 1
            elif value is None:
                yield None, 0
                yield "something", 0
            else:
                yield value, 0
                yield ("something else" if isinstance(value, str) else not value if isinstance(value, bool) else value), 0


def _drawn(pool: tuple[tuple[Any, int], ...], lots: Lots, name: str, attempt: str) -> Any:
    value, direction = pool[int(lots.draw("value", name, attempt) * len(pool))]
    if not direction:
        return value
    return value + direction * int(lots.draw("distance", name, attempt) * _SPREAD)


def _put(attributes: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    here: Any = attributes
    for parent in parents:
        here = here.setdefault(parent, {})
        if not isinstance(here, Mapping):
            return
    if value is not None:
        here[last] = value
