"""The simulator is told what really happened to somebody, to the microsecond, and must tell the same story.

What happened is read from the store: which events were accepted when, how long each stop took, what a provider refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from journey import ends, ids, walk
from journey.profiles import Profile
from journey.rules import Scope
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from store import definitions, messages, profiles, responses, schema, versions
from tests.e2e import world
from tests.e2e.world import JOURNEY

OF_EVENTS = ("late", "nobody_listening", "no_definition")
"""The discards that the simulator knows."""


@dataclass
class Happened:
    """What the store has about one entrant."""

    version: Version
    profile: Profile
    entrant: Row[Any]
    steps: Sequence[Row[Any]]
    deliveries: Sequence[Row[Any]]
    events: Sequence[Row[Any]]
    discards: Sequence[str]
    around: World


async def agrees(here: world.World, key: str = "c-42", journey: str = JOURNEY) -> Story:
    """Asserts path, deliveries, discards and end. The profile must be now what it was on the way."""
    entrant = ids.entrant(journey, key, 1)
    real = await here.process.database.read(lambda connection: _read(connection, entrant))
    story = simulate(real.version, real.profile, _script(real), real.around, key=key)
    assert [step for step in story.path if step != f"{walk.entry(real.version.journey)}:next"] == await here.path(key, journey)
    assert [_told(one.node, one.channel, one.status, one.reason) for one in story.deliveries] == [
        _told(one.node, one.channel, one.status, one.reason) for one in real.deliveries
    ]
    assert Counter(effect.code for effect in story.effects if effect.code in OF_EVENTS) == Counter(real.discards)
    assert story.end == real.entrant.end_reason
    return story


def _read(connection: Connection, entrant: str) -> Happened:
    def all_of(table: Any, *where: Any, order: Sequence[Any]) -> Sequence[Row[Any]]:
        return connection.execute(select(table).where(*where).order_by(*order)).all()

    (row,) = all_of(schema.entrants, schema.entrants.c.id == entrant, order=[schema.entrants.c.id])
    profile = profiles.read(connection, row.profile)
    assert profile is not None
    content = connection.execute(select(schema.versions.c.hash).where(schema.versions.c.id == row.version)).scalar_one()
    events = all_of(
        schema.events,
        schema.events.c.profile == row.profile,
        schema.events.c.accepted_at >= row.entered_at,
        order=[schema.events.c.accepted_at],
    )
    discards = all_of(schema.discards, order=[schema.discards.c.id])
    too_old = {(one.source, one.event) for one in discards if one.code == "too_old"}
    events = [event for event in events if (event.source, event.id) not in too_old]  # the simulator's events come at once
    of_them = {(event.source, event.id) for event in events}
    dropped = [one for one in discards if one.code in OF_EVENTS]
    suppressed = connection.execute(select(schema.suppressions.c.channel, schema.suppressions.c.address))
    around = World(
        messages.all_of(connection),
        tuple(definitions.all_of(connection).values()),
        frozenset((one.channel, one.address) for one in suppressed),
        begins=row.entered_at,
        responses=responses.of(connection, entrant),
    )
    return Happened(
        versions.frozen_version(connection, content), profile, row,
        all_of(schema.steps, schema.steps.c.entrant == entrant, order=[schema.steps.c.n]),
        all_of(schema.deliveries, schema.deliveries.c.entrant == entrant, order=[schema.deliveries.c.n, schema.deliveries.c.channel]),
        events, [one.code for one in dropped if (one.source, one.event) in of_them], around,
    )  # fmt: skip


def _script(real: Happened) -> Script:
    entered = real.entrant.entered_at
    nodes = {ids.delivery(one.entrant, one.n, one.channel): one.node for one in real.deliveries}
    return Script(
        tuple(_happening(event, entered, nodes) for event in real.events),
        _lengths(real),
        frozenset((one.node, one.channel) for one in real.deliveries if one.status == "failed" and one.node not in real.around.responses),
        frozenset((one.node, one.channel) for one in real.deliveries if one.status == "uncertain"),
    )


def _happening(event: Row[Any], entered: int, nodes: Mapping[str, str]) -> Happening:
    if event.source != ids.REACTIONS:
        return Occurs(event.accepted_at - entered, event.name, event.data, event.id, event.source)
    delivery, kind, *link = event.id.split(":")
    channel = ids.read_delivery(delivery).channel
    return Reacts(event.accepted_at - entered, nodes[delivery], f"{channel}.{kind}", event.data.get("link", "") if link else "")


def _lengths(real: Happened) -> dict[str, int]:
    """How long each stop took: from the decision that led to it until the next place was reached."""
    accepted = {(event.source, event.id): event.accepted_at for event in real.events}
    lengths: dict[str, int] = {}
    for before, step in zip(real.steps, real.steps[1:], strict=False):
        decided = before.closed_at
        if step.by_event:
            decided = max(accepted[step.by_source, step.by_event], before.closed_at)
        elif step.left:
            decided = ended(real, before, step)
        lengths[step.node or step.place] = step.closed_at - decided
    return lengths


def ended(real: Happened, before: Row[Any], step: Row[Any]) -> int:
    """When a gate was over that no event decided: its node was left by a wait, or by its timeout."""
    journey = real.version.journey
    node = journey.node(step.left)
    if walk.moving(journey, step.left):
        scope = Scope.of_profile(real.profile.attributes)
        end = ends.ends(journey, step.left, real.entrant.key, before.closed_at, lambda: scope)[step.left]
        if end is None or step.left_exit == "next":
            return int(before.closed_at if end is None else end)
    at = walk.ask(journey, node.id)
    assert isinstance(at, walk.Listen)
    return int(before.closed_at + (at.length or 0) * 1_000_000)


def _told(node: str, channel: str, status: str, reason: str) -> str:
    return f"{node}:{channel} {status}" + (f" {reason}" if status == "excluded" else "")
