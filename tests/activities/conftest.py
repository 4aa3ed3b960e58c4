"""A real database, with the use case live in it, and the activities as a worker would hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from activities.sending import Sending
from journey.contract import Proposal, Record
from journey.tracking import Signer
from store import admission
from store.database import Database
from tests import builders
from tests.activities.world import ScriptedProvider, publish
from tests.fakes import SettableClock
from tests.store.driver import next_proposal


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(builders.START)


@pytest.fixture
async def database(address: str, clock: SettableClock) -> AsyncIterator[Database]:
    opened = Database(address, clock)
    yield opened
    await opened.close()


@pytest.fixture
def email() -> ScriptedProvider:
    return ScriptedProvider("email")


@pytest.fixture
def push() -> ScriptedProvider:
    return ScriptedProvider("push", idempotent=True)


@pytest.fixture
def sending(email: ScriptedProvider, push: ScriptedProvider) -> Sending:
    return Sending({"email": email, "push": push}, Signer("a-secret-of-tests"), "https://sojourn.example", "shop@example.org")


@pytest.fixture
def fast() -> ActivityEnvironment:
    """As a local activity."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, is_local=True)
    return environment


@pytest.fixture
def durable() -> ActivityEnvironment:
    """As an ordinary one."""
    return ActivityEnvironment()


@pytest.fixture
async def first_stop(database: Database) -> Proposal:
    """Ada has been let in to the use case: what her workflow proposes first."""
    version = builders.use_case()
    run = await database.write(lambda work: publish(work, version, ["ada"]))
    (start,) = (await database.write(lambda work: admission.admit_page(work, run))).starts
    return next_proposal(version.journey, start.entrant.entrant, Record(0, start.entrant.place))
