"""Who runs a call that carries an idempotency key, and how long its answer is kept: on both databases, and in several processes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest
from temporalio.testing import ActivityEnvironment

from activities.repairing import PAGE, Repairs
from journey.contract import SweepStart
from store import idempotency, schema
from store.database import Database
from store.idempotency import KEPT, LOCK, Answer, Taken
from store.work import Work
from tests.builders import START
from tests.fakes import FakeServer, FakeWorkflows, SettableClock
from tests.store.driver import Store

CREATED = Answer(201, (("content-type", "application/json"), ("location", "/v1/a")), b'{"a": "\xc3\xa9\\u0000"}\x00\xff')


def begin(store: Store, attempt: str, *, key: str = "k", call: str = "c") -> Taken | None:
    return store.write(lambda work: idempotency.begin(work, key, call, attempt))


def keep(store: Store, attempt: str, answer: Answer = CREATED) -> None:
    store.write(lambda work: idempotency.keep(work, "k", attempt, answer))


def test_the_first_runs_and_whoever_comes_again_gets_its_answer_to_the_byte(store: Store) -> None:
    assert begin(store, "first") is None
    store.clock.instant += 5
    assert begin(store, "second") == Taken(True, None, 5, LOCK - 5)
    keep(store, "first")
    assert begin(store, "third") == Taken(True, CREATED, 5, KEPT)
    other = begin(store, "fourth", call="another")
    assert other is not None
    assert not other.same
    assert begin(store, "fifth", key="another") is None


def test_an_answer_is_kept_for_a_day_and_then_the_call_runs_again(store: Store) -> None:
    begin(store, "first")
    keep(store, "first")
    store.clock.instant += KEPT - 1
    assert begin(store, "second") is not None
    store.clock.instant += 1
    assert begin(store, "third", call="another") is None, "also before the sweep has come"
    assert begin(store, "fourth", call="another") == Taken(True, None, 0, LOCK)


def test_the_lock_of_who_died_is_over_in_time_and_one_who_comes_back_keeps_nothing(store: Store) -> None:
    begin(store, "dead")
    store.clock.instant += LOCK - 1
    assert begin(store, "early") is not None
    store.clock.instant += 1
    assert begin(store, "second") is None
    keep(store, "dead")
    store.write(lambda work: idempotency.give_back(work, "k", "dead"))
    taken = begin(store, "third")
    assert taken is not None
    assert taken.answer is None
    keep(store, "second", Answer(204, (), b""))
    assert begin(store, "fourth") == Taken(True, Answer(204, (), b""), 0, KEPT)


def test_what_is_given_back_runs_again(store: Store) -> None:
    begin(store, "first")
    store.write(lambda work: idempotency.give_back(work, "k", "first"))
    assert store.rows(schema.answers) == []
    assert begin(store, "second") is None


@pytest.fixture
async def other(database: Database, address: str, clock: SettableClock) -> AsyncIterator[Database]:
    opened = Database(address, clock)
    yield opened
    await opened.close()


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
async def test_of_many_in_two_processes_at_one_moment_one_runs(database: Database, other: Database) -> None:
    units = [
        (database, other)[number % 2].write(partial(idempotency.begin, key="k", call="c", attempt=str(number))) for number in range(40)
    ]
    assert (await asyncio.gather(*units)).count(None) == 1


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
async def test_who_meets_a_process_that_has_the_key_and_not_committed_finds_it_taken(database: Database, other: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slowly(work: Work) -> Taken | None:
        taken = idempotency.begin(work, "k", "c", "first")
        entered.set()
        leave.wait(20)
        return taken

    first = asyncio.create_task(database.write(slowly))
    assert await asyncio.to_thread(entered.wait, 20)
    second = asyncio.create_task(other.write(partial(idempotency.begin, key="k", call="c", attempt="second")))
    leave.set()
    assert await first is None
    assert await second == Taken(True, None, 0, LOCK)


async def test_the_sweep_forgets_what_is_over_and_nothing_else(database: Database, clock: SettableClock) -> None:
    def many(work: Work) -> None:
        for number in range(2 * PAGE + 1):
            idempotency.begin(work, f"k{number}", "c", "a")
            idempotency.keep(work, f"k{number}", "a", CREATED)

    async def kept() -> list[str]:
        return list(await database.read(lambda connection: connection.execute(schema.answers.select()).scalars().all()))

    clock.instant = START
    await database.write(many)
    clock.instant += KEPT - 1
    await database.write(lambda work: idempotency.begin(work, "young", "c", "a"))
    sweep = Repairs(database, FakeWorkflows(), FakeServer()).sweep
    await ActivityEnvironment().run(sweep, SweepStart())
    assert len(await kept()) == 2 * PAGE + 2
    clock.instant += 1
    await ActivityEnvironment().run(sweep, SweepStart())
    assert await kept() == ["young"]
