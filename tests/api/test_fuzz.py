"""Whatever is sent, no call answers with a fault of ours, and what is refused is a problem document that the reference announces.

The calls are read from the OpenAPI document. Bodies are good ones with a part replaced, taken out or put in: junk alone gets no
further than the door.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.problems import MEDIA_TYPE
from journey.version import Session
from store import journeys, schema, session_starting
from store.database import Database
from store.work import Work
from tests import builders
from tests.api import waiting
from tests.api.conftest import WRITE_KEY
from tests.carts import abandoned

ROUNDS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
KNOWN = ("thank-you", "c-42", "first-message", "purchase", "customer_id", waiting.ENTRANT, waiting.FIRST_MAIL, "thank-you@1", "1", "live")
EVERYWHERE = frozenset({404, 405, 422})
"""An address with a stroke in it, or with a colon, is another address: these three are the answers of all that is no address."""

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from((*KNOWN, "", " ", "\n", "a" * 600))
)
JUNK = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8
)
WORDS = st.sampled_from(KNOWN) | st.sampled_from(KNOWN) | st.sampled_from(KNOWN) | st.text(max_size=20) | st.integers().map(str)

PERSON = {"attributes": {"city": "Atlanta", "birth_year": 1985}, "identities": {"customer_id": "c-9"}, "push_tokens": [{"token": "t"}]}
TREE = {
    "combinator": "and",
    "rules": [{"field": "city", "operator": "in", "value": ["Atlanta"]}, {"field": "n", "operator": ">", "value": 1}],
}
MAIL = {"from": "a@shop.example", "subject": "Hi {{ profile.city }}", "html": '<a href="https://shop.example/">x</a>', "text": "Hi"}
EVENT = {"id": "e-1", "name": "purchase", "time": "2026-03-01T12:00:00Z", "data": waiting.PURCHASE}
CLOUD = {
    "specversion": "1.0",
    "id": "e-2",
    "source": "shop",
    "type": "purchase",
    "data": waiting.PURCHASE,
    "namespace": "customer_id",
    "key": "c-42",
}
BODIES: dict[str, tuple[Any, ...]] = {
    "/v1/push/clicked": ({"token": "x"},),
    "/v1/feedback": ({"kind": "hard_bounce", "delivery": "thank-you~c-42~1.1.email", "address": "ada@shop.example"},),
    "/v1/attributes": ({"city": {"type": "string", "label": "City"}},),
    "/v1/profiles/{profile_id}": (PERSON | {"consents": {"email": True}, "test": False},),
    "/v1/segments/{segment_id}": ({"rule": 'city in ["Atlanta"] && birth_year > 1980'}, {"rule": TREE}),
    "/v1/segments:estimate": ({"rule": "birth_year > 1980"}, {"rule": TREE}),
    "/v1/event-definitions/{definition_id}": (
        {"match": "purchase", "namespace": "customer_id", "key": "customer", "fields": {"n": "integer"}},
    ),
    "/v1/messages/{message_id}": ({"class": "marketing", "email": MAIL, "push": {"title": "Hi", "data": {"a": "b"}}},),
    "/v1/messages/{message_id}:preview": ({"profile": "c-42"}, {"profile": PERSON, "event": {"n": 1}}),
    "/v1/journeys/{journey_id}": (
        builders.use_case().journey.model_dump(mode="json", by_alias=True, exclude={"id"}, exclude_defaults=True),
        {**abandoned().journey.model_dump(mode="json", by_alias=True, exclude={"id"}, exclude_defaults=True), "reentry": {"after": "P1D"}},
        {
            "namespace": "customer_id",
            "nodes": [
                {"id": "in", "kind": "event", "event": "purchase", "where": "product != 'x'", "next": "on"},
                {"id": "on", "kind": "jump", "journey": "thank-you", "next": "again"},
                {"id": "again", "kind": "event", "event": "purchase", "where": "product == entry.product", "since": "on", "next": []},
            ],
        },
    ),
    "/v1/journeys/{journey_id}/runs": ({}, {"profiles": ["c-42", "nobody"]}),
    "/v1/journeys/{journey_id}:test": ({"channels": "inbox", "wait": "PT1S", "branches": {"ways": "a"}}, {}),
    "/v1/journeys/{journey_id}/test/entrants": ({"profiles": ["c-42", "nobody"]}, {"up_to": 5}),
    "/v1/journeys/{journey_id}/test/events": (
        {"event": "purchase", "profile": "c-42", "data": waiting.PURCHASE},
        {"name": "sale", "namespace": "customer_id", "key": "c-42", "data": waiting.PURCHASE, "id": "e-3"},
    ),
    "/v1/journeys/{journey_id}:pause": ({"what": "hold", "for": "P3D"}, {"what": "discard"}, {}),
    "/v1/journeys/{journey_id}:resume": ({"rate": 10}, {}),
    "/v1/journeys/{journey_id}:duplicate": ({"id": "another"}, {}),
    "/v1/policies": (
        {
            "caps": [{"id": "weekly", "channels": "all", "most": 3, "within": "P7D", "then": "retry", "retry_for": "P2D"}],
            "quiet_hours": {"channels": ["push"], "from": "22:00", "to": "08:00", "then": "queue"},
        },
    ),
    "/v1/keys": ({"name": "shop", "scope": "ingest", "namespace": "customer_id"}, {"name": "ops", "scope": "admin"}),
    "/v1/reconcile": ({"wake": True}, {}),
    "/v1/events": (EVENT, [EVENT, CLOUD], CLOUD),
    "/v1/events:explain": (EVENT, CLOUD, [EVENT]),
    "/v1/journeys/{journey_id}:unpark": ({}, {"node": "first"}, {"entrant": "x"}),
    **{
        f"/v1/journeys/{{journey_id}}:{said}": ({"node": "first"}, {"ids": [waiting.FIRST_MAIL], "as_of": "2026-03-01T12:00:00Z"})
        for said in ("approve", "discard", "render")
    },
    **{
        f"/v1/journeys/{{journey_id}}:{said}": ({"people": "migrate", "map": {"purchase": ":next", "first": "thanks"}, "rate": 5}, {})
        for said in ("plan", "publish")
    },
    "/v1/push/opened": ({"token": "x"},),
    "/v1/suppressions": ({"channel": "email", "address": "a@shop.example", "reason": "asked"},),
}


@st.composite
def spoilt(draw: st.DrawFn, good: Any) -> Any:
    """A good body with one thing about it changed."""
    if isinstance(good, dict) and good and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(good)))
        match draw(st.sampled_from(("in", "in", "in", "out", "more"))):
            case "in":
                return good | {name: draw(spoilt(good[name]))}
            case "out":
                return {kept: value for kept, value in good.items() if kept != name}
        return good | {draw(st.text(max_size=6)): draw(JUNK)}
    if isinstance(good, list) and good and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(good) - 1))
        return [draw(spoilt(item)) if at == place else item for at, item in enumerate(good)]
    return draw(JUNK)


def calls(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def address(draw: st.DataObject, path: str, operation: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The path with its parameters filled in, and a query."""
    query: dict[str, str] = {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(draw.draw(WORDS), safe=""))
        elif parameter["in"] == "query" and draw.draw(st.booleans()):
            allowed = parameter["schema"].get("enum")
            query[parameter["name"]] = draw.draw(st.sampled_from(allowed) if allowed else WORDS)
    return path, query


def body(draw: st.DataObject, path: str, operation: dict[str, Any]) -> tuple[bytes | None, str]:
    """A spoilt body and its content type."""
    kinds = operation.get("requestBody", {}).get("content", {})
    if not kinds:
        return None, ""
    kind = draw.draw(st.sampled_from(sorted(kinds)))
    if path == "/v1/profiles:import":
        lines = [
            json.dumps(draw.draw(spoilt(PERSON | {"id": "p-1"}))),
            'id,city,"test"',
            "p-1,Atlanta,true",
            'p-2,"Sea\ntle",',
            draw.draw(st.text()),
        ]
        return "\n".join(draw.draw(st.permutations(lines))).encode(), kind
    examples = BODIES.get(path) or (kinds[kind]["example"],)
    changed = draw.draw(spoilt(draw.draw(st.sampled_from(examples))))
    return json.dumps(changed, ensure_ascii=draw.draw(st.booleans())).encode(), kind


def begun_by_a_purchase(work: Work) -> None:
    """A journey into which the events that are sent let people."""
    nodes = [{"id": "in", "kind": "event", "event": "purchase", "next": "on"}, {"id": "on", "kind": "wait", "for": "P1D"}]
    journeys.put_draft(work, "bought", {"id": "bought", "namespace": "customer_id", "reentry": {"after": "PT1S"}, "nodes": nodes})
    journeys.publish(work, "bought", "https://sojourn.example")


@ROUNDS
@given(draw=st.data())
async def test_no_call_answers_with_a_fault_of_ours(api: httpx.AsyncClient, database: Database, draw: st.DataObject) -> None:
    if api.headers.get("X-Waiting") is None:  # once for all rounds
        await waiting.for_a_purchase(database)
        await database.write(lambda work: session_starting.start(work, "thank-you", Session(), ""))
        await database.write(begun_by_a_purchase)
        api.headers["X-Waiting"] = "yes"
    document = (await api.get("/openapi.json")).json()
    method, path, operation = draw.draw(st.sampled_from(calls(document)))
    where, query = address(draw, path, operation)
    content, kind = body(draw, path, operation)
    auth = httpx.BasicAuth(WRITE_KEY, "") if "segment-compatible" in operation["tags"] else None
    headers = {"Content-Type": kind} if kind else {}
    answer = await api.request(method, where, params=query, content=content, headers=headers, auth=auth or httpx.USE_CLIENT_DEFAULT)

    event(f"{method} {path} {answer.status_code}")
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in operation["responses"] or answer.status_code in EVERYWHERE, answer.text
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert problem["code"]
        assert problem["detail"].endswith("."), problem["detail"]


@pytest.mark.parametrize("at", ["/v1/batch", "/v1/events"])
@settings(ROUNDS, max_examples=25)
@given(draw=st.data())
async def test_what_cannot_be_read_takes_nothing_else_with_it(
    api: httpx.AsyncClient, database: Database, draw: st.DataObject, at: str
) -> None:
    number = draw.draw(st.integers(0, 2**40))
    good = {"type": "track", "event": "Seen", "messageId": f"m-{number}", "userId": "c-1"}
    ours = {"id": f"m-{number}", "name": "Seen", "namespace": "customer_id", "key": "c-1"}
    items = [draw.draw(spoilt(good if at == "/v1/batch" else ours)) for _ in range(3)] + [good if at == "/v1/batch" else ours]
    text = json.dumps({"batch": items} if at == "/v1/batch" else items)
    answer = await api.post(at, content=text, auth=httpx.BasicAuth(WRITE_KEY, "") if at == "/v1/batch" else httpx.USE_CLIENT_DEFAULT)
    assert answer.status_code in (200, 207, 400), answer.text
    if answer.status_code != 400:  # a text that no database keeps is refused as a whole
        kept = await database.read(lambda c: c.execute(select(schema.events.c.id).where(schema.events.c.id == f"m-{number}")).all())
        assert len(kept) == 1
