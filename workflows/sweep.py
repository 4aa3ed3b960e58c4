"""The sweep: people who should have gone on by now and have not are looked after, and what a crash left undone is done (D11).

It runs on a schedule, and once at the start of every process. What it does is in the activity, which reads the store.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import Repaired, SweepStart
    from workflows.ports import Repairing
    from workflows.retrying import RETRIES


@workflow.defn(name="sweep")
class Sweep:
    """One look at everybody overdue, and one more for whoever asks meanwhile; returns what it came to.

    A process that starts during the sweep of another asks by the signal: what it wants to have seen may lie behind the one under way.
    """

    def __init__(self) -> None:
        self._asked = 0

    @workflow.signal(name="look_again")
    def look_again(self) -> None:
        self._asked += 1

    @workflow.run
    async def run(self, start: SweepStart) -> Repaired:
        workflow.set_current_details("looking for people who should have gone on")
        repaired, served = Repaired(), -1
        while served < self._asked:
            served = self._asked
            found = await workflow.execute_activity_method(
                Repairing.sweep,
                start,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=30),
                retry_policy=RETRIES,
                summary=f"more than {start.patience:g} s past due",
            )
            repaired = repaired.plus(found)
        workflow.set_current_details(repaired.said())
        return repaired
