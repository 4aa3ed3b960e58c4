"""Ten thousand people: they are read as a stream, and each of them is found where they wait, until when their own timer runs."""

from __future__ import annotations

import time
import tracemalloc
from functools import partial

import pytest

from journey import ids
from journey.contract import Proposal, Record
from journey.segments import SegmentDocument
from store import profiles, runs, schema, segments, steps, versions, waiting_list
from store.admission import Admitted, admit_page
from store.database import Database
from store.versions import VersionRow
from store.waiting_list import Standing
from store.work import Work
from tests.builders import START, profile, version
from tests.fakes import SettableClock
from tests.store.driver import AT_RISK, document

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
PEOPLE = 10_000
PAGE = 200
WAITS = version({"id": "pause", "kind": "wait", "for": "P30D", "next": "end"}, {"id": "end", "kind": "end"})


@pytest.fixture
async def ready(database: Database, clock: SettableClock) -> Database:
    """They are there, and a run of their segment has begun."""
    clock.instant = START

    def live(work: Work) -> None:
        versions.keep(work, WAITS)
        versions.insert(work, VersionRow("small@1", "small", 1, WAITS.hash, "live", work.now()))
        segments.put(work, SegmentDocument(id="everybody", rule="birth_year > 1900"))

    await database.write(live)
    for first in range(0, PEOPLE, 1000):
        some = [document(profile(f"p{number:05}")) for number in range(first, first + 1000)]
        await database.write(lambda work, some=some: profiles.put_all(work, some))  # type: ignore[misc]
    return database


async def page(database: Database, run: str) -> Admitted:
    return await database.write(lambda work: admit_page(work, run, page=PAGE, crowd=PEOPLE))


@pytest.mark.complaint(23)
@pytest.mark.behaviour(2)
async def test_ten_thousand_are_read_in_the_memory_of_a_page_and_listed_with_the_deadlines_of_their_timers(
    ready: Database, clock: SettableClock
) -> None:
    row = await ready.read(lambda connection: versions.row(connection, "small@1"))
    run = await ready.write(lambda work: runs.start(work, row, WAITS.journey))
    needed: list[int] = []
    admitted = 0
    done = False
    while not done:
        measured = admitted in (5 * PAGE, PEOPLE - 5 * PAGE)
        if measured:
            tracemalloc.start()
        read = await page(ready, run)
        if measured:
            needed.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        admitted += len(read.starts)
        done = read.done
        clock.instant += 1000  # every page a millisecond later
    assert admitted == PEOPLE
    early, late = needed
    assert late < 1.5 * early, "the last pages need no more memory than the first"

    listed: list[Standing] = []
    longest = 0.0
    while not listed or (len(listed) % PAGE == 0 and len(listed) < PEOPLE):
        after = listed[-1].entrant if listed else ""
        began = time.perf_counter()
        listed += await ready.read(
            lambda connection, after=after: waiting_list.at_node(  # type: ignore[misc]
                connection, "small@1", WAITS.journey, "pause", after=after, limit=PAGE
            )
        )
        longest = max(longest, time.perf_counter() - began)
    assert len({one.entrant for one in listed}) == PEOPLE
    assert longest < 1.0, "a page of the list"
    asked = listed[:: PEOPLE // 100]
    units = [partial(steps.open_step, proposal=Proposal(entrant=one.entrant, n=0), policy=AT_RISK) for one in asked]
    told = await ready.write_all(units)
    for one, record in zip(asked, told, strict=True):
        assert isinstance(record, Record)
        assert one.until == clock.instant + round(record.seconds * 1_000_000), "what its workflow's timer is given"
    ends = {row.until for row in await ready.read(lambda connection: connection.execute(schema.entrants.select()).all())}
    assert {one.until for one in listed} == ends
    assert len(ends) == PEOPLE // PAGE
    assert ids.entrant("small", "p09999", 1) == listed[-1].entrant
