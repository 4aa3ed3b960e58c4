"""Processes that are killed and come back where they were: Sojourn, its Temporal server, its PostgreSQL. Nothing is told before a kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import httpx

from demo.postgres_server import PostgresServer, postgres_server
from demo.temporal_cli import ensure
from demo.temporal_server import TemporalServer, free_port, temporal_server
from settings import Settings
from tests.e2e import world
from tests.e2e.world import eventually

ROOT = Path(__file__).parents[2]
VICTIM = (sys.executable, "-m", "tests.chaos.victim")
PATIENCE = 90.0
"""Seconds until a process that was started must answer: many start at once on a machine that is busy."""


class Killable(Protocol):
    """Something that dies by SIGKILL and comes again at the same address."""

    name: str

    async def comes(self) -> None: ...

    async def is_killed(self) -> None: ...


class Sojourn:
    """A process of ours. `parts` are api, worker or both; `asked` goes into its environment (victim.py reads it).

    One that is `supervised` is started again when it has ended by itself, as by whatever runs it elsewhere: a worker that comes while
    the database is away says so and ends. `restarts` counts that.
    """

    def __init__(
        self, settings: Settings, log: Path, *, parts: str = "api,worker", sweep: str = "", command: Sequence[str] = VICTIM,
        supervised: bool = False,
    ) -> None:  # fmt: skip
        self.name = {"api": "API", "worker": "worker"}.get(parts, "Sojourn")
        self._settings, self._log, self._parts, self._command = settings, log, parts, command
        self._sweep, self._supervised, self.restarts = sweep, supervised, 0
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """By which the system knows it, while it is there."""
        assert self._process is not None
        return self._process.pid

    async def comes(self, **asked: str) -> None:
        environment = os.environ | _environment(self._settings) | {"CHAOS_PARTS": self._parts, "CHAOS_SWEEP": self._sweep} | asked
        process = await self._starts(environment)
        if self._supervised:
            self._supervisor = asyncio.create_task(self._supervise(process, environment))
        if "api" in self._parts:
            await eventually(self._answers, bool, f"an API that answers; its log is {self._log}", patience=PATIENCE)

    async def dies(self, within: float = PATIENCE) -> None:
        """Wait until it has killed itself."""
        assert self._process is not None
        assert await asyncio.wait_for(self._process.wait(), within) == -signal.SIGKILL
        self._process = None

    async def _starts(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        with self._log.open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True
            )
        return self._process

    async def _supervise(self, process: asyncio.subprocess.Process, environment: Mapping[str, str]) -> None:
        while await process.wait() >= 0:
            self.restarts += 1
            await asyncio.sleep(1)
            process = await self._starts(environment)

    async def is_killed(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._supervised or self._process.returncode is None, f"Sojourn ended: {self._log.read_text()[-2000:]}"
        async with httpx.AsyncClient(base_url=self._settings.api_url, trust_env=False, timeout=5) as api:
            try:
                return (await api.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False


class Temporal:
    """A dev server persisted to a file, which comes back on it and on the same ports."""

    name = "Temporal"

    def __init__(self, folder: Path) -> None:
        self._file, self._ports = folder / "temporal.db", (free_port(), free_port())
        self._there = AsyncExitStack()
        self.server = TemporalServer(f"127.0.0.1:{self._ports[0]}", f"http://127.0.0.1:{self._ports[1]}", 0)

    async def comes(self) -> None:
        serving = temporal_server(ensure(), file=self._file, port=self._ports[0], ui_port=self._ports[1])
        self.server = await self._there.enter_async_context(serving)
        assert self.server.address.endswith(f":{self._ports[0]}"), "somebody took the port meanwhile"

    async def is_killed(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        await self._there.aclose()


class Postgres:
    """A PostgreSQL server that comes back on its folder and port; all its processes die at once, as in a power cut of its machine."""

    name = "PostgreSQL"

    def __init__(self) -> None:
        self._folder, self._port = Path(tempfile.mkdtemp(prefix="sojourn-chaos-")), free_port()
        self._folder.chmod(0o755)  # root runs the server as somebody else
        self._there = AsyncExitStack()
        self.server: PostgresServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    async def comes(self) -> None:
        self.server = await self._there.enter_async_context(postgres_server(self._folder, port=self._port))

    async def is_killed(self) -> None:
        if self.server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, signal.SIGKILL)
        await self._there.aclose()

    async def goes(self) -> None:
        """It is not needed any more, nor is what it keeps."""
        await self.is_killed()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


def _environment(settings: Settings) -> Mapping[str, str]:
    return {
        "SOJOURN_DATA_DIR": str(settings.data_dir), "SOJOURN_DATABASE_URL": settings.database_url,
        "SOJOURN_TEMPORAL_ADDRESS": settings.temporal_address, "SOJOURN_API_PORT": str(settings.api_port),
        "SOJOURN_ADMIN_KEY": settings.admin_key, "SOJOURN_SECRET": settings.secret, "SOJOURN_SMTP_URL": settings.smtp_url,
        "SOJOURN_PUSH_URL": settings.push_url, "SOJOURN_WRITE_KEYS": f"{world.WRITE_KEY}=customer_id",
    }  # fmt: skip
