"""A Temporal server as it runs in production, without containers: the server's own program on PostgreSQL, its four services in one process.

`python -m demo.temporal_production` sees to it that its programs are there: built with Go, once, and kept in the user's cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from temporalio.service import ConnectConfig, ServiceClient

from commands.setup import setup
from demo import go_programs
from demo.go_programs import cache, why
from demo.postgres_server import PostgresServer, new_database
from demo.temporal_server import TemporalServer, free_port
from journey import ids
from journey.errors import Unavailable

VERSION = "1.29.1"
_DATABASES = {"temporal": "temporal", "temporal_visibility": "visibility"}  # and the schema of each
_SHARDS = 8
_PORTS = range(20_000, 32_000)
"""The server keeps its members' ports in a column that ends at 32,767, and systems give out theirs from above it."""
_START_SECONDS = 90
_END_SECONDS = 20
_SERVICES = ("frontend", "matching", "history", "worker")


@dataclass(frozen=True, slots=True)
class Programs:
    """The server, and the tool that makes the tables of its databases."""

    server: Path
    sql: Path


def find() -> Programs | None:
    """The programs where they are built already."""
    programs = _kept()
    return programs if programs.server.exists() and programs.sql.exists() else None


def _kept() -> Programs:
    return Programs(cache() / "bin" / f"temporal-server-{VERSION}", cache() / "bin" / f"temporal-sql-tool-{VERSION}")


def ensure() -> Programs:
    """The programs, built when they are not there. Raises Unavailable when they cannot be."""
    programs = _kept()
    packages = {
        f"go.temporal.io/server/cmd/tools/sql@v{VERSION}": programs.sql,
        f"go.temporal.io/server/cmd/server@v{VERSION}": programs.server,
    }
    missing = {package: target for package, target in packages.items() if not target.exists()}
    if missing:
        print(f"Building the Temporal server {VERSION} with Go, once, in three to five minutes ...", file=sys.stderr, flush=True)
        try:
            go_programs.install(missing)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"The Temporal server {VERSION} could not be built with Go: {why(error)}.") from error
    return programs


@asynccontextmanager
async def production_server(folder: Path, postgres: PostgresServer, *, namespace: str = ids.NAMESPACE) -> AsyncIterator[TemporalServer]:
    """Start a server on the two databases that this PostgreSQL server has or gets for it, and stop it again.

    `folder` keeps its ports, so that one that was killed comes back at its address; what it says is in `server.log` there. It has
    our namespace and search attributes, as `sojourn setup` makes them. Raises Unavailable when it does not start.
    """
    programs = await asyncio.to_thread(ensure)
    await asyncio.to_thread(_make_tables, programs.sql, postgres, folder)
    ports = _ports(folder)
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "sojourn.yaml").write_text(json.dumps(_config(postgres, ports, folder), indent=2))  # JSON is YAML
    (folder / "dynamic.yaml").write_text(json.dumps(_DYNAMIC))
    with open(folder / "server.log", "ab") as said:  # noqa: ASYNC230  # opened, not read
        process = await asyncio.create_subprocess_exec(
            str(programs.server), "--root", str(folder), "--env", "sojourn", "--allow-no-auth", "start",
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    address = f"127.0.0.1:{ports['frontend']}"
    try:
        async for _ in setup(await _until_it_answers(address, process, folder), namespace):
            pass
        yield TemporalServer(address, "", process.pid)
    finally:
        await _end(process)


def _make_tables(tool: Path, postgres: PostgresServer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with psycopg.connect(postgres.url) as connection:
        there = {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}
    login = urlsplit(postgres.url)
    words = [str(tool), "--plugin", "postgres12", "--ep", "127.0.0.1", "--port", str(login.port), "--user", str(login.username), "--pw", ""]
    for database, schema in _DATABASES.items():
        if database in there:
            continue
        new_database(postgres, database)
        for more in (["setup-schema", "--version", "0.0"], ["update-schema", "--schema-name", f"postgresql/v12/{schema}"]):
            made = subprocess.run([*words, "--database", database, *more], env=_plain(), capture_output=True, text=True, check=False)
            if made.returncode:
                raise Unavailable(f"The tables of the Temporal server could not be made: {(made.stderr or made.stdout).strip()[-500:]}")


def _plain() -> dict[str, str]:
    """The environment without what these programs would read from it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SQL_", "TEMPORAL_", "PG"))}


def _ports(folder: Path) -> dict[str, int]:
    """A port for what each service serves, and one at which the others find it; always the same for one folder."""
    kept = folder / "ports.json"
    if not kept.exists():
        wanted = [name for service in _SERVICES for name in (service, f"{service}-members")]
        free = (port for port in random.sample(_PORTS, len(_PORTS)) if free_port(port) == port)
        kept.write_text(json.dumps(dict(zip(wanted, free, strict=False))))
    ports: dict[str, int] = json.loads(kept.read_text())
    return ports


_DYNAMIC = {
    # A new namespace and its search attributes are of use at once, and not after a minute.
    "system.forceSearchAttributesCacheRefreshOnRead": [{"value": True}],
    "frontend.namespaceCacheRefreshInterval": [{"value": "1s"}],
}


def _config(postgres: PostgresServer, ports: dict[str, int], folder: Path) -> dict[str, Any]:
    login = urlsplit(postgres.url)

    def store(database: str) -> dict[str, Any]:
        return {
            "sql": {
                "pluginName": "postgres12", "databaseName": database, "connectAddr": f"127.0.0.1:{login.port}", "connectProtocol": "tcp",
                "user": login.username, "password": "", "maxConns": 20, "maxIdleConns": 20, "maxConnLifetime": "1h",
            }
        }  # fmt: skip

    frontend = f"127.0.0.1:{ports['frontend']}"
    return {
        "log": {"stdout": True, "level": "error"},
        "persistence": {
            "defaultStore": "default", "visibilityStore": "visibility", "numHistoryShards": _SHARDS,
            "datastores": {"default": store("temporal"), "visibility": store("temporal_visibility")},
        },
        "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
        "services": {
            name: {"rpc": {"grpcPort": ports[name], "membershipPort": ports[f"{name}-members"], "bindOnIP": "127.0.0.1"}}
            for name in _SERVICES
        },
        "clusterMetadata": {
            "enableGlobalNamespace": False, "failoverVersionIncrement": 10, "masterClusterName": "active", "currentClusterName": "active",
            "clusterInformation": {
                "active": {"enabled": True, "initialFailoverVersion": 1, "rpcName": "frontend", "rpcAddress": frontend},
            },
        },
        "publicClient": {"hostPort": frontend},
        "dcRedirectionPolicy": {"policy": "noop"},
        "archival": {"history": {"state": "disabled"}, "visibility": {"state": "disabled"}},
        "dynamicConfigClient": {"filepath": str(folder / "dynamic.yaml"), "pollInterval": "60s"},
    }  # fmt: skip


async def _until_it_answers(address: str, process: asyncio.subprocess.Process, folder: Path) -> ServiceClient:
    for _ in range(_START_SECONDS * 5):
        if process.returncode is not None:
            raise Unavailable(f"The Temporal server ended at once with code {process.returncode}: {_last_words(folder)}")
        with contextlib.suppress(RuntimeError):
            client = await ServiceClient.connect(ConnectConfig(target_host=address))
            if await client.check_health():
                return client
        await asyncio.sleep(0.2)
    raise Unavailable(f"The Temporal server did not answer at {address} within {_START_SECONDS} s: {_last_words(folder)}")


def _last_words(folder: Path) -> str:
    lines = (folder / "server.log").read_text(errors="replace").splitlines()
    return lines[-1][:1000] if lines else "it did not say why."


async def _end(process: asyncio.subprocess.Process) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _END_SECONDS)
            return


if __name__ == "__main__":
    try:
        print(ensure().server)
    except Unavailable as away:
        sys.exit(away.sentence)
