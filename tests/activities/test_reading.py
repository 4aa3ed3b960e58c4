"""A run starts a workflow for everybody it lets in: nobody twice, nobody forgotten, no more than are taken up (D7)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.reading import Readings
from activities.telling import Tellings
from journey.contract import EntrantStart, Pages, RunStart, WindDownStart
from journey.errors import Unavailable
from store import admission, schema, versions
from store.database import Database
from tests import builders
from tests.activities.world import publish

VERSION = builders.use_case()


@dataclass
class Workflows:
    """The Temporal server: what was started and told, and after how many starts it goes away."""

    started: Counter[str] = field(default_factory=Counter)
    hashes: set[str] = field(default_factory=set)
    told: list[tuple[str, str]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    schedules: dict[str, tuple[int, ...]] = field(default_factory=dict)
    goes_away_after: int | None = None

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None:
        await asyncio.sleep(0)
        if self.goes_away_after is not None and len(self.started) >= self.goes_away_after:
            raise Unavailable("The Temporal server cannot be reached.")
        self.started[start.entrant] += 1
        self.hashes.add(version_hash)

    async def start_run(self, run: str) -> None:
        self.runs.append(run)

    async def keep_schedule(self, journey: str, instants: Sequence[int]) -> None:
        self.schedules[journey] = tuple(instants)

    async def scheduled(self) -> list[str]:
        return list(self.schedules)

    async def leave(self, entrant: str, reason: str) -> None:
        self.told.append((entrant, reason))


@pytest.fixture
def workflows() -> Workflows:
    return Workflows()


async def begin(database: Database, count: int) -> RunStart:
    people = [f"p{number:03}" for number in range(count)]
    return RunStart(await database.write(lambda work: publish(work, VERSION, people)))


def everybody(count: int) -> set[str]:
    return {f"thank-you~p{number:03}~1" for number in range(count)}


async def test_everybody_on_every_page_is_started(durable: ActivityEnvironment, database: Database, workflows: Workflows) -> None:
    run = await begin(database, admission.PAGE + 30)
    beats: list[object] = []
    durable.on_heartbeat = lambda *details: beats.append(details)
    assert await durable.run(Readings(database, workflows).read_pages, run) == Pages(230, 230, 0, done=True)
    assert workflows.started == dict.fromkeys(everybody(230), 1)
    assert workflows.hashes == {VERSION.hash}
    assert [beat for beat in beats if beat] == [(200,), (230,)], "how far it is, after each page"
    assert beats.count(()) == 230, "and that it lives, after each start: a server may be slow"


async def test_a_worker_that_is_told_to_end_reads_its_page_and_leaves_the_rest_to_another(
    durable: ActivityEnvironment, database: Database, workflows: Workflows
) -> None:
    run = await begin(database, admission.PAGE + 30)
    readings = Readings(database, workflows)
    durable.on_heartbeat = lambda *details: durable.worker_shutdown()
    assert await durable.run(readings.read_pages, run) == Pages(200, 200, 0, done=False)
    assert len(workflows.started) == 200
    assert await ActivityEnvironment().run(readings.read_pages, run) == Pages(30, 30, 0, done=True)
    assert set(workflows.started) == everybody(230)


async def test_when_the_server_goes_away_half_way_the_next_attempt_starts_whoever_is_left(
    durable: ActivityEnvironment, database: Database, workflows: Workflows
) -> None:
    run = await begin(database, 50)
    workflows.goes_away_after = 20
    readings = Readings(database, workflows)
    with pytest.raises(ExceptionGroup) as raised:
        await durable.run(readings.read_pages, run)
    assert raised.group_contains(Unavailable)
    workflows.goes_away_after = None
    assert await durable.run(readings.read_pages, run) == Pages(done=True)
    assert set(workflows.started) == everybody(50)


async def test_a_run_of_a_closed_version_lets_in_nobody_more(
    durable: ActivityEnvironment, database: Database, workflows: Workflows
) -> None:
    run = await begin(database, 5)
    await database.write(lambda work: versions.set_state(work, "thank-you@1", "closed"))
    assert await durable.run(Readings(database, workflows).read_pages, run) == Pages(done=True)
    assert not workflows.started


async def test_a_crowd_is_waited_for(durable: ActivityEnvironment, database: Database, workflows: Workflows) -> None:
    """It goes on as soon as enough have set off."""
    count = admission.CROWD + admission.PAGE + 1
    run = await begin(database, count)
    reading = asyncio.create_task(durable.run(Readings(database, workflows).read_pages, run))
    while len(workflows.started) < 600:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert len(workflows.started) == 600
    assert not reading.done()
    step = {"n": 1, "closed": True}
    await database.write(lambda work: work.connection.execute(schema.entrants.update().values(step)))
    assert (await reading).done
    assert set(workflows.started) == everybody(count)


async def test_a_page_of_a_stopped_version_is_told_to_end_once(
    durable: ActivityEnvironment, database: Database, workflows: Workflows
) -> None:
    run = await begin(database, 230)
    await durable.run(Readings(database, workflows).read_pages, run)
    down, start = Tellings(database, workflows), WindDownStart("thank-you@1", "journey_stopped")
    assert [await durable.run(down.wind_down_page, start) for _ in range(3)] == [200, 30, 0]
    assert Counter(workflows.told) == {(entrant, "journey_stopped"): 1 for entrant in everybody(230)}
    endings = await database.read(lambda c: set(c.execute(select(schema.entrants.c.ending)).scalars()))
    assert endings == {"journey_stopped"}
