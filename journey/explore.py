"""Finds every way through a version: at each gate everything that could happen there, and nothing at all. It knows no store.

It plays the simulator, so that a way found here is a way that the server would take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from journey import gate, walk
from journey.events import EventDefinition, Instant
from journey.graph import EventNode, Node, Reaction, RuleOrText
from journey.profiles import Profile
from journey.rule_text import as_tree
from journey.rule_tree import Rule, Test
from journey.simulate import simulate
from journey.story import Effect, Happening, Occurs, Reacts, Script, Story, World
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

    An event that no example can be made for (its rule asks for more than plain equality) is left out. There may be very many:
    stop when it is enough.
    """
    yield from _onward(version, profile, world, key, (), 0)


def example(definition: EventDefinition, where: RuleOrText | None = None) -> dict[str, Any]:
    """The data of an event that the definition describes, as far as its rule says `=` or `in`; the key is not in it."""
    data: dict[str, Any] = {}
    for rule in (definition.rule, where):
        if rule is not None:
            for test in _needed(as_tree(rule)):
                value = test.value[0] if test.operator == "in" and isinstance(test.value, tuple) and test.value else test.value
                _put(data, test.field.removeprefix("event."), value)
    return data


def _onward(
    version: Version, profile: Profile, world: World, key: str, happenings: tuple[Happening, ...], now: Instant
) -> Iterator[Way]:  # fmt: skip
    story = simulate(version, profile, Script(happenings, until=now), world, key=key)
    if story.end:
        yield Way(happenings, story)
        return
    assert story.wakes_at is not None, "whoever takes no time for a stop stands at a gate or has ended"
    at = now + min(_AFTER, (story.wakes_at - now) // 2)
    for node in walk.nodes_of(story.place):
        happening = _what_happens(version, version.journey.node(node), at, len(happenings))
        if happening is not None:
            tried = simulate(version, profile, Script((*happenings, happening), until=at), world, key=key)
            if tried.effects[-1] == Effect("decided", node):
                yield from _onward(version, profile, world, key, (*happenings, happening), at)
    yield from _onward(version, profile, world, key, happenings, story.wakes_at)


def _what_happens(version: Version, node: Node, at: Instant, number: int) -> Happening | None:
    match node:
        case Reaction():
            return Reacts(at, node.of, node.to)
        case EventNode():
            definition = version.events[node.event]
            name = definition.match or definition.id
            return Occurs(at, name, example(definition, node.where), f"{name}-{number + 1}")
    return None


def _needed(rule: Rule) -> Iterator[Test]:
    """The tests that must hold for the rule to hold; of those joined by `or` the first is enough."""
    if isinstance(rule, Test):
        if rule.operator in ("=", "in") and rule.value_source == "value":
            yield rule
    elif not rule.negated:
        for part in rule.rules if rule.combinator == "and" else rule.rules[:1]:
            yield from _needed(part)


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        inner = data.setdefault(parent, {})
        if not isinstance(inner, dict):
            return
        data = inner
    data[last] = value
