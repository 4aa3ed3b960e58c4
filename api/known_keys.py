"""The API keys that this process has looked up, each believed for a moment, so that a call costs no statement. It knows no call.

The process that revokes a key forgets it at once. Another one believes it for LIFE at most: counted from before it was read, so a key that
is gone when the database is asked is never believed longer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from store import keys
from store.database import Database
from store.keys import ApiKey

LIFE = 2.0
"""Seconds for which what was found is believed, be it a key or that there is none."""
MOST = 1_000
"""So many keys are remembered, and so many secrets that are none; the oldest go. Whoever tries secrets fills no memory, and those who
have a right one are remembered apart."""

_log = logging.getLogger("sojourn.api")


class KnownKeys:
    """What one process knows of the keys in a database. `steady` gives seconds by a clock that nobody sets."""

    def __init__(self, database: Database, *, steady: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._database, self._steady, self._most = database, steady, most
        self._right: dict[str, tuple[float, ApiKey | None]] = {}
        self._wrong: dict[str, tuple[float, ApiKey | None]] = {}
        self._asking: dict[str, asyncio.Task[ApiKey | None]] = {}
        self._revoked = 0

    async def find(self, secret: str) -> ApiKey | None:
        """The key of this secret, None when there is none. Raises what the database raises when it must be asked."""
        if not keys.is_secret(secret):
            return None
        hashed = keys.digest(secret)
        known = self._right.get(hashed) or self._wrong.get(hashed)
        if known is not None and self._steady() < known[0]:
            return known[1]
        asking = self._asking.get(hashed)
        if asking is None:  # those who come meanwhile wait for the same answer
            asking = self._asking[hashed] = asyncio.create_task(self._ask(hashed))
            asking.add_done_callback(lambda done: self._answered(hashed, done))
        return await asyncio.shield(asking)

    def forget(self) -> None:
        """A key was revoked here: believe none any more, nor an answer that is under way."""
        self._revoked += 1
        self._right.clear()
        self._asking.clear()

    def __len__(self) -> int:
        return len(self._right) + len(self._wrong)

    async def _ask(self, hashed: str) -> ApiKey | None:
        until, revoked = self._steady() + LIFE, self._revoked
        found = await self._database.read(lambda connection: keys.find(connection, hashed))
        if found is not None and keys.is_due(found, self._database.clock.now()):
            await self._note(found)
        if revoked == self._revoked:
            self._right.pop(hashed, None)
            self._wrong.pop(hashed, None)
            kept = self._wrong if found is None else self._right
            if len(kept) >= self._most:
                del kept[next(iter(kept))]
            kept[hashed] = until, found
        return found

    async def _note(self, key: ApiKey) -> None:
        """Write down that it is used. Where that cannot be written, whoever calls is served all the same."""
        try:
            await self._database.write(lambda work: keys.used(work, key.id))
        except Exception as error:
            _log.warning("That %s is used could not be written down: %s", key.id, type(error).__name__)

    def _answered(self, hashed: str, done: asyncio.Task[ApiKey | None]) -> None:
        if self._asking.get(hashed) is done:
            del self._asking[hashed]
