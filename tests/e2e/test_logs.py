"""The log of a bad day: a mail server that repeats addresses, a template that breaks, events and signals that are none. It says of whom by
id, and nothing that it was told of anybody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import logs
from demo.catchers import MailBehaviour, PushBehaviour
from journey import ids
from tests.e2e.world import ADMIN_KEY, JOURNEY, WRITE_KEY, World, eventually

ADDRESS = "c-42@people.example"
PRIVATE = (ADDRESS, "people.example", "Ada", "1985", "device-c-42", "a velvet cap", WRITE_KEY, ADMIN_KEY)
ENTRANT = ids.entrant(JOURNEY, "c-42", 1)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, as lines of JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    sojourn, root = logging.getLogger("sojourn"), logging.getLogger()
    before = sojourn.level
    sojourn.setLevel(logging.INFO)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    sojourn.setLevel(before)


async def test_the_log_of_a_bad_day_tells_of_whom_and_nothing_about_them(here: World, written: io.StringIO) -> None:
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "mail"},
        {"id": "mail", "kind": "message", "message": "follow-up", "next": "end", "error": "push"},
        {"id": "push", "kind": "message", "message": "thank-you", "next": "end", "error": "broken"},
        {"id": "broken", "kind": "message", "message": "breaks", "next": "end", "error": "purchase"},
        {"id": "purchase", "kind": "event", "event": "purchase", "next": "end"},
        {"id": "end", "kind": "end"},
    ]})  # fmt: skip
    await here.put("/v1/messages/breaks", {
        "id": "breaks", "name": "Breaks", "class": "transactional",
        "push": {"title": "Hello", "body": '{{ profile.first_name | date: "%Y" | divided_by: 0 }}'},
    })  # fmt: skip
    await here.person()
    here.mail.behave(MailBehaviour(at="RCPT", answer=f"550 5.1.1 <{ADDRESS}> (Ada) unknown"))
    here.push.behave(PushBehaviour(status=400, body=b'{"error": "bad", "token": "device-c-42"}'))
    await here.publish()
    await here.waits_at("purchase")
    await here.api.post("/v1/events", json={"name": "sale", "namespace": "customer_id", "key": ADDRESS, "data": {"is": ["a velvet cap"]}})
    await here.api.post("/v1/events", content=b'{"name": "a velvet cap"')
    await here.api.post("/v1/track", json={"userId": ADDRESS, "event": 7, "properties": "a velvet cap"}, auth=(WRITE_KEY, ""))
    await here.api.get("/o/no-token-of-a-velvet-cap.gif")
    handle = here.process.client.get_workflow_handle(ENTRANT)
    await handle.signal(f"for {ADDRESS}", {"of": "a velvet cap"})
    await here.buys()
    assert await here.ends() == "finished"

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    codes = [line for line in lines if line.get("delivery")]
    assert [(line["delivery"], line["entrant"], line["journey"]) for line in codes] == [
        (ids.delivery(ENTRANT, n, channel), ENTRANT, JOURNEY) for n, channel in ((1, "email"), (2, "push"), (3, "push"))
    ]
    assert ["address_refused" in codes[0]["message"], "message_refused" in codes[1]["message"], "breaks" in codes[2]["message"]] == [
        True
    ] * 3
    assert any(line.get("workflow") == ENTRANT for line in lines if line["logger"].startswith("temporalio"))
    details = [one["detail"] for one in (await here.api.get("/v1/deliveries", params={"entrant": ENTRANT})).json()["items"]]
    assert ["550 5.1.1" in details[0], bool(details[1]), "breaks" in details[2]] == [True] * 3
    told = written.getvalue() + "".join(details)
    assert [private for private in PRIVATE if private in told] == []


async def test_a_server_that_goes_away_is_told_of_by_name_and_never_with_what_was_to_be_sent(here: World, written: io.StringIO) -> None:
    await here.set_up()
    await here.person()
    here.mail.behave(MailBehaviour(at="RCPT", answer=f"451 4.7.1 {ADDRESS} greylisted", times=1))
    await here.publish()
    await here.waits_at("push-opened", "email-opened")
    await here.opens_email()
    await here.waits_at("purchase")
    await here.buys()
    assert await here.ends() == "finished"

    lines = await eventually(lambda: read(written), lambda lines: any("greylisted" in line["message"] for line in lines), "the answer")
    (again,) = (line for line in lines if "greylisted" in line["message"])
    assert (again["entrant"], again["activity"], again["workflow"]) == (ENTRANT, "stop", ENTRANT)
    assert [private for private in PRIVATE if private in written.getvalue()] == []


async def read(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]
