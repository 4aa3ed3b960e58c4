"""A pause is over: those who were held go on, a page at a time and at a rate. The store says who; this only wakes them (D10)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from journey.contract import ReleaseStart
    from workflows import telling
    from workflows.ports import Telling


@workflow.defn(name="release")
class Release:
    """Lets a page of people go on until nobody is held any more; returns how many that were."""

    @workflow.run
    async def run(self, start: ReleaseStart) -> int:
        released = start.released
        while True:
            page = await telling.page(Telling.release_page, start, start.version)
            released += page.people
            workflow.set_current_details(f"{released} have gone on")
            if page.done:
                return released
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(ReleaseStart(start.version, released))
            await workflow.sleep(page.seconds)
