"""Store and server are compared whole, page by page: for after a restore, or when somebody wants to be sure (D11)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import ReconcileStart, Repaired
    from workflows.ports import Repairing
    from workflows.retrying import RETRIES


@workflow.defn(name="reconcile")
class Reconcile:
    """Every open entrant of the store, then every running workflow of the server. What it came to can be asked for at any time."""

    @workflow.init
    def __init__(self, start: ReconcileStart) -> None:
        self.found = start.so_far

    @workflow.query(name="found")
    def so_far(self) -> Repaired:
        """What it came to until now."""
        return self.found

    @workflow.run
    async def run(self, start: ReconcileStart) -> Repaired:
        page = start.page
        while page.side:
            read = await workflow.execute_activity_method(
                Repairing.reconcile_page,
                page,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=30),
                retry_policy=RETRIES,
                summary=f"{page.side} {page.after}"[:100] if page.side == "store" else page.side,
            )
            self.found = self.found.plus(read.repaired)
            page = read.following
            workflow.set_current_details(self.found.said())
            if page.side and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(ReconcileStart(page, self.found))
        return self.found
