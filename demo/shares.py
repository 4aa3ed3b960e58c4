"""Who did how much of the work where several do it: calls spread over several APIs, and stops counted by the worker that made them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

_AT_ONCE = 16


class TakingTurns(httpx.AsyncBaseTransport):
    """Sends calls to several addresses in turn, whatever address they name, as a load balancer does. `calls` counts those of each."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.calls: Counter[str] = Counter()
        self._urls = [httpx.URL(url) for url in urls]
        self._next = 0
        self._transport = httpx.AsyncHTTPTransport(retries=1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        here = self._urls[self._next % len(self._urls)]
        self._next += 1
        self.calls[str(here)] += 1
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


async def tasks_by_process(client: Client, query: str) -> Counter[int]:
    """How many tasks of these workflows each worker has completed, by the number of its process, which is in its name at the server."""
    done: Counter[int] = Counter()
    found = [one.id async for one in client.list_workflows(query)]
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def count(workflow: str) -> None:
        async with at_once:
            history = await client.get_workflow_handle(workflow).fetch_history()
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                _, _, process = event.workflow_task_completed_event_attributes.identity.rpartition(":")
                done[int(process)] += 1

    await asyncio.gather(*(count(workflow) for workflow in found))
    return done
