"""`sojourn diff` and `sojourn plan` against a real API on loopback: two versions, a folder beside the version that people are in, and what
becomes of those."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from api.app import create_app
from api.services import Services
from api_server import serving
from commands import diff, plan, publish
from commands.apply import apply
from commands.http import Api
from demo.temporal_server import free_port
from journey.errors import BadInput, NotFound
from journey.tracking import Signer
from store.database import Database
from store.upgrade import upgrade
from tests import stock
from tests.fakes import FakeWorkflows

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"
KEY = "an-admin-key-for-tests"
T = TypeVar("T")


@dataclass
class Place:
    """An API over a database of its own, with a copy of the example that was applied and published."""

    url: str
    database: Database
    folder: Path

    async def call(self, what: Callable[[Api], T]) -> T:
        def run() -> T:
            with Api(self.url, KEY) as api:
                return what(api)

        return await asyncio.to_thread(run)

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "journeys" / "thank-you.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    address = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(address)
    database = Database(address)
    services = Services(database=database, workflows=FakeWorkflows(), signer=Signer("a secret for tests"), admin_key=KEY)
    port = free_port()
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "copy"))
    async with serving(create_app(services), "127.0.0.1", port):
        made = Place(f"http://127.0.0.1:{port}", database, folder)
        await made.call(lambda api: apply(api, folder, lambda *_: None))
        yield made
    await database.close()


async def test_a_folder_is_compared_with_the_live_version_and_says_who_stands_where(place: Place) -> None:
    await place.call(lambda api: publish.publish(api, "thank-you"))
    same = await place.call(lambda api: diff.of_folder(api, place.folder, "thank-you"))
    assert list(diff.sentences(same)) == ["thank-you: version 1 and the folder are the same."]

    for key in ("a", "b"):
        await place.database.write(lambda work, key=key: stock.entrant(work, key))  # type: ignore[misc]  # mypy infers no such lambda
    await place.database.write(lambda work: stock.entrant(work, "c", place="follow-up", waiting=False))
    place.edit("after: P1D, next: follow-up", "after: P2D, next: purchase")
    place.edit("  - {id: follow-up,    kind: message,  message: follow-up, next: purchase}\n", "")
    place.edit("next: end}", "next: pause}\n  - {id: pause, kind: wait, for: PT1H, next: end}")
    answer = await place.call(lambda api: diff.of_folder(api, place.folder, "thank-you"))

    assert list(diff.sentences(answer)) == [
        "thank-you: from version 1 to the folder",
        "  ~ email-opened: timeout.after is 2 days; it was 1 day. 2 people stand there.",
        "  ~ email-opened leads by timeout to purchase; it was follow-up. 2 people stand there.",
        "  ~ thanks leads by next to pause; it was end.",
        "  + pause is new: a wait, reached from thanks, leading to end.",
        "  - follow-up, a message, is gone. 1 person stands there.",
    ]


async def test_two_versions_are_compared_by_their_numbers(place: Place) -> None:
    await place.call(lambda api: publish.publish(api, "thank-you"))
    place.edit("P1D", "P3D")
    await place.call(lambda api: apply(api, place.folder, lambda *_: None))
    answer = await place.call(lambda api: diff.between(api, "thank-you", "1", "draft"))
    assert next(diff.sentences(answer)) == "thank-you: from version 1 to the draft"
    await place.call(lambda api: publish.publish(api, "thank-you"))
    assert (await place.call(lambda api: diff.between(api, "thank-you", "1", "2")))["changes"] == answer["changes"]


async def test_what_becomes_of_people_is_counted_before_a_publish_and_then_so(place: Place) -> None:
    await place.call(lambda api: publish.publish(api, "thank-you"))
    for key in ("a", "b"):
        await place.database.write(lambda work, key=key: stock.entrant(work, key))  # type: ignore[misc]  # mypy infers no such lambda
    await place.database.write(lambda work: stock.entrant(work, "c", place="purchase"))
    place.edit("after: P1D", "after: P2D")
    await place.call(lambda api: apply(api, place.folder, lambda *_: None))
    moves = place.folder.parent / "moves.yaml"
    moves.write_text("purchase: :exit\n")
    told = plan.succession(mapped=moves, rate=5)

    planned = await place.call(lambda api: plan.plan(api, "thank-you", told))
    assert list(plan.sentences(planned))[:2] == [
        "Of 3 inside 2 go on, 1 leaves.",
        "3 of them are woken.",
    ]
    published = await place.call(lambda api: publish.publish(api, "thank-you", told))
    assert list(publish.sentences(published))[:3] == [
        "thank-you@2 is live.", "thank-you@1 lets in nobody more.", "Those inside thank-you@1 go on in thank-you@2, where they can.",
    ]  # fmt: skip


async def test_what_cannot_be_compared_is_said(place: Place) -> None:
    with pytest.raises(NotFound, match="never published"):
        await place.call(lambda api: diff.of_folder(api, place.folder, "thank-you"))
    with pytest.raises(BadInput, match="no journey other"):
        await place.call(lambda api: diff.of_folder(api, place.folder, "other"))
    with pytest.raises(BadInput, match="is no version"):
        await place.call(lambda api: diff.between(api, "thank-you", "1", "live"))
    with pytest.raises(BadInput, match="no file or folder"):
        await place.call(lambda api: diff.of_folder(api, place.folder / "nowhere", "thank-you"))
