"""The API over a real database, without a Temporal server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import create_app
from api.services import Services
from journey.tracking import Signer
from store.database import Database
from tests.fakes import FakeWorkflows, SettableClock

ADMIN_KEY = "an-admin-key-for-tests"
WRITE_KEY = "a-write-key-for-tests"


@pytest.fixture
def clock() -> SettableClock:
    """Stands at 1 March 2026, 12:00 UTC, until a test moves it."""
    return SettableClock(1_772_366_400_000_000)


@pytest.fixture
async def database(address: str, clock: SettableClock) -> AsyncIterator[Database]:
    opened = Database(address, clock)
    yield opened
    await opened.close()


@pytest.fixture
def workflows() -> FakeWorkflows:
    return FakeWorkflows()


@pytest.fixture
def services(database: Database, workflows: FakeWorkflows) -> Services:
    return Services(
        database=database,
        workflows=workflows,
        signer=Signer("a secret for tests that is long enough"),
        admin_key=ADMIN_KEY,
        write_keys={WRITE_KEY: "customer_id"},
        public_url="http://sojourn.test",
        temporal_ui="http://temporal.test:8233",
        mail_from="Shop <shop@sojourn.test>",
    )


@pytest.fixture
async def anonymous(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A client without any key, who sees what a caller over the network would see."""
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as client:
        yield client


@pytest.fixture
async def api(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same client with the admin key."""
    anonymous.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
    return anonymous
