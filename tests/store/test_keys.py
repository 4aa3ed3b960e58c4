"""API keys in the store: a hash is all that is kept, the hour of the last use is written once, and a revoked key is gone."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from journey.errors import NotFound
from store import keys
from store.database import Database
from store.schema import api_keys
from tests.fakes import SettableClock


async def test_a_key_is_found_by_the_hash_of_its_secret_which_is_all_that_is_kept(database: Database) -> None:
    made, secret = await database.write(lambda work: keys.make(work, "the web page", "ingest", "customer_id"))
    assert await database.read(lambda c: keys.find(c, keys.digest(secret))) == made
    assert await database.read(lambda c: keys.find(c, keys.digest(secret[:-1] + "é"))) is None
    (row,) = await database.read(lambda c: c.execute(select(api_keys)).all())
    assert row.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(tuple(row))
    assert secret.removeprefix("sj_ingest_") not in str(tuple(row))


async def test_every_secret_is_another_one_and_says_what_it_is(database: Database) -> None:
    made = [await database.write(lambda work: keys.make(work, "", "admin")) for _ in range(20)]
    assert len({secret for _, secret in made}) == len({key.id for key, _ in made}) == 20
    assert all(secret.startswith("sj_admin_") and keys.is_secret(secret) for _, secret in made)


async def test_the_last_use_is_written_once_an_hour(database: Database, clock: SettableClock) -> None:
    clock.instant = 10 * keys.HOUR + 5
    made, secret = await database.write(lambda work: keys.make(work, "", "admin"))

    async def now() -> keys.ApiKey:
        found = await database.read(lambda c: keys.find(c, keys.digest(secret)))
        assert found is not None
        return found

    assert made.last_used_at is None
    assert keys.is_due(made, clock.now())
    await database.write(lambda work: keys.used(work, made.id))
    assert (await now()).last_used_at == 10 * keys.HOUR
    clock.instant += keys.HOUR - 6
    assert not keys.is_due(await now(), clock.now())
    clock.instant += 1
    assert keys.is_due(await now(), clock.now())
    await database.write(lambda work: keys.used(work, made.id))
    clock.instant -= keys.HOUR  # a process whose clock is behind moves nothing back
    await database.write(lambda work: keys.used(work, made.id))
    assert (await now()).last_used_at == 11 * keys.HOUR


async def test_a_revoked_key_is_gone_and_its_use_does_not_bring_it_back(database: Database) -> None:
    made, secret = await database.write(lambda work: keys.make(work, "", "admin"))
    await database.write(lambda work: keys.revoke(work, made.id))
    await database.write(lambda work: keys.used(work, made.id))
    assert await database.read(lambda c: keys.find(c, keys.digest(secret))) is None
    with pytest.raises(NotFound, match=made.id):
        await database.write(lambda work: keys.revoke(work, made.id))


async def test_keys_page_from_the_oldest_also_where_two_are_of_one_instant(database: Database, clock: SettableClock) -> None:
    for number in range(5):
        clock.instant += number % 2
        await database.write(lambda work, name=str(number): keys.make(work, name, "admin"))  # type: ignore[misc]
    first = await database.read(lambda c: keys.page(c, None, 3))
    second = await database.read(lambda c: keys.page(c, (first[-1].created_at, first[-1].id), 3))
    assert [(one.created_at, one.id) for one in first + second] == sorted((one.created_at, one.id) for one in first + second)
    assert sorted(one.name for one in first + second) == ["0", "1", "2", "3", "4"]
