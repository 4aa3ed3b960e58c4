"""What is set up over HTTP: attributes, segments, event definitions, messages, suppressions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from journey.errors import Conflict
from journey.graph import Journey
from journey.version import Version
from store import in_use, versions
from store.database import Database
from store.versions import VersionRow

MEMBERS = 'city in ["Atlanta", "Seattle"] && birth_year > 1980'
GREETING: dict[str, Any] = {
    "id": "greeting",
    "name": "",
    "class": "marketing",
    "email": {"from": "", "subject": "Hi {{ profile.first_name }}", "html": '<a href="https://shop.example/a">this</a>', "text": ""},
    "push": {"title": "Hi", "body": "{{ event.product | default: 'there' }}", "url": "", "data": {}},
}  # fmt: skip


async def people(api: httpx.AsyncClient) -> None:
    for name, city, year, test in (("ann", "Atlanta", 1985, False), ("bob", "Seattle", 1990, True), ("cid", "Seattle", "1990", False)):
        await api.put(f"/v1/profiles/{name}", json={"attributes": {"city": city, "birth_year": year}, "test": test})


async def test_attributes_are_replaced_as_a_whole(api: httpx.AsyncClient) -> None:
    assert (
        await api.put("/v1/attributes", json={"city": {"type": "string", "label": "City"}, "age": {"type": "integer"}})
    ).status_code == 200
    await api.put("/v1/attributes", json={"city": {"type": "string", "label": "City"}})
    assert (await api.get("/v1/attributes")).json() == {"city": {"type": "string", "label": "City"}}
    refused = await api.put("/v1/attributes", json={"city": {"type": "colour"}})
    assert (refused.status_code, refused.json()["faults"][0]["where"]) == (422, "city.type")
    assert (await api.put("/v1/attributes", json={"no name": {"type": "string"}})).status_code == 422


async def test_policies_are_replaced_as_a_whole_and_refused_when_they_cannot_be_kept(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/policies")).json() == {"caps": [], "quiet_hours": []}
    cap = {"id": "weekly", "channels": "all", "most": 3, "within": "P7D", "then": "retry", "retry_for": "P2D"}
    quiet = {
        "channels": ["email", "push"],
        "from": "21:00",
        "to": "08:00",
        "weekdays": ["sat"],
        "zone": "UTC",
        "then": "queue",
        "longest": "P1D",
    }
    put = await api.put("/v1/policies", json={"caps": [cap], "quiet_hours": quiet})
    assert (put.status_code, put.json()) == (200, {"caps": [cap], "quiet_hours": quiet})
    assert (await api.get("/v1/policies")).json() == put.json()
    refused = await api.put("/v1/policies", json={"caps": [cap | {"within": "P1M"}], "quiet_hours": quiet | {"to": "8"}})
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (422, "policies_invalid", "caps[0].within")
    assert (await api.put("/v1/policies", json={"caps": [cap | {"most": 0}]})).status_code == 422
    assert (await api.get("/v1/policies")).json() == put.json()
    assert (await api.put("/v1/policies", json={})).json() == {"caps": [], "quiet_hours": []}


async def test_a_segment_is_put_listed_read_and_deleted(api: httpx.AsyncClient) -> None:
    put = await api.put("/v1/segments/members", json={"name": "Members", "rule": MEMBERS})
    assert put.json() == {"id": "members", "name": "Members", "rule": MEMBERS}
    assert (await api.get("/v1/segments/members")).json() == put.json()
    assert (await api.get("/v1/segments")).json() == {"items": [put.json()]}
    assert (await api.delete("/v1/segments/members")).status_code == 204
    assert (await api.get("/v1/segments/members")).status_code == 404


async def test_a_rule_that_cannot_be_read_is_refused_with_its_column(api: httpx.AsyncClient) -> None:
    refused = await api.put("/v1/segments/members", json={"rule": 'city in ["Atlanta" && birth_year'})
    assert (refused.status_code, refused.json()["code"]) == (422, "rule_invalid")
    assert refused.json()["column"] > 0


async def test_an_estimate_counts_the_people_of_a_rule_or_of_a_segment(api: httpx.AsyncClient) -> None:
    await people(api)
    await api.put("/v1/segments/members", json={"rule": MEMBERS})
    tree = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "Seattle"}]}
    expected = {"count": 2, "test_profiles": 1, "sample": ["ann", "bob"]}
    assert (await api.post("/v1/segments:estimate", json={"segment": "members"})).json() == expected
    assert (await api.post("/v1/segments:estimate", json={"rule": MEMBERS})).json() == expected
    assert (await api.post("/v1/segments:estimate", json={"rule": tree})).json() == {**expected, "sample": ["bob", "cid"]}


@pytest.mark.parametrize(("question", "status"), [({}, 422), ({"rule": "a > 1", "segment": "x"}, 422), ({"segment": "nowhere"}, 404)])
async def test_an_estimate_of_nothing_is_refused(api: httpx.AsyncClient, question: dict[str, Any], status: int) -> None:
    assert (await api.post("/v1/segments:estimate", json=question)).status_code == status


async def test_an_event_definition_has_a_name_or_a_rule_and_not_both(api: httpx.AsyncClient) -> None:
    definition = {"match": "Order Completed", "namespace": "customer_id", "key": "customer.id"}
    put = await api.put("/v1/event-definitions/purchase", json=definition)
    assert put.json() == {"id": "purchase", "name": "", "fields": {}, **definition}
    assert (await api.get("/v1/event-definitions/purchase")).json() == put.json()
    assert (await api.get("/v1/event-definitions")).json() == {"items": [put.json()]}
    for wrong in ({**definition, "rule": 'message == "thanks"'}, {"namespace": "customer_id"}, {"rule": "message =="}):
        assert (await api.put("/v1/event-definitions/purchase", json=wrong)).status_code == 422
    assert (await api.delete("/v1/event-definitions/purchase")).status_code == 204


async def test_a_message_counts_its_revisions(api: httpx.AsyncClient) -> None:
    first = await api.put("/v1/messages/greeting", json=GREETING)
    again = await api.put("/v1/messages/greeting", json=first.json())
    other = await api.put("/v1/messages/greeting", json={**GREETING, "name": "Greeting"})
    assert [answer.headers["ETag"] for answer in (first, again, other)] == ['"1"', '"1"', '"2"']
    assert (await api.get("/v1/messages/greeting")).json() == {**GREETING, "name": "Greeting"}
    assert [item["id"] for item in (await api.get("/v1/messages")).json()["items"]] == ["greeting"]


async def test_liquid_that_cannot_be_read_is_refused_by_its_path(api: httpx.AsyncClient) -> None:
    refused = await api.put("/v1/messages/greeting", json={"push": {"title": "{{ profile.name", "body": "x"}})
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (422, "template_invalid", "push.title")


async def test_a_preview_is_made_out_for_a_profile_that_is_there_or_given_and_sends_nothing(api: httpx.AsyncClient) -> None:
    await api.put("/v1/messages/greeting", json=GREETING)
    await api.put("/v1/profiles/ann", json={"attributes": {"first_name": "Ann", "email": "ann@example.com"}})
    shown = (await api.post("/v1/messages/greeting:preview", json={"profile": "ann", "event": {"product": "Lamp"}})).json()
    assert (shown["email"]["to"], shown["email"]["subject"], shown["push"]["body"]) == ("ann@example.com", "Hi Ann", "Lamp")
    assert "http://sojourn.test/c/" in shown["email"]["html"]
    given = await api.post("/v1/messages/greeting:preview", json={"profile": {"attributes": {"first_name": "Bob"}}})
    assert given.json()["email"]["subject"] == "Hi Bob"
    assert (await api.get("/v1/deliveries")).json()["items"] == []
    assert (await api.post("/v1/messages/greeting:preview", json={"profile": "nobody"})).status_code == 404
    assert (await api.post("/v1/messages/none:preview", json={})).status_code == 404


async def test_a_preview_of_a_message_that_cannot_be_rendered_says_so(api: httpx.AsyncClient) -> None:
    await api.put("/v1/messages/empty", json={"push": {"body": "{{ profile.nothing }}"}})
    refused = await api.post("/v1/messages/empty:preview", json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "render_error")


async def test_suppressions_page_by_cursor(api: httpx.AsyncClient) -> None:
    for address in ("Ann@Example.com", "bob@example.com", "cid@example.com"):
        put = await api.put("/v1/suppressions", json={"channel": "email", "address": address, "reason": "asked"})
        assert put.json()["at"] == "2026-03-01T12:00:00Z"
    first = (await api.get("/v1/suppressions", params={"limit": 2})).json()
    second = (await api.get("/v1/suppressions", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["address"] for item in first["items"] + second["items"]] == ["ann@example.com", "bob@example.com", "cid@example.com"]
    assert second["next"] is None
    for cursor in ("nonsense", "WzFd", "é", "W1tdLFtdXQ"):
        assert (await api.get("/v1/suppressions", params={"cursor": cursor})).status_code == 422


async def test_a_suppression_is_lifted(api: httpx.AsyncClient) -> None:
    await api.put("/v1/suppressions", json={"channel": "email", "address": "ann@example.com"})
    address = {"channel": "email", "address": "ANN@example.com"}
    assert (await api.delete("/v1/suppressions", params=address)).status_code == 204
    assert (await api.delete("/v1/suppressions", params=address)).status_code == 404


async def test_what_a_running_version_needs_is_not_deleted(database: Database) -> None:
    nodes = [
        {"id": "read", "kind": "read_segment", "segment": "members", "next": "hi"},
        {"id": "hi", "kind": "message", "message": "greeting"},
    ]
    frozen = Version(journey=Journey.model_validate({"id": "welcome", "nodes": nodes}), events={})
    await database.write(lambda work: versions.keep(work, frozen))
    await database.write(lambda work: versions.insert(work, VersionRow("welcome@1", "welcome", 1, frozen.hash, "live", 0)))
    with pytest.raises(Conflict, match="welcome@1"):
        await database.read(lambda connection: in_use.check_segment(connection, "members"))
    with pytest.raises(Conflict, match="welcome@1"):
        await database.read(lambda connection: in_use.check_message(connection, "greeting"))
    await database.write(lambda work: versions.set_state(work, "welcome@1", "stopped"))
    await database.read(lambda connection: in_use.check_message(connection, "greeting"))
