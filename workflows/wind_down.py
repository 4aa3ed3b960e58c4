"""Everybody inside a stopped version ends, a page at a time. The store holds from the stop's own commit on; this only wakes them (D10)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import WindDownStart
    from workflows.ports import WindingDown
    from workflows.retrying import RETRIES

DEAD = timedelta(seconds=15)
"""A page that shows no sign of life for so long has died with its worker."""


@workflow.defn(name="wind_down")
class WindDown:
    """Wakes a page of people until nobody is left to be told."""

    @workflow.run
    async def run(self, start: WindDownStart) -> None:
        while await workflow.execute_activity_method(
            WindingDown.wind_down_page,
            start,
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=DEAD,
            retry_policy=RETRIES,
            summary=start.version,
        ):
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)
            await workflow.sleep(0.5)
