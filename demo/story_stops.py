"""What a real story does to the stops of its person: they take their time, and providers answer as the script says. All else is as it is.

Nothing is called over the network but the catchers: a webhook is answered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from temporalio import activity

from activities.sending import Sending
from activities.stops import Stops
from demo.story_pace import Pace
from demo.story_standing import Standing, standing
from journey import calls, ids, walk
from journey.calls import Response
from journey.contract import Proposal, Record
from journey.events import Instant
from journey.messages import Rendered
from journey.simulation.sending import exclusion
from journey.simulation.story import Script, World
from journey.version import Version
from providers.port import Answer, Provider, Refused, Took, Uncertain
from store import profiles, suppressions
from store.database import Database

NO_LEASE_RUNS_OUT = 86_400.0 * 3660
"""Seconds: a call takes as long as the script says, and nobody may take it for dead meanwhile."""


def step_name(entrant: str, n: int) -> str:
    """How a step that takes its time is called among what is held up."""
    return f"{entrant}.{n}"


@dataclass
class Told:
    """What the stops have learned: the node of each step, what kept events have decided, and what was said when."""

    nodes: dict[int, str] = field(default_factory=dict)
    decided: dict[tuple[str, str], str] = field(default_factory=dict)
    said: list[tuple[Instant, str]] = field(default_factory=list)


class ScriptedProvider:
    """Stands before a provider of a channel, and answers for it where the script says what it answers."""

    longest_call = NO_LEASE_RUNS_OUT

    def __init__(self, inner: Provider, script: Script, pace: Pace, told: Told) -> None:
        self.channel, self.name, self.idempotent = inner.channel, inner.name, inner.idempotent
        self._inner, self._script, self._pace, self._told = inner, script, pace, told
        self._unsure: set[str] = set()

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        node = self._told.nodes[ids.read_delivery(delivery).n]
        await self._pace.until(delivery, self._pace.clock.now() + self._script.stops.get(node, 0))
        if (node, self.channel) in self._script.failing:
            return Refused("call_refused" if self.channel == calls.CHANNEL else "refused")
        if (node, self.channel) in self._script.uncertain and delivery not in self._unsure:
            self._unsure.add(delivery)  # sent once more, it arrives
            return Uncertain("the script says that nobody knows")
        return await self._inner.deliver(delivery, message)

    async def close(self) -> None:
        await self._inner.close()


@dataclass
class AnsweredCalls:
    """Calls nobody, and answers for webhooks as the world says; a transient answer stands for the last of all tries."""

    responses: Mapping[str, Response]
    told: Told
    channel: str = calls.CHANNEL
    name: str = "answers"
    idempotent: bool = True
    longest_call: float = NO_LEASE_RUNS_OUT

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        response = self.responses.get(self.told.nodes[ids.read_delivery(delivery).n], Response(200))
        match calls.meaning(response.status):
            case "took":
                return Took(response=response)
            case "later":
                return Refused("retries_exhausted", response=response)
        return Refused("call_refused", response=response)

    async def close(self) -> None:
        """Nothing is open."""


class PacedStops(Stops):
    """The stops of one person, who begin and end when the story has come so far."""

    def __init__(
        self, database: Database, sending: Sending, pace: Pace, told: Told, *, version: Version, script: Script, world: World
    ) -> None:  # fmt: skip
        super().__init__(database, sending, consent_explicit=world.consent_explicit)
        self._pace, self._told = pace, told
        self._version, self._script, self._world = version, script, world

    @activity.defn(name="stop")
    async def stop(self, proposal: Proposal) -> Record:
        if proposal.node:
            self._told.nodes[proposal.n] = proposal.node
        record = await self._stopped(proposal)
        self._learn(record)
        return record

    async def _stopped(self, proposal: Proposal) -> Record:
        by_time = not proposal.event and not (proposal.node and not proposal.left)
        while True:
            await self._not_still()
            with self._pace.look():
                row = await self._database.read(lambda connection: standing(connection, proposal.entrant, self._version.journey))
                again = row is not None and row.open_step and row.n == proposal.n
                if row is None or again or not by_time:
                    break
                over = row.waits and row.next_instant <= self._pace.clock.now()
                if not over or (not (proposal.left and row.times_out) and self._may_leave):
                    return await super().stop(proposal)
                if self._may_leave:
                    break
            await self._pace.change()
        if row is not None and not again and (not row.stands or row.goes_on):  # whoever is held asks, and does nothing
            await self._takes_its_time(proposal, row)
        await self._not_still()
        return await super().stop(proposal)

    @property
    def _may_leave(self) -> bool:
        return self._pace.due or self._pace.over

    async def _not_still(self) -> None:
        while self._pace.still and not self._pace.over:
            await self._pace.change()

    async def _takes_its_time(self, proposal: Proposal, row: Standing) -> None:
        """What sends takes its time while it is sent; all else is one commit, when it is over."""
        journey = self._version.journey
        left = walk.Outcome(proposal.left, proposal.exit) if proposal.left else None
        takes = self._script.stops.get(proposal.node or (walk.follow(journey, left) if left is not None else ""), 0)
        if takes and not await self._sends(proposal, row):
            name = step_name(proposal.entrant, proposal.n)
            await self._pace.until(name, self._pace.holds.get(name, self._pace.clock.now() + takes))

    async def _sends(self, proposal: Proposal, row: Standing) -> bool:
        if not proposal.message:
            return bool(proposal.host)
        person = await self._database.read(lambda connection: profiles.read(connection, row.profile))
        channels = self._world.messages[proposal.message].channels
        wanted = [channel for channel in channels if not proposal.channels or channel in proposal.channels]
        barred = await self._database.read(lambda connection: suppressions.page(connection, ("", ""), 1000))
        world = replace(self._world, suppressed=frozenset((one.channel, one.address) for one in barred))
        return person is not None and any(not exclusion(person, channel, world) for channel in wanted)

    def _learn(self, record: Record) -> None:
        if record.node:
            self._told.decided[record.source, record.event] = record.node
        said = record.said or record.end
        if said and said not in [sentence for _, sentence in self._told.said[-1:]]:
            self._told.said.append((self._pace.clock.now(), said))
        self._pace.changed()
