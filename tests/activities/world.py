"""What the tests of activities share: a provider that answers as it is told, and the use case live with people to be let in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import event

from journey import ids
from journey.messages import Rendered
from journey.version import Version
from providers.port import Answer, Took
from store import definitions, messages, profiles, runs, versions
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests import builders
from tests.store.driver import document


@dataclass
class ScriptedProvider:
    """A provider of one channel that answers as it is told, in the order of its calls; the last answer stays."""

    channel: str
    answers: list[Answer | Exception] = field(default_factory=lambda: [Took()])
    seconds: float = 0.0
    idempotent: bool = False
    longest_call: float = 30.0
    name: str = "scripted"
    calls: list[tuple[str, Rendered]] = field(default_factory=list)

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        self.calls.append((delivery, message))
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1]
        await asyncio.sleep(self.seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


def publish(work: Work, version: Version, people: list[str]) -> str:
    """The version is live, and a run of these people is to be read; its id."""
    journey = version.journey
    row = VersionRow(ids.version(journey.id, 1), journey.id, 1, version.hash, "live", work.now())
    versions.keep(work, version)
    versions.insert(work, row)
    for message in builders.use_case_messages().values():
        messages.put(work, message)
    for definition in version.events.values():
        definitions.put(work, definition)
    for name in people:
        profiles.put(work, document(builders.profile(name)))
    return runs.start(work, row, journey, people)


@contextmanager
def blocked_behind_the_answer(provider: ScriptedProvider, database: Database, folder: Path) -> Iterator[None]:
    """From the provider's answer on somebody else writes to the file of SQLite, so that the answer cannot be written down; until the end
    of the block."""

    async def deliver_and_block(delivery: str, message: object) -> Took:
        other.execute("BEGIN IMMEDIATE")
        return Took()

    event.listen(database.engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=50"), insert=True)
    other = sqlite3.connect(folder / "sojourn.db", isolation_level=None)
    provider.deliver = deliver_and_block  # type: ignore[method-assign]
    yield
    other.execute("ROLLBACK")
    other.close()
