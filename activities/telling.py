"""A page of people is told that the store knows something new of them, some at a time. Who cannot be told is looked after by the sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from temporalio import activity

_AT_ONCE = 16
"""Signals under way at the server at the same time."""


class Telling(Protocol):
    """The way to the entrants' workflows; what cannot be told is served later."""

    async def leave(self, entrant: str, reason: str) -> None: ...


async def tell(workflows: Telling, people: Iterable[str], reason: str = "") -> None:
    """Tell these entrants to leave for a reason; without one their workflows ask the store what is so."""
    waiting = iter(people)

    async def one_after_the_other() -> None:
        for entrant in waiting:
            await workflows.leave(entrant, reason)
            activity.heartbeat()

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(one_after_the_other())
