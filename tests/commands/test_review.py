"""`sojourn review`: what waits, what is in it, what is missing, and what came of an approval, against a real API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from activities.sending import Sending
from api.app import create_app
from api.services import Services
from api_server import serving
from commands import report, review
from commands.http import Api
from demo.temporal_server import free_port
from journey.contract import Record
from journey.errors import BadInput
from journey.tracking import Signer
from store import admission, in_review, steps
from store.database import Database
from store.steps import Opened
from store.upgrade import upgrade
from store.work import Work
from tests import builders, stock
from tests.activities.world import publish
from tests.fakes import FakeWorkflows
from tests.store.driver import AT_RISK, next_proposal

KEY = "an-admin-key-for-tests"
T = TypeVar("T")
NODES = builders.use_case_nodes()
NODES[1]["hold_for_review"] = True
MAIL = "thank-you~ada~1.1.email"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The address of an API in which Ada's first message waits; its push cannot be made out."""
    address = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(address)
    database = Database(address)
    signer = Signer("a secret for tests")
    services = Services(database=database, workflows=FakeWorkflows(), signer=signer, admin_key=KEY)
    sending = Sending({}, signer, services.public_url, services.mail_from)
    version = builders.use_case(nodes=NODES)

    def unit(work: Work) -> None:
        stock.put_use_case(work)
        (start,) = admission.admit_page(work, publish(work, version, ["ada"])).starts
        proposal = next_proposal(version.journey, start.entrant.entrant, Record(0, start.entrant.place))
        opened = steps.open_step(work, proposal, AT_RISK)
        assert isinstance(opened, Opened)
        shown = [sending.shown(channel, 1, opened) for channel in opened.to_render]
        broken = replace(shown[1], content=None, error="there is no nickname.")
        in_review.keep(work, proposal.entrant, 1, opened.revision, [shown[0], broken])

    await database.write(unit)
    port = free_port()
    async with serving(create_app(services), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"
    await database.close()


async def call(url: str, what: Callable[[Api], T]) -> T:
    def run() -> T:
        with Api(url, KEY) as api:
            return what(api)

    return await asyncio.to_thread(run)


def wanted(*deliveries: str, node: str = "", **said: bool) -> review.Wanted:
    return review.wanted(deliveries, node, "", **{"approve": False, "discard": False, "render": False} | said)


async def test_it_is_shown_told_and_approved(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def shown(what: review.Wanted, *, as_json: bool = False) -> str:
        await call(url, lambda api: review.run(api, "thank-you", what, as_json=as_json))
        return capsys.readouterr().out

    listed = await shown(wanted())
    assert "Hello Ada" in listed
    assert "2 at first" in listed
    assert "1 cannot be made out: there is no nickname." in listed
    counted = await call(url, lambda api: report.report(api, "thank-you"))
    assert "In review at first: 1 (`sojourn review thank-you`)." in list(report.sentences(counted))
    assert '"as_of"' in await shown(wanted(node="first"), as_json=True)
    seen = await shown(wanted(MAIL))
    assert f"{MAIL} to ada@example.org" in seen
    assert "subject: Hello Ada" in seen
    assert await shown(wanted(MAIL, approve=True)) == "1 approved.\n"
    assert await shown(wanted(MAIL, approve=True)) == f"0 approved.\nNot in review: {MAIL}.\n"
    again = await shown(wanted(node="first", approve=True))
    assert again == "1 approved.\n1 of them could not be made out before: they go if they can be now, else they wait on.\n"
    assert "Nothing waits for a review." in await shown(wanted())


def test_two_things_are_not_said_at_once_and_nothing_is_said_of_everything() -> None:
    with pytest.raises(BadInput, match="one of --approve and --discard at a time"):
        wanted(node="first", approve=True, discard=True)
    with pytest.raises(BadInput, match="Say which are meant"):
        wanted(discard=True)
