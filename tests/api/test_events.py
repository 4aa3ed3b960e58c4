"""Events over HTTP: one, many and CloudEvents, and what is answered about each."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from journey.contract import Happened
from store.database import Database
from tests.api import waiting
from tests.fakes import FakeWorkflows

BOUGHT: dict[str, Any] = {"id": "o-1", "name": "purchase", "data": waiting.PURCHASE}


async def test_a_purchase_decides_the_gate_of_whoever_waits_for_it(
    api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    entrant = await waiting.for_a_purchase(database)
    answer = await api.post("/v1/events", json=BOUGHT)
    assert answer.status_code == 202
    assert answer.json() == {
        "source": "api", "id": "o-1", "duplicate": False, "generated_id": False, "code": "", "detail": "", "entrants": [entrant],
        "entered": [],
    }  # fmt: skip
    assert await waiting.won(database) == "purchase"
    assert workflows.signals == [(entrant, Happened(2, "purchase", "api", "o-1"))]


async def test_the_same_event_twice_has_one_effect(api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await waiting.for_a_purchase(database)
    await api.post("/v1/events", json=BOUGHT)
    again = await api.post("/v1/events", json=BOUGHT)
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    assert len(workflows.signals) == 1
    assert await waiting.discards(database) == []


async def test_an_event_that_nobody_waits_for_is_accepted_and_on_record_with_its_reason(api: httpx.AsyncClient, database: Database) -> None:
    answer = await api.post("/v1/events", json={"id": "o-1", "name": "seen", "namespace": "customer_id", "key": "c-1"})
    assert (answer.status_code, answer.json()["code"]) == (202, "no_definition")
    assert await waiting.discards(database) == ["no_definition"]


async def test_an_event_without_an_id_says_which_it_was_given(api: httpx.AsyncClient) -> None:
    answer = (await api.post("/v1/events", json={"name": "seen"})).json()
    assert answer["generated_id"]
    assert answer["id"].startswith("generated-")


async def test_of_an_array_each_event_has_a_verdict_of_its_own(
    api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    entrant = await waiting.for_a_purchase(database)
    sent = [BOUGHT, {"name": ""}, BOUGHT, "text", {"specversion": "1.0", "id": "7", "source": "/shop", "type": "seen"}]
    answer = await api.post("/v1/events", json=sent)
    assert answer.status_code == 207
    told = answer.json()
    assert [one["status"] for one in told] == [202, 422, 202, 422, 202]
    assert told[0]["entrants"] == [entrant]
    assert told[1]["where"] == "[1].name"
    assert told[2]["duplicate"]
    assert told[3]["detail"] == "An event is a JSON object."
    assert (told[4]["source"], told[4]["code"]) == ("/shop", "no_definition")
    assert len(workflows.signals) == 1


async def test_one_whose_person_cannot_be_named_is_on_record_and_takes_no_other_with_it(api: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    unnamed = BOUGHT | {"id": "o-2", "data": waiting.PURCHASE | {"customer": "c\n42"}}
    verdicts = (await api.post("/v1/events", json=[unnamed, BOUGHT])).json()
    assert [(verdict["status"], verdict["code"]) for verdict in verdicts] == [(202, "no_key"), (202, "")]
    assert (await api.post("/v1/events", json=unnamed | {"id": "o-3"})).status_code == 202


async def test_more_than_a_thousand_events_at_once_are_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/events", json=[{"name": "seen"}] * 1001)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many")


async def test_a_cloud_event_is_taken_in_structured_and_in_binary_mode(api: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    cloud = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "purchase", "data": waiting.PURCHASE}
    structured = await api.post("/v1/events", content=json.dumps(cloud), headers={"Content-Type": "application/cloudevents+json"})
    assert (structured.status_code, structured.json()["entrants"]) == (202, [waiting.ENTRANT])
    headers = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/shop", "ce-type": "purchase", "Content-Type": "application/json"}
    binary = await api.post("/v1/events", content=json.dumps(waiting.PURCHASE), headers=headers)
    assert (binary.status_code, binary.json()["duplicate"]) == (202, True)


async def test_a_packed_event_is_unpacked(api: httpx.AsyncClient) -> None:
    packed = gzip.compress(json.dumps({"id": "o-1", "name": "seen"}).encode())
    answer = await api.post("/v1/events", content=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["id"]) == (202, "o-1")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ('{"name": "seen", "data": {"n": NaN}}', 400, "json_invalid"),
        ('{"name": "seen", "data": {"n": "\\ud800"}}', 400, "json_invalid"),
        ("[" * 100_000, 400, "json_invalid"),
        ('"text"', 422, "bad_input"),
        ('{"name": "seen", "colour": "red"}', 422, "bad_input"),
    ],
)
async def test_what_cannot_be_understood_gets_a_problem_document(api: httpx.AsyncClient, body: str, status: int, code: str) -> None:
    answer = await api.post("/v1/events", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_the_admin_key_no_event_is_taken(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.post("/v1/events", json=BOUGHT)).status_code == 401


async def test_with_temporal_down_an_event_is_accepted_as_ever(
    api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await waiting.for_a_purchase(database)
    workflows.up = False
    assert (await api.post("/v1/events", json=BOUGHT)).status_code == 202
    assert await waiting.won(database) == "purchase"


@pytest.mark.parametrize("spoilt", [r'"half \ud83d"', r'"\u0000"', "NaN", "9" * 30, '{"a": 1, "a": 2}'])
async def test_an_event_of_an_array_that_cannot_be_kept_takes_no_other_with_it(api: httpx.AsyncClient, spoilt: str) -> None:
    body = f'[{{"id": "e-1", "name": "seen", "data": {{"x": {spoilt}}}}}, {{"id": "e-2", "name": "seen"}}]'
    answer = await api.post("/v1/events", content=body.encode())
    assert answer.status_code == 207
    assert [(one["status"], one["code"]) for one in answer.json()] == [(422, "json_invalid"), (202, "no_definition")]
    assert answer.json()[0]["where"] == "[0]"


async def test_data_that_is_no_base64_is_refused_whatever_stands_there(api: httpx.AsyncClient) -> None:
    for text in ("é", "!", "e30", "W10="):
        event = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "seen", "data_base64": text}
        answer = await api.post("/v1/events", json=event)
        assert (answer.status_code, answer.json()["where"]) == (422, "data_base64"), text
