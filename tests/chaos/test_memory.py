"""How much memory whole processes need, as the system counts it: with one inside, with many who wait, and when all of them have left.

What grows with people is on the disk. A worker keeps the workflows of some in memory (worker.py: CACHED), an API a page of what it reads.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server
from tests.chaos.conftest import DATABASES, FULL, ONLY_IN_FULL
from tests.chaos.place import Place
from tests.chaos.processes import Sojourn
from tests.chaos.tables import TABLES
from tests.e2e.world import JOURNEY, PURCHASE, World, eventually, world
from worker import CACHED

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process has for itself is told by /proc")

PEOPLE = 2000 if FULL else 200
AT_ONCE = 500
"""People of one run, and events of one call."""
PATIENCE = 300.0
KB, MB = 1024, 1024 * 1024
KEPT = 128 * KB
"""For each workflow that a worker may keep: one that waits, about 10 KB, and what those leave that were put out, until Python looks through
all that is old. With 1,000 kept and 5,000 who waited it was about 110 KB for both, and no more than at 2,000 who waited."""
SLACK = 64 * MB
"""Of a process whatever the number: pages and batches under way, statements and connections that were met for the first time."""
FEW = 200
"""Workflows in memory, where it is asked whether more than those are kept."""
PATH: list[dict[str, Any]] = [
    {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual", "next": "buys"},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P30D", "next": "end"}},
    {"id": "end", "kind": "end"},
]
"""Everybody is let in, waits, and leaves by an event: no message, whose catchers would take as long as the rest."""
DOCUMENT = {"id": JOURNEY, "namespace": "customer_id", "nodes": PATH}


@pytest.mark.complaint(23)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["postgresql" if FULL and "postgresql" in DATABASES else "sqlite"])
async def test_api_and_worker_need_no_more_memory_than_is_kept_for_those_inside(place: Place, database: str) -> None:
    async with started(place, database) as ours:
        await place.set_up(journey=DOCUMENT)
        await place.publish()
        keys = await place.people(PEOPLE)
        await are_let_in(place, keys[:1], 1)
        seen = [{name: taken(one.pid) for name, one in ours.items()}]
        await are_let_in(place, keys[1:], PEOPLE)
        seen.append({name: taken(one.pid) for name, one in ours.items()})
        for some in parts(keys):
            assert (await place.api.post("/v1/events", json=[buys(key) for key in some])).status_code == 207
        await wait(place, 0)
        seen.append({name: taken(one.pid) for name, one in ours.items()})
        assert (await place.report())["totals"]["ended"] == {"finished": PEOPLE}
    for name in ours:
        one, everybody, left = (found[name] for found in seen)
        TABLES.add(
            "Memory of whole processes", database=database, process=name, people=PEOPLE, mb_one_waits=one // MB,
            mb_all_wait=everybody // MB, mb_all_have_ended=left // MB,
        )  # fmt: skip
        kept = KEPT * min(PEOPLE, CACHED) if "worker" in name else 0
        assert max(everybody, left) - one < SLACK + kept, name


@ONLY_IN_FULL
@pytest.mark.complaint(23)
@pytest.mark.timeout(600)
async def test_a_worker_keeps_as_many_as_it_may_and_no_more_whoever_waits(tmp_path: Path) -> None:
    """Twice as many workflows as may be kept fill it, with what is to be taken back of those that were put out; then it is full."""
    async with world(tmp_path) as here:
        await here.worker_goes()
        await here.worker_comes(sandboxed=False, cached=FEW)
        await here.set_up(journey=DOCUMENT)
        await here.publish()
        keys = await here.people(10 * FEW)
        await are_let_in(here, keys[: 4 * FEW], 4 * FEW)
        full = taken(os.getpid())
        await are_let_in(here, keys[4 * FEW :], 10 * FEW)
        more = taken(os.getpid()) - full
    TABLES.add("Memory of a worker that keeps 200", people=f"{4 * FEW} to {10 * FEW}", mb_more=round(more / MB, 1))
    assert more < 6 * FEW * KEPT / 5, "a fifth of what would have been kept, had all of them been"


async def are_let_in(here: World, keys: list[str], inside: int) -> None:
    """Until so many wait for their purchase, with those who did before."""
    for some in parts(keys):
        answer = await here.api.post(f"/v1/journeys/{JOURNEY}/runs", json={"profiles": some})
        assert answer.status_code == 201, answer.text
    await wait(here, inside)


async def wait(here: World, number: int) -> None:
    async def look() -> int:
        await asyncio.sleep(0.2)
        return int(sum(one["inside"] for one in (await here.report())["nodes"] if one["node"] == "buys"))

    await eventually(look, lambda seen: seen == number, f"{number} people who wait", PATIENCE)


@asynccontextmanager
async def started(place: Place, database: str) -> AsyncIterator[dict[str, Sojourn]]:
    """The processes by name, beside a Temporal server that is not to survive: on SQLite there is one process for all."""
    async with AsyncExitStack() as there:
        server = await there.enter_async_context(temporal_server(ensure()))
        settings = place.settings.model_copy(update={"temporal_address": server.address})
        ours: dict[str, Sojourn] = {}
        for name in ["api,worker"] if database == "sqlite" else ["api", "worker"]:
            ours[name] = Sojourn(settings, place.folder / f"{name}.log", parts=name, sweep="usual")
            there.push_async_callback(ours[name].is_killed)
            await ours[name].comes()
        yield ours


def taken(pid: int) -> int:
    """Bytes of real memory that a process has for itself now, without what is a file's and may be read again."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (said,) = (line for line in lines if line.startswith("RssAnon:"))
    return int(said.split()[1]) * KB


def buys(key: str) -> dict[str, Any]:
    return {"id": f"buy-{key}", "name": "Order Completed", "namespace": "customer_id", "key": key, "data": PURCHASE}


def parts(items: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
