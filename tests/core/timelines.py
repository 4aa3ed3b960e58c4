"""A story read as a timeline: at which gate its person stood from when to when, and what decided it. It knows no gate and no walk of ours.

A moment is an instant with a place among all that is of that instant: what was begun before and is over then comes first (-1), then
what happens, in the order of the script, then what time alone brings (AT_LAST). What takes no time is over at the moment at which it
begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from journey.events import Instant
from journey.simulation.story import Effect, Happening, Occurs, Reacts, Script, Story
from tests import builders
from tests.builders import SECOND

Moment = tuple[Instant, int]
AT_LAST = 1_000
BEGIN: Moment = (0, -1)
LENGTHS = {"PT30M": 1800 * SECOND, "PT1H": 3600 * SECOND, "PT90M": 5400 * SECOND, "PT2H": 7200 * SECOND, "PT3H": 10800 * SECOND,
           "P2D": 172_800 * SECOND}  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """Somebody at a gate. `behind` is when each gate before was decided, with what decided it if that had itself found them on the way:
    what came after all of them has found them on the way to this one. `by` is the happening that decided this gate, None when time did."""

    nodes: tuple[Mapping[str, Any], ...]
    behind: tuple[tuple[Moment, int | None], ...]
    arrived: Moment
    left: str
    exit: str
    by: int | None
    decided: Moment

    def ends(self) -> list[tuple[Instant, int, str, str]]:
        """Every way in which time ends it: when, waits first, the node and its exit."""
        found = [(LENGTHS[node["for"]], 0, node["id"], "next") for node in self.nodes if node["kind"] == "wait"]
        found += [(LENGTHS[node["timeout"]["after"]], 1, node["id"], "timeout") for node in self.nodes if "timeout" in node]
        return [(self.arrived[0] + length, rank, node, taken) for length, rank, node, taken in found]


@dataclass
class Timeline:
    """The visits of a story, when each message was on its way, and when all was over."""

    nodes: Mapping[str, Mapping[str, Any]]
    happenings: Sequence[Happening]
    effects: Sequence[Effect]
    visits: list[Visit] = field(default_factory=list)
    claimed: dict[str, Moment] = field(default_factory=dict)
    over: Moment = BEGIN

    def moment(self, index: int) -> Moment:
        """When it happened; nothing decides at its index but itself."""
        at = self.happenings[index].at
        return (at, sorted(range(len(self.happenings)), key=lambda one: self.happenings[one].at).index(index))

    def repeats(self, index: int) -> bool:
        """Has it happened before?"""
        return any(_name(self.happenings[one]) == _name(self.happenings[index]) for one in self._accepted_before(index))

    def was_sent(self, index: int) -> bool:
        """Is it a reaction to something that was on its way by then?"""
        one = self.happenings[index]
        return isinstance(one, Reacts) and one.of in self.claimed and self.claimed[one.of] <= self.moment(index)

    def fits(self, node: Mapping[str, Any], index: int) -> bool:
        """Is it what this node waits for?"""
        one = self.happenings[index]
        if isinstance(one, Reacts):
            return node["kind"] == "reaction" and (node["of"], node["to"]) == (one.of, one.to)
        if node["kind"] != "event" or not isinstance(one, Occurs) or not is_defined(one):
            return False
        return bool(node["event"] == one.name and ("where" not in node or one.data.get("product") == node["where"]["value"]))

    def before(self, moment: Moment) -> list[int]:
        """What happened before this moment, repeats and what could not be left out."""
        return [index for index in self.real() if self.moment(index) < moment]

    def real(self) -> list[int]:
        """What was accepted: no repeat, and no reaction to what was never sent."""
        return [
            index
            for index, one in enumerate(self.happenings)
            if not self.repeats(index) and (isinstance(one, Occurs) or self.was_sent(index))
        ]

    def _accepted_before(self, index: int) -> list[int]:
        mine = self.moment(index)
        earlier = [one for one in range(len(self.happenings)) if self.moment(one) < mine]
        return [one for one in earlier if isinstance(self.happenings[one], Occurs) or self.was_sent(one)]


def read(nodes: Sequence[Mapping[str, Any]], entry: Sequence[str], script: Script, story: Story) -> Timeline:
    """The timeline of a story of these nodes. Every node is come to once at most, so that what decided it is known by its name."""
    found = Timeline({node["id"]: node for node in nodes}, script.happenings, story.effects)
    deciders = {effect.node: index for index, effect in enumerate(story.effects) if effect.code == "decided"}
    at = BEGIN
    behind: list[tuple[Moment, int | None]] = []
    leads: Sequence[str] = entry
    begins_at_gate = True  # the admission itself leads to a gate
    for step in story.path[1:]:
        name, _, taken = step.partition(":")
        node = found.nodes[name]
        assert name in leads, f"{step} was led to by nobody: {leads}"
        if node["kind"] == "message":
            found.claimed[name] = at
            at = _later(at, script.stops.get(name, 0))
            begins_at_gate = True
        else:
            place = "+".join(leads)
            arrived = at if begins_at_gate else _later(at, script.stops.get(place, 0))
            by = deciders.get(name) if taken == "next" else None
            visit = Visit(tuple(found.nodes[one] for one in leads), tuple(behind), arrived, name, taken, by, arrived)
            if by is not None:
                decided = found.moment(by)
                at = max(decided, arrived)
                behind.append((decided, by if decided < arrived else None))
            else:
                over = next(end[0] for end in visit.ends() if end[2:] == (name, taken))
                at = max((over, AT_LAST), arrived)
                behind.append((at, None))
            found.visits.append(replace(visit, decided=at))
            begins_at_gate = False
        leads = onward(node, taken)
    found.over = _over(found, at, leads, script, story, begins_at_gate=begins_at_gate)
    return found


def onward(node: Mapping[str, Any], taken: str) -> list[str]:
    """Where an exit leads: a timeout without `next` by the `next` of the node that carries it (G8)."""
    if taken == "timeout":
        return list(node["timeout"].get("next", node["next"]))
    return list(node["next"])


def is_defined(one: Occurs) -> bool:
    """Is there an event definition that describes it?"""
    return one.name == "refund" or (one.name == "purchase" and one.data.get("purchaseMessage") == builders.THANKS["purchaseMessage"])


def _over(found: Timeline, at: Moment, leads: Sequence[str], script: Script, story: Story, *, begins_at_gate: bool) -> Moment:
    """When the end came: at once where the way is over, else when the time in the journey was."""
    if story.end == "finished":
        return at
    if leads and found.nodes[leads[0]]["kind"] != "message" and not begins_at_gate:
        at = _later(at, script.stops.get("+".join(leads), 0))
    return at


def _later(moment: Moment, takes: Instant) -> Moment:
    return (moment[0] + takes, -1) if takes else moment


def _name(one: Happening) -> tuple[str, ...]:
    return (one.source, one.id) if isinstance(one, Occurs) else (one.of, one.to) if isinstance(one, Reacts) else ()
