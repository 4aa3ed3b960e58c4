"""What a process knows of API keys: no statement a call, a bound on what it remembers, and on how long it believes a revoked one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import Connection

from api.known_keys import LIFE, KnownKeys
from demo.temporal_server import free_port
from journey.errors import Unavailable
from store import keys
from store.database import Database
from store.work import Work
from tests.databases import Databases
from tests.fakes import SettableClock

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


class Counted(Database):
    """A database that counts what it is asked, and answers when it is let."""

    def __init__(self, address: str, clock: SettableClock) -> None:
        super().__init__(address, clock)
        self.reads = 0
        self.full = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def read(self, query: Callable[[Connection], T]) -> T:
        self.reads += 1
        found = await super().read(query)
        await self.answers.wait()
        return found

    async def write(self, unit: Callable[[Work], T], rank: int = 0) -> T:
        if self.full:
            raise Unavailable("The disk is full.")
        return await super().write(unit, rank)


@pytest.fixture
async def database(address: str, clock: SettableClock) -> AsyncIterator[Counted]:
    opened = Counted(address, clock)
    yield opened
    await opened.close()


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def wrong(number: int) -> str:
    return f"sj_ingest_{number:043}"


async def made(database: Database) -> tuple[str, str]:
    key, secret = await database.write(lambda work: keys.make(work, "a key", "ingest", "customer_id"))
    return key.id, secret


async def test_a_known_key_costs_one_statement_in_two_seconds_however_many_call(database: Counted) -> None:
    seconds = Seconds()
    known = KnownKeys(database, steady=seconds)
    _, secret = await made(database)
    for _ in range(3):
        found = await asyncio.gather(*(known.find(secret) for _ in range(50)))
        assert {one.namespace for one in found if one} == {"customer_id"}
    assert database.reads == 1
    seconds.now += LIFE
    await known.find(secret)
    assert database.reads == 2


async def test_a_key_that_is_revoked_in_another_process_is_believed_for_two_seconds_at_most(database: Counted) -> None:
    seconds = Seconds()
    here, elsewhere = KnownKeys(database, steady=seconds), KnownKeys(database, steady=seconds)
    key, secret = await made(database)
    assert await here.find(secret) is not None
    assert await elsewhere.find(secret) is not None
    await database.write(lambda work: keys.revoke(work, key))
    here.forget()
    assert await here.find(secret) is None
    seconds.now += LIFE
    assert await elsewhere.find(secret) is None
    assert LIFE <= 3


async def test_an_answer_that_is_under_way_while_a_key_is_revoked_is_not_remembered(database: Counted) -> None:
    known = KnownKeys(database, steady=Seconds())
    key, secret = await made(database)
    database.answers.clear()
    before = asyncio.create_task(known.find(secret))
    while not database.reads:
        await asyncio.sleep(0)
    await database.write(lambda work: keys.revoke(work, key))
    known.forget()
    after = asyncio.create_task(known.find(secret))
    while database.reads < 2:
        await asyncio.sleep(0)
    database.answers.set()
    await before
    assert await after is None
    assert await known.find(secret) is None


async def test_whoever_tries_secrets_fills_no_memory_and_pushes_out_nobody(database: Counted) -> None:
    known = KnownKeys(database, steady=Seconds(), most=20)
    _, secret = await made(database)
    await known.find(secret)
    for number in range(50):
        assert await known.find(wrong(number)) is None
    assert len(known) == 21
    asked = database.reads
    assert await known.find(wrong(49)) is None
    assert await known.find(secret) is not None
    assert database.reads == asked


async def test_who_reads_is_let_in_also_where_nothing_can_be_written(database: Counted) -> None:
    known = KnownKeys(database)
    _, secret = await made(database)
    database.full = True
    assert await known.find(secret) is not None


async def test_what_can_be_no_secret_is_not_looked_for(database: Counted) -> None:
    known = KnownKeys(database)
    for text in ("", "wrong", "sj_admin_", wrong(1) + "x", wrong(1) + "\n", "sj_root_" + "x" * 43, "sj_admin_" + "é" * 43, "x" * 100_000):
        assert await known.find(text) is None
    assert database.reads == 0


async def test_who_goes_away_while_the_database_is_asked_takes_the_answer_from_nobody(database: Counted) -> None:
    known = KnownKeys(database, steady=Seconds())
    _, secret = await made(database)
    database.answers.clear()
    first, second = (asyncio.create_task(known.find(secret)) for _ in range(2))
    while not database.reads:
        await asyncio.sleep(0)
    first.cancel()
    database.answers.set()
    assert await second is not None
    assert database.reads == 1


async def test_a_key_is_made_here_used_in_another_process_and_refused_there_once_it_is_revoked(
    databases: Databases, tmp_path: Path
) -> None:
    url, ports = databases.kept(), (free_port(), free_port())
    admin = {"Authorization": "Bearer the-admin-key"}
    started = [await _process(tmp_path, url, port) for port in ports]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}") as one, httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{ports[1]}"
        ) as other:  # fmt: skip
            for client in (one, other):
                await _until(lambda client=client: _status(client, "/healthz", {}), 200)  # type: ignore[misc]
            body = {"name": "the shop", "scope": "ingest", "namespace": "customer_id"}
            key = (await one.post("/v1/keys", json=body, headers=admin)).json()
            using = {"Authorization": f"Bearer {key['key']}"}
            for client in (other, one):
                assert (await client.post("/v1/events", json={"name": "purchase"}, headers=using)).status_code == 202
            assert (await one.delete(f"/v1/keys/{key['id']}", headers=admin)).status_code == 204
            revoked = asyncio.get_running_loop().time()
            assert await _status(one, "/v1/keys", using) == 401
            await _until(lambda: _status(other, "/v1/keys", using), 401)
            assert asyncio.get_running_loop().time() - revoked < LIFE + 3
    finally:
        for process in started:
            process.kill()
            await process.wait()


async def _process(folder: Path, url: str, port: int) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "SOJOURN_DATA_DIR": str(folder), "SOJOURN_DATABASE_URL": url, "SOJOURN_API_PORT": str(port), "SOJOURN_ADMIN_KEY": "the-admin-key",
        "SOJOURN_SECRET": "a secret for tests that is long enough", "SOJOURN_TEMPORAL_ADDRESS": "127.0.0.1:1",
    }  # fmt: skip
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from cli import main; main()", "api", cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def _status(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> int:
    try:
        return (await client.get(path, headers=headers)).status_code
    except httpx.TransportError:
        return 0


async def _until(look: Callable[[], Any], wanted: int) -> None:
    async with asyncio.timeout(60):
        while await look() != wanted:
            await asyncio.sleep(0.05)
