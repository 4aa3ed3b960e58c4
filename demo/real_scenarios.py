"""`sojourn test --real`: the scenarios of a folder on a Temporal server of their own. Nothing is sent anywhere, nothing is waited for."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from commands.scenario_files import Played, Ready, simulated
from demo.story_server import play_all
from demo.story_stage import Play
from journey.errors import SojournError
from journey.graph import Jump, Webhook
from journey.simulation import judging
from journey.simulation.story import Story

_COMPARED = ("path", "deliveries", "effects", "end", "end_node", "ended_at", "place", "waiting", "wakes_at", "held", "attributes")


def play(ready: Sequence[Ready]) -> list[Played]:
    """Plays them, some at a time. Raises Unavailable when there is no Temporal CLI, or its server does not start."""
    if not ready:
        return []
    logging.getLogger("sojourn").setLevel(logging.ERROR)  # a refusal that a scenario asks for is no news
    plays = [
        Play(one.version, one.person, judging.script(one.scenario, one.version), one.world, one.key or one.profile.id) for one in ready
    ]
    with tempfile.TemporaryDirectory(prefix="sojourn-stories-") as folder:
        told = asyncio.run(play_all(plays, Path(folder)))
    return [
        Played(one.story, one.seconds, tuple(_notes(each, alone.story, one.story)))
        for each, alone, one in zip(ready, simulated(ready), told, strict=True)
    ]


def _notes(ready: Ready, alone: Story | SojournError, real: Story | SojournError) -> Iterator[str]:
    """What playing could not do as it will be, and where the simulator tells something else."""
    if isinstance(alone, SojournError) or isinstance(real, SojournError):
        return
    been = {step.partition(":")[0] for step in real.path}
    for node in ready.version.journey.nodes:
        if node.id in been and isinstance(node, Jump):
            yield f"{node.id}: {node.journey} is not live here, so what they would do there is not played."
        if node.id in been and isinstance(node, Webhook):
            yield f"{node.id}: nobody was called; it answered as the scenario says."
    if not ready.world.renders:
        yield "This is somebody made up, of whom nothing is known: a message that asks for more than they have is not sent."
        return
    others = [name for name in _COMPARED if getattr(alone, name) != getattr(real, name)]
    if others:
        yield f"The simulator tells another story: look at {', '.join(others)}. Please report it: they should never differ."
