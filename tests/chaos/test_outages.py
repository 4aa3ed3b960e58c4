"""What Sojourn stands on goes away for a while: Temporal, the database, room on the disk. Nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from journey import ids
from tests.chaos.conftest import FULL, ONLY_IN_FULL
from tests.chaos.crowd import SOURCE
from tests.chaos.ledger import Accepted, Books
from tests.chaos.place import Place
from tests.chaos.tables import TABLES
from tests.e2e.world import JOURNEY, PURCHASE, WRITE_KEY, eventually

PEOPLE = 100 if FULL else 8
MINUTE = 60.0 if FULL else 5.0
WHILE = MINUTE / 4
"""Seconds that the database is away."""
LONG_ENOUGH = 400


def purchase(key: str) -> dict[str, object]:
    return {"userId": key, "event": "Order Completed", "properties": PURCHASE, "messageId": f"buy-{key}"}


async def all_wait(place: Place) -> list[str]:
    """Everybody has the first message, and waits for what they do with it."""
    await place.sojourn.comes()
    await place.set_up()
    keys = await place.people(PEOPLE)
    await place.publish()
    await place.wait_at("push-opened", PEOPLE)
    return keys


async def all_open_and_buy(place: Place, keys: list[str]) -> Accepted:
    """Everybody opens and buys; each of these calls must be accepted."""
    accepted = Accepted()
    for key in keys:
        await place.opens_email(key)
        await place.buys(key)
        delivery = ids.delivery(ids.entrant(JOURNEY, key, 1), 1, "email")
        accepted.events |= {(SOURCE, f"buy-{key}"), (ids.REACTIONS, ids.reaction(delivery, "opened"))}
    return accepted


@pytest.mark.timeout(LONG_ENOUGH)
async def test_events_are_accepted_while_temporal_is_down_and_have_their_effect_when_it_is_back(place: Place, database: str) -> None:
    keys = await all_wait(place)
    await place.temporal.is_killed()
    begun = time.monotonic()
    readiness = await eventually(lambda: place.api.get("/readyz"), lambda seen: seen.status_code == 503, "that Temporal is missed")
    assert readiness.json()["parts"] == {"database": "ready", "temporal": "missing"}
    accepted = await all_open_and_buy(place, keys)
    refused = await place.api.post(f"/v1/journeys/{JOURNEY}/runs", json={"profiles": keys})
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True), "a run waits until it can be read"
    await asyncio.sleep(max(MINUTE - (time.monotonic() - begun), 0))
    down = time.monotonic() - begun
    await place.temporal.comes()
    back = time.monotonic()
    await place.have_ended(PEOPLE)
    TABLES.add(
        "Something is away", what="Temporal", database=database, seconds_away=round(down), accepted=len(accepted.events), refused_503=0,
        all_done_after_seconds=round(time.monotonic() - back), lost=0,
    )  # fmt: skip
    assert await (await Books.read(place)).faults(place, members=keys, accepted=accepted) == []


@asynccontextmanager
async def postgres_is_down(place: Place) -> AsyncIterator[None]:
    assert place.postgres is not None
    await place.postgres.is_killed()
    yield
    await place.postgres.comes()


@asynccontextmanager
async def somebody_else_writes(place: Place) -> AsyncIterator[None]:
    """Another program keeps the only right to write that SQLite gives."""
    with contextlib.closing(sqlite3.connect(place.settings.data_dir / "sojourn.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@ONLY_IN_FULL
@pytest.mark.timeout(LONG_ENOUGH)
async def test_while_the_database_is_down_callers_are_told_to_come_again_and_nothing_is_lost(place: Place, database: str) -> None:
    keys = await all_wait(place)
    async with postgres_is_down(place) if place.postgres is not None else somebody_else_writes(place):
        refused, down = await refused_until(place, keys, WHILE)
    await goes_on(place, database, keys, refused, down, "PostgreSQL" if place.postgres is not None else "SQLite, written by another")


async def refused_until(place: Place, keys: list[str], seconds: float) -> tuple[int, float]:
    """Call again and again: every answer is a 503 that says when to come again. Returns how many, and the seconds that passed."""
    begun, refused = time.monotonic(), 0
    while refused == 0 or time.monotonic() - begun < seconds:
        answer = await place.api.post("/v1/track", json=purchase(keys[0]), auth=(WRITE_KEY, ""))
        assert (answer.status_code, answer.headers.get("retry-after", "")) == (503, "5"), answer.text
        refused += 1
    assert (await place.api.get("/healthz")).status_code == 200, "the process itself lives"
    return refused, time.monotonic() - begun


async def goes_on(place: Place, database: str, keys: list[str], refused: int, down: float, what: str) -> None:
    back = time.monotonic()
    await eventually(lambda: ready(place), bool, "that the database is there again", 60)
    accepted = await all_open_and_buy(place, keys)
    await place.have_ended(PEOPLE)
    TABLES.add(
        "Something is away", what=what, database=database, seconds_away=round(down), accepted=len(accepted.events), refused_503=refused,
        all_done_after_seconds=round(time.monotonic() - back), lost=0,
    )  # fmt: skip
    assert await (await Books.read(place)).faults(place, members=keys, accepted=accepted) == []


async def ready(place: Place) -> bool:
    return (await place.api.get("/readyz")).status_code == 200


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of eight megabytes. Only root can make one."""
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a disk that is full is made by mounting one, which only root may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@ONLY_IN_FULL
@pytest.mark.timeout(LONG_ENOUGH)
@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_full_disk_refuses_and_loses_nothing(place: Place, database: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        place.lies_on(f"sqlite:///{disk / 'sojourn.db'}")
        keys = await all_wait(place)
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            fill(filler)
        try:
            await until_it_is_full(place)
            refused, down = await refused_until(place, keys, 1.0)
        finally:
            filler.unlink()
        await goes_on(place, database, keys, refused, down, "room on the disk")
        await place.sojourn.is_killed()


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as written:
        while True:
            written.write(bytes(4096))


async def until_it_is_full(place: Place) -> None:
    """What the database file has in hand is still written to, and where a large text has no room a small one may."""

    numbers = itertools.count()

    async def put(size: int) -> httpx.Response:
        email = {"subject": str(next(numbers)), "html": f"<p>{'x' * size}</p>"}
        return await place.api.put("/v1/messages/heavy", json={"id": "heavy", "email": email})

    for size in (200_000, 5_000, 1):
        await eventually(partial(put, size), lambda answer: answer.status_code == 503, "a refusal", 60)
