"""What a rule needs of the past and of the clock, gathered for the evaluator: `did`, `in_segment`, `now`. It knows no store.

The store and the simulator find out what a rule asks for (`needs`), and hand what they have to `known`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from journey import durations
from journey.events import Event, EventDefinition, Instant
from journey.matching import definition_fits
from journey.rule_check import all_leaves, can_hold
from journey.rule_tree import Did, InSegment, Rule, Test
from journey.rules import MICROSECONDS, Scope, evaluate, fields, holds, sides


@dataclass(frozen=True, slots=True)
class Needs:
    """What rules ask for beside fields. `within` is how far back events are asked for, in microseconds; None is all of them."""

    events: tuple[str, ...] = ()
    within: Instant | None = 0
    segments: tuple[str, ...] = ()
    clock: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.events or self.segments or self.clock)


def needs(rules: Iterable[Rule]) -> Needs:
    """What these rules ask for."""
    asked = tuple(rules)
    leaves = [leaf for rule in asked for leaf in all_leaves(rule)]
    done = [leaf for leaf in leaves if isinstance(leaf, Did)]
    back = [durations.seconds(one.within) * MICROSECONDS if one.within else None for one in done]
    return Needs(
        tuple(dict.fromkeys(one.did for one in done)),
        None if None in back else max((length for length in back if length is not None), default=0),
        tuple(dict.fromkeys(leaf.in_segment for leaf in leaves if isinstance(leaf, InSegment))),
        any(name.startswith("now.") for rule in asked for name in fields(rule)),
    )


def known(
    scope: Scope, wanted: Needs, at: Instant, *, clock: Callable[[], Mapping[str, Any]], events: Sequence[Event],
    definitions: Mapping[str, EventDefinition], member: Callable[[str], bool],
) -> Scope:  # fmt: skip
    """The scope with what the rules need. `events` are those of the person that count, none later than `at`; `clock` gives what `now`
    stands for (local_time.py: reading); `member` says whether they are in a segment."""
    if wanted.nothing:
        return scope
    return replace(
        scope,
        at=at,
        now=clock() if wanted.clock else {},
        past={name: tuple(event for event in events if _is(name, definitions, event)) for name in wanted.events},
        segments={name: member(name) for name in wanted.segments},
    )


@dataclass(frozen=True, slots=True)
class Segments:
    """Who is in a segment, by what is known of one person: as the store asks its database. `rules` are the segments by id."""

    rules: Mapping[str, Rule]
    definitions: Mapping[str, EventDefinition]
    attributes: Mapping[str, Any]
    events: Sequence[Event]
    at: Instant

    def has(self, name: str, within: tuple[str, ...] = ()) -> bool:
        """Is the person in it? A segment that leads back to itself holds nobody."""
        rule = self.rules.get(name)
        if rule is None or name in within:
            return False
        about = known(
            Scope.of_profile(self.attributes), replace(needs([rule]), clock=False), self.at, clock=dict, events=self.events,
            definitions=self.definitions, member=lambda other: self.has(other, (*within, name)),
        )  # fmt: skip
        return evaluate(rule, about)


def may_hold(
    rule: Rule, scope: Scope, segments: Mapping[str, Rule], wanted: bool = True, within: tuple[str, ...] = ()
) -> bool:  # fmt: skip
    """Could the rule be what is wanted of somebody whose past nobody knows? As `evaluate`, but that `did` may be either."""
    match rule:
        case Test():
            return holds(rule, *sides(rule, scope)) == wanted
        case Did():
            return True
        case InSegment(in_segment=name):
            inner = segments.get(name) if name not in within else None
            if inner is None or not can_hold(inner):
                return not wanted
            return may_hold(inner, scope, segments, wanted, (*within, name))
    if not rule.rules:
        return False
    wanted = wanted != rule.negated
    parts = (may_hold(part, scope, segments, wanted, within) for part in rule.rules)
    return all(parts) if (rule.combinator == "and") == wanted else any(parts)


def looks_back(name: str, rules: Mapping[str, Rule], within: tuple[str, ...] = ()) -> bool:
    """Does a segment ask what somebody did, itself or by another one? Then events and time move people in and out of it."""
    if name not in rules or name in within:
        return False
    wanted = needs([rules[name]])
    return bool(wanted.events) or any(looks_back(other, rules, (*within, name)) for other in wanted.segments)


def circle(name: str, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """The segments by which one leads back to itself, it at both ends; empty when it does not."""
    todo: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while todo:
        path = todo.pop()
        for other in needs([rules[path[-1]]]).segments if path[-1] in rules else ():
            if other == name:
                return (*path, name)
            if other not in seen:
                seen.add(other)
                todo.append((*path, other))
    return ()


def _is(name: str, definitions: Mapping[str, EventDefinition], event: Event) -> bool:
    if "." in name:
        return event.is_reaction and event.name == name
    definition = definitions.get(name)
    return definition is not None and definition_fits(definition, event)
