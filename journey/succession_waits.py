"""Does somebody who goes on in another version wait there for something else, or for another time? Arrows, names and notes make no
difference. It knows two frozen versions and moves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journey import continuing, past
from journey.diff_parts import Parts, parts_of_event, parts_of_journey, parts_of_node
from journey.events import EventDefinition
from journey.freezing import rules_of
from journey.graph import EventNode, ExitCriterion, Node, Reaction
from journey.succession_places import is_gate
from journey.version import Version
from journey.walk import Place, nodes_of

_EVERYWHERE = frozenset({"exit_criteria", "global_timeout", "timezone", "end"})
"""Fields of a journey that decide about everybody who waits, wherever they are."""


def waits_otherwise(old: Version, new: Version, place: Place, to: Place, nodes: Mapping[str, str]) -> bool:
    """Is what decides the gate of the old place, or when, another at the new one? `nodes` says which node of the old gate is which of the
    new. Whoever does not wait is under way and hears it by themselves."""
    if not is_gate(old.journey, place):
        return False
    same = len(set(nodes.values())) == len(nodes_of(place)) and set(nodes.values()) == set(nodes_of(to))
    return not same or everybody_waits_otherwise(old, new) or any(_asks_otherwise(old, new, was, now) for was, now in nodes.items())


def everybody_waits_otherwise(old: Version, new: Version) -> bool:
    """Does what holds for the whole journey decide otherwise about people who wait: what ends them, and what they look back for?"""
    if any(name in _EVERYWHERE for name in _differing(parts_of_journey(old.journey), parts_of_journey(new.journey))):
        return True
    if any(_known(old, one) != _known(new, one) for one in new.journey.exit_criteria):
        return True
    looking = [node for node in new.journey.nodes if isinstance(node, EventNode) and node.since]
    return any(_asks_otherwise(old, new, node.id, node.id) for node in looking)


def _asks_otherwise(old: Version, new: Version, was: str, now: str) -> bool:
    before, after = old.journey.by_id.get(was), new.journey.node(now)
    if before is None or before.kind != after.kind:
        return True
    if isinstance(before, Reaction) and isinstance(after, Reaction) and continuing.same_message(new.journey, after.of, before.of):
        before = before.model_copy(update={"of": after.of})
    return bool(_differing(parts_of_node(before), parts_of_node(after))) or _known(old, before) != _known(new, after)


def _differing(before: Parts, after: Parts) -> list[str]:
    return [name for name, _, _, cosmetic in before.against(after) if not cosmetic]


def _known(version: Version, part: Node | ExitCriterion) -> dict[str, Any]:
    """The frozen definitions of the events that a node, or a criterion, is about."""
    named = set(past.needs(rules_of(part)).events)
    if isinstance(part, EventNode | ExitCriterion):
        named.add(part.event)
    return {name: _recognised(version.events[name]) for name in sorted(named) if name in version.events}


def _recognised(definition: EventDefinition) -> dict[str, Any]:
    """How an event is recognised, without what it is called and what fields it is known to have."""
    parts = parts_of_event(definition).parts
    return {name: part.value for name, part in parts.items() if name in ("match", "rule")}
