"""The calls of Segment's libraries, as they really send them."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from api import unpacking
from api.native_calls import TooLarge
from journey.errors import BadInput
from store import profiles, schema
from store.database import Database
from tests.api import waiting
from tests.fakes import FakeWorkflows

WRITE_KEY = "a-write-key-for-tests"
BOUGHT: dict[str, Any] = {"messageId": "m-1", "userId": "c-42", "event": "Order Completed", "properties": waiting.PURCHASE}


@pytest.fixture
def shop(anonymous: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with the write key as the user name of basic auth."""
    anonymous.auth = httpx.BasicAuth(WRITE_KEY, "")
    return anonymous


async def who(database: Database, namespace: str, key: str) -> str | None:
    return await database.read(lambda c: profiles.find(c, namespace, key))


async def test_a_track_decides_the_gate_of_whoever_its_user_id_names(
    shop: httpx.AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    entrant = await waiting.for_a_purchase(database)
    answer = await shop.post("/v1/track", json=BOUGHT)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await waiting.won(database) == "purchase"
    assert [signalled for signalled, _ in workflows.signals] == [entrant]


@pytest.mark.complaint(4)
async def test_a_message_id_sent_again_has_no_second_effect(shop: httpx.AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await waiting.for_a_purchase(database)
    for path in ("/v1/track", "/v1/t"):
        assert (await shop.post(path, json=BOUGHT)).status_code == 200
    assert len(workflows.signals) == 1
    assert await waiting.discards(database) == []


async def test_the_python_and_node_libraries_post_a_batch_packed_or_not(shop: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    body = json.dumps({"batch": [BOUGHT | {"type": "track"}], "sentAt": "2026-03-01T12:00:00Z", "writeKey": WRITE_KEY}).encode()
    packed = await shop.post(
        "/v1/batch", content=gzip.compress(body), headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )
    assert (packed.status_code, packed.json()) == (200, {"success": True})
    assert await waiting.won(database) == "purchase"


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/import/"])
async def test_a_batch_is_taken_at_each_path_that_a_library_posts_to(shop: httpx.AsyncClient, path: str) -> None:
    assert (await shop.post(path, json={"batch": []})).status_code == 200


async def test_the_java_library_posts_to_a_path_with_a_slash_at_its_end_and_has_the_key_in_the_body(
    anonymous: httpx.AsyncClient, database: Database
) -> None:
    await waiting.for_a_purchase(database)
    bought = {"type": "track", "messageId": "m-1", "timestamp": "2026-03-01T12:00:00.317Z", "userId": "c-42", "integrations": {}}
    bought |= {"event": "Order Completed", "properties": waiting.PURCHASE}
    context = {"library": {"name": "analytics-java", "version": "3.5.4"}}
    body = json.dumps({"batch": [bought], "sentAt": "2026-03-01T12:00:00.322Z", "context": context, "sequence": 3, "writeKey": WRITE_KEY})
    answer = await anonymous.post("/v1/import/", content=body, headers={"Content-Type": "application/json; charset=UTF-8"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await waiting.won(database) == "purchase"


async def test_rudderstacks_python_library_has_traits_in_the_context(shop: httpx.AsyncClient, database: Database) -> None:
    call = {"type": "identify", "userId": "c-1", "anonymousId": None, "context": {"traits": {"city": "Atlanta"}, "library": {}}}
    contexts: list[Any] = [[], "none", {"traits": []}, None]
    odd = [{"type": "identify", "userId": "c-1", "context": context} for context in contexts]
    assert (await shop.post("/v1/batch", json={"batch": [call, *odd]})).status_code == 200
    assert await waiting.discards(database) == []
    assert (await database.read(lambda c: profiles.get(c, "c-1"))).attributes == {"city": "Atlanta"}


async def test_a_browser_posts_plain_text_with_the_key_in_the_body(anonymous: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    body = json.dumps(BOUGHT | {"type": "track", "writeKey": WRITE_KEY})
    answer = await anonymous.post("/v1/t", content=body, headers={"Content-Type": "text/plain", "Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert await waiting.won(database) == "purchase"


async def test_a_content_type_is_not_asked_for(anonymous: httpx.AsyncClient) -> None:
    body = json.dumps({"writeKey": WRITE_KEY, "userId": "c-1", "event": "Seen"}).encode()
    assert (await anonymous.post("/v1/track", content=body)).status_code == 200


async def test_a_browser_may_ask_leave_first(anonymous: httpx.AsyncClient) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = await anonymous.options("/v1/track", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]


async def test_what_a_batch_holds_that_cannot_be_taken_is_on_record_once_and_the_rest_is_taken(
    shop: httpx.AsyncClient, database: Database
) -> None:
    batch = {
        "batch": [
            {"type": "group", "userId": "c-1", "groupId": "g", "messageId": "m-1"},
            {"type": "track", "event": "Seen", "messageId": "m-2"},
            {"type": "track", "userId": "c-1", "messageId": "m-3"},
            {"type": "identify", "userId": "c-1", "traits": {"city": "Atlanta"}, "messageId": "m-4"},
            {"type": "identify", "userId": "c-1", "traits": {"two\nlines": 1}, "messageId": "m-5"},
            {"type": "identify", "userId": "c-1", "traits": {str(name): 1 for name in range(501)}, "messageId": "m-6"},
        ]
    }
    for _ in range(2):
        assert (await shop.post("/v1/batch", json=batch)).status_code == 200
    assert await waiting.discards(database) == ["not_supported", "no_key", "bad_item", "bad_item", "bad_item"]
    assert await who(database, "customer_id", "c-1") == "c-1"
    assert (await database.read(lambda c: profiles.get(c, "c-1"))).attributes == {"city": "Atlanta"}


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("NaN", "NaN, an infinity"),
        ("-Infinity", "NaN, an infinity"),
        ("1e999", "NaN, an infinity or a number that is too large"),
        ("18446744073709551615", "a whole number beyond 64 bits"),
        ("1" * 5000, "a number that is too large"),
        (r'"cut \ud83d"', "half of a character"),
        (r'"a\u0000b"', "a NUL character"),
        ('{"d":' * 70 + "1" + "}" * 70, "nested deeper than 64 levels"),
    ],
)
async def test_an_odd_value_in_one_call_of_a_batch_costs_no_other_call(
    shop: httpx.AsyncClient, database: Database, odd: str, said: str
) -> None:
    await waiting.for_a_purchase(database)
    data = f'{{"v": {odd}, "w": -9223372036854775807}}'
    call = f'{{"type": "track", "userId": "c-9", "event": "Seen", "messageId": "m-odd", "properties": {data}}}'
    for _ in range(2):
        answer = await shop.post("/v1/batch", content=f'{{"batch": [{call}, {json.dumps(BOUGHT | {"type": "track"})}]}}')
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await waiting.won(database) == "purchase"
    assert await waiting.discards(database) == ["bad_item"]
    (detail,) = await database.read(lambda c: [row.detail for row in c.execute(sa.select(schema.discards.c.detail))])
    assert said in detail


async def test_half_a_character_in_a_message_id_costs_no_other_call(shop: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    calls = r'{"type": "track", "userId": "c-9", "event": "Seen", "messageId": "\ud83d"}, ' + json.dumps(BOUGHT | {"type": "track"})
    assert (await shop.post("/v1/batch", content=f'{{"batch": [{calls}]}}')).status_code == 200
    assert await waiting.won(database) == "purchase"


async def test_identify_lays_traits_over_attributes_and_leaves_consent_alone(
    shop: httpx.AsyncClient, api: httpx.AsyncClient, database: Database
) -> None:
    await waiting.for_a_purchase(database)
    await database.write(lambda work: profiles.patch(work, "c-42", attributes={"city": "Atlanta", "old": 1}, consents={"email": False}))
    traits = {"email": "ada@mail.example", "old": None}
    assert (await shop.post("/v1/identify", json={"userId": "c-42", "traits": traits})).status_code == 200
    found = await database.read(lambda c: profiles.get(c, "c-42"))
    assert found.attributes == {"city": "Atlanta", "email": "ada@mail.example"}
    assert found.consents == {"email": False}


async def test_alias_gives_a_person_known_by_a_browser_their_number(shop: httpx.AsyncClient, database: Database) -> None:
    await shop.post("/v1/identify", json={"anonymousId": "a-1", "traits": {"city": "Atlanta"}})
    await shop.post("/v1/alias", json={"previousId": "a-1", "userId": "c-1"})
    assert await who(database, "customer_id", "c-1") == await who(database, "anonymous_id", "a-1") == "a-1"


async def test_who_says_who_they_are_was_the_browser_until_now(shop: httpx.AsyncClient, database: Database) -> None:
    await shop.post("/v1/t", json={"anonymousId": "a-1", "event": "Seen"})
    await shop.post("/v1/i", json={"anonymousId": "a-1", "userId": "c-1", "traits": {"city": "Atlanta"}})
    assert await who(database, "customer_id", "c-1") == await who(database, "anonymous_id", "a-1") == "a-1"
    assert (await database.read(lambda c: profiles.get(c, "a-1"))).attributes == {"city": "Atlanta"}


async def test_a_new_browser_of_somebody_known_is_theirs(shop: httpx.AsyncClient, database: Database) -> None:
    await shop.post("/v1/identify", json={"userId": "c-1", "traits": {"city": "Atlanta"}})
    await shop.post("/v1/identify", json={"userId": "c-1", "anonymousId": "a-1"})
    assert await who(database, "anonymous_id", "a-1") == await who(database, "customer_id", "c-1") == "c-1"


async def test_a_second_person_on_one_browser_and_a_second_browser_of_one_person_are_no_fault(
    shop: httpx.AsyncClient, database: Database
) -> None:
    for user, anonymous in (("c-1", "a-1"), ("c-2", "a-1"), ("c-1", "a-2"), ("c-1", "x" * 501)):
        answer = await shop.post("/v1/identify", json={"userId": user, "anonymousId": anonymous, "traits": {"at": anonymous[:3]}})
        assert answer.status_code == 200
    assert await waiting.discards(database) == []
    assert await who(database, "anonymous_id", "a-1") == await who(database, "customer_id", "c-1") == "c-1"
    assert await who(database, "customer_id", "c-2") == "c-2"
    assert (await database.read(lambda c: profiles.get(c, "c-1"))).attributes == {"at": "xxx"}
    assert (await database.read(lambda c: profiles.get(c, "c-2"))).attributes == {"at": "a-1"}


async def test_an_alias_of_two_people_makes_them_not_one(shop: httpx.AsyncClient, database: Database) -> None:
    for user in ({"anonymousId": "a-1"}, {"userId": "c-1"}):
        await shop.post("/v1/identify", json=user)
    assert (await shop.post("/v1/alias", json={"previousId": "a-1", "userId": "c-1", "messageId": "m-1"})).status_code == 200
    assert await waiting.discards(database) == ["identity_taken"]
    assert await who(database, "anonymous_id", "a-1") != await who(database, "customer_id", "c-1")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/track", "{", "json_invalid"),
        ("/v1/track", "[]", "bad_input"),
        ("/v1/track", '{"userId": "c-1"}', "bad_item"),
        ("/v1/batch", "{}", "bad_input"),
        ("/v1/batch", json.dumps({"batch": [{}] * 2501}), "too_many"),
    ],
)
async def test_what_cannot_be_read_gets_400_so_that_no_library_sends_it_for_ever(
    shop: httpx.AsyncClient, path: str, body: str, code: str
) -> None:
    answer = await shop.post(path, content=body)
    assert answer.status_code == 400
    said = answer.json()
    assert (said["success"], said["code"]) == (False, code)
    assert said["message"] == said["detail"]


async def test_a_bomb_is_not_unpacked(shop: httpx.AsyncClient) -> None:
    answer = await shop.post("/v1/batch", content=gzip.compress(b"0" * 20_000_000), headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")


async def test_a_page_may_read_that_its_call_was_too_large_so_that_it_does_not_send_it_for_ever(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post(
        "/v1/t", content=b"0" * 1_048_577, headers={"Content-Type": "text/plain", "Origin": "https://shop.example"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


@pytest.mark.parametrize("length", [1, 4096, 100_000])
def test_a_body_packed_in_many_parts_is_read_in_full(length: int) -> None:
    parts = [random.Random(part).randbytes(length) for part in range(5)]
    packed = [gzip.compress(part) for part in parts]
    assert unpacking.unpack(b"".join(packed), 5 * length) == b"".join(parts)
    assert unpacking.unpack(gzip.compress(b"") * 50_000, 0) == b""
    with pytest.raises(TooLarge):
        unpacking.unpack(b"".join(packed), 5 * length - 1)
    for broken in (b"".join(packed)[:-1], packed[0] + b"no member"):
        with pytest.raises(BadInput):
            unpacking.unpack(broken, 5 * length)


@pytest.mark.parametrize("key", ["", "another-key"])
async def test_a_wrong_write_key_gets_401(anonymous: httpx.AsyncClient, key: str) -> None:
    answer = await anonymous.post("/v1/track", json=BOUGHT | {"writeKey": key})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")


async def test_what_analytics_js_says_of_itself_is_about_nobody(anonymous: httpx.AsyncClient, database: Database) -> None:
    answer = await anonymous.post("/v1/m", content='{"series": []}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 204
    assert await waiting.discards(database) == []


async def test_a_library_that_says_a_field_twice_is_taken_at_its_last_word(shop: httpx.AsyncClient, database: Database) -> None:
    call = '{"type": "identify", "userId": "c-1", "traits": {"city": "Boston", "city": "Atlanta"}}'
    for path, body in {"identify": call, "batch": f'{{"batch": [{call}]}}'}.items():
        assert (await shop.post(f"/v1/{path}", content=body.encode())).status_code == 200
        assert (await database.read(lambda c: profiles.get(c, "c-1"))).attributes == {"city": "Atlanta"}


async def test_a_write_key_that_is_no_text_is_refused_as_any_wrong_one(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post("/v1/track", json={"userId": "c-1", "event": "x"}, headers=[(b"Authorization", b"Basic \xff\xe9")])
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
