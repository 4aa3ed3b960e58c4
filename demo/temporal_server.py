"""A Temporal dev server beside us on loopback, persisted to a file, with our namespace and search attributes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.service import ConnectConfig, ServiceClient

from commands.setup import RETENTION
from journey import ids
from journey.errors import Unavailable
from workflows.attributes import SEARCH_ATTRIBUTES

_START_SECONDS = 30
_LONGEST_REASON = 1000
_END_SECONDS = 15
_TRIES = 3


class _EndedAtOnce(Unavailable):
    """Often because somebody was quicker at a port that had just been free: it is tried again, with others."""


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """Where the server listens; `pid` is its process."""

    address: str
    ui: str
    pid: int


def free_port(wanted: int = 0) -> int:
    """The wanted port if nobody has it, else another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", wanted))
            return int(probe.getsockname()[1])
    return free_port() if wanted else 0


@asynccontextmanager
async def temporal_server(
    cli: Path, *, file: Path | None = None, port: int = 0, ui_port: int = 0, namespace: str = ids.NAMESPACE, beside: Sequence[str] = ()
) -> AsyncIterator[TemporalServer]:
    """Start a dev server and stop it again. `file` keeps its workflows; without one they are in memory. Ports that are taken move.
    `beside` are more namespaces."""
    if file is not None:
        await _end_who_holds(file)
    for tries_left in reversed(range(_TRIES)):
        at, ui_at = free_port(port), free_port(ui_port)
        process, said = await _start(cli, at, ui_at, [namespace, *beside], file)
        address = f"127.0.0.1:{at}"
        try:
            try:
                server = await _until_it_answers(address, process, said)
            except _EndedAtOnce:
                if not tries_left:
                    raise
                continue
            await _keep_as_long_as_elsewhere(server, namespace)
            yield TemporalServer(address, f"http://127.0.0.1:{ui_at}", process.pid)
            return
        finally:
            await _stop(process, said, signal.SIGTERM if file is not None else signal.SIGKILL)


async def _start(
    cli: Path, port: int, ui_port: int, namespaces: Sequence[str], file: Path | None
) -> tuple[asyncio.subprocess.Process, IO[bytes]]:  # fmt: skip
    arguments = ["server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui_port)]
    arguments += [part for namespace in namespaces for part in ("--namespace", namespace)]
    arguments += ["--log-level", "error", "--db-filename", str(file)] if file else ["--log-level", "error"]
    for key in SEARCH_ATTRIBUTES:
        arguments += ["--search-attribute", f"{key.name}={key.indexed_value_type.name.capitalize()}"]
    said = await asyncio.to_thread(tempfile.TemporaryFile)  # a pipe that nobody empties would hold the server up
    process = await asyncio.create_subprocess_exec(
        str(cli), *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=said, start_new_session=True
    )
    if file is not None:
        _note_of(file).write_text(str(process.pid))
    return process, said


async def _stop(process: asyncio.subprocess.Process, said: IO[bytes], how: signal.Signals) -> None:
    """One in memory has nothing to put in order and is killed; one with a file is told to end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    said.close()


def _note_of(file: Path) -> Path:
    return file.with_suffix(".pid")


async def _end_who_holds(file: Path) -> None:
    """A server whose parent was killed lives on. Two servers on one file would each believe it theirs, so the old one is ended."""
    try:
        pid = int(_note_of(file).read_text())
    except (OSError, ValueError):
        return
    for _ in range(_END_SECONDS * 10):
        ps = await asyncio.create_subprocess_exec("ps", "-ww", "-p", str(pid), "-o", "args=", stdout=asyncio.subprocess.PIPE)
        running = (await ps.communicate())[0].decode()
        if "start-dev" not in running or str(file) not in running:
            return  # it is gone, and another process may have its number
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        await asyncio.sleep(0.1)
    raise Unavailable(f"Another Temporal server, process {pid}, works on {file} and does not end: end it, or set SOJOURN_DATA_DIR.")


async def _keep_as_long_as_elsewhere(server: ServiceClient, namespace: str) -> None:
    """A dev server forgets closed workflows after a day; ours keeps them as long as `sojourn setup` has it on any other server."""
    keep = Duration()
    keep.FromTimedelta(RETENTION)
    request = UpdateNamespaceRequest(namespace=namespace, config=NamespaceConfig(workflow_execution_retention_ttl=keep))
    await server.workflow_service.update_namespace(request, retry=True)


async def _until_it_answers(address: str, process: asyncio.subprocess.Process, said: IO[bytes]) -> ServiceClient:
    for _ in range(_START_SECONDS * 10):
        if process.returncode is not None:
            said.seek(0)
            why = " ".join(said.read(_LONGEST_REASON).decode(errors="replace").split())
            raise _EndedAtOnce(f"The Temporal dev server ended at once with code {process.returncode}: {why or 'it did not say why'}.")
        with contextlib.suppress(RuntimeError):
            return await ServiceClient.connect(ConnectConfig(target_host=address))
        await asyncio.sleep(0.1)
    raise Unavailable(f"The Temporal dev server did not answer at {address} within {_START_SECONDS} s.")
