"""Several processes of Sojourn on one PostgreSQL and one Temporal server: APIs and workers that know nothing of one another."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.catchers import MailBehaviour, MailCatcher, PushCatcher
from demo.postgres_server import postgres_server
from demo.processes import SojournProcess, sojourn
from demo.shares import TakingTurns
from demo.temporal_cli import ensure
from demo.temporal_server import free_port, temporal_server
from tests.e2e.world import ADMIN_KEY, WRITE_KEY, World, eventually

SECRET = "a secret for tests that is long enough"


class Several(World):
    """A world whose APIs and workers are processes; calls go to the APIs in turn."""

    def __init__(self, api: httpx.AsyncClient, mail: MailCatcher, push: PushCatcher, told: dict[str, str], folder: Path) -> None:
        self.api, self.mail, self.push, self.told, self.folder = api, mail, push, told, folder

    async def delivery(self, key: str, channel: str) -> dict[str, Any]:
        deliveries = (await self.story(key)).get("deliveries", ())
        return next((one for one in deliveries if one["channel"] == channel), {})


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[tuple[Several, list[SojournProcess]]]:
    """PostgreSQL, a Temporal server, two APIs, two workers, and the workers to do something to."""
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        mail, push = await enter(MailCatcher()), await enter(PushCatcher())
        postgres = await enter(postgres_server(tmp_path / "postgres"))
        server = await enter(temporal_server(ensure()))
        ports = [free_port(), free_port()]
        told = {
            "SOJOURN_DATA_DIR": str(tmp_path), "SOJOURN_DATABASE_URL": postgres.url, "SOJOURN_TEMPORAL_ADDRESS": server.address,
            "SOJOURN_SECRET": SECRET, "SOJOURN_ADMIN_KEY": ADMIN_KEY, "SOJOURN_WRITE_KEYS": f"{WRITE_KEY}=customer_id",
            "SOJOURN_SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "SOJOURN_PUSH_URL": push.url,
            "SOJOURN_PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
        }  # fmt: skip
        apis = [sojourn(f"api-{port}", "api", told | {"SOJOURN_API_PORT": str(port)}, tmp_path) for port in ports]
        workers = [sojourn(f"worker-{number}", "worker", told, tmp_path) for number in (1, 2)]
        processes = await asyncio.gather(*map(enter, (*apis, *workers)))
        turns = await enter(TakingTurns([f"http://127.0.0.1:{port}" for port in ports]))
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        api = await enter(httpx.AsyncClient(transport=turns, base_url="http://any.example", headers=headers, timeout=30))
        yield Several(api, mail, push, told, tmp_path), processes[2:]


@pytest.mark.complaint(25)
@pytest.mark.timeout(240)
async def test_a_handful_of_people_walk_through_two_apis_and_two_workers(here: tuple[Several, list[SojournProcess]]) -> None:
    world, _ = here
    await world.set_up(timeout="PT8S")
    keys = await world.people(6)
    await world.publish()
    for key in keys:
        await world.waits_at("push-opened", "email-opened", key=key)
    for key, opens in zip(keys[:4], itertools.cycle((world.opens_push, world.opens_email))):
        await opens(key)
    for key in keys:
        await world.waits_at("purchase", key=key)  # the last two when their time is up
        await world.buys(key)

    async def finished() -> int:
        return int((await world.report())["totals"]["finished"])

    await eventually(finished, lambda number: number == 6, "the end of all six", patience=60)
    report = await world.report()
    assert report["differences"] == []
    assert (report["totals"]["entered"], report["totals"]["inside"]) == (6, 0)
    subjects = world.mails()
    assert (subjects.count("Ada, we roasted one for Atlanta"), subjects.count("The Atlanta roast is still here")) == (6, 2)
    assert len({push.delivery for push in world.push.pushes}) == len(world.push.pushes) == 6 + 6


@pytest.mark.timeout(240)
async def test_a_worker_that_is_told_to_end_marks_the_mail_that_is_on_its_way(here: tuple[Several, list[SojournProcess]]) -> None:
    world, (first, second) = here
    await world.set_up()
    await world.person()
    world.mail.behave(MailBehaviour(at="END", delay=3, times=1))  # it has the whole mail, and is slow to say so
    await world.publish()
    await eventually(lambda: world.delivery("c-42", "email"), lambda one: one.get("status") == "claimed", "a mail on its way", patience=60)
    before = time.monotonic()
    for worker in (first, second):  # whichever it is that sends it
        worker.terminate()
    assert [await worker.ended() for worker in (first, second)] == [0, 0]
    assert time.monotonic() - before < 45
    assert (await world.delivery("c-42", "email"))["status"] == "sent"

    async with sojourn("worker-3", "worker", world.told, world.folder):
        await world.waits_at("push-opened", "email-opened")
    assert world.mails() == ["Ada, we roasted one for Atlanta"]
    assert world.pushes() == ["A roast for Atlanta"]


async def test_a_second_process_on_one_sqlite_file_is_refused_with_one_sentence(tmp_path: Path) -> None:
    async with temporal_server(ensure()) as server:
        told = {"SOJOURN_DATA_DIR": str(tmp_path), "SOJOURN_TEMPORAL_ADDRESS": server.address, "SOJOURN_API_PORT": str(free_port())}
        async with sojourn("worker", "worker", told, tmp_path):
            for command in ("worker", "api", "dev"):
                refused = await SojournProcess.start(command, command, told, tmp_path / f"refused-{command}.log")
                assert await refused.ended() == 1
                said = refused.said().strip()
                assert said.count("\n") == 0, said
                assert "sojourn dev" in said
                assert "PostgreSQL" in said


async def test_what_one_process_makes_for_itself_is_asked_for_where_there_are_several(tmp_path: Path) -> None:
    told = {"SOJOURN_DATA_DIR": str(tmp_path), "SOJOURN_DATABASE_URL": "postgresql://sojourn@127.0.0.1:9/sojourn"}
    for command, missing in (("worker", "SOJOURN_SECRET is not set"), ("api", "SOJOURN_SECRET and SOJOURN_ADMIN_KEY are not set")):
        process = await SojournProcess.start(command, command, told, tmp_path / f"{command}.log")
        assert await process.ended() == 1
        assert process.said().startswith(f"{missing}: with PostgreSQL every process is given the same")
        assert process.said().count("\n") == 1


@pytest.mark.timeout(240)
async def test_the_api_takes_events_before_there_is_a_temporal_server_and_the_worker_waits_for_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        postgres = await enter(postgres_server(tmp_path / "postgres"))
        ports = [free_port(), free_port()]
        told = {
            "SOJOURN_DATA_DIR": str(tmp_path), "SOJOURN_DATABASE_URL": postgres.url,
            "SOJOURN_SECRET": SECRET, "SOJOURN_ADMIN_KEY": ADMIN_KEY,
            "SOJOURN_TEMPORAL_ADDRESS": f"127.0.0.1:{ports[0]}", "SOJOURN_API_PORT": str(ports[1]),
        }  # fmt: skip
        await enter(sojourn("api", "api", told, tmp_path))
        worker = await SojournProcess.start("worker", "worker", told, tmp_path / "worker.log")
        open_things.push_async_callback(worker.end)
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        url = f"http://127.0.0.1:{ports[1]}"
        api = await enter(httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False))

        event = {"id": "1", "name": "Order Completed", "namespace": "customer_id", "key": "c-42"}
        assert (await api.post("/v1/events", json=event)).status_code == 202
        assert (await api.get("/healthz")).status_code == 200
        missing = await api.get("/readyz")
        assert (missing.status_code, missing.json()["parts"]) == (503, {"database": "ready", "temporal": "missing"})

        async def waits() -> bool:
            return "This worker waits for it." in worker.said()

        await eventually(waits, bool, "a line in the worker's log", patience=60)
        await enter(temporal_server(ensure(), port=ports[0]))
        await worker.is_ready()

        async def ready() -> int:
            return (await api.get("/readyz")).status_code

        await eventually(ready, lambda status: status == 200, "an API that is ready", patience=60)
