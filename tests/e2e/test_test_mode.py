"""The use case in test mode on real servers: one test profile, then many at once; nothing of it is really sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from temporalio.common import SearchAttributeKey

from commands import try_out
from commands.http import Api
from tests.e2e.world import ADMIN_KEY, JOURNEY, PURCHASE, World, eventually, profile_of

AT = f"/v1/journeys/{JOURNEY}"
TESS = f"{JOURNEY}~tess~t1"
HUNDRED = 100


async def in_test(here: World, **wanted: Any) -> None:
    await here.set_up()
    await here.person("tess", test=True)
    answer = await here.api.post(f"{AT}:test", json={"wait": "PT1S", "reaction_wait": "PT1S"} | wanted)
    assert answer.status_code == 201, answer.text


async def enter(here: World, **who: Any) -> list[str]:
    answer = await here.api.post(f"{AT}/test/entrants", json=who)
    assert answer.status_code == 201, answer.text
    return list(answer.json()["entrants"])


async def log(here: World, entrants: int = 0) -> dict[str, Any]:
    return dict((await here.api.get(f"{AT}/test", params={"entrants": entrants})).json())


async def seen_of(here: World, entrant: str = TESS) -> dict[str, Any]:
    answer = await here.api.get(f"{AT}/test/entrants/{entrant}")
    return dict(answer.json())


async def is_at(here: World, node: str, entrant: str = TESS) -> dict[str, Any]:
    def there(seen: dict[str, Any]) -> bool:
        return bool(seen["waiting"]) and node in {awaited["node"] for awaited in seen["waiting"]["awaited"]}

    return await eventually(lambda: seen_of(here, entrant), there, f"waiting at {node}")


async def buys(here: World, profile: str = "tess") -> list[str]:
    fired = {"event": "purchase", "profile": profile, "data": PURCHASE}
    return list((await here.api.post(f"{AT}/test/events", json=fired)).json()["entrants"])


async def test_the_use_case_is_tested_with_one_profile_in_seconds_and_nothing_is_really_sent(here: World) -> None:
    await here.set_up()
    await here.person("tess", test=True)
    told: list[str] = []

    def tries() -> dict[str, Any]:
        with Api(here.process.settings.api_url, ADMIN_KEY) as api:
            return try_out.try_out(api, JOURNEY, try_out.Wanted(("tess",), wait="PT1S"), told.append, pause=0.05)

    log = await asyncio.to_thread(tries)
    assert told[0] == "thank-you@t1 is on."
    assert told[-1] == "tess: email-opened timed out; follow-up: sent on email; waits at purchase"
    assert list(try_out.sentences(log)) == ["tess: running, waits for purchase (purchase)"]
    assert await buys(here) == [TESS]
    done = await eventually(lambda: seen_of(here), lambda seen: seen["phase"] == "finished", "the end")

    taken = [f"{step['left']}:{step['exit']} {step['node']}:{step['outcome']}".strip(": ") for step in done["path"][1:]]
    assert taken == ["first:next", "email-opened:timeout follow-up:next", "purchase:next thanks:next"]
    assert {one["id"]: one["status"] for one in done["deliveries"]} == {
        f"{TESS}.1.email": "sent", f"{TESS}.1.push": "sent", f"{TESS}.2.email": "sent", f"{TESS}.3.push": "sent",
    }  # fmt: skip
    assert (here.mails(), here.pushes()) == ([], [])
    inbox = sorted(file.name for file in (here.process.settings.data_dir / "inbox").iterdir())
    assert inbox == [f"{TESS}.1.email.eml", f"{TESS}.1.push.json", f"{TESS}.2.email.eml", f"{TESS}.3.push.json"]
    described = await here.process.client.get_workflow_handle(TESS).describe()
    assert described.typed_search_attributes.get(SearchAttributeKey.for_bool("SojournTest")) is True


async def test_an_opened_test_message_decides_and_a_live_person_of_the_same_profile_goes_their_own_way(here: World) -> None:
    await here.set_up()
    await here.person("tess")
    await here.publish()
    await here.waits_at("push-opened", "email-opened", key="tess")
    await here.person("tess", test=True)
    assert (await here.api.post(f"{AT}:test", json={"reaction_wait": "PT1H"})).status_code == 201
    await enter(here, profiles=["tess"])
    deliveries = (await is_at(here, "email-opened"))["deliveries"]
    mail = next(one for one in deliveries if one["channel"] == "email")
    content = (await here.api.get(mail["content"])).json()
    assert (await here.api.get(content["opened"])).status_code == 200
    await is_at(here, "purchase")
    await here.waits_at("push-opened", "email-opened", key="tess")
    await here.opens_push("tess")
    await here.waits_at("purchase", key="tess")

    await here.buys("tess")
    assert await here.ends("tess") == "finished"
    assert (await seen_of(here))["phase"] == "running"
    await buys(here)
    await eventually(lambda: seen_of(here), lambda seen: seen["phase"] == "finished", "the end of the test")
    assert len(here.mails()) == 1
    assert len(here.pushes()) == 2
    assert (await here.report())["totals"]["entered"] == 1


@pytest.mark.complaint(18)
async def test_a_hundred_are_tested_at_once_and_all_leave_when_the_test_ends(here: World) -> None:
    await in_test(here)
    lines = "".join(json.dumps(profile_of(f"t-{number:03}") | {"test": True}) + "\n" for number in range(HUNDRED))
    await here.api.post("/v1/profiles:import", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert len(await enter(here, up_to=HUNDRED)) == HUNDRED
    inside = await eventually(lambda: log(here), lambda seen: numbers(seen, "purchase")["inside"] == HUNDRED, "everybody at the purchase")
    assert inside["phases"] == {"running": HUNDRED, "finished": 0, "error": 0, "timed_out": 0}
    assert len((await log(here, HUNDRED))["entrants"]) == HUNDRED

    assert (await here.api.delete(f"{AT}/test")).status_code == 200
    await eventually(lambda: ended(here), lambda seen: seen == HUNDRED, "the end of everybody")
    assert (await here.api.get(f"{AT}/test")).status_code == 404
    assert (here.mails(), here.pushes()) == ([], [])


def numbers(seen: dict[str, Any], node: str) -> dict[str, Any]:
    return dict(next(one["numbers"] for one in seen["nodes"] if one["numbers"]["node"] == node))


async def ended(here: World) -> int:
    found = await here.api.get("/v1/entrants", params={"mode": "test", "state": "ended", "limit": 1000})
    return len([one for one in found.json()["items"] if one["end_reason"] == "test_ended"])
