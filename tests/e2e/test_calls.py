"""Profiles written and webhooks called on real servers, each way out of them; the simulator goes the same way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from demo.catchers import PushBehaviour
from providers.signing import derived
from tests.e2e.agreement import agrees
from tests.e2e.test_nodes import set_up
from tests.e2e.world import World, world
from tests.hooks import HookCatcher

THANKS = {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"}
FOLLOW_UP = {"id": "follow-up", "kind": "message", "message": "follow-up", "next": "end"}


@pytest.fixture
async def here(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(tmp_path, webhook_private="127.0.0.1") as made:
        yield made
        await made.replay(request.node.name, await made.workflows())


@pytest.fixture
async def crm() -> AsyncIterator[HookCatcher]:
    async with HookCatcher() as opened:
        yield opened


def asking(crm: HookCatcher, **changed: Any) -> dict[str, Any]:
    body = '{"name": {{ profile.first_name | json }}, "born": {{ profile.birth_year | json }}}'
    url = f"http://{crm.host}/people/{{{{ profile.id }}}}?from={{{{ journey }}}}"
    return {"id": "get-score", "kind": "webhook", "url": url, "body": body, "next": "which"} | changed


WHICH = {"id": "which", "kind": "condition", "branches": [{"id": "high", "when": "calls.get_score.body.score > 5", "next": "thanks"}],
         "otherwise": "follow-up"}  # fmt: skip


async def test_a_webhook_is_called_once_and_what_it_answers_decides_the_way_on(here: World, crm: HookCatcher) -> None:
    crm.behave(PushBehaviour(body=b'{"score": 7, "secret": "of-ada"}'))
    await set_up(here, asking(crm), WHICH, THANKS, FOLLOW_UP)
    await here.person()
    await here.publish()

    assert await here.ends() == "finished"
    assert await here.path() == ["get-score:next", "which:high", "thanks:next"]
    (came,) = crm.calls
    assert (came.method, came.path, came.id) == ("POST", "/people/c-42?from=thank-you", "thank-you~c-42~1~1~webhook")
    secret = derived(here.process.settings.secret)
    assert Webhook(secret).verify(came.body, came.headers) == {"name": "Ada", "born": 1985}
    await agrees(here)
    shown = await here.story()
    assert shown["calls"] == [
        {
            "n": 1,
            "node": "get-score",
            "status": 200,
            "body": {"score": 7, "secret": "of-ada"},
            "left_out": "",
            "at": shown["calls"][0]["at"],
        }
    ]
    history = await here.process.client.get_workflow_handle("thank-you~c-42~1").fetch_history()
    assert "of-ada" not in json.dumps(json.loads(history.to_json()))
    report = await here.report()
    assert report["differences"] == []
    assert next(node["channels"]["webhook"]["sent"] for node in report["nodes"] if node["node"] == "get-score") == 1


async def test_a_webhook_that_asks_to_come_again_is_called_with_the_same_id_and_one_that_refuses_leads_to_the_error_exit(
    here: World, crm: HookCatcher
) -> None:  # fmt: skip
    crm.behave(PushBehaviour(status=503, headers={"Retry-After": "1"}))
    await set_up(here, asking(crm, error="follow-up", next="end"), FOLLOW_UP)
    await here.person()
    await here.publish()
    while len(crm.calls) < 2:
        await asyncio.sleep(0.02)
    crm.behave(PushBehaviour(status=422, body=b'{"why": "no such person"}'))

    assert await here.ends() == "finished"
    assert await here.path() == ["get-score:error", "follow-up:next"]
    assert {came.id for came in crm.calls} == {"thank-you~c-42~1~1~webhook"}
    assert [(one["status"], one["reason"]) for one in (await here.story())["deliveries"][:1]] == [("failed", "call_refused")]
    await agrees(here)


async def test_without_an_error_exit_a_webhook_that_is_refused_is_the_end(here: World) -> None:
    hidden = {"id": "hidden", "kind": "webhook", "url": "http://10.255.255.1/", "next": "end"}
    await set_up(here, hidden)
    await here.person()
    await here.publish()

    assert await here.ends() == "error"
    assert [(one["status"], one["reason"]) for one in (await here.story())["deliveries"]] == [("failed", "host_refused")]


async def test_a_profile_is_written_once_and_the_next_node_sees_it_and_what_does_not_fit_goes_by_error(here: World) -> None:
    await set_up(
        here,
        {"id": "note", "kind": "update_profile", "set": {"city": "{{ profile.city | append: '!' }}"}, "next": "move", "error": "end"},
        {"id": "move", "kind": "condition", "branches": [{"id": "moved", "when": 'city == "Atlanta!"', "next": "broken"}]},
        {"id": "broken", "kind": "update_profile", "set": {"birth_year": "{{ profile.first_name }}"}, "error": "last"},
        {"id": "last", "kind": "update_profile", "set": {"birth_year": "{{ profile.first_name }}"}},
    )  # fmt: skip
    await here.person()
    await here.publish()

    assert await here.ends() == "error"
    assert await here.path() == ["note:next", "move:moved", "broken:error", "last:error"]
    kept = (await here.api.get("/v1/profiles/c-42")).json()["attributes"]
    assert (kept["city"], kept["birth_year"]) == ("Atlanta!", 1985)
    said = [step["said"] for step in (await here.story())["path"]]
    assert "broken: nothing written, birth_year (value_does_not_fit); goes on" in said
    assert (await here.report())["differences"] == []
