"""The event that a write of a profile is in a simulation: which segments its person has entered and left by it. It knows no gate.

store/changes.py makes the same one; tests/store/test_same_story.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from journey import changes, past
from journey.changes import Attributes, Member
from journey.events import Event, Instant
from journey.graph import Qualification
from journey.simulation.story import World
from journey.version import Version


def written(
    version: Version, world: World, profile: str, name: str, at: Instant, before: Attributes, after: Attributes, done: Sequence[Event]
) -> Event:  # fmt: skip
    """The write that has made `after` of the attributes `before`. `name` tells it from others of the same instant, `done` is what the
    person did before."""
    asked = version.segments_heard | {version.begins_with_segment} - {""}
    heard = [segment for segment in sorted(asked) if segment in world.segments]
    definitions = {definition.id: definition for definition in world.definitions}

    def members(attributes: Attributes) -> Member:
        return past.Segments(world.segments, definitions, attributes, done, at - 1).has

    made = changes.event(profile, at, heard, members(before), members(after))
    return replace(made, id=f"{made.id}.{name}")


def qualified(version: Version, profile: str, name: str, at: Instant) -> Event:
    """The person enters, or leaves, the segment by which the journey begins; how does not matter."""
    node = version.journey.entry_node
    assert isinstance(node, Qualification), "nobody else enters so"
    enters = node.direction == "enter"
    made = changes.event(profile, at, [node.segment], lambda _: not enters, lambda _: enters)
    return replace(made, id=f"{made.id}.{name}")
