"""Finds every way through a version: at each gate everything that could happen there, and nothing at all. It knows no store.

It plays the simulator, so that a way found here is a way that the server would take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from journey import gate, rules, walk
from journey.events import EventDefinition, Instant
from journey.graph import EventNode, Node, Qualification, Reaction, RuleOrText, Wait
from journey.profiles import Profile
from journey.rule_text import as_tree
from journey.rule_tree import Group, Rule, Test
from journey.simulation.life import Life
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Effect, Happening, Occurs, Qualifies, Reacts, Script, Story, World
from journey.until import UntilRule
from journey.version import Version

_AFTER = 3600 * gate.MICROSECONDS
"""What happens at a gate happens an hour after the arrival, or half-way to its end when that is sooner."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way through: what happens on it, and the story."""

    happenings: tuple[Happening, ...]
    story: Story


def ways(version: Version, profile: Profile, world: World, *, key: str = "") -> Iterator[Way]:
    """Every way that this person can take, one by one; a branch that their profile does not take is none of theirs.

    An event that no example can be made for (its rule asks for more than plain values) is left out. There may be very many:
    stop when it is enough.
    """
    starts_at = Life.of(version.journey, world.begins).starts_at
    yield from _onward(version, profile, world, key, entering(version), max(starts_at or 0, 0))


def entering(version: Version) -> tuple[Occurs | Qualifies, ...]:
    """What happens first, at instant 0: an event or a segment that lets somebody in, where a journey begins with one; else nothing."""
    entry = version.journey.entry_node
    if isinstance(entry, Qualification):
        return (Qualifies(0),)
    if not isinstance(entry, EventNode):
        return ()
    definition = version.events[entry.event]
    name = definition.match or definition.id
    return (Occurs(0, name, entry_example(version), f"{name}-1"),)


def entry_example(version: Version) -> dict[str, Any]:
    """The data of an event that lets somebody in, with something in every field that it declares or that the journey asks of it later."""
    entry = version.journey.entry_node
    if not isinstance(entry, EventNode):
        return {}
    definition = version.events[entry.event]
    data = example(definition, entry.where)
    for name in _asked_of_entry(version):
        if rules.look_up(data, name) is None:
            _put(data, name, _something(definition, name))
    return with_all_fields(data, definition, entry.where)


def with_all_fields(data: dict[str, Any], definition: EventDefinition, where: RuleOrText | None) -> dict[str, Any]:
    """The same with something in every field that the definition declares, as messages show it, where its rules hold with it as without."""
    asked = [as_tree(rule) for rule in (definition.rule, where) if rule is not None]
    held = _verdicts(asked, data)
    for name in definition.fields:
        if name != definition.key and rules.look_up(data, name) is None:
            filled = deepcopy(data)
            _put(filled, name, _something(definition, name))
            data = filled if _verdicts(asked, filled) == held else data
    return data


def _verdicts(asked: Iterable[Rule], data: Mapping[str, Any]) -> list[bool]:
    return [rules.evaluate(rule, rules.Scope.of_event(data)) for rule in asked]


def _something(definition: EventDefinition, name: str) -> Any:
    return _SOMETHING.get(definition.fields.get(name, "string"), f"{name}-1")


def example(
    definition: EventDefinition, where: RuleOrText | None = None, entry: Mapping[str, Any] | None = None
) -> dict[str, Any]:  # fmt: skip
    """The data of an event that the definition describes, as far as its rule says `=`, `in` or names a bound; the key is not in it.
    `entry` is the data of the event by which its person has entered."""
    data: dict[str, Any] = {}
    for rule in (definition.rule, where):
        if rule is not None:
            _make_true(data, as_tree(rule), entry or {})
    return data


def _asked_of_entry(version: Version) -> Iterator[str]:
    for node in version.journey.nodes:
        wheres = [node.where] if isinstance(node, EventNode) else [branch.when for branch in getattr(node, "branches", ())]
        for where in wheres:
            if where is not None:
                yield from (name.removeprefix("entry.") for name in rules.fields(as_tree(where)) if name.startswith("entry."))


_SOMETHING: Mapping[str, Any] = {"number": 1, "integer": 1, "boolean": True, "datetime": "2026-01-01T00:00:00Z"}


def _wanted(test: Test, entry: Mapping[str, Any]) -> tuple[str, Any]:
    """The field that a test is about, and a value with which it holds. What is compared with the entry may stand on either side."""
    if test.value_source == "field":
        field, other = (test.field, str(test.value))
        if field.startswith("entry."):
            field, other = other, field
        return field.removeprefix("event."), rules.look_up(entry, other.removeprefix("entry."))
    value = test.value[0] if test.operator == "in" and isinstance(test.value, tuple) and test.value else test.value
    if test.operator in _BESIDE and isinstance(value, int | float):
        value += _BESIDE[test.operator]
    return test.field.removeprefix("event."), value


def _onward(
    version: Version, profile: Profile, world: World, key: str, happenings: tuple[Happening, ...], now: Instant
) -> Iterator[Way]:  # fmt: skip
    story = simulate(version, profile, Script(happenings, until=now), world, key=key)
    if story.end or not story.entered:
        yield Way(happenings, story)
        return
    assert story.wakes_at is not None, "whoever takes no time for a stop stands at a gate or has ended"
    at = now + min(_AFTER, (story.wakes_at - now) // 2)
    for node in walk.nodes_of(story.place):
        happening = _what_happens(version, version.journey.node(node), at, len(happenings), world)
        if happening is not None:
            tried = simulate(version, profile, Script((*happenings, happening), until=at), world, key=key)
            if tried.effects[-1] == Effect("decided", node):
                yield from _onward(version, profile, world, key, (*happenings, happening), at)
    yield from _onward(version, profile, world, key, happenings, story.wakes_at)


def _what_happens(version: Version, node: Node, at: Instant, number: int, world: World) -> Happening | None:
    match node:
        case Wait() | Qualification():
            written = written_for(version, node, world.segments)
            return Changes(at, written) if written else None
        case Reaction():
            return Reacts(at, node.of, node.to)
        case EventNode():
            definition = version.events[node.event]
            name = definition.match or definition.id
            made = with_all_fields(example(definition, node.where, entry_example(version)), definition, node.where)
            return Occurs(at, name, made, f"{name}-{number + 1}")
    return None


def written_for(version: Version, node: Node, segments: Mapping[str, Rule]) -> dict[str, Any]:
    """Attributes whose write lets on whoever waits at this node for a rule or a segment; none where it asks for more than plain values, or
    waits for something else."""
    match node:
        case Wait(until=UntilRule() as until):
            return _attributes(as_tree(until.rule), version)
        case Qualification():
            rule = segments.get(node.segment)
            wanted = _attributes(rule, version) if rule is not None else {}
            return wanted if node.direction == "enter" else dict.fromkeys(wanted)
    return {}


def _attributes(rule: Rule, version: Version) -> dict[str, Any]:
    """Attributes of which a rule over people is true, as far as it says `=` or `in`."""
    data: dict[str, Any] = {}
    _make_true(data, rule, entry_example(version))
    named: dict[str, Any] = data.pop("profile", {})
    return data | named


def _make_true(data: dict[str, Any], rule: Rule, entry: Mapping[str, Any]) -> None:
    """Put into the data what the rule asks for."""
    for test in _needed(rule):
        _put(data, *_wanted(test, entry))


def _needed(rule: Rule) -> Iterator[Test]:
    """The tests that must hold for the rule to hold; of those joined by `or` the first is enough."""
    if isinstance(rule, Test):
        asks_event = rule.field.partition(".")[0] not in ("now", "profile")
        if asks_event and (_asks_entry(rule) if rule.value_source != "value" else _can_be_met(rule)):
            yield rule
    elif isinstance(rule, Group) and not rule.negated:
        for part in rule.rules if rule.combinator == "and" else rule.rules[:1]:
            yield from _needed(part)


def _can_be_met(test: Test) -> bool:
    """Is there a plain value with which it holds: one that equals, or a number on the right side of a bound?"""
    is_number = isinstance(test.value, int | float) and not isinstance(test.value, bool)
    return test.operator in ("=", "in") or (test.operator in _BESIDE and is_number)


_BESIDE: Mapping[str, int] = {">": 1, ">=": 0, "<=": 0, "<": -1}


def _asks_entry(test: Test) -> bool:
    return test.operator == "=" and any(name.startswith("entry.") for name in (test.field, str(test.value)))


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        inner = data.setdefault(parent, {})
        if not isinstance(inner, dict):
            return
        data = inner
    data[last] = value
