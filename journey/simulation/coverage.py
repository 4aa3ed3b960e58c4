"""Which nodes and exits of a journey its stories have come to. It knows no scenario and no time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from journey import walk
from journey.graph import Journey, exits
from journey.simulation.story import Story
from journey.walk import Outcome


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one journey: how many nodes and drawn exits there are, which nodes nobody reached, and which exits nobody left by (NODE:EXIT).

    The global timeout is no exit, nor is an error that is not drawn.
    """

    journey: str
    nodes: int
    exits: int
    never_reached: tuple[str, ...]
    never_left: tuple[str, ...]

    @property
    def percent(self) -> int:
        """The lesser of the two shares, rounded down: 100 is all of it."""
        reached = 100 * (self.nodes - len(self.never_reached)) // max(self.nodes, 1)
        left = 100 * (self.exits - len(self.never_left)) // max(self.exits, 1)
        return min(reached, left) if self.exits else reached

    def sentence(self) -> str:
        """As a line of the command says it."""
        said = f"nodes {self.nodes - len(self.never_reached)} of {self.nodes}, exits {self.exits - len(self.never_left)} of {self.exits}"
        for words, missing in (("never reached", self.never_reached), ("never left", self.never_left)):
            said += f"; {words}: {', '.join(missing)}" if missing else ""
        return said


def coverage(journey: Journey, stories: Iterable[Story]) -> Coverage:
    """What the stories of one journey have come to, all together."""
    left: set[str] = set()
    reached: set[str] = set()
    for story in stories:
        left.update(story.path)
        reached.update(walk.nodes_of(story.place), (story.end_node,))
    for step in sorted(left):
        node, _, taken = step.partition(":")
        reached.update((node, *walk.nodes_of(walk.follow(journey, Outcome(node, taken)))))
    every = [f"{node.id}:{name}" for node in journey.by_id.values() for name, _ in exits(node)]
    return Coverage(
        journey=journey.id,
        nodes=len(journey.by_id),
        exits=len(every),
        never_reached=tuple(node for node in journey.by_id if node not in reached),
        never_left=tuple(step for step in every if step not in left),
    )
