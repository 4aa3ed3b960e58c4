"""What happens to people when a journey is closed, stopped or published again, and when a run is started once more."""

from __future__ import annotations

from typing import Any

import pytest

from demo.catchers import PushBehaviour
from journey import ids
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World, eventually
from worker import taking_up

GATE = ("push-opened", "email-opened")
OPENED_PUSH = ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
HELLO = {"id": "hello", "kind": "message", "message": "first-message", "next": "end"}


async def test_closed_it_lets_nobody_in_and_those_inside_walk_on_to_its_end(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    await here.person("too-late")
    assert (await post(here, ":close")).json() == {"version": "thank-you@1", "state": "closed"}

    refused = await post(here, "/runs")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_live")
    assert (await post(here, ":close")).status_code == 409
    await here.opens_push()
    await here.waits_at("purchase")
    assert await states(here) == {1: "closed"}
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == OPENED_PUSH
    assert await states(here) == {1: "finished"}
    assert await here.story("too-late") == {}
    await agrees(here)


async def test_closed_with_nobody_inside_it_is_finished_at_once(here: World) -> None:
    await here.set_up()
    await here.publish()
    await run_is(here, "done")

    assert (await post(here, ":close")).json()["state"] == "finished"


@pytest.mark.complaint(11)
async def test_stopped_everybody_inside_ends_within_seconds_and_nobody_is_written_to_any_more(here: World) -> None:
    await here.set_up()
    people = [await here.person(f"c-{number}") for number in range(8)]
    await here.publish()
    for key in people:
        await here.waits_at(*GATE, key=key)
    await here.opens_push("c-1")
    await here.waits_at("purchase", key="c-1")
    here.push.behave(PushBehaviour(delay=1.0))
    await here.opens_push("c-2")
    await here.waits_at("purchase", key="c-2")
    await here.buys("c-2")
    await eventually(lambda: count(len(here.push.pushes)), lambda number: number == 9, "the thank-you on its way")

    assert (await post(here, ":stop")).json() == {"versions": ["thank-you@1"], "note": ""}
    for key in people:
        assert await here.ends(key) == "journey_stopped"
    assert await here.path("c-0") == ["first:next"]
    assert await here.path("c-1") == ["first:next", "push-opened:next"]
    assert await here.path("c-2") == OPENED_PUSH, "what was on its way was sent, and marked as sent"
    assert await states(here) == {1: "stopped"}
    report = await here.report()
    assert report["differences"] == []
    assert (report["totals"]["inside"], report["totals"]["entered"]) == (0, 8)

    await here.opens_email("c-3")
    await here.buys("c-1")
    assert await here.discards() == {"late": 1, "nobody_listening": 1}
    assert len(here.mails()) == 8
    assert len(here.pushes()) == 9


async def test_stopped_while_a_run_still_reads_it_lets_nobody_more_in(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.worker_goes()
    run = await here.publish()
    await post(here, ":stop")
    await here.worker_comes()
    await here.process.client.get_workflow_handle(run).result()

    await run_is(here, "stopped")
    assert await here.story() == {}
    assert here.mails() == []


async def test_a_run_whose_workflow_was_ended_from_outside_is_read_to_its_end_when_sojourn_starts_again(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.worker_goes()
    run = await here.publish()
    await here.process.client.get_workflow_handle(run).terminate("by mistake")
    await here.worker_comes()
    assert (await post(here, "/runs")).json()["code"] == "run_reading"
    await taking_up(here.process).catch_up()

    await run_is(here, "done")
    await here.waits_at(*GATE)
    assert len(here.mails()) == 1


@pytest.mark.complaint(10)
async def test_published_again_those_inside_finish_on_the_old_version_and_others_enter_the_new_one(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    again = await post(here, ":publish")
    assert (again.status_code, again.json()["code"]) == (409, "unchanged")

    await here.set_up(journey=journey(dict(HELLO)))
    await here.person("c-43")
    published = (await post(here, ":publish")).json()
    assert (published["number"], published["closed"]) == (2, "thank-you@1")
    assert await here.ends("c-43") == "finished"
    assert await here.path("c-43") == ["hello:next"]
    assert await here.discards() == {"already_inside": 1}
    assert await states(here) == {1: "closed", 2: "live"}

    await here.opens_push()
    await here.waits_at("purchase")
    await here.buys()
    assert await here.ends() == "finished"
    assert await here.path() == OPENED_PUSH
    assert (await here.story())["entrant"]["version"] == "thank-you@1"
    assert await states(here) == {1: "finished", 2: "live"}
    await agrees(here)
    await agrees(here, "c-43")


async def test_while_a_run_reads_the_segment_there_is_no_second_one_but_people_may_be_named(here: World) -> None:
    await here.set_up()
    for key in ("c-1", "c-2", "c-3"):
        await here.person(key)
    await here.worker_goes()
    await here.publish()
    refused = await post(here, "/runs")
    assert (refused.status_code, refused.json()["code"]) == (409, "run_reading")
    assert (await post(here, "/runs", {"profiles": ["c-2", "c-3", "nobody"]})).status_code == 201
    await here.worker_comes()
    await run_is(here, "done", 1)
    await run_is(here, "done", 2)

    for key in ("c-1", "c-2", "c-3"):
        await here.waits_at(*GATE, key=key)
    assert len(here.mails()) == 3
    assert await here.discards() == {"already_inside": 2, "unknown_profile": 1}
    assert (await post(here, "/runs")).status_code == 201


async def test_what_is_read_by_hand_lets_in_whom_one_says_when_one_says_so(here: World) -> None:
    await here.set_up(journey=journey(dict(HELLO), schedule="manual"))
    for key in ("c-1", "c-2", "c-3"):
        await here.person(key)
    assert (await post(here, ":publish")).json()["run"] is None
    await post(here, "/runs", {"profiles": ["c-3", "c-1"]})
    await run_is(here, "done", 1)

    for key in ("c-1", "c-3"):
        assert await here.ends(key) == "finished"
    assert await here.story("c-2") == {}
    await post(here, "/runs")
    await run_is(here, "done", 2)
    assert await here.ends("c-2") == "finished"


async def test_a_second_run_leaves_out_who_is_inside_and_lets_in_again_who_has_finished(here: World) -> None:
    await here.set_up()
    await here.person("inside")
    await here.person("through")
    await here.publish()
    await here.waits_at(*GATE, key="inside")
    await here.waits_at(*GATE, key="through")
    await here.opens_push("through")
    await here.waits_at("purchase", key="through")
    await here.buys("through")
    assert await here.ends("through") == "finished"
    await post(here, "/runs")
    await run_is(here, "done", 2)

    second = ids.entrant(JOURNEY, "through", 2)
    story = await eventually(lambda: entrant(here, second), lambda found: bool(found and found["waiting"]), "the second time")
    assert story["entrant"]["run"] == "thank-you.run.2"
    assert await here.discards() == {"already_inside": 1}
    assert [push.delivery for push in here.push.pushes if push.body["tokens"] == ["device-through"]] == [
        "thank-you~through~1.1.push", "thank-you~through~1.3.push", "thank-you~through~2.1.push",
    ]  # fmt: skip
    assert (await here.report())["totals"]["entered"] == 3


async def test_a_profile_for_tests_is_left_out(here: World) -> None:
    await here.set_up()
    await here.person()
    await here.person("tester", test=True)
    await here.publish()
    await here.waits_at(*GATE)
    await run_is(here, "done")

    assert await here.story("tester") == {}
    assert await here.discards() == {"test_profile": 1}
    assert [mail.to for mail in here.mail.messages] == ["c-42@people.example"]


async def test_three_hundred_people_enter_once_each_and_all_come_through(here: World) -> None:
    await here.set_up(journey=journey(dict(HELLO)))
    people = await here.people(300)
    await here.worker_goes()
    await here.worker_comes(sandboxed=False)  # as it runs in earnest: the sandbox is slow to start
    await here.publish()
    await run_is(here, "done", patience=60)

    async def inside() -> int:
        return int((await here.report())["totals"]["inside"])

    await eventually(inside, lambda number: number == 0, "the last one through", 60)
    run = (await here.api.get(f"/v1/journeys/{JOURNEY}/runs/thank-you.run.1")).json()
    assert (run["read"], run["admitted"], run["discarded"]) == (300, 300, 0)
    assert sorted(mail.to for mail in here.mail.messages) == [f"{key}@people.example" for key in people]
    assert sorted(push.body["tokens"][0] for push in here.push.pushes) == [f"device-{key}" for key in people]
    report = await here.report()
    assert report["differences"] == []
    assert report["totals"]["ended"] == {"finished": 300}


# ---- words for the above --------------------------------------------------------------------------------------------------------


def journey(*nodes: dict[str, Any], schedule: Any = "asap") -> dict[str, Any]:
    """The journey of the example with other nodes behind its entry."""
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": schedule, "next": nodes[0]["id"]}
    return {"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, *nodes, {"id": "end", "kind": "end"}]}


async def post(here: World, path: str, body: Any = None) -> Any:
    return await here.api.post(f"/v1/journeys/{JOURNEY}{path}", json=body)


async def states(here: World) -> dict[int, str]:
    items = (await here.api.get(f"/v1/journeys/{JOURNEY}/versions")).json()["items"]
    return {item["number"]: item["state"] for item in items}


async def run_is(here: World, state: str, number: int = 1, patience: float | None = None) -> None:
    async def now() -> str:
        return str((await here.api.get(f"/v1/journeys/{JOURNEY}/runs/{ids.run(JOURNEY, number)}")).json()["state"])

    await eventually(now, lambda found: found == state, f"run {number} being {state}", patience)


async def entrant(here: World, entrant_id: str) -> Any:
    answer = await here.api.get(f"/v1/entrants/{entrant_id}")
    return answer.json() if answer.is_success else None


async def count(number: int) -> int:
    return number
