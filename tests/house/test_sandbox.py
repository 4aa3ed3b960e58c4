"""Every workflow loads in the SDK's sandbox, which refuses a call at import that would differ on a replay. No server is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from worker import WORKFLOWS


async def no_histories() -> AsyncIterator[WorkflowHistory]:
    nothing: tuple[WorkflowHistory, ...] = ()
    for history in nothing:
        yield history


async def test_every_workflow_loads_in_the_sandbox() -> None:
    async with Replayer(workflows=WORKFLOWS).workflow_replay_iterator(no_histories()) as replayed:
        assert [result async for result in replayed] == []
