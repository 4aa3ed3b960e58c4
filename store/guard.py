"""One process at a time works on a SQLite file: a lock of the operating system says so, and goes with its process however that ends.

It is a file beside the database, since closing another handle on the database itself would let go of SQLite's own locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import threading
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from journey.errors import Unavailable
from store.engines import SQLITE

_held: dict[Path, tuple[IO[bytes], int]] = {}
"""By file: its handle, and how often this process holds it. Within a process SQLite's own locks are enough."""
_mutex = threading.Lock()


def take(url: URL) -> Path | None:
    """Hold the file of this address until `leave`; None when there is nothing to hold. Raises Unavailable when another process has it."""
    if url.get_backend_name() != SQLITE or url.database in (None, "", ":memory:"):
        return None
    file = Path(f"{url.database}.lock").absolute()
    with _mutex:
        if file in _held:
            handle, times = _held[file]
            _held[file] = (handle, times + 1)
            return file
        try:
            handle = file.open("ab")
        except OSError:
            return None  # the database cannot be opened either, which is told to whoever uses it
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise Unavailable(
                f"Another process works on {url.database}, and SQLite serves one: stop it, or set SOJOURN_DATABASE_URL to a PostgreSQL; "
                "`sojourn dev` is API and worker in one process."
            ) from error
        _held[file] = (handle, 1)
        return file


def leave(file: Path | None) -> None:
    """Let go of what `take` gave."""
    if file is None:
        return
    with _mutex, contextlib.suppress(KeyError):
        handle, times = _held.pop(file)
        if times > 1:
            _held[file] = (handle, times - 1)
        else:
            handle.close()
