"""People over HTTP: put, read, changed, forgotten, and imported by the thousand."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api import profile_import
from store.changes import SetOff
from store.database import Database

ANN: dict[str, Any] = {
    "id": "ann",
    "attributes": {"city": "Atlanta", "birth_year": "1985", "email": "ann@example.com"},
    "identities": {"customer_id": "c-1"},
    "consents": {"push": False},
    "push_tokens": [{"token": "t-1", "platform": "ios", "timezone": "Europe/Paris"}],
    "test": False,
}


async def test_a_profile_comes_back_as_it_was_put_whatever_its_attributes_are_declared_as(api: httpx.AsyncClient) -> None:
    await api.put("/v1/attributes", json={"birth_year": {"type": "integer"}})
    put = await api.put("/v1/profiles/ann", json=ANN)
    assert (put.status_code, put.json()) == (200, ANN)
    assert (await api.get("/v1/profiles/ann")).json() == ANN


async def test_the_id_may_stand_in_the_address_alone_but_not_be_another_in_the_body(api: httpx.AsyncClient) -> None:
    assert (await api.put("/v1/profiles/ann:1 é", json={})).json()["id"] == "ann:1 é"
    refused = await api.put("/v1/profiles/bob", json={"id": "ann"})
    assert (refused.status_code, refused.json()["where"]) == (422, "id")


async def test_a_patch_changes_what_it_names(api: httpx.AsyncClient) -> None:
    await api.put("/v1/profiles/ann", json=ANN)
    change = {"attributes": {"city": "Seattle", "birth_year": None}, "consents": {"push": None, "email": True}}
    patched = await api.patch("/v1/profiles/ann", json=change)
    assert patched.json() == {**ANN, "attributes": {"city": "Seattle", "email": "ann@example.com"}, "consents": {"email": True}}
    assert (await api.patch("/v1/profiles/nobody", json={})).status_code == 404


async def test_a_deleted_profile_is_gone(api: httpx.AsyncClient) -> None:
    await api.put("/v1/profiles/ann", json=ANN)
    assert (await api.delete("/v1/profiles/ann")).status_code == 204
    gone = await api.get("/v1/profiles/ann")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


async def test_an_identity_of_somebody_else_is_a_conflict(api: httpx.AsyncClient) -> None:
    await api.put("/v1/profiles/ann", json=ANN)
    taken = await api.put("/v1/profiles/bob", json={"identities": {"customer_id": "c-1"}})
    assert (taken.status_code, taken.json()["code"]) == (409, "identity_taken")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"attributes": {"notes": "x" * 20_000}}, "attributes.notes"),
        ({"attributes": {f"a{n}": n for n in range(501)}}, "attributes"),
        ({"attributes": {"": 1}}, "attributes"),
        ({"identities": {"customer_id": ""}}, "identities.customer_id"),
        ({"identities": {"no namespace": "1"}}, "identities"),
        ({"consents": {"e mail": True}}, "consents"),
    ],
)
async def test_what_no_profile_may_hold_is_refused_by_its_path(api: httpx.AsyncClient, body: dict[str, Any], where: str) -> None:
    refused = await api.put("/v1/profiles/ann", json=body)
    assert (refused.status_code, refused.json()["where"]) == (422, where)


async def test_a_wrong_type_is_refused_by_its_path_and_without_repeating_the_value(api: httpx.AsyncClient) -> None:
    refused = await api.put("/v1/profiles/ann", json={"consents": {"email": "perhaps"}, "push_tokens": [{}], "age": 4})
    assert refused.status_code == 422
    assert {fault["where"] for fault in refused.json()["faults"]} == {"consents.email", "push_tokens[0].token", "age"}
    assert "perhaps" not in refused.text


async def test_an_import_of_ndjson_keeps_good_lines_and_reports_the_others(api: httpx.AsyncClient) -> None:
    lines = [
        json.dumps(ANN),
        "",
        "{not json",
        json.dumps({"id": "bob", "identities": {"customer_id": "c-1"}}),
        json.dumps({"id": "cid", "attributes": {"note": "x" * 300_000}}),
        '{"id": "dan", "attributes": {"n": NaN}}',
        json.dumps({"id": "eve", "age": 4}),
        json.dumps({"id": "fay"}),
    ]
    answer = await api.post("/v1/profiles:import", content="\n".join(lines), headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["read"], said["kept"], said["failed"]) == (7, 2, 5)
    assert sorted((error["line"], error["code"]) for error in said["errors"]) == [
        (3, "json_invalid"), (4, "identity_taken"), (5, "too_long"), (6, "json_invalid"), (7, "bad_input"),
    ]  # fmt: skip
    assert (await api.get("/v1/profiles/fay")).status_code == 200


async def test_an_import_of_csv_gives_declared_cells_their_type_where_they_can_have_it(api: httpx.AsyncClient) -> None:
    await api.put("/v1/attributes", json={"birth_year": {"type": "integer"}, "member": {"type": "boolean"}})
    table = (
        "\ufeffid,city,birth_year,attributes.member,identities.customer_id,consents.email,push_tokens,test\r\n"
        'ann,"San ""F"", CA\r\nUSA",1985,true,c-1,no,t-1 t-2,\r\n'
        "bob,,unknown,,c-2,,,yes\r\n"
        "cid,x,1,,c-3,perhaps,,\r\n"
        "dan,too,few\r\n"
    )
    answer = await api.post("/v1/profiles:import", content=table.encode(), headers={"Content-Type": "text/csv; charset=utf-8"})
    said = answer.json()
    assert (said["kept"], [error["line"] for error in said["errors"]]) == (2, [5, 6])
    ann = (await api.get("/v1/profiles/ann")).json()
    assert ann["attributes"] == {"city": 'San "F", CA\r\nUSA', "birth_year": 1985, "member": True}
    assert (ann["consents"], [token["token"] for token in ann["push_tokens"]]) == ({"email": False}, ["t-1", "t-2"])
    bob = (await api.get("/v1/profiles/bob")).json()
    assert (bob["attributes"], bob["test"]) == ({"birth_year": "unknown"}, True)


async def test_an_import_changes_what_a_line_names_and_gives_no_consent_back(api: httpx.AsyncClient) -> None:
    lines = [ANN | {"consents": {"email": True, "push": True}}, {"id": "new", "consents": {"email": True}}]
    body = "\n".join(json.dumps(line) for line in lines)
    await api.post("/v1/profiles:import", content=body, headers={"Content-Type": "application/x-ndjson"})
    ann = (await api.get("/v1/profiles/ann")).json()
    written = {"attributes": {"letters": 3, "city": None}, "identities": {"crm": "x-7"}, "consents": {"email": False}, "test": True}
    await api.patch("/v1/profiles/ann", json=written)
    second = body + "\n" + json.dumps({"id": "ann", "attributes": {"letters": None, "colour": "red"}, "consents": {"push": False}})
    said = (await api.post("/v1/profiles:import", content=second, headers={"Content-Type": "application/x-ndjson"})).json()
    assert (said["kept"], said["failed"]) == (3, 0)
    now = (await api.get("/v1/profiles/ann")).json()
    assert now["attributes"] == ann["attributes"] | {"colour": "red"}
    assert now["identities"] == ann["identities"] | {"crm": "x-7"}
    assert (now["consents"], now["test"], now["push_tokens"]) == ({"email": False, "push": False}, False, ann["push_tokens"])


async def test_a_csv_without_ids_is_refused_as_a_whole(api: httpx.AsyncClient) -> None:
    refused = await api.post("/v1/profiles:import", content="name,city\nann,x\n", headers={"Content-Type": "text/csv"})
    assert refused.status_code == 422
    assert (await api.post("/v1/profiles:import", json={})).status_code == 415


async def test_a_quote_that_is_never_closed_costs_its_own_record_and_no_other_within_its_size(api: httpx.AsyncClient) -> None:
    rows = ["id,note", 'ann,"never closed ' + "x" * 270_000, "bob,fine"]
    said = (await api.post("/v1/profiles:import", content="\n".join(rows), headers={"Content-Type": "text/csv"})).json()
    assert (said["kept"], [(error["line"], error["code"]) for error in said["errors"]]) == (1, [(2, "too_long")])


@pytest.mark.complaint(23)
async def test_a_large_import_arrives_in_pieces_that_know_nothing_of_lines(api: httpx.AsyncClient) -> None:
    whole = b"".join(json.dumps({"id": f"p-{n:04}", "identities": {"customer_id": f"c-{n}"}}).encode() + b"\n" for n in range(1203))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 1000):
            yield whole[start : start + 1000]

    answer = await api.post("/v1/profiles:import", content=pieces(), headers={"Content-Type": "application/x-ndjson"})
    assert answer.json() == {"read": 1203, "kept": 1203, "failed": 0, "errors": []}
    assert (await api.get("/v1/profiles/p-1202")).status_code == 200


@pytest.mark.complaint(23)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
async def test_an_import_of_ten_times_as_many_people_needs_no_more_memory(database: Database) -> None:
    """What is in hand is a chunk, however long the body: measured is what Python holds at most meanwhile."""

    async def rows(count: int) -> AsyncIterator[bytes]:
        for n in range(count):
            yield json.dumps({"id": f"p-{count}-{n:05}", "identities": {"customer_id": f"c-{count}-{n}"}}).encode() + b"\n"

    async def told(set_off: SetOff) -> None:
        assert set_off == SetOff()

    async def needed(count: int) -> int:
        tracemalloc.start()
        try:
            result = await profile_import.run(database, "application/x-ndjson", rows(count), told)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert result.kept == count

    await needed(300)  # what is loaded and prepared once
    few, many = await needed(600), await needed(6000)
    assert many < 1.5 * few
