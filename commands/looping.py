"""The event loop that every long-running process works in: uvloop's, which takes a tenth less of a worker than Python's own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_loops: Callable[[], asyncio.AbstractEventLoop] | None = None
"""Where there is no uvloop, Python's own does the same."""
if sys.platform != "win32":
    import uvloop

    _loops = uvloop.new_event_loop

T = TypeVar("T")


def run(process: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, as asyncio.run does."""
    with asyncio.Runner(loop_factory=_loops) as runner:
        return runner.run(process)
