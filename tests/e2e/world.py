"""The whole of Sojourn for one test: a Temporal server, a mail server, a push service and the API, all real; people who open and buy.

Everything is done over HTTP and seen at the catchers; only where a test needs a moment between two commits it reaches into the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from api_server import app_of, serving
from commands import folder
from demo.catchers import MailCatcher, PushCatcher
from demo.temporal_cli import ensure
from demo.temporal_server import TemporalServer, free_port, temporal_server
from journey import ids
from settings import Settings
from store.clock import Clock
from worker import CACHED, TASKS_AT_ONCE, WORKFLOWS, Process, make_worker, opened, taking_up

T = TypeVar("T")
EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"
HISTORIES = Path(__file__).parents[1] / "histories"
JOURNEY = "thank-you"
WRITE_KEY = "a-write-key-for-tests"
ADMIN_KEY = "an-admin-key-for-tests"
PATIENCE = 20.0
MOST_REPLAYED = 25
PURCHASE = {"purchaseMessage": "thank you", "product": "Lamp", "purchase_id": "1"}


async def eventually(look: Callable[[], Awaitable[T]], good: Callable[[T], bool], what: str, patience: float | None = None) -> T:
    """Look until it is good; fail with what was seen last."""
    seen = await look()
    try:
        async with asyncio.timeout(patience or PATIENCE):
            while not good(seen):
                await asyncio.sleep(0.02)
                seen = await look()
    except TimeoutError:
        raise AssertionError(f"{what} did not come; the last seen was {seen!r}") from None
    return seen


class World:
    """What a test has in its hands."""

    def __init__(self, process: Process, api: httpx.AsyncClient, mail: MailCatcher, push: PushCatcher, server: TemporalServer) -> None:
        self.process, self.api, self.mail, self.push, self.server = process, api, mail, push, server
        self._worker: Worker | None = None

    # ---- the worker comes and goes ---------------------------------------------------------------------------------------------

    async def worker_comes(self, *, sandboxed: bool = True, tasks_at_once: int = TASKS_AT_ONCE, cached: int = CACHED) -> None:
        assert self._worker is None
        self._worker = make_worker(self.process, sandboxed=sandboxed, tasks_at_once=tasks_at_once, cached=cached)
        await self._worker.__aenter__()

    async def worker_goes(self) -> None:
        if self._worker is not None:
            await self._worker.__aexit__(None, None, None)
            self._worker = None

    # ---- setting up ------------------------------------------------------------------------------------------------------------

    async def set_up(self, *, timeout: str = "P1D", journey: dict[str, Any] | None = None) -> None:
        """Everything of the example but its people; the day of the gate may be made shorter."""
        example = folder.read(EXAMPLE)
        await self.put("/v1/attributes", {name: one.model_dump() for name, one in example.attributes.items()})
        for path, entries in (("segments", example.segments), ("event-definitions", example.events), ("messages", example.messages)):
            for name, entry in entries.items():
                await self.put(f"/v1/{path}/{name}", entry.source.data)
        document = journey or json.loads(json.dumps(example.journeys[JOURNEY].source.data).replace("P1D", timeout))
        await self.put(f"/v1/journeys/{document['id']}", document)

    async def person(self, key: str = "c-42", **changed: Any) -> str:
        """A member of the segment; `changed` replaces parts of the profile. Returns the key."""
        await self.put(f"/v1/profiles/{key}", profile_of(key) | changed)
        return key

    async def people(self, number: int) -> list[str]:
        """So many members of the segment at once; returns their keys."""
        keys = [f"c-{count:04}" for count in range(number)]
        lines = "".join(json.dumps(profile_of(key)) + "\n" for key in keys)
        answer = await self.api.post("/v1/profiles:import", content=lines, headers={"Content-Type": "application/x-ndjson"})
        assert answer.json()["kept"] == number, answer.text
        return keys

    async def publish(self, journey: str = JOURNEY) -> str:
        """Publish; returns the run."""
        answer = await self.api.post(f"/v1/journeys/{journey}:publish")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["run"])

    async def put(self, path: str, data: Any) -> None:
        answer = await self.api.put(path, json=data)
        assert answer.is_success, f"{path}: {answer.text}"

    # ---- what people do --------------------------------------------------------------------------------------------------------

    async def opens_push(self, key: str = "c-42") -> None:
        push = next(push for push in self.push.pushes if push.body["tokens"] == [f"device-{key}"])
        answer = await self.api.post("/v1/push/opened", json={"token": push.body["opened_token"]})
        assert answer.status_code == 204, answer.text

    async def opens_email(self, key: str = "c-42") -> None:
        answer = await self.api.get(self.pixel(key))
        assert answer.status_code == 200, answer.text

    def pixel(self, key: str = "c-42") -> str:
        """The address of the pixel in the first mail that this person got."""
        mail = next(mail for mail in self.mail.messages if mail.to == f"{key}@people.example")
        found = re.search(r'src="([^"]+/o/[^"]+\.gif)"', mail.html)
        assert found is not None, "the mail has no pixel"
        return found[1]

    async def buys(self, key: str = "c-42", message_id: str = "") -> None:
        event = {"userId": key, "event": "Order Completed", "properties": PURCHASE, "messageId": message_id or f"buy-{key}"}
        answer = await self.api.post("/v1/track", json=event, auth=(WRITE_KEY, ""))
        assert answer.json() == {"success": True}, answer.text

    # ---- what is seen ----------------------------------------------------------------------------------------------------------

    async def story(self, key: str = "c-42", journey: str = JOURNEY) -> dict[str, Any]:
        answer = await self.api.get(f"/v1/entrants/{ids.entrant(journey, key, 1)}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def waits_at(self, *nodes: str, key: str = "c-42", journey: str = JOURNEY) -> None:
        """Wait until this person waits at the gate of these nodes."""

        def there(story: dict[str, Any]) -> bool:
            return bool(story and story["waiting"]) and {awaited["node"] for awaited in story["waiting"]["awaited"]} == set(nodes)

        await eventually(lambda: self.story(key, journey), there, f"waiting at {nodes}")

    async def ends(self, key: str = "c-42", journey: str = JOURNEY) -> str:
        """Wait until this person has ended, in the store and at the server; returns the reason."""
        await eventually(lambda: self.story(key, journey), lambda story: bool(story) and story["entrant"]["state"] == "ended", "the end")
        return str(await self.process.client.get_workflow_handle(ids.entrant(journey, key, 1)).result())

    async def path(self, key: str = "c-42", journey: str = JOURNEY) -> list[str]:
        """Every node left after the entry, as NODE:EXIT."""
        found: list[str] = []
        for step in (await self.story(key, journey))["path"][1:]:
            found += [f"{step['left']}:{step['exit']}"] if step["left"] else []
            found += [f"{step['node']}:{step['outcome']}"] if step["node"] else []
        return found

    async def discards(self) -> dict[str, int]:
        items = (await self.api.get("/v1/discards", params={"limit": 1000})).json()["items"]
        codes = [item["code"] for item in items]
        return {code: codes.count(code) for code in sorted(set(codes))}

    async def report(self, journey: str = JOURNEY) -> dict[str, Any]:
        return dict((await self.api.get(f"/v1/journeys/{journey}/report")).json())

    def mails(self) -> list[str]:
        return [mail.subject for mail in self.mail.messages]

    def pushes(self) -> list[str]:
        return [push.body["title"] for push in self.push.pushes]

    # ---- histories -------------------------------------------------------------------------------------------------------------

    async def workflows(self) -> list[tuple[str, str | None]]:
        """Id and run of every workflow that ever ran here; when they are many, of some."""
        return [(one.id, one.run_id) async for one in self.process.client.list_workflows("", limit=MOST_REPLAYED)]

    async def replay(self, name: str, workflows: Sequence[tuple[str, str | None]]) -> None:
        """The histories of these workflows replay; with RECORD_HISTORIES set they are kept, with the versions that they name."""
        handles = [self.process.client.get_workflow_handle(workflow_id, run_id=run_id) for workflow_id, run_id in workflows]
        histories = [await handle.fetch_history() for handle in handles]
        # Outside the sandbox, which takes a second to start and in which it walked just now; test_replay.py does both.
        runner = UnsandboxedWorkflowRunner()
        replayer = Replayer(workflows=WORKFLOWS, data_converter=self.process.client.data_converter, workflow_runner=runner)

        async def one_after_the_other() -> AsyncIterator[WorkflowHistory]:
            for history in histories:
                yield history

        await replayer.replay_workflows(one_after_the_other())
        if os.environ.get("RECORD_HISTORIES"):
            await self._record(name, histories)

    async def _record(self, name: str, histories: list[WorkflowHistory]) -> None:
        HISTORIES.mkdir(exist_ok=True)
        frozen = await self.process.database.read(lambda connection: connection.exec_driver_sql("SELECT hash, canonical FROM frozen").all())
        versions = [f"{json.dumps(row[0])}: {row[1]}" for row in frozen]
        names = [history.workflow_id for history in histories]  # the newest first; one that goes on as new is there twice
        numbered = [f"{name} {names[at:].count(name)}" if names.count(name) > 1 else name for at, name in enumerate(names)]
        told = [f"{json.dumps(name)}: {_written(history)}" for name, history in zip(numbered, histories, strict=True)]
        (HISTORIES / f"{re.sub('[^a-z0-9_]', '_', name)}.json").write_text(
            '{"versions": {\n' + ",\n".join(versions) + '\n},\n"histories": {\n' + ",\n".join(told) + "\n}}\n"
        )


def profile_of(key: str) -> dict[str, Any]:
    """Ada from Atlanta, born in 1985, with an address and a device of her own."""
    attributes = {"first_name": "Ada", "city": "Atlanta", "birth_year": 1985, "email": f"{key}@people.example"}
    return {"id": key, "attributes": attributes, "identities": {"customer_id": key}, "push_tokens": [{"token": f"device-{key}"}]}


def _written(history: WorkflowHistory) -> str:
    """An event a line."""
    events = [json.dumps(_anonymous(event), sort_keys=True) for event in json.loads(history.to_json())["events"]]
    return '{"events": [\n' + ",\n".join(events) + "\n]}"


def _anonymous(part: Any) -> Any:
    """Without the names of this machine, its processes and its folders: replay needs none of them."""
    if isinstance(part, list):
        return [_anonymous(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("kind") == "TASK_QUEUE_KIND_STICKY":
        return part | {"name": "sticky"}
    return {name: _anonymous(one) for name, one in part.items() if name not in ("identity", "stackTrace")}


@asynccontextmanager
async def world(
    data: Path, *, clock: Clock | None = None, beside: TemporalServer | None = None, sweeps: bool = True, **changed: Any
) -> AsyncIterator[World]:  # fmt: skip
    """A world of its own, with its worker; nothing is shared with another test. Its Temporal server is its own too, unless it stands
    `beside` one. `sweeps` False leaves out the sweep, which asks what a time-skipping server cannot answer. `changed` are settings."""
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        mail, push = await enter(MailCatcher()), await enter(PushCatcher())
        server = beside if beside is not None else await enter(temporal_server(ensure()))
        settings = settings_for(data, mail, push, server).model_copy(update=changed)
        process = await enter(opened(settings, clock=clock))
        await enter(serving(app_of(process), settings.api_host, settings.api_port))
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        api = await enter(httpx.AsyncClient(base_url=settings.api_url, headers=headers, timeout=20, trust_env=False))
        made = World(process, api, mail, push, server)
        await made.worker_comes()
        if sweeps:
            await taking_up(process).catch_up()
        try:
            yield made
        finally:
            await made.worker_goes()


def settings_for(data: Path, mail: MailCatcher, push: PushCatcher, server: TemporalServer) -> Settings:
    return Settings(
        data_dir=data,
        temporal_address=server.address,
        temporal_ui=server.ui,
        api_port=free_port(),
        secret="a secret for tests that is long enough",
        admin_key=ADMIN_KEY,
        write_keys={WRITE_KEY: "customer_id"},
        smtp_url=f"smtp://127.0.0.1:{mail.port}",
        push_url=push.url,
    )
