"""`sojourn api`: a process that serves the API, one of any number. It works for nobody: that is `sojourn worker`."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from api_server import app_of, serving
from commands.processes import until_asked, until_temporal_is_there
from commands.setup import require
from journey.errors import BadInput, Unavailable
from settings import Settings, prepare
from worker import opened

_log = logging.getLogger("sojourn.api")


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then take no more calls and finish those under way: at most 30 s.

    A Temporal server that is away stops nobody from sending events: they are accepted, and take effect when it is back. Raises Unavailable
    when the database cannot be opened, BadInput when the Temporal server is there and `sojourn setup` has not been run.
    """
    prepare(settings)
    async with until_asked() as asked, opened(settings, lazy=True) as process:
        with contextlib.suppress(Unavailable):  # looked at again, and said, below
            await require(settings)
        async with serving(app_of(process), settings.api_host, settings.api_port):
            looking = asyncio.create_task(_look_at_temporal(settings))
            _log.info("ready: %s", settings.own_url)
            await asked.wait()
            looking.cancel()
    _log.info("ended; every call that was taken is answered")


async def _look_at_temporal(settings: Settings) -> None:
    """One that comes later may lack what it needs: this process goes on, and says so."""
    try:
        await until_temporal_is_there(settings, "Events are accepted all the same.")
    except BadInput as missing:
        _log.error("%s", missing.sentence)
