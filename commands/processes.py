"""What `sojourn api` and `sojourn worker` have in common: they stay until a signal comes, and tell whether they have what they need."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from commands.setup import require
from journey.errors import Unavailable
from settings import Settings

_log = logging.getLogger("sojourn.process")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME_REQUEST = 1.0
_LOOK_AGAIN = 1.0
_SAY_AGAIN = 60.0


@asynccontextmanager
async def until_asked() -> AsyncIterator[asyncio.Event]:
    """An event that is set by the first SIGINT or SIGTERM. One that comes later ends the process at once, whatever it is about.

    Later is a second later: who stops a process and its group tells it twice, and means it once.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        if asked.is_set():
            return
        _log.info("%s: finishing what is under way; another one ends at once", number.name)
        asked.set()
        loop.call_later(_SAME_REQUEST, leave_it_to_the_system)

    def leave_it_to_the_system() -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, ask, number)
    try:
        yield asked
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def until_temporal_is_there(settings: Settings, meanwhile: str) -> None:
    """Return when the Temporal server answers and has what is needed; while it is away, say so once a minute, and what is `meanwhile`.

    Raises BadInput when it answers and `sojourn setup` has not been run.
    """
    said = 0.0
    while True:
        try:
            await require(settings)
        except Unavailable as away:
            if not said or time.monotonic() - said > _SAY_AGAIN:
                _log.warning("%s %s", away.sentence, meanwhile)
                said = time.monotonic()
        else:
            if said:
                _log.info("the Temporal server at %s is there", settings.temporal_address)
            return
        await asyncio.sleep(_LOOK_AGAIN)
