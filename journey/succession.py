"""What becomes of people inside when a version is succeeded by another: who goes on there and where, who leaves, who stays.

Pure: two frozen versions, what a publish says of people, and a place are arguments. It moves nobody: the store does, at their next stop,
and `:plan` counts beforehand. A workflow must not import it: it compares rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from journey import continuing, succession_places, succession_waits, walk
from journey.graph import Document, End, Message
from journey.lifecycle import FASTEST_RELEASE
from journey.version import Version
from journey.walk import Outcome, Place

NEXT, EXIT, STAY = ":next", ":exit", ":stay"
WORDS = (NEXT, EXIT, STAY)
"""What a map says of a node beside a node: they go on behind it, they leave, they finish on the old version."""
JOURNEY_CHANGED = "journey_changed"
"""The reason of the end of whoever leaves by the map."""
WAKE_RATE = 100


class Succession(Document):
    """What becomes of people inside at a publish. `finish`: they finish on their version. `flow_in`: they go on in the new one, at the
    node of the same id. `migrate`: as `map` says, node of the old version to node of the new or to `:next`, `:exit`, `:stay`; what it
    does not name goes to the same id. `rate` is how many are woken in a second, 100 when absent.
    """

    people: Literal["finish", "flow_in", "migrate"] = "finish"
    map: dict[str, str] = Field(default_factory=dict)
    rate: Annotated[StrictInt, Field(ge=1, le=FASTEST_RELEASE)] | None = None


Kind = Literal["stays", "moves", "leaves", "cannot_move"]


@dataclass(frozen=True, slots=True)
class Destination:
    """What becomes of everybody at one place of the old version.

    `place`: where they go on in the new one. `nodes`: of the old gate's nodes those that go on, with what each is in the new one; a gate
    that one of these has decided stays decided. `wakes`: they are told now, the others go at their next stop. `reason` is that of the
    end of those who leave; `code` and `why`, a sentence, are of those who cannot move: they stay, and are looked at again at each stop.
    """

    kind: Kind
    place: Place = ""
    nodes: Mapping[str, str] = field(default_factory=dict)
    wakes: bool = False
    reason: str = ""
    code: str = ""
    why: str = ""


def destination(old: Version, new: Version, succession: Succession, place: Place) -> Destination:
    """What becomes of everybody at this place of the old version."""
    if succession.people == "finish":
        return Destination("stays")
    if old.journey.namespace != new.journey.namespace:
        said = f"They are known by {old.journey.namespace}, and the new version knows people by {new.journey.namespace}."
        return _cannot("namespace_changed", said)
    told = succession.map if succession.people == "migrate" else {}
    return _at(old, new, told, place)


def destinations(old: Version, new: Version, succession: Succession) -> Mapping[Place, Destination]:
    """The same of every place where people can be in the old version, in the order of its drawing."""
    return {place: destination(old, new, succession, place) for place in succession_places.places(old.journey)}


def _at(old: Version, new: Version, told: Mapping[str, str], place: Place) -> Destination:
    here = {node: told[node] for node in walk.nodes_of(place) if node in told}
    ways = tuple(dict.fromkeys(here.values()))
    if not any(to in WORDS for to in ways):
        return _to_nodes(old, new, told, place)
    if len(ways) > 1:
        said = " and ".join(f"{node} to {to}" for node, to in here.items())
        return _cannot("map_disagrees", f"They wait at {_listed(place)} at once, and the map leads {said}: say one thing of both.")
    waits = succession_places.is_gate(old.journey, place)
    if ways == (STAY,):
        return Destination("stays")
    if ways == (EXIT,):
        return Destination("leaves", reason=JOURNEY_CHANGED, wakes=waits)
    found = [_behind(old, new, told, walk.follow(old.journey, Outcome(node, "next")), waits) for node in here]
    if any(one != found[0] for one in found):
        return _cannot("map_disagrees", f"They wait at {_listed(place)} at once, which lead to different places by next: map them to one.")
    return found[0]


def _behind(old: Version, new: Version, told: Mapping[str, str], place: Place, waits: bool) -> Destination:
    """As if they had come to this place of the old version just now."""
    if not place or (isinstance(old.journey.node(place.partition("+")[0]), End) and _target(old, new, told, place)[0] == ""):
        return Destination("leaves", reason=walk.FINISHED, wakes=waits)
    found = _at(old, new, told, place)
    return replace(found, nodes={}, wakes=waits and found.kind in ("moves", "leaves"))


def _to_nodes(old: Version, new: Version, told: Mapping[str, str], place: Place) -> Destination:
    nodes: dict[str, str] = {}
    gone: list[tuple[str, str]] = []
    for node in walk.nodes_of(place):
        to, code, why = _target(old, new, told, node)
        if to:
            nodes[node] = to
        else:
            gone.append((code, why))
    if not nodes:
        code = gone[0][0]
        return _cannot(code, " ".join(why for _, why in gone))
    found = succession_places.holding(new.journey, tuple(dict.fromkeys(nodes.values())), like=place)
    if len(found) != 1:
        listed = _and(list(dict.fromkeys(nodes.values())))
        if not found:
            return _cannot("no_such_gate", f"No exit of the new version leads to {listed} at once.")
        return _cannot("two_gates", f"Several exits of the new version lead to {listed}: {_and(list(found), 'or')}. Map them to one.")
    wakes = succession_waits.waits_otherwise(old, new, place, found[0], nodes)
    return Destination("moves", found[0], nodes, wakes)


def _target(old: Version, new: Version, told: Mapping[str, str], node_id: str) -> tuple[str, str, str]:
    """Which node of the new version a node of the old one is; else empty, with a code and a sentence."""
    node = old.journey.by_id.get(node_id)
    to = told.get(node_id, "")
    if not to and isinstance(node, Message):
        to = continuing.heir(new.journey, node_id)
    found = new.journey.by_id.get(to or node_id)
    if found is None:
        return "", "node_gone", f"There is no {to or node_id} in the new version."
    if found is new.journey.entry_node:
        return "", "is_entry", f"{found.id} is where people enter in the new version: nobody waits there."
    if not to and node is not None and node.kind != found.kind:
        return "", "kind_changed", f"{node_id} was a node of kind {node.kind} and is a {found.kind} now: another node."
    return found.id, "", ""


def _cannot(code: str, why: str) -> Destination:
    return Destination("cannot_move", code=code, why=why)


def _listed(place: Place) -> str:
    return _and(list(walk.nodes_of(place)))


def _and(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
