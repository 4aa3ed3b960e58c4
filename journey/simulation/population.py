"""Many people walk a journey on a virtual clock and react by lot; what comes of it is a report, as one of real people. It knows no store.

Each is walked by the simulator, so that every rule of the gate holds for them; what they do is drawn when it becomes possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from journey import calls, dates, feedback, gate, ids, lifecycle, reports, walk
from journey.errors import BadInput
from journey.events import Event, Instant
from journey.graph import LISTENING, EventNode, Journey, Message, Qualification, Wait, Webhook
from journey.profiles import Profile
from journey.reports import Counted, Report
from journey.simulation import explore
from journey.simulation import rates as population_rates
from journey.simulation.rates import Lots, Rate
from journey.simulation.simulate import Person
from journey.simulation.story import Changes, Happening, Occurs, Reacts, Script, Told, World
from journey.tries import SENT_AGAIN
from journey.version import Version
from journey.walk import Finish, Outcome

Who = Callable[[int], Profile]
"""The profile of a person by number, from 0."""


@dataclass(frozen=True, slots=True)
class Population:
    """What became of many people: a report as of a version in which all have ended, and how long they took, in microseconds."""

    people: int
    report: Report
    median: Instant
    longest: Instant


def walk_all(version: Version, who: Who, world: World, rates: tuple[Rate, ...], *, people: int, seed: int) -> Population:
    """Walks so many people. The same arguments give the same population; person number n is the same in a larger one. Before the start of
    the journey they wait for it. Raises BadInput when it has ended."""
    world = replace(world, begins=max(world.begins, dates.opens(version.journey) or 0))
    ends_at = dates.ends(version.journey)
    if lifecycle.is_over(world.begins, ends_at):
        raise BadInput(f"{version.journey.id} has ended at {dates.told(ends_at or 0)}, so nobody enters: let it begin before.")
    crowd = Crowd(version, world, rates)
    for number in range(people):
        crowd.walk(who(number), Lots(seed, number))
    took = sorted(crowd.took)
    return Population(people, reports.build(version.journey, crowd.counted()), took[len(took) // 2] if took else 0, took[-1] if took else 0)


@dataclass
class Crowd:
    """Walks one after the other, and counts whole paths: people who went the same way are the same facts."""

    version: Version
    world: World
    rates: tuple[Rate, ...]
    paths: Counter[tuple[tuple[Outcome, ...], Finish, bool]] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    took: list[Instant] = field(default_factory=list)

    def __post_init__(self) -> None:
        journey = self.version.journey
        self.examples = {
            node.id: (definition.match or node.event, explore.example(definition, node.where, explore.entry_example(self.version)))
            for node in journey.nodes
            if isinstance(node, EventNode) and (definition := self.version.events[node.event])
        }
        self.answers = [
            (node.id, channel, kind, rate)
            for node in journey.nodes
            if isinstance(node, Message | Webhook)
            for channel in _channels(node, self.world)
            for kind in population_rates.ANSWERS
            if (rate := population_rates.of(self.rates, f"{channel}.{kind}", node.id)) is not None
        ]
        self.reactions = {
            (node.id, channel): [
                (f"{channel}.{kind}", rate)
                for kind in population_rates.REACTIONS
                if (rate := population_rates.of(self.rates, f"{channel}.{kind}", node.id)) is not None
            ]
            for node in journey.nodes
            if isinstance(node, Message)
            for channel in _channels(node, self.world)
        }
        self.waited = {
            node.id: rate
            for node in journey.nodes
            if isinstance(node, EventNode) and (rate := population_rates.of(self.rates, node.event, node.id)) is not None
        }

        self.written = {
            node.id: (rate, explore.written_for(self.version, node, self.world.segments))
            for node in journey.nodes
            if isinstance(node, Qualification | Wait)
            and (rate := population_rates.of(self.rates, population_rates.WRITES, node.id)) is not None
        }

    def walk(self, profile: Profile, lots: Lots) -> None:
        """One more, from the admission to the end."""
        person = self._enters(profile, lots)
        coming: list[tuple[Instant, int, Happening]] = []
        at_gate: gate.Gate | None = None
        seen = number = 0
        while person.end is None:
            found: list[Happening] = []
            while seen < len(person.told) and person.told[seen].status != "claimed":
                found += self._reacts(person.told[seen], person.now, lots)
                seen += 1
            if person.at_gate is not None and person.at_gate is not at_gate:
                at_gate = person.at_gate
                found += self._occurs(at_gate, lots)
            for happening in found:
                heappush(coming, (happening.at, number, happening))
                number += 1
            if coming and coming[0][0] <= person.moves_at:
                _, index, happening = heappop(coming)
                person.happen(index, happening)
            else:
                person.step()
        for told in person.told[seen:]:  # the last message: it changes the way of nobody any more, and is opened all the same
            self._reacts(told, person.now, lots)
        self.count(person)

    def counted(self) -> list[Counted]:
        """The counters that the store would have of all of them."""
        facts: Counter[tuple[str, str, str]] = Counter(self.deliveries)
        for (path, end, waited), times in self.paths.items():
            for node, kind in _facts(self.version.journey, path, end, waited=waited):
                facts[node, kind, ""] += times
        return [Counted(*key, times) for key, times in sorted(facts.items())]

    def _enters(self, profile: Profile, lots: Lots) -> Person:
        refused: dict[str, set[tuple[str, str]]] = {"failed": set(), "uncertain": set()}
        for node, channel, kind, rate in self.answers:
            if lots.draw("answer", node, channel, kind) < rate.share:
                refused[kind].add((node, channel))
        script = Script(failing=frozenset(refused["failed"]), uncertain=frozenset(refused["uncertain"]))
        key = str(lots.person)
        person = Person(self.version, profile, script, self.world, ids.entrant(self.version.journey.id, key, 1), key)
        entering = explore.entering(self.version)
        first = entering[0] if entering else None
        event = Event("script", first.id, first.name, dict(first.data), profile.id) if isinstance(first, Occurs) else None
        person.enter(event)
        return person

    def _reacts(self, told: Told, now: Instant, lots: Lots) -> list[Happening]:
        """What this person will do with a message that has reached them."""
        found: list[Happening] = []
        if told.status in ("sent", "uncertain"):
            for to, rate in self.reactions.get((told.node, told.channel), ()):
                after = lots.happens_after(rate, told.node, to)
                if after is None:
                    continue
                found.append(Reacts(now + after, told.node, to))
                self.deliveries[told.node, to.partition(".")[2], told.channel] += 1
                if to == "email.bounced":
                    self.deliveries[told.node, feedback.HARD, told.channel] += 1
                    break
        return found

    def _occurs(self, at: gate.Gate, lots: Lots) -> list[Happening]:
        """What this person will do since they have come to a gate that waits for it."""
        found: list[Happening] = []
        for node in at.nodes:
            rate = self.waited.get(node.id)
            after = lots.happens_after(rate, node.id) if rate is not None else None
            if after is not None:
                name, data = self.examples[node.id]
                found.append(Occurs(at.arrived_at + after, name, data, f"{node.id}-{at.arrived_at}"))
            writes, attributes = self.written.get(node.id, (None, {}))
            after = lots.happens_after(writes, node.id, population_rates.WRITES) if writes is not None and attributes else None
            if after is not None:
                found.append(Changes(at.arrived_at + after, attributes))
        return found

    def count(self, person: Person) -> None:
        """One more, who has ended."""
        assert person.end is not None
        assert person.ended_at is not None
        self.paths[tuple(person.path), person.end, person.ended_waiting] += 1
        self.took.append(person.ended_at)
        for node in person.timeless:
            self.deliveries[node, "no_time", ""] += 1
        for node, code in person.doing.misfits:
            self.deliveries[node, f"failed.{code}", ""] += 1
        for told in person.told:
            status = "uncertain" if told.id in person.hearing.proven else told.status  # an open that proves it moves no number
            kind = f"excluded.{told.reason}" if status == "excluded" else status
            self.deliveries[told.node, kind, told.channel] += 1
            if told.reason == SENT_AGAIN:
                self.deliveries[told.node, SENT_AGAIN, told.channel] += 1


def _channels(node: Message | Webhook, world: World) -> tuple[str, ...]:
    if isinstance(node, Webhook):
        return (calls.CHANNEL,)
    document = world.messages.get(node.message)
    return tuple(
        channel for channel in (document.channels if document is not None else ()) if not node.channels or channel in node.channels
    )


def _facts(journey: Journey, path: Iterable[Outcome], end: Finish, *, waited: bool) -> list[tuple[str, str]]:
    """What the store records of one who went this way, as (node, kind). Whoever `waited` at their end had come to where the way leads."""
    facts: list[tuple[str, str]] = []
    place = walk.entry(journey)
    facts.append((place, "entered"))
    for left in path:
        nodes = walk.nodes_of(place)
        facts += [(node, "arrived") for node in nodes]
        facts += [(node, f"left.{left.exit}" if node == left.node else "left.other") for node in nodes]
        place = walk.follow(journey, left)
    waiting = [node for node in walk.nodes_of(place) if waited and journey.node(node).kind in LISTENING]
    facts += [(node, kind) for node in waiting for kind in ("arrived", f"left.{end.reason}")]
    if end.node:
        facts.append((end.node, "arrived"))
    return [*facts, (end.node, f"ended.{end.reason}")]
