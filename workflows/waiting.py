"""The one way to wait in a workflow: something noted, or our own timer done. It knows no journey.

`wait_condition(timeout=)` is not used: who wins when both come in one task hangs there on a flag of the SDK. Here the caller looks at what
it holds, and what was noted counts first (G4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from temporalio import workflow


async def until(happened: Callable[[], bool]) -> None:
    """Return as soon as this is so, by something noted or an activity that is done."""
    await workflow.wait_condition(happened)


async def until_noted(noted: Callable[[], bool], seconds: float, summary: str) -> None:
    """Return as soon as something is noted, or after so many seconds. The timer shows its summary in the Temporal UI."""
    if seconds <= 0 or noted():
        return
    timer = asyncio.create_task(workflow.sleep(seconds, summary=summary))
    try:
        await workflow.wait_condition(lambda: noted() or timer.done())
    finally:
        timer.cancel()
