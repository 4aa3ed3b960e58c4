"""How a workflow has a page of people of a version told something: the one call that winding down, releasing and waking make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.retrying import DEAD, RETRIES

Start = TypeVar("Start")
Page = TypeVar("Page")


async def page(telling: Callable[[Any, Start], Awaitable[Page]], start: Start, version: str) -> Page:
    """What the next page came to, as this activity of workflows/ports.py says; tried again until it is told."""
    return await workflow.execute_activity_method(
        telling,
        start,
        start_to_close_timeout=timedelta(minutes=2),
        heartbeat_timeout=DEAD,
        retry_policy=RETRIES,
        summary=version,
    )
