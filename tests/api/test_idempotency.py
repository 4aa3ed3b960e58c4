"""Calls with an `Idempotency-Key`: a repeat gets the answer of the first, and has no second effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from api import parameters
from api.app import create_app
from api.idempotency import NAME, takes_it
from api.services import Services
from store import journeys, schema
from store.database import Database
from store.idempotency import KEPT, LOCK
from tests import stock
from tests.api import waiting
from tests.api.conftest import ADMIN_KEY, WRITE_KEY
from tests.api.test_frame import assert_problem
from tests.api.test_fuzz import ROUNDS, address, body, calls
from tests.databases import Databases
from tests.fakes import FakeWorkflows, SettableClock

RUNS = "/v1/journeys/thank-you/runs"
KEY = {NAME: "8e03978e-40d5-43dd-bc93-6894a57f9324"}
WAITING = {"profiles": ["a"]}


@dataclass
class HeldWorkflows(FakeWorkflows):
    """A call that asks whether the server is there waits until a test lets it go on."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def reachable(self) -> bool:
        self.asked.set()
        await self.go_on.wait()
        return self.up


@pytest.fixture
async def published(database: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    await database.write(stock.end_run)


@pytest.fixture
async def apart(services: Services, databases: Databases, tmp_path: Path, clock: SettableClock) -> AsyncIterator[httpx.AsyncClient]:
    """The same service over another database."""
    folder = tmp_path / "apart"
    folder.mkdir()
    opened = Database(databases.sqlite(folder), clock)
    async with client(create_app(replace(services, database=opened, workflows=FakeWorkflows()))) as found:
        yield found
    await opened.close()


def app_of(of: httpx.AsyncClient) -> FastAPI:
    transport = of._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app


def client(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://sojourn.test", headers={"X-API-Key": ADMIN_KEY, **headers})


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that is the same when it is told again."""
    return answer.status_code, answer.content, {name: value for name, value in answer.headers.items() if name != "idempotency-replayed"}


def assert_replayed(again: httpx.Response, first: httpx.Response) -> None:
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert told(again) == told(first)


async def answers(database: Database) -> list[Any]:
    return list(await database.read(lambda connection: connection.execute(select(schema.answers)).all()))


@pytest.mark.behaviour(4)
@pytest.mark.usefixtures("published")
async def test_a_run_that_is_started_again_with_its_key_is_one_run(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    first, again = [await api.post(RUNS, json=WAITING, headers=KEY) for _ in range(2)]
    assert first.status_code == 201
    assert_replayed(again, first)
    assert again.headers["location"] == f"{RUNS}/thank-you.run.2"
    assert workflows.runs == ["thank-you.run.2"]
    assert (await api.post(RUNS, json=WAITING, headers={NAME: "another"})).json()["id"] == "thank-you.run.3"
    assert (await api.post(RUNS, json=WAITING)).json()["id"] == "thank-you.run.4"


@pytest.mark.behaviour(4)
async def test_events_without_ids_that_are_sent_again_with_a_key_are_the_same_events(api: httpx.AsyncClient, database: Database) -> None:
    sent = [{"name": "purchase", "namespace": "customer_id", "key": "c-1"}, {"name": 5}, {"name": "Seen", "namespace": "n", "key": "k"}]
    first, again = [await api.post("/v1/events", json=sent, headers=KEY) for _ in range(2)]
    assert (first.status_code, [one["status"] for one in first.json()]) == (207, [202, 422, 202])
    assert first.json()[0]["generated_id"]
    assert_replayed(again, first)
    assert len(await database.read(lambda connection: connection.execute(select(schema.events.c.id)).all())) == 2


async def test_every_method_that_writes_takes_a_key_and_a_reading_one_does_not_look_at_it(
    api: httpx.AsyncClient, database: Database
) -> None:  # fmt: skip
    person = "/v1/profiles/ada"
    calls: list[tuple[str, str, dict[str, Any] | None, int]] = [
        ("PUT", person, {"attributes": {"city": "Atlanta"}}, 200), ("PATCH", person, {"attributes": {"city": "Seattle"}}, 200),
        ("DELETE", person, None, 204), ("DELETE", "/v1/profiles/nobody", None, 404),
    ]  # fmt: skip
    for number, (method, path, sent, status) in enumerate(calls):
        first, again = [await api.request(method, path, json=sent, headers={NAME: str(number)}) for _ in range(2)]
        assert first.status_code == status
        assert_replayed(again, first)
    assert b"Atlanta" not in next(row.body for row in await answers(database) if row.status == 204)
    before = await answers(database)
    for headers in (KEY, {NAME: "x" * 300}, {NAME: ""}):
        assert (await api.get(person, headers=headers)).status_code == 404
        lines = await api.post("/v1/profiles:import", content='{"id": "p-1"}', headers={**headers, "Content-Type": "application/x-ndjson"})
        assert lines.status_code == 200
        track = {"userId": "u", "event": "Seen", "messageId": "m"}
        assert (await api.post("/v1/track", json=track, headers=headers, auth=(WRITE_KEY, ""))).json() == {"success": True}
        assert (await api.post("/v1/push/opened", json={"token": "x"}, headers=headers)).status_code == 404
    assert await answers(database) == before


@pytest.mark.behaviour(4)
async def test_a_refusal_is_told_again_though_what_it_was_for_is_mended(api: httpx.AsyncClient, database: Database) -> None:
    refusals: dict[int, tuple[str, Mapping[str, Any]]] = {
        404: (RUNS, {}), 422: ("/v1/segments:estimate", {"rule": "city in ["}), 409: (RUNS, {"profiles": ["c"]}),
    }  # fmt: skip
    first = {}
    for status, (path, sent) in refusals.items():
        if status == 409:
            await database.write(stock.put_use_case)
        first[status] = await api.post(path, json=sent, headers={NAME: str(status)})
        assert first[status].status_code == status
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    for status, (path, sent) in refusals.items():
        assert_replayed(await api.post(path, json=sent, headers={NAME: str(status)}), first[status])


@pytest.mark.behaviour(4)
@pytest.mark.usefixtures("published")
async def test_a_key_belongs_to_one_call(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    await api.post(RUNS, json=WAITING, headers=KEY)
    others: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("POST", RUNS, b'{"profiles": ["b"]}', {}), ("POST", RUNS, b'{"profiles":  ["a"]}', {}),
        ("POST", "/v1/journeys/welcome/runs", b'{"profiles":["a"]}', {}), ("PUT", "/v1/journeys/thank-you", b"{}", {"If-Match": "x"}),
        ("POST", "/v1/events", b'{"profiles":["a"]}', {"ce-id": "1"}),
    ]  # fmt: skip
    for method, path, sent, more in others:
        headers = {**KEY, "Content-Type": "application/json", **more}
        refused = await api.request(method, path, content=sent, headers=headers)
        assert assert_problem(refused, 422, "idempotency_key_reused")["where"] == NAME
    assert len(workflows.runs) == 1


async def test_what_stands_in_the_address_and_in_headers_of_the_call_belongs_to_it(api: httpx.AsyncClient) -> None:
    for name, (first, second) in {
        "address": ({"params": {"channel": "email", "address": "a@x.example"}}, {"params": {"channel": "email", "address": "b@x.example"}}),
        "header": ({"headers": {"If-Match": "a"}}, {"headers": {"If-Match": "b"}}),
    }.items():
        path = "/v1/suppressions" if name == "address" else "/v1/journeys/thank-you"
        said: dict[str, Any]
        for said, status in ((first, 404), (second, 422), (first, 404)):
            answer = await api.delete(path, params=said.get("params"), headers={**said.get("headers", {}), NAME: name})
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("given_", ["", " ", "x" * 256, "caf\u00e9", "tab\tinside"])
async def test_a_key_that_is_none_is_refused(api: httpx.AsyncClient, given_: str) -> None:
    answer = await api.post("/v1/segments:estimate", json={"rule": "a > 1"}, headers={NAME.encode(): given_.encode("latin-1")})
    problem = assert_problem(answer, 422, "bad_input")
    assert problem["where"] == NAME
    assert "1 to 255 printable" in problem["detail"]


async def test_one_key_and_not_two_and_the_longest_is_taken(api: httpx.AsyncClient) -> None:
    twice = await api.post("/v1/segments:estimate", json={"rule": "a > 1"}, headers=[(NAME, "a"), (NAME, "b")])
    assert_problem(twice, 422, "bad_input")
    longest = {NAME: '"' + "x" * 253 + '"'}
    first, again = [await api.post("/v1/segments:estimate", json={"rule": "a > 1"}, headers=longest) for _ in range(2)]
    assert_replayed(again, first)


async def test_who_may_not_call_writes_nothing_and_is_told_so_again(anonymous: httpx.AsyncClient, database: Database) -> None:
    for _ in range(2):
        refused = await anonymous.post("/v1/segments:estimate", json={"rule": "a > 1"}, headers={**KEY, "X-API-Key": "wrong"})
        assert_problem(refused, 401, "unauthorized")
    assert await answers(database) == []


async def test_a_key_of_one_caller_is_nothing_to_another(services: Services, anonymous: httpx.AsyncClient) -> None:
    """As after a change of the admin key: both processes serve one database."""
    async with client(create_app(replace(services, admin_key="a-new-admin-key")), **{"X-API-Key": "a-new-admin-key"}) as other:
        await anonymous.post("/v1/events", json={"name": "a"}, headers={**KEY, "X-API-Key": ADMIN_KEY})
        theirs = await other.post("/v1/events", json={"name": "b"}, headers=KEY)
        assert (theirs.status_code, "idempotency-replayed" in theirs.headers) == (202, False)
        mine = await anonymous.post("/v1/events", json={"name": "a"}, headers={**KEY, "Authorization": f"Bearer {ADMIN_KEY}"})
        assert mine.headers["idempotency-replayed"] == "true", "whichever header the same key comes in"


async def test_two_keys_that_were_made_are_two_callers_and_one_that_sends_data_in_has_its_own_answers(api: httpx.AsyncClient) -> None:
    made = [(await api.post("/v1/keys", json={"name": name, "scope": "ingest", "namespace": "customer_id"}, headers=KEY)) for name in "ab"]
    assert [answer.status_code for answer in made] == [201, 201], "a secret is never told twice"
    secrets = [answer.json()["key"] for answer in made]
    assert secrets[0] != secrets[1]
    first, other, again = [
        await api.post("/v1/events", json={"name": "a"}, headers={**KEY, "Authorization": f"Bearer {secret}"})
        for secret in (*secrets, secrets[0])
    ]
    assert (first.status_code, other.status_code, other.json()["id"] == first.json()["id"]) == (202, 202, False)
    assert_replayed(again, first)
    refused = await api.post(RUNS, headers={**KEY, "Authorization": f"Bearer {secrets[0]}"})
    assert_problem(refused, 403, "forbidden_scope")


@pytest.mark.behaviour(4)
@pytest.mark.usefixtures("published")
async def test_while_the_first_runs_a_second_is_told_to_wait_and_then_gets_its_answer(services: Services, clock: SettableClock) -> None:
    held = HeldWorkflows()
    async with client(create_app(replace(services, workflows=held))) as one, client(create_app(services)) as other:
        first = asyncio.create_task(one.post(RUNS, json=WAITING, headers=KEY))
        await held.asked.wait()
        for waited, retry_after in ((0, 1), (7_000_001, 8), (90_000_000, 23)):
            clock.instant += waited
            refused = await other.post(RUNS, json=WAITING, headers=KEY)
            assert_problem(refused, 409, "still_running")
            assert refused.headers["retry-after"] == str(retry_after)
        held.go_on.set()
        assert (await first).status_code == 201
        assert_replayed(await other.post(RUNS, json=WAITING, headers=KEY), await first)


@pytest.mark.behaviour(4)
@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
@pytest.mark.usefixtures("published")
async def test_many_at_one_moment_in_two_processes_start_one_run(
    services: Services, address: str, clock: SettableClock, workflows: FakeWorkflows
) -> None:  # fmt: skip
    other = Database(address, clock)
    async with client(create_app(services)) as one, client(create_app(replace(services, database=other))) as two:
        got = await asyncio.gather(*((one, two)[number % 2].post(RUNS, json=WAITING, headers=KEY) for number in range(20)))
        assert {answer.status_code for answer in got} <= {201, 409}
        assert {answer.json()["code"] for answer in got if answer.status_code == 409} <= {"still_running"}
        assert (await two.post(RUNS, json=WAITING, headers=KEY)).json()["id"] == "thank-you.run.2"
    assert workflows.runs == ["thank-you.run.2"]
    await other.close()


@pytest.mark.usefixtures("published")
async def test_after_a_day_the_key_is_new(api: httpx.AsyncClient, clock: SettableClock) -> None:
    await api.post(RUNS, json=WAITING, headers=KEY)
    clock.instant += KEPT - 1
    assert (await api.post(RUNS, json=WAITING, headers=KEY)).json()["id"] == "thank-you.run.2"
    clock.instant += 1
    assert (await api.post(RUNS, json=WAITING, headers=KEY)).json()["id"] == "thank-you.run.3"


@pytest.mark.usefixtures("published")
async def test_what_says_to_try_again_is_not_kept(api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    workflows.up = False
    assert_problem(await api.post(RUNS, json=WAITING, headers=KEY), 503, "unavailable")
    assert await answers(database) == []
    workflows.up = True
    assert (await api.post(RUNS, json=WAITING, headers=KEY)).status_code == 201
    large = {**KEY, "Content-Type": "application/json"}
    assert_problem(await api.post(RUNS, content=b" " * 1_100_000, headers=large), 413, "too_large")
    assert_problem(await api.post(RUNS, content=b"{", headers=large), 400, "json_invalid")
    assert len(await answers(database)) == 1


async def test_neither_a_fault_of_ours_is_kept_nor_a_conflict_that_a_repeat_ends(services: Services, database: Database) -> None:
    happens: list[Exception | None] = [RuntimeError("a fault of ours"), IntegrityError("", None, Exception()), None]
    app = create_app(services)

    @app.post("/v1/rare", dependencies=parameters.ONLY_KNOWN)
    async def rare() -> int:
        error = happens.pop(0)
        if error is not None:
            raise error
        return len(await answers(database))

    async with client(app) as api:
        assert_problem(await api.post("/v1/rare", headers=KEY), 500, "internal_error")
        assert_problem(await api.post("/v1/rare", headers=KEY), 409, "conflict")
        done = await api.post("/v1/rare", headers=KEY)
        assert (done.status_code, done.json()) == (200, 1), "while it runs its row is there"
        assert_replayed(await api.post("/v1/rare", headers=KEY), done)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
async def test_what_is_done_is_answered_though_its_answer_cannot_be_kept(services: Services, database: Database) -> None:
    app = create_app(services)

    @app.post("/v1/rare", dependencies=parameters.ONLY_KNOWN)
    async def rare() -> int:
        return await database.write(lambda work: work.connection.execute(text("ALTER TABLE answers RENAME TO away")).rowcount)

    async with client(app) as api:
        assert (await api.post("/v1/rare", headers=KEY)).status_code == 200


@pytest.mark.usefixtures("published")
async def test_a_process_that_died_in_the_middle_holds_the_key_for_two_minutes_and_the_repeat_runs(
    services: Services, clock: SettableClock, workflows: FakeWorkflows
) -> None:  # fmt: skip
    held = HeldWorkflows()
    async with client(create_app(replace(services, workflows=held))) as dying, client(create_app(services)) as next_one:
        first = asyncio.create_task(dying.post(RUNS, json=WAITING, headers=KEY))
        await held.asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        clock.instant += LOCK - 1
        assert_problem(await next_one.post(RUNS, json=WAITING, headers=KEY), 409, "still_running")
        clock.instant += 1
        assert (await next_one.post(RUNS, json=WAITING, headers=KEY)).status_code == 201
    assert workflows.runs == ["thank-you.run.2"]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
async def test_a_key_costs_two_statements_and_a_call_without_one_nothing(services: Services, database: Database) -> None:
    said: list[str] = []
    database.engine.dispose()
    event.listen(database.engine, "connect", lambda connection, _: connection.set_trace_callback(said.append))
    async with client(create_app(services)) as api:
        for headers, costs in (({}, []), (KEY, ["INSERT", "UPDATE"]), (KEY, ["INSERT", "SELECT"])):
            said.clear()
            await api.post("/v1/journeys/nobody:close", headers=headers)
            assert [one.split()[0] for one in said if "answers" in one] == costs


async def test_the_reference_has_the_header_at_every_call_that_takes_it(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    taking = set()
    for path, item in paths.items():
        for method, operation in item.items():
            found = [one for one in operation.get("parameters", ()) if one["name"] == NAME]
            if found:
                taking.add((method, path))
                assert found[0]["in"] == "header"
                assert {"409", "422"} <= set(operation["responses"]), (method, path)
                refused = await api.request(method, path.replace("{", "").replace("}", ""), json={}, headers={NAME: "x" * 256})
                assert refused.json().get("where") == NAME, (method, path, refused.text)
    writing = {(method, path) for path, item in paths.items() for method in item if method != "get" and path.startswith("/v1/")}
    segment = {("post", f"/v1/{kind}") for kind in ("track", "identify", "page", "screen", "group", "alias", "batch")}
    others = {("post", f"/v1/{name}") for name in ("profiles:import", "push/opened", "push/clicked", "keys")}
    assert taking == writing - segment - others


@pytest.mark.behaviour(4)
@settings(ROUNDS, max_examples=60)
@given(draw=st.data(), said=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200))
async def test_with_any_key_a_call_is_answered_as_without_it_and_again_the_same(
    services: Services, apart: httpx.AsyncClient, draw: st.DataObject, said: str
) -> None:
    if apart.headers.get("X-Round") is None:  # once for all rounds
        for one in (services.database, app_of(apart).state.services.database):
            await waiting.for_a_purchase(one)
    number = int(apart.headers.get("X-Round", "0")) + 1
    apart.headers["X-Round"] = str(number)
    document = app_of(apart).openapi()
    method, path, operation = draw.draw(st.sampled_from([one for one in calls(document) if takes_it(*one)]))
    where, query = address(draw, path, operation)
    content, kind = body(draw, path, operation)
    headers = {"Content-Type": kind} if kind else {}
    async with client(create_app(services)) as api:
        without = await api.request(method, where, params=query, content=content, headers=headers)
    first, again = [
        await apart.request(method, where, params=query, content=content, headers={**headers, NAME: f"{number} {said}"}) for _ in range(2)
    ]
    assert (first.status_code, first.headers.get("content-type")) == (without.status_code, without.headers.get("content-type"))
    if first.status_code >= 400:
        assert first.json()["code"] == without.json()["code"]
    assert told(again) == told(first)
