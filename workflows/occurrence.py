"""A journey's schedule has fired: the store is asked what is due, and begins it or has it on record as missed, once.

What fires it does not matter: the server at the instant, the server later, or an engineer by hand.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import Occurred, ScheduleStart
    from workflows.ports import Scheduling
    from workflows.retrying import RETRIES


@workflow.defn(name="occurrence")
class Occurrence:
    """Asks once; returns what came of it."""

    @workflow.run
    async def run(self, start: ScheduleStart) -> Occurred:
        occurred = await workflow.execute_activity_method(
            Scheduling.serve_occurrence,
            start,
            start_to_close_timeout=timedelta(minutes=5),
            retry_policy=RETRIES,
            summary=start.journey,
        )
        workflow.set_current_details(occurred.said)
        return occurred
