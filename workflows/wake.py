"""A version was succeeded: those in it who wait for something else now are woken, a page at a time and at a rate. Where they go on the
store says, to each of them; this only wakes them."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import WakeStart
    from workflows import telling
    from workflows.ports import Telling

PAUSE = timedelta(seconds=5)
"""Whoever came to their place in a commit that did not know of the publish yet is there by then."""


@workflow.defn(name="wake")
class Wake:
    """Wakes a page of people after the other until none is left, also after a pause; returns how many that were."""

    @workflow.run
    async def run(self, start: WakeStart) -> int:
        woken, paused = start.woken, False
        while True:
            page = await telling.page(Telling.wake_page, start, start.version)
            woken += page.people
            workflow.set_current_details(f"{woken} were woken")
            if paused and not page.people:
                return woken
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(WakeStart(start.version, woken))
            paused = page.done
            seconds = max(page.seconds, PAUSE.total_seconds()) if page.done else page.seconds
            await workflow.sleep(seconds, summary="look again" if page.done else "the next page")
