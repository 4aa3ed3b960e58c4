"""One person walking one journey once. The workflow walks and proposes, the store disposes: it goes on from what is returned (D1).

It knows the graph and the walk. Who the person is, what is in an event and what time it is, it does not know and need not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from journey import walk
    from journey.contract import EntrantStart, Happened, Leave, Proposal, Record
    from journey.graph import Journey
    from journey.proposing import propose
    from journey.walk import Outcome
    from workflows.ports import Stopping
    from workflows.waiting import until_noted

FAST = timedelta(seconds=5)
"""The bound of the fast path, far above the 1.2 s that the stop allows itself: it must end before the server gives up on the task."""
DURABLE = timedelta(minutes=2)
RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))


@workflow.defn(name="entrant")
class Entrant:
    """An interpreter of the walk. Signals are noted here and decided in `run`."""

    @workflow.init
    def __init__(self, start: EntrantStart, journey: Journey) -> None:
        self.entrant = start.entrant
        self.journey = journey
        self.happened: Happened | None = None
        self.leaving = False
        self.unknown: list[str] = []

    @workflow.run
    async def run(self, start: EntrantStart, journey: Journey) -> str:
        """Stop after stop until the store says it was the last; returns the reason."""
        record = await self.resume(start)
        while not record.end:
            proposal = await self.leave(record)
            record = await self.stop(proposal)
        return record.end

    async def resume(self, start: EntrantStart) -> Record:
        """Where to go on. Somebody at a gate asks the store how long is left; somebody under way goes on at once."""
        record = Record(n=start.n, place=start.place)
        if isinstance(walk.ask(self.journey, start.place), walk.Listen):
            return await self.stop(Proposal(entrant=self.entrant, n=start.n))
        return record

    async def leave(self, record: Record) -> Proposal:
        """Wait where there is something to wait for; then propose the next step."""
        at = walk.ask(self.journey, record.place)
        if not isinstance(at, walk.Listen):
            return propose(self.journey, self.entrant, record.n + 1, record.place)
        heard = await self.hear(record)
        if heard is not None:
            left = Outcome(heard.node, "next")
            return propose(self.journey, self.entrant, record.n + 1, walk.follow(self.journey, left), left, heard)
        if at.due is None or self.leaving:
            self.leaving = False  # the store knows whether it must; asked once, a wrong signal costs one question
            return Proposal(entrant=self.entrant, n=record.n + 1)
        return propose(self.journey, self.entrant, record.n + 1, walk.follow(self.journey, at.due), at.due)

    async def hear(self, record: Record) -> Happened | None:
        """The event that decided the gate, None when time is up or the person must leave."""
        if record.node:
            return Happened(record.n, record.node, record.source, record.event)
        workflow.set_current_details(record.said)
        await until_noted(lambda: self.noted(record.n) or self.leaving, record.seconds, record.place)
        return self.happened if self.noted(record.n) else None

    def noted(self, n: int) -> bool:
        """Has the gate that step n arrived at been decided? An old signal decides no new gate."""
        return self.happened is not None and self.happened.n == n

    async def stop(self, proposal: Proposal) -> Record:
        """The fast path once, then the durable one: the same function with the same input (D2)."""
        try:
            return await workflow.execute_local_activity_method(
                Stopping.stop, proposal, start_to_close_timeout=FAST, retry_policy=RetryPolicy(maximum_attempts=1)
            )
        except FailureError as error:  # what a local activity raises comes as it is, not wrapped in an ActivityError
            if is_cancelled_exception(error):
                raise
            return await workflow.execute_activity_method(
                Stopping.stop,
                proposal,
                start_to_close_timeout=DURABLE,
                retry_policy=RETRIES,
                summary=f"{proposal.n}: {proposal.node or proposal.left}",
            )

    @workflow.signal(name="happened")
    def note_happened(self, happened: Happened) -> None:
        """The later step counts: an entrant decides its gates in order, but signals may be late."""
        if self.happened is None or happened.n >= self.happened.n:
            self.happened = happened

    @workflow.signal(name="leave")
    def note_leave(self, leave: Leave) -> None:
        self.leaving = True

    @workflow.signal(dynamic=True)
    def note_unknown(self, name: str, arguments: Sequence[RawValue]) -> None:
        """A signal that is not ours is kept in sight and has no effect."""
        self.unknown.append(name)
        workflow.logger.warning("A signal that nobody knows: %s", name)
