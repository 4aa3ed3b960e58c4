"""Runs on a schedule: one at each occurrence, whoever asks and however often; nothing is left at the server of what is closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from temporalio.service import RPCError

from journey import ids
from tests.e2e.test_lifecycle import HELLO, journey, post
from tests.e2e.world import JOURNEY, World, eventually
from tests.fakes import ShiftedClock
from worker import taking_up

DAILY = {"kind": "daily", "at": "09:00"}
GATE = ("push-opened", "email-opened")


@pytest.mark.complaint(3)
async def test_at_each_occurrence_there_is_one_run_however_often_its_schedule_fires(here: World, clock: ShiftedClock) -> None:
    await here.set_up(journey=on_schedule(DAILY))
    await here.person()
    published = (await post(here, ":publish")).json()
    assert published["run"] is None
    first, second = published["schedule"]["next"][:2]
    assert (await runs(here), len(await instants(here))) == ([], 10)

    clock.move_to(instant(first))
    await fires(here)
    await here.ends()
    await fires(here)
    await here.worker_goes()
    await here.worker_comes()
    await taking_up(here.process).keep_schedules()
    await fires(here)
    assert await runs(here) == [(first["local"], "done", "", 1)]
    assert (await here.report())["schedule"]["next"][0] == second
    assert await kept_when(here, [JOURNEY]) == [JOURNEY]

    clock.move_to(instant(second) + 2 * 3600 * 1_000_000)
    await fires(here)
    assert (await runs(here))[0] == (second["local"], "missed", "too_late", 0)

    await here.process.workflows.keep_schedule("nobodys", [instant(second) + 10**12])
    await kept_when(here, ["nobodys", JOURNEY])
    await taking_up(here.process).keep_schedules()
    assert await kept_when(here, [JOURNEY]) == [JOURNEY]
    await post(here, ":close")
    with pytest.raises(RPCError):
        await here.process.client.get_schedule_handle(ids.schedule(JOURNEY)).describe()
    assert (await here.report())["schedule"] is None


async def test_an_incremental_run_lets_in_who_joined_since_the_one_before_and_nobody_twice(here: World, clock: ShiftedClock) -> None:
    await here.set_up(journey=on_schedule(DAILY, incremental=True))
    for key in ("c-stays", "c-comes-back"):
        await here.person(key)
    occurrences = (await post(here, ":publish")).json()["schedule"]["next"]

    async def next_day(day: int) -> dict[str, int]:
        clock.move_to(instant(occurrences[day]))
        await fires(here)
        run = await eventually(newest, lambda found: found["number"] == day + 1 and found["state"] == "done", f"run {day + 1} being done")
        return {name: run[name] for name in ("read", "admitted", "discarded", "stayed")}

    async def newest() -> dict[str, Any]:
        return dict((await here.api.get(f"/v1/journeys/{JOURNEY}/runs")).json()["items"][0])

    assert await next_day(0) == {"read": 2, "admitted": 2, "discarded": 0, "stayed": 0}
    assert [await here.ends(key) for key in ("c-stays", "c-comes-back")] == ["finished", "finished"]

    await lives_in(here, "c-comes-back", "Rome")  # no member any more
    await here.person("c-joins")
    assert await next_day(1) == {"read": 2, "admitted": 1, "discarded": 0, "stayed": 1}
    assert await here.ends("c-joins") == "finished"

    await lives_in(here, "c-comes-back", "Seattle")
    assert await next_day(2) == {"read": 3, "admitted": 1, "discarded": 0, "stayed": 2}
    again = ids.entrant(JOURNEY, "c-comes-back", 2)
    await eventually(lambda: entrant(here, again), lambda found: bool(found and found["entrant"]["end_reason"]), "the second time")
    assert await entrant(here, ids.entrant(JOURNEY, "c-stays", 1)) is not None
    assert await entrant(here, ids.entrant(JOURNEY, "c-stays", 2)) is None
    assert await here.discards() == {}


async def test_whoever_is_inside_at_the_next_run_is_ended_and_enters_anew_where_that_is_forced(here: World) -> None:
    here_again = ids.entrant(JOURNEY, "c-42", 2)
    await here.set_up(journey=forced(here))
    await here.person()
    await here.publish()
    await here.waits_at("pause")
    assert (await post(here, "/runs")).status_code == 201

    assert await here.ends() == "reentered"
    story = await eventually(lambda: entrant(here, here_again), lambda found: bool(found and found["waiting"]), "the second time")
    assert story["entrant"]["run"] == "thank-you.run.2"
    (latest, _) = (await here.api.get(f"/v1/journeys/{JOURNEY}/runs")).json()["items"]
    assert (latest["state"], latest["reentered"], latest["admitted"]) == ("done", 1, 1)
    assert await here.discards() == {}


# ---- words for the above --------------------------------------------------------------------------------------------------------


def on_schedule(schedule: Any, **more: Any) -> dict[str, Any]:
    drawn = journey(dict(HELLO), schedule=schedule)
    drawn["nodes"][0] |= more
    return drawn


async def lives_in(here: World, key: str, city: str) -> None:
    answer = await here.api.patch(f"/v1/profiles/{key}", json={"attributes": {"city": city}})
    assert answer.is_success, answer.text


def forced(here: World) -> dict[str, Any]:
    drawn = journey({"id": "pause", "kind": "wait", "for": "P1D", "next": "end"})
    drawn["nodes"][0]["force_reentry"] = True
    return drawn


async def fires(here: World) -> None:
    """The schedule fires by hand, and what it has to do is done: a run is begun, and read on its own."""
    handle = here.process.client.get_schedule_handle(ids.schedule(JOURNEY))
    before = (await handle.describe()).info.num_actions
    await handle.trigger()

    async def over() -> bool:
        described = await handle.describe()
        return described.info.num_actions > before and not described.info.running_actions

    await eventually(over, bool, "the end of what the schedule began")


async def runs(here: World) -> list[tuple[str, str, str, int]]:
    """Occurrence, state, reason, and how many were let in; the newest first."""
    items = (await here.api.get(f"/v1/journeys/{JOURNEY}/runs")).json()["items"]
    return [(item["occurrence"], item["state"], item["reason"], item["admitted"]) for item in items]


async def instants(here: World) -> list[Any]:
    described = await here.process.client.get_schedule_handle(ids.schedule(JOURNEY)).describe()
    return list(described.schedule.spec.calendars)


async def kept_when(here: World, expected: list[str]) -> list[str]:
    """The journeys that have a schedule at the server, whose index lags."""

    async def look() -> list[str]:
        return sorted(await here.process.workflows.scheduled())

    return await eventually(look, lambda found: found == expected, f"schedules of {expected}")


async def entrant(here: World, entrant_id: str) -> Any:
    answer = await here.api.get(f"/v1/entrants/{entrant_id}")
    return answer.json() if answer.is_success else None


def instant(occurrence: dict[str, str]) -> int:
    return int(datetime.fromisoformat(occurrence["at"]).timestamp()) * 1_000_000
