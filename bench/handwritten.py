"""The use case as somebody would write it by hand: one workflow, two ordinary activities that do nothing, two signals.

It renders, claims, records and counts nothing, and is lost when a signal comes twice: the floor that Sojourn is measured against.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "handwritten"
AT_ONCE = 16
T = TypeVar("T")
sent: set[str] = set()
opened: set[str] = set()
_BOUND = timedelta(minutes=1)


@activity.defn
async def send_first(key: str) -> None:
    """Sends nothing; the player sees that it was called."""
    sent.add(key)


@activity.defn
async def send_thanks(key: str) -> None:
    """Sends nothing."""


def make_worker(client: Client) -> Worker:
    """Its worker, set up as ours is."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[HandWritten],
        activities=[send_first, send_thanks],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=4000,
        max_concurrent_workflow_tasks=48,
        max_concurrent_workflow_task_polls=16,
        max_concurrent_activity_task_polls=16,
        nonsticky_to_sticky_poll_ratio=0.5,
        build_id="by hand",
    )


@workflow.defn
class HandWritten:
    """First message, one day for an open, a purchase, thank-you."""

    def __init__(self) -> None:
        self.opened = False
        self.bought = False

    @workflow.run
    async def run(self, key: str) -> str:
        await workflow.execute_activity(send_first, key, start_to_close_timeout=_BOUND)
        await workflow.wait_condition(lambda: self.opened, timeout=timedelta(days=1))
        opened.add(key)  # for the player alone: it costs nothing
        await workflow.wait_condition(lambda: self.bought)
        await workflow.execute_activity(send_thanks, key, start_to_close_timeout=_BOUND)
        return "finished"

    @workflow.signal
    def open(self) -> None:
        self.opened = True

    @workflow.signal
    def buy(self) -> None:
        self.bought = True


async def play(client: Client, count: int, prefix: str) -> list[str]:
    """Run `count` people through: all are written to, then all open, then all buy. Returns the workflow ids.

    As with Sojourn, nobody buys before their open has been taken up: people buy hours after they open, not in the same task.
    """
    ids = [f"{prefix}~{number}" for number in range(count)]
    sent.clear()
    opened.clear()
    await at_once(ids, lambda name: client.start_workflow(HandWritten.run, name, id=name, task_queue=QUEUE))
    while len(sent) < count:
        await asyncio.sleep(0.01)
    await at_once(ids, lambda name: client.get_workflow_handle(name).signal("open"))
    while len(opened) < count:
        await asyncio.sleep(0.01)
    await at_once(ids, lambda name: client.get_workflow_handle(name).signal("buy"))
    await at_once(ids, lambda name: client.get_workflow_handle(name).result())
    return ids


async def at_once(items: Sequence[T], call: Callable[[T], Awaitable[object]]) -> None:
    """Call for each item, a few under way at a time."""
    waiting = iter(items)

    async def one_after_the_other() -> None:
        for item in waiting:
            await call(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(items))):
            group.create_task(one_after_the_other())
