"""Processes of Sojourn beside us, as somebody would start them on machines of their own: told by the environment alone, and killable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from journey.errors import Unavailable
from settings import PREFIX

HOUSE = Path(__file__).parent.parent
_READY_SECONDS = 90
_END_SECONDS = 60


class SojournProcess:
    """`sojourn COMMAND` as a process of its own. What it says is in a file; it is ready when it says so."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name, self.log = name, log
        self._process = process

    @classmethod
    async def start(cls, name: str, command: str, environment: Mapping[str, str], log: Path) -> Self:
        """Start it with these settings and no others. It may not be ready yet."""
        others = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        with open(log, "ab") as said:  # noqa: ASYNC230  # opened, not read
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "from cli import main; main()", command, cwd=HOUSE, env=others | dict(environment),
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.returncode is None

    def said(self) -> str:
        """All that it has said so far."""
        return self.log.read_text(errors="replace")

    async def is_ready(self) -> None:
        """Wait until it says that it is. Raises Unavailable with its last words when it ends instead, or takes too long."""
        for _ in range(_READY_SECONDS * 10):
            if "ready: " in self.said():
                return
            if not self.runs:
                break
            await asyncio.sleep(0.1)
        raise Unavailable(f"{self.name} is not ready: {self.said().strip()[-1000:] or 'it did not say why.'}")

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Wait for its end; its exit code, negative when a signal ended it."""
        return await asyncio.wait_for(self._process.wait(), _END_SECONDS)

    async def end(self) -> None:
        """Have it end, by force when it does not."""
        if self.runs:
            self.terminate()
            try:
                await self.ended()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.kill()
                await self._process.wait()


@asynccontextmanager
async def sojourn(name: str, command: str, environment: Mapping[str, str], folder: Path) -> AsyncIterator[SojournProcess]:
    """A process that is ready, until the block is left. Its log is in `folder` under its name."""
    process = await SojournProcess.start(name, command, environment, folder / f"{name}.log")
    try:
        await process.is_ready()
        yield process
    finally:
        await process.end()
