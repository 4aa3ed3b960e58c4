"""API keys: what each scope opens, call by call, that a secret is shown once, and how soon a revoked one opens nothing."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.app import create_app
from api.services import Services
from store import schema
from store.database import Database
from tests.api.conftest import WRITE_KEY
from tests.api.test_frame import assert_problem
from tests.fakes import SettableClock

WITHOUT_A_KEY = """
GET /c/{token}    GET /o/{token}.gif    GET POST /u/{token}    GET /healthz    GET /readyz    GET /metrics
POST /v1/push/clicked    POST /v1/push/opened
"""
WRITE = """
POST /v1/alias    POST /v1/batch    POST /v1/group    POST /v1/identify    POST /v1/page    POST /v1/screen    POST /v1/track
"""
INGEST = """
POST /v1/events    POST /v1/feedback    PUT PATCH /v1/profiles/{profile_id}    POST /v1/profiles:import
"""
ADMIN = """
GET PUT /v1/attributes
GET /v1/deliveries    POST /v1/deliveries/{delivery}:resend    GET /v1/discards
GET /v1/entrants    GET /v1/entrants/{entrant}    GET /v1/entrants/{entrant}/heard    POST /v1/entrants/{entrant}:remove
GET /v1/event-definitions    GET PUT DELETE /v1/event-definitions/{definition_id}    POST /v1/events:explain
GET /v1/journeys    GET PUT DELETE /v1/journeys/{journey_id}    GET /v1/journeys/{journey_id}/diagram
GET /v1/journeys/{journey_id}/moves    GET /v1/journeys/{journey_id}/nodes/{node}/entrants    GET /v1/journeys/{journey_id}/report
GET POST /v1/journeys/{journey_id}/runs    GET /v1/journeys/{journey_id}/runs/{run}
GET DELETE /v1/journeys/{journey_id}/test    GET /v1/journeys/{journey_id}/test/deliveries/{delivery}
POST /v1/journeys/{journey_id}/test/entrants    GET /v1/journeys/{journey_id}/test/entrants/{entrant}
POST /v1/journeys/{journey_id}/test/events    GET /v1/journeys/{journey_id}/test/forms
GET /v1/journeys/{journey_id}/versions    GET /v1/journeys/{journey_id}/versions/{number}
GET /v1/journeys/{journey_id}/versions/{older}..{newer}
POST /v1/journeys/{journey_id}:approve    POST /v1/journeys/{journey_id}:close    POST /v1/journeys/{journey_id}:discard
POST /v1/journeys/{journey_id}:duplicate    POST /v1/journeys/{journey_id}:pause    POST /v1/journeys/{journey_id}:plan
POST /v1/journeys/{journey_id}:publish    POST /v1/journeys/{journey_id}:render    POST /v1/journeys/{journey_id}:resume
POST /v1/journeys/{journey_id}:stop    POST /v1/journeys/{journey_id}:test    POST /v1/journeys/{journey_id}:unpark
POST /v1/journeys/{journey_id}:validate
GET POST /v1/keys    DELETE /v1/keys/{key_id}
GET /v1/messages    GET PUT DELETE /v1/messages/{message_id}    POST /v1/messages/{message_id}:preview
GET PUT /v1/policies
GET DELETE /v1/profiles/{profile_id}    GET /v1/profiles/{profile_id}/timeline
GET POST /v1/reconcile    GET /v1/reviews    GET /v1/reviews/{delivery}
GET /v1/segments    GET PUT DELETE /v1/segments/{segment_id}    POST /v1/segments:estimate
GET PUT DELETE /v1/suppressions
"""
SEGMENT = {"userId": "c-42", "event": "purchase", "messageId": "m-1"}


def calls(table: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for part in (part.split() for line in table.splitlines() for part in line.split("    ") if part):
        found |= {(method, part[-1]) for method in part[:-1]}
    return found


async def make(api: httpx.AsyncClient, scope: str, namespace: str = "", name: str = "a key") -> dict[str, Any]:
    answer = await api.post("/v1/keys", json={"name": name, "scope": scope, "namespace": namespace})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['key']}"}


async def test_each_scope_opens_just_the_calls_that_stand_here(api: httpx.AsyncClient) -> None:
    """A new call fails here until somebody has said who may make it."""
    document = (await api.get("/openapi.json")).json()
    there = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    open_to = {"": calls(WITHOUT_A_KEY), "write": calls(WRITE), "ingest": calls(INGEST), "admin": calls(ADMIN)}
    assert there == set().union(*open_to.values())
    keys = {
        "admin": await make(api, "admin"),
        "ingest": await make(api, "ingest", "customer_id"),
        "nobody": {"key": "sj_admin_" + "x" * 43},
    }
    del api.headers["Authorization"]
    for method, path in sorted(there):
        (needed,) = [scope for scope, found in open_to.items() if (method, path) in found]
        for scope, key in keys.items():
            basic = needed == "write"
            address = path.replace("{", "").replace("}", "")
            given: dict[str, Any] = {"auth": httpx.BasicAuth(key["key"], "")} if basic else {"headers": bearer(key)}
            body: dict[str, Any] = {"json": SEGMENT if "batch" not in path else {"batch": [SEGMENT | {"type": "track"}]}} if basic else {}
            answer = await api.request(method, address, **given, **body)
            if needed == "" or scope == needed or (scope, needed) in (("ingest", "write"), ("admin", "ingest")):
                assert answer.status_code not in (401, 403), (method, path, scope, answer.text)
            elif scope == "ingest":
                problem = assert_problem(answer, 403, "forbidden_scope")
                assert problem["scope"] == "admin"
                assert "of the scope admin" in problem["detail"]
                assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="admin"'
                assert "403" in document["paths"][path][method.lower()]["responses"]
            else:
                assert answer.json()["code"] == "unauthorized", (method, path, scope, answer.text)


async def test_the_secret_is_in_the_answer_that_makes_it_and_nowhere_else(
    api: httpx.AsyncClient, database: Database, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = [await make(api, "admin", name="the operator")]
    clock.instant += 1
    made.append(await make(api, "ingest", "customer_id", "The web page"))
    for one in made:
        assert one["key"].startswith(f"sj_{one['scope']}_")
        assert (await api.post("/v1/events", json={"name": "purchase"}, headers=bearer(one))).status_code == 202
    await api.post("/v1/track", json=SEGMENT, auth=(made[1]["key"], ""))
    await api.get("/v1/attributes", headers=bearer(made[1]))
    listed = await api.get("/v1/keys")
    assert [one["name"] for one in listed.json()["items"]] == ["the operator", "The web page"]
    assert set(listed.json()["items"][0]) == {"id", "name", "scope", "namespace", "created_at", "last_used_at"}

    def rows(connection: Any) -> str:
        return "".join(str([tuple(row) for row in connection.execute(select(table))]) for table in schema.metadata.sorted_tables)

    kept = await database.read(rows)
    assert made[0]["id"] in kept
    for one in made:
        random = one["key"].removeprefix(f"sj_{one['scope']}_")
        for place, text in {"list": listed.text, "log": caplog.text, "row": kept}.items():
            assert random not in text, place


async def test_an_ingest_key_is_a_write_key_of_its_namespace(api: httpx.AsyncClient) -> None:
    made = await make(api, "ingest", "device_id")
    del api.headers["Authorization"]
    await api.post("/v1/identify", json={"userId": "d-1", "traits": {"city": "Atlanta"}}, auth=(made["key"], ""))
    for body in ({"writeKey": made["key"], **SEGMENT}, {"writeKey": made["key"], "batch": [SEGMENT | {"type": "track"}]}):
        sent = json.dumps(body)
        answer = await api.post("/v1/batch" if "batch" in body else "/v1/t", content=sent, headers={"Content-Type": "text/plain"})
        assert answer.json() == {"success": True}
    assert (await api.get(f"/v1/projects/{made['key']}/settings")).status_code == 200
    assert (await api.get(f"/v1/projects/{made['key'][:-1]}/settings")).status_code == 404
    assert (await api.post("/v1/track", json=SEGMENT, auth=(WRITE_KEY, ""))).status_code == 200


async def test_a_write_key_of_the_settings_opens_segments_calls_alone_as_before(api: httpx.AsyncClient) -> None:
    for path in ("/v1/events", "/v1/keys"):
        assert_problem(await api.post(path, json={"name": "x"}, headers={"Authorization": f"Bearer {WRITE_KEY}"}), 401, "unauthorized")


async def test_who_sends_data_in_is_told_nothing_that_is_known(api: httpx.AsyncClient) -> None:
    await api.put("/v1/profiles/ann", json={"attributes": {"city": "Atlanta"}, "identities": {"customer_id": "c-1"}})
    ingest = bearer(await make(api, "ingest", "customer_id"))
    change = {"attributes": {"plan": "pro"}}
    answer = await api.patch("/v1/profiles/ann", json=change, headers=ingest)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.patch("/v1/profiles/ann", json=change)).json()["attributes"] == {"city": "Atlanta", "plan": "pro"}
    event = {"id": "e-1", "name": "purchase", "namespace": "customer_id", "key": "c-1"}
    told = (await api.post("/v1/events", json=event, headers=ingest)).json()
    assert (told["code"], told["detail"], told["entrants"], told["entered"]) == ("no_definition", "", [], [])
    assert (await api.post("/v1/events", json=event | {"id": "e-2"})).json()["detail"]
    feedback = {"kind": "hard_bounce", "delivery": "thank-you~c-1~1.1.email"}
    (told,) = (await api.post("/v1/feedback", json=[feedback], headers=ingest)).json()
    assert (told["code"], told["detail"], told["delivery"], told["entrants"]) == ("unknown_delivery", "", "", [])
    lines = '{"id": "ann", "attributes": {"city": "Boston"}}\n'
    imported = await api.post("/v1/profiles:import", content=lines, headers=ingest | {"Content-Type": "application/x-ndjson"})
    assert (imported.status_code, imported.json()["kept"]) == (200, 1)
    replaced = await api.put("/v1/profiles/bob", json=change, headers=ingest | {"X-Other": "1"})
    assert replaced.status_code == 200


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "a", "scope": "ingest"}, "namespace"), ({"name": "a", "scope": "admin", "namespace": "customer_id"}, "namespace"),
        ({"name": "", "scope": "admin"}, "name"), ({"name": " ", "scope": "admin"}, "name"), ({"name": "a\nb", "scope": "admin"}, "name"),
        ({"name": "a", "scope": "root"}, "scope"), ({"name": "a", "scope": "admin", "key": "mine"}, "key"), ({"name": "a"}, "scope"),
    ],
)  # fmt: skip
async def test_a_key_that_says_too_little_or_too_much_is_not_made(api: httpx.AsyncClient, body: dict[str, Any], where: str) -> None:
    problem = assert_problem(await api.post("/v1/keys", json=body), 422, "bad_input")
    assert problem.get("where") == where or problem["faults"][0]["where"] == where
    assert (await api.get("/v1/keys")).json()["items"] == []


async def test_keys_come_in_pages_in_the_order_in_which_they_were_made(api: httpx.AsyncClient, clock: SettableClock) -> None:
    for number in range(5):
        clock.instant += number % 2  # some at the same instant
        await make(api, "admin", name=str(number))
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await api.get("/v1/keys", params={"limit": 2, "cursor": cursor})).json()
        found += [one["name"] for one in page["items"]]
        cursor = page["next"]
    assert len(found) == 5
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert found[0] == "0"
    assert found[-1] in ("3", "4")


async def test_the_hour_of_the_last_use_is_known(api: httpx.AsyncClient, services: Services, clock: SettableClock) -> None:
    made = await make(api, "admin")
    assert made["last_used_at"] is None
    clock.instant += 90 * 60 * 1_000_000  # 13:30
    await api.get("/v1/attributes", headers=bearer(made))
    assert (await api.get("/v1/keys")).json()["items"][0]["last_used_at"] == "2026-03-01T13:00:00Z"


async def test_a_revoked_key_opens_nothing_from_then_on_not_even_for_itself(api: httpx.AsyncClient) -> None:
    made = await make(api, "admin")
    assert (await api.delete(f"/v1/keys/{made['id']}", headers=bearer(made))).status_code == 204
    assert_problem(await api.get("/v1/attributes", headers=bearer(made)), 401, "unauthorized")
    assert_problem(await api.delete(f"/v1/keys/{made['id']}"), 404, "not_found")
    refused = assert_problem(await api.delete(f"/v1/keys/{made['key']}"), 422, "bad_input")
    assert made["key"] not in refused["detail"]


async def test_a_service_without_an_admin_key_of_its_own_takes_those_that_were_made(api: httpx.AsyncClient, services: Services) -> None:
    made = await make(api, "admin")
    other = create_app(Services(services.database, services.workflows, services.signer, admin_key=""))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://sojourn.test") as client:
        assert (await client.get("/v1/keys", headers={"X-API-Key": made["key"]})).status_code == 200
