"""An uncertain mail is sent once more: what was begun is finished, though the worker goes down or the database is away just then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from temporalio.testing import ActivityEnvironment

from activities.resending import Resendings
from activities.sending import Sending
from activities.stops import Stops
from journey import ids
from journey.contract import Proposal, ResendStart
from providers.port import Took, Uncertain
from store import resending, schema
from store.database import Database
from tests.activities.world import ScriptedProvider, blocked_behind_the_answer


@pytest.fixture
async def asked(
    durable: ActivityEnvironment, database: Database, sending: Sending, first_stop: Proposal, email: ScriptedProvider
) -> ResendStart:
    """Nobody knows whether Ada got her mail, and somebody asks that it be sent once more: the second call is answered with yes."""
    email.answers = [Uncertain("no answer"), Took()]
    await durable.run(Stops(database, sending).stop, first_stop)
    delivery = ids.delivery(first_stop.entrant, first_stop.n, "email")
    assert await stands(database) == "uncertain no_answer"
    start, _ = await database.read(lambda connection: resending.wanted(connection, delivery))
    return start


@pytest.fixture
def resendings(database: Database, sending: Sending) -> Resendings:
    return Resendings(database, sending)


async def stands(database: Database) -> str:
    of = schema.deliveries.c
    query = select(of.status, of.reason).where(of.channel == "email")
    row = await database.read(lambda connection: connection.execute(query).one())
    return f"{row.status} {row.reason}"


async def test_an_attempt_that_is_cancelled_sends_and_marks_before_the_process_ends(
    durable: ActivityEnvironment, resendings: Resendings, asked: ResendStart, email: ScriptedProvider, database: Database
) -> None:
    email.seconds = 0.3
    attempt = asyncio.create_task(durable.run(resendings.resend, asked))
    while len(email.calls) < 2:
        await asyncio.sleep(0.01)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert await stands(database) == "uncertain resending"
    await resendings.drain()
    assert await stands(database) == "sent resent"
    assert await durable.run(resendings.resend, asked) == "sent (resent)"
    assert len(email.calls) == 2


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")  # a writer of PostgreSQL tries again by itself
async def test_an_answer_that_cannot_be_written_down_just_now_is_written_down_later(
    durable: ActivityEnvironment, resendings: Resendings, asked: ResendStart, email: ScriptedProvider, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    """Else it would stay uncertain what has just been taken."""
    with blocked_behind_the_answer(email, database, tmp_path), pytest.raises(OperationalError, match="locked"):
        await durable.run(resendings.resend, asked)
    await resendings.drain()
    assert await stands(database) == "sent resent"
