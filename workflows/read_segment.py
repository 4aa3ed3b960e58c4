"""A run: pages of a segment are read and let in until there is none left. Progress is in the store, so a repeat goes on (D7)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import Pages, RunStart
    from workflows.ports import Reading
    from workflows.retrying import RETRIES


@workflow.defn(name="read_segment")
class ReadSegment:
    """Asks for pages until the last one has been read; returns what the run came to."""

    @workflow.run
    async def run(self, start: RunStart) -> Pages:
        total = Pages()
        while not total.done:
            read = await workflow.execute_activity_method(
                Reading.read_pages,
                start,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=30),
                retry_policy=RETRIES,
                summary=start.run,
            )
            total = Pages(
                total.read + read.read, total.admitted + read.admitted, total.discarded + read.discarded, read.done,
                total.stayed + read.stayed,
            )  # fmt: skip
            stayed = f", {total.stayed} members before" if total.stayed else ""
            workflow.set_current_details(f"{total.read} read, {total.admitted} let in, {total.discarded} discarded{stayed}")
            if workflow.info().is_continue_as_new_suggested() and not total.done:
                workflow.continue_as_new(start)
        return total
