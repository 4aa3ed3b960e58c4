"""Everybody inside a stopped version ends, a page at a time. The store holds from the stop's own commit on; this only wakes them (D10)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import WindDownStart
    from workflows import telling
    from workflows.ports import Telling


@workflow.defn(name="wind_down")
class WindDown:
    """Wakes a page of people until nobody is left to be told."""

    @workflow.run
    async def run(self, start: WindDownStart) -> None:
        while await telling.page(Telling.wind_down_page, start, start.version):
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)
            await workflow.sleep(0.5)
