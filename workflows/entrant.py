"""One person walking one journey once. The workflow walks and proposes, the store disposes: it goes on from what is returned (D1).

It knows the graph and the walk. Who the person is, what is in an event and what time it is, it does not know and need not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, SearchAttributePair
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from journey import ids, walk
    from journey.contract import EntrantStart, Happened, Leave, Proposal, Record, Removal
    from journey.graph import Journey
    from journey.proposing import propose
    from journey.walk import Outcome
    from workflows.attributes import VERSION
    from workflows.converter import VersionRef
    from workflows.ports import Stopping
    from workflows.retrying import DEAD, SENDING
    from workflows.waiting import until, until_noted

FAST = timedelta(seconds=5)
"""The bound of the fast path, far above the 1.2 s that the stop allows itself: it must end before the server gives up on the task."""
DURABLE = timedelta(minutes=2)
REMOVED = "removed"
SIGNALS: dict[str, type[Happened] | type[Leave]] = {"happened": Happened, "leave": Leave}


@workflow.defn(name="entrant")
class Entrant:
    """An interpreter of the walk. Signals are noted here and decided in `run`."""

    @workflow.init
    def __init__(self, start: EntrantStart, journey: Journey) -> None:
        self.start = start
        self.entrant = start.entrant
        self.journey = journey
        self.happened: dict[int, Happened] = {}
        self.leaving = False

    @workflow.run
    async def run(self, start: EntrantStart, journey: Journey) -> str:
        """The whole way; returns the reason of its end. A cancel from outside ends it as removed: the store hears of it first (D10)."""
        walking = asyncio.create_task(self.go(start))
        try:
            return await asyncio.shield(walking)
        except asyncio.CancelledError:
            await self.be_removed()
            return await walking

    async def go(self, start: EntrantStart) -> str:
        """Stop after stop until the store says it was the last."""
        record = await self.resume(start)
        while not record.end:
            self.go_on_elsewhere(record)
            proposal = await self.leave(record)
            record = await self.stop(proposal)
            while record.again or record.held:
                await self.sit_out(record)
                record = await self.stop(proposal)
        return record.end

    async def resume(self, start: EntrantStart) -> Record:
        """Where to go on. Somebody at a gate asks the store how long is left; somebody under way goes on at once."""
        record = Record(n=start.n, place=start.place)
        if isinstance(walk.ask(self.journey, start.place), walk.Listen):
            return await self.stop(Proposal(entrant=self.entrant, n=start.n))
        return record

    def go_on_elsewhere(self, record: Record) -> None:
        """Whoever was carried over goes on with the graph of that version, from where the store says. Signals that came meanwhile are
        no loss: the continuation asks the store."""
        if record.version in ("", self.start.version):
            return
        queue = workflow.info().task_queue
        if record.purpose == "transactional":
            queue = ids.TRANSACTIONAL_QUEUE
        elif queue == ids.TRANSACTIONAL_QUEUE:
            queue = ids.TASK_QUEUE
        workflow.continue_as_new(
            args=[EntrantStart(self.entrant, record.version, record.place, record.n, self.start.engine), VersionRef(record.hash)],
            task_queue=queue,
            search_attributes=workflow.info().typed_search_attributes.updated(SearchAttributePair(VERSION, record.version)),
        )

    async def leave(self, record: Record) -> Proposal:
        """Wait where there is something to wait for; then propose the next step."""
        at = walk.ask(self.journey, record.place)
        if not isinstance(at, walk.Listen):
            return propose(self.journey, self.entrant, record.n + 1, record.place)
        heard = await self.hear(record)
        if heard is not None and heard.node in at.nodes:
            left = Outcome(heard.node, "next")
            return propose(self.journey, self.entrant, record.n + 1, walk.follow(self.journey, left), left, heard)
        due = Outcome(record.due_node, record.due_exit) if record.due_node in at.nodes else at.due
        if heard is not None or due is None or self.leaving:
            self.leaving = False  # the store knows what is so; a wrong signal costs one question
            return Proposal(entrant=self.entrant, n=record.n + 1)
        return propose(self.journey, self.entrant, record.n + 1, walk.follow(self.journey, due), due)

    async def sit_out(self, record: Record) -> None:
        """Sleep while quiet hours or a frequency cap hold the message back, or until somebody says that a pause of the journey is over;
        whoever must leave is not kept."""
        workflow.set_current_details(record.said)
        await until_noted(lambda: self.leaving, record.seconds if record.held else record.again, "held")
        self.leaving = False  # the store knows what is so

    async def hear(self, record: Record) -> Happened | None:
        """The event that decided the gate, None when time is up or the person must leave."""
        if record.node:
            return Happened(record.n, record.node, record.source, record.event)
        workflow.set_current_details(record.said)
        await until_noted(lambda: record.n in self.happened or self.leaving, record.seconds, record.place)
        return self.happened.pop(record.n, None)  # believed once: if it is not so, the record that comes back says what is

    async def stop(self, proposal: Proposal) -> Record:
        """The fast path once, then the durable one: the same function with the same input (D2)."""
        summary = f"{proposal.n}: {proposal.node or proposal.left}"
        try:
            return await workflow.execute_local_activity_method(
                Stopping.stop,
                proposal,
                start_to_close_timeout=FAST,
                retry_policy=RetryPolicy(maximum_attempts=1),
                summary=summary,
            )
        except FailureError as error:  # what a local activity raises comes as it is, not wrapped in an ActivityError
            if is_cancelled_exception(error):
                raise
            return await self.stop_durably(proposal, summary)

    async def stop_durably(self, proposal: Proposal, summary: str) -> Record:
        """The durable path. Whoever must leave does not wait for the end of a provider's pause: they ask once more, and the store has an
        answer as soon as nothing is on its way to them."""
        attempts = self.attempt(proposal, summary)
        if not self.leaving:
            await until(lambda: attempts.done() or self.leaving)
            if not attempts.done() and workflow.patched("leave-ends-a-pause"):
                attempts.cancel()
                with suppress(FailureError):
                    return await attempts  # its answer had come, and was only not seen yet
                attempts = self.attempt(proposal, summary)
        return await attempts

    def attempt(self, proposal: Proposal, summary: str) -> workflow.ActivityHandle[Record]:
        """The stop as an ordinary activity, tried again for as long as it takes."""
        return workflow.start_activity_method(
            Stopping.stop,
            proposal,
            start_to_close_timeout=DURABLE,
            heartbeat_timeout=DEAD,
            retry_policy=SENDING,
            summary=summary,
        )

    async def be_removed(self) -> None:
        """Tell the store that the next stop is the last; a stop that is under way finds it there too."""
        await workflow.execute_activity_method(
            Stopping.remove, Removal(self.entrant, REMOVED), start_to_close_timeout=DURABLE, retry_policy=SENDING, summary="cancelled"
        )
        self.leaving = True

    @workflow.signal(dynamic=True)
    def note(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Every signal comes here, as it was sent: one that is not ours, or cannot be read, stays in the history and has no effect."""
        match read_signal(name, arguments):
            case Happened() as happened:  # noted for the step whose gate it names, so that an old one decides no new gate
                self.happened.setdefault(happened.n, happened)
            case Leave():
                self.leaving = True
            case _:
                workflow.logger.warning("A signal that is not understood: %.100s", name)


def read_signal(name: str, arguments: Sequence[RawValue]) -> Happened | Leave | None:
    """What a signal says, None when nobody can tell. Left to the SDK, one with too many arguments would hold its workflow up for ever."""
    kind = SIGNALS.get(name)
    if kind is None or len(arguments) != 1:
        return None
    try:
        said = workflow.payload_converter().from_payload(arguments[0].payload, kind)
    except Exception:  # whatever a converter may raise over bytes that anybody may have sent
        return None
    return said if isinstance(said, kind) else None
