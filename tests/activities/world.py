"""What the tests of activities share: a provider that answers as it is told, and the use case live with people to be let in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from journey import ids
from journey.messages import Rendered
from journey.version import Version
from providers.port import Answer, Took
from store import definitions, messages, profiles, runs, versions
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
