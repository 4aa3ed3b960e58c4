"""`sojourn worker`: a process that works, one of any number. It serves nothing, and knows no more of a journey than worker.py does."""

from __future__ import annotations

import asyncio
import logging

from commands.processes import until_asked, until_temporal_is_there
from settings import Settings, prepare
from worker import opened, working

_log = logging.getLogger("sojourn.worker")


async def run(settings: Settings) -> None:
    """Work until SIGINT or SIGTERM, then take no more, and finish what is under way: at most 30 s for what was begun, and no longer for
    an answer than its provider may take.

    Raises Unavailable when the database cannot be opened, BadInput when `sojourn setup` has not been run.
    """
    prepare(settings)
    async with until_asked() as asked:
        if not await _temporal_comes(settings, asked):
            return
        async with opened(settings) as process, working(process):
            _log.info("ready: works for %s at %s", settings.temporal_namespace, settings.temporal_address)
            await asked.wait()
    _log.info("ended; what was under way is written down")


async def _temporal_comes(settings: Settings, asked: asyncio.Event) -> bool:
    """Wait for the Temporal server; False when this process is asked to end before it is there."""
    there = asyncio.ensure_future(until_temporal_is_there(settings, "This worker waits for it."))
    ending = asyncio.ensure_future(asked.wait())
    await asyncio.wait((there, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not there.done():
        there.cancel()
        return False
    await there
    return True
