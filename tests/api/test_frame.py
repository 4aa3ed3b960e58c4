"""What holds for every call: keys, problem documents, bodies, readiness, and an OpenAPI document that tells no lies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from api.app import create_app
from api.problems import MEDIA_TYPE
from api.segment_compatible import PATHS
from api.services import Services
from store.database import Database
from tests.fakes import FakeWorkflows

OPEN = ("/healthz", "/readyz", "/metrics", "/o/", "/c/", "/u/", "/v1/push/opened", "/v1/push/clicked")


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:sojourn:problem:{code}"
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return problem


async def test_without_the_admin_key_no_call_does_anything(anonymous: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}, {"Authorization": "Basic YTpi"}, {"X-API-Key": "é"}):
        answer = await anonymous.get("/v1/attributes", headers=[(name.encode(), value.encode()) for name, value in headers.items()])
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_admin_key_is_taken_in_either_header(anonymous: httpx.AsyncClient, services: Services) -> None:
    for headers in ({"Authorization": f"Bearer {services.admin_key}"}, {"X-API-Key": services.admin_key}):
        assert (await anonymous.get("/v1/attributes", headers=headers)).status_code == 200


async def test_a_service_without_an_admin_key_lets_nobody_in(services: Services) -> None:
    closed = create_app(Services(services.database, services.workflows, services.signer, admin_key=""))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(closed), base_url="http://sojourn.test") as client:
        assert (await client.get("/v1/attributes", headers={"X-API-Key": ""})).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"", b"\xff", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 123456789012345678901234567890}', b"9" * 5000,
        rb'{"a": "\u0000"}', rb'{"\ud800": 1}', rb'{"a": ["\udc00\ud800"]}', b"[" * 100 + b"]" * 100, b"[" * 100_000,
        b'{"a":' * 80 + b"1" + b"}" * 80, '{"a": "é"}'.encode("utf-16"), b'{"attributes": {"city": "a"}, "attributes": {"city": "b"}}',
    ],
)  # fmt: skip
async def test_a_body_that_could_not_be_kept_is_refused_before_anybody_reads_it(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.put("/v1/profiles/ann", content=body, headers={"Content-Type": "application/json"})
    if body:
        assert_problem(answer, 400, "json_invalid")
    else:
        assert_problem(answer, 422, "bad_input")


@pytest.mark.parametrize(
    "body", ['{"attributes": {"a": "\\ud83d\\ude00 \\\\u0000 NaN"}}', '\ufeff{"attributes": {"a": 9223372036854775807}}']
)
async def test_what_only_looks_like_it_is_taken(api: httpx.AsyncClient, body: str) -> None:
    answer = await api.put("/v1/profiles/ann", content=body.encode(), headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 200


async def test_a_body_that_is_no_object_and_a_text_that_is_too_long_are_told_in_plain_words(api: httpx.AsyncClient) -> None:
    told = {b"[]": "The body is a JSON object.", b'{"test": "yes"}': "true or false"}
    for body, sentence in told.items():
        answer = await api.put("/v1/profiles/ann", content=body, headers={"Content-Type": "application/json"})
        assert sentence in assert_problem(answer, 422, "bad_input")["detail"]
    answer = await api.delete("/v1/journeys/thank-you", headers={"If-Match": "a" * 300})
    assert "This may be up to 200 characters long." in assert_problem(answer, 422, "bad_input")["detail"]


async def test_a_body_over_the_limit_is_refused_also_when_it_does_not_say_its_length(api: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    async def stuck() -> AsyncIterator[bytes]:
        yield b" " * 2_000_000
        await asyncio.Event().wait()

    assert_problem(await api.put("/v1/profiles/ann", json={"attributes": {"a": "x" * 1_100_000}}), 413, "too_large")
    assert_problem(await api.put("/v1/profiles/ann", content=stuck(), headers={"Content-Type": "application/json"}), 413, "too_large")
    assert_problem(await api.put("/v1/profiles/ann", content=endless(), headers={"Content-Type": "application/json"}), 413, "too_large")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}])
async def test_a_body_that_is_not_plain_json_is_refused(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert_problem(await api.put("/v1/profiles/ann", content=b"{}", headers=headers), 415, "not_json")


async def test_an_unknown_address_and_an_unknown_method_are_problems_too(api: httpx.AsyncClient) -> None:
    assert_problem(await api.get("/v1/nothing"), 404, "not_found")
    refused = await api.post("/v1/attributes", json={})
    assert_problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, PUT"
    for path, allowed in {"/v1/messages/a": "DELETE, GET, PUT", "/v1/messages/a:preview": "POST", "/v1/profiles:import": "POST"}.items():
        assert (await api.request("TRACE", path)).headers["allow"] == allowed


async def test_an_id_never_holds_what_follows_the_colon(api: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        refused = await api.request(method, "/v1/messages/greeting:preview")
        assert_problem(refused, 405, "method_not_allowed")
        assert refused.headers["allow"] == "POST"
    assert_problem(await api.get("/v1/messages/greeting:show"), 422, "bad_input")
    assert_problem(await api.put("/v1/segments/Members", json={"rule": "a > 1"}), 422, "bad_input")
    assert_problem(await api.get("/v1/profiles/a%00b"), 422, "bad_input")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
async def test_a_database_that_is_away_is_503_and_says_when_to_come_again(api: httpx.AsyncClient, database: Database) -> None:
    await database.write(lambda work: work.connection.execute(text("ALTER TABLE attributes RENAME TO away")))
    answer = await api.get("/v1/attributes")
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "away" not in answer.text
    assert "SELECT" not in answer.text


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
async def test_a_server_of_the_database_that_is_away_is_503_and_when_it_is_back_calls_are_answered(
    api: httpx.AsyncClient, address: str
) -> None:  # fmt: skip
    base, _, name = address.rpartition("/")
    assert (await api.get("/v1/attributes")).status_code == 200
    with psycopg.connect(f"{base}/sojourn", autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        for answer in (await api.get("/v1/attributes"), await api.put("/v1/attributes", json={})):
            assert_problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
    assert (await api.put("/v1/attributes", json={})).status_code == 200


async def test_a_fault_of_ours_is_answered_with_nothing_of_it(services: Services) -> None:
    app: FastAPI = create_app(services)

    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of ours")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as client:
        answer = await client.get("/v1/broken")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


async def test_ready_names_the_part_that_is_missing(anonymous: httpx.AsyncClient, workflows: FakeWorkflows, database: Database) -> None:
    assert (await anonymous.get("/readyz")).json() == {"status": "ready", "parts": {"database": "ready", "temporal": "ready"}}
    workflows.up = False
    problem = assert_problem(await anonymous.get("/readyz"), 503, "not_ready")
    assert problem["parts"] == {"database": "ready", "temporal": "missing"}
    await database.write(lambda work: work.connection.execute(text("ALTER TABLE profiles RENAME TO away")))
    assert (await anonymous.get("/readyz")).json()["parts"] == {"database": "missing", "temporal": "missing"}
    assert (await anonymous.get("/healthz")).json() == {"status": "ok"}


async def test_the_start_page_links_to_what_there_is_to_look_at(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for link in ('href="docs"', 'href="readyz"', 'href="http://temporal.test:8233"'):
        assert link in page.text
    assert "$" not in page.text


async def test_every_call_under_v1_asks_for_a_key_and_says_what_it_may_answer(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/openapi.json")).json()
    assert "HTTPValidationError" not in str(document)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = operation["responses"]
            for status, answer in answers.items():
                if int(status) >= 400:
                    assert MEDIA_TYPE in answer["content"], (method, path, status)
            if path.startswith("/v1/") and path not in PATHS and not path.startswith(OPEN):
                assert "503" in answers, (method, path)
                called = await anonymous.request(method, path.replace("{", "").replace("}", ""), json={})
                assert called.status_code == 401, (method, path)


async def test_the_reference_loads_nothing_from_another_site(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert addresses == ["docs/swagger-ui.css", "docs/favicon.png", "docs/swagger-ui-bundle.js", "openapi.json"]
    for address in addresses:
        assert (await anonymous.get(f"/{address}")).status_code == 200, address
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert_problem(await anonymous.get("/docs/redoc.standalone.js"), 422, "bad_input")
    assert_problem(await anonymous.get("/docs/..%2fcore.py"), 404, "not_found")


async def test_whoever_watches_may_ask_without_wanting_a_body(anonymous: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/docs/favicon.png", "/openapi.json", "/healthz", "/readyz"):
        assert (await anonymous.head(path)).status_code == 200, path
        assert (await anonymous.request("TRACE", path)).headers["allow"] == "GET, HEAD", path


async def test_every_call_that_takes_a_body_says_which(anonymous: httpx.AsyncClient) -> None:
    paths = (await anonymous.get("/openapi.json")).json()["paths"]
    bodiless = {
        (method, path)
        for path, item in paths.items()
        for method, operation in item.items()
        if method in ("post", "put", "patch") and "requestBody" not in operation
    }
    verbs = {("post", f"/v1/journeys/{{journey_id}}:{verb}") for verb in ("validate", "close", "stop")}
    others = ("/u/{token}", "/v1/deliveries/{delivery}:resend", "/v1/entrants/{entrant}:remove")
    assert bodiless == verbs | {("post", path) for path in others}
    for kind in ("track", "identify", "page", "screen", "group", "alias", "batch"):
        described = paths[f"/v1/{kind}"]["post"]
        example = described["requestBody"]["content"]["application/json"]["example"]
        answer = await anonymous.post(f"/v1/{kind}", json=example, auth=("a-write-key-for-tests", ""))
        assert answer.json() == {"success": True}, kind
