"""`sojourn keys`: a key is made, shown once, listed without its secret and revoked, against a real API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from api.app import create_app
from api.services import Services
from api_server import serving
from commands import keys
from commands.http import Api
from demo.temporal_server import free_port
from journey.errors import BadInput, NotFound
from journey.tracking import Signer
from store.database import Database
from store.upgrade import upgrade
from tests.fakes import FakeWorkflows

KEY = "an-admin-key-for-tests"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The address of an API over an empty database."""
    address = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(address)
    database = Database(address)
    services = Services(database=database, workflows=FakeWorkflows(), signer=Signer("a secret for tests"), admin_key=KEY)
    port = free_port()
    async with serving(create_app(services), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"
    await database.close()


async def run(url: str, *words: str, key: str = KEY) -> Result:
    app = typer.Typer()
    app.command("other")(lambda: None)
    keys.add_to(app, lambda: Api(url, key))
    return await asyncio.to_thread(CliRunner().invoke, app, ["keys", *words])


async def test_a_key_is_made_listed_used_and_revoked(url: str) -> None:
    assert (await run(url, "list")).stdout.startswith("There are no API keys")
    said = (await run(url, "create", "The web page", "--scope", "ingest", "--namespace", "customer_id")).stdout
    first, secret = said.splitlines()
    assert "which nobody can read again" in first
    assert secret.startswith("sj_ingest_")
    operator = json.loads((await run(url, "create", "ops", "--scope", "admin", "--json")).stdout)
    listed = (await run(url, "list", key=operator["key"])).stdout
    assert "The web page" in listed
    assert "customer_id" in listed
    assert secret not in listed
    assert len(json.loads((await run(url, "list", "--json")).stdout)["items"]) == 2
    assert (await run(url, "revoke", operator["id"])).stdout == f"{operator['id']} is revoked.\n"
    assert isinstance((await run(url, "list", key=operator["key"])).exception, BadInput)
    assert isinstance((await run(url, "revoke", operator["id"])).exception, NotFound)


async def test_what_is_no_id_or_no_right_is_told_in_a_sentence(url: str) -> None:
    secret = json.loads((await run(url, "create", "x", "--scope", "ingest", "--namespace", "customer_id", "--json")).stdout)["key"]
    refused = (await run(url, "revoke", secret)).exception
    assert isinstance(refused, BadInput)
    assert "sojourn keys list" in refused.sentence
    assert secret not in refused.sentence
    forbidden = (await run(url, "list", key=secret)).exception
    assert isinstance(forbidden, BadInput)
    assert (forbidden.code, "scope admin" in forbidden.sentence) == ("forbidden_scope", True)
    unsaid = (await run(url, "create", "x", "--scope", "ingest")).exception
    assert isinstance(unsaid, BadInput)
    assert "users' ids" in unsaid.sentence
