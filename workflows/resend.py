"""One uncertain delivery is sent once more, because somebody asked for it. What it may do is in the store's hands."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import ResendStart
    from workflows.ports import Resending
    from workflows.retrying import DEAD, SENDING


@workflow.defn(name="resend")
class Resend:
    """One activity, tried again until it is known how the delivery stands; that is the result."""

    @workflow.run
    async def run(self, start: ResendStart) -> str:
        return await workflow.execute_activity_method(
            Resending.resend,
            start,
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=DEAD,
            retry_policy=SENDING,
            summary=start.delivery,
        )
