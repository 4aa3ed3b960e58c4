"""`sojourn dev`: the whole of Sojourn on this machine, until it is interrupted. It chooses nothing: demo/stack.py does."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from types import FrameType

from rich.console import Console

from demo.stack import stack
from settings import Settings


async def run(settings: Settings, console: Console) -> None:
    """Start, say where everything is, and stay until SIGINT or SIGTERM."""
    end_when_terminated()
    async with stack(settings) as running:
        console.print(f"API            {running.api_url}  (a page of links at /, the reference at /docs)")
        console.print(f"Temporal UI    {running.ui_url}/namespaces/{settings.temporal_namespace}/workflows")
        console.print(f"Admin key      {settings.data_dir / 'admin_key'}", soft_wrap=True)
        if not settings.smtp_url or not (settings.push_url or settings.fcm_credentials):
            console.print(f"Inbox          {settings.data_dir / 'inbox'}", soft_wrap=True)
        console.print("Stop with Ctrl+C.")
        await until_interrupted()


def end_when_terminated() -> None:
    """From now on SIGTERM does what Ctrl+C does: what was started beside us is stopped too, at whatever point we are.

    A job in the background of a shell ignores Ctrl+C; it ends by SIGTERM all the same.
    """
    interrupts = signal.getsignal(signal.SIGINT)
    running, loop = asyncio.current_task(), asyncio.get_running_loop()

    def end(number: int, frame: FrameType | None) -> None:
        if callable(interrupts):
            interrupts(number, frame)
        elif running is not None:
            loop.call_soon_threadsafe(running.cancel)

    signal.signal(signal.SIGTERM, end)


async def until_interrupted() -> None:
    """Return at the first SIGINT or SIGTERM."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, asked.set)
    await asked.wait()
