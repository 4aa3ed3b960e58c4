"""The day of the use case, unchanged, on a server whose time skips ahead; the store's clock is that server's.

Local activities go well with it: its time moves as ours does, and skips only when a test says so; a timer that it skips over fires, and
it waits for the task that this wakes. What keeps our own time are pauses inside the worker, so nothing in here is retried.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.temporal_server import TemporalServer
from journey import ids
from journey.errors import Unavailable
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World, world
from tests.workflows.time_skipping import TimeSkippingServer, time_skipping_server

pytestmark = pytest.mark.timeout(480)  # the server is fetched once
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SILENT = ["first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next"]


@pytest.fixture
async def server() -> AsyncIterator[TimeSkippingServer]:
    async with AsyncExitStack() as open_things:
        try:
            yield await open_things.enter_async_context(time_skipping_server())
        except Unavailable as error:
            pytest.skip(error.sentence)


@pytest.fixture
async def here(tmp_path: Path, server: TimeSkippingServer, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(tmp_path, clock=server.clock, beside=TemporalServer(server.address, "", 0), sweeps=False) as made:
        yield made
        await made.replay(request.node.name, [(ids.entrant(JOURNEY, "c-42", 1), None), (ids.run(JOURNEY, 1), None)])


async def test_one_who_is_silent_for_a_day_gets_the_follow_up_when_it_is_over(here: World, server: TimeSkippingServer) -> None:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at("push-opened", "email-opened")

    await server.passes(DAY - MINUTE)
    assert here.mails() == ["Ada, we roasted one for Atlanta"]
    await server.passes(MINUTE)
    await here.waits_at("purchase")

    assert here.mails() == ["Ada, we roasted one for Atlanta", "The Atlanta roast is still here"]
    first, follow_up = (await here.story())["path"][1:3]
    length = instant(follow_up["opened_at"]) - instant(first["closed_at"])
    assert DAY <= length < DAY + timedelta(seconds=5)

    await here.buys()
    assert await here.ends() == "finished"
    assert await here.path() == SILENT
    assert here.pushes() == ["A roast for Atlanta", "Thank you, Ada!"]
    await agrees(here)


async def test_one_who_opens_within_the_day_gets_no_follow_up_and_may_buy_weeks_later(here: World, server: TimeSkippingServer) -> None:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at("push-opened", "email-opened")

    await server.passes(DAY - MINUTE)
    await here.opens_email()
    await here.waits_at("purchase")
    await server.passes(30 * DAY)
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == ["first:next", "email-opened:next", "purchase:next", "thanks:next"]
    assert here.mails() == ["Ada, we roasted one for Atlanta"]
    await agrees(here)


async def test_one_who_never_buys_ends_after_91_days(here: World, server: TimeSkippingServer) -> None:
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at("push-opened", "email-opened")

    await server.passes(DAY)
    await here.waits_at("purchase")
    await server.passes(90 * DAY - MINUTE)
    await here.waits_at("purchase")
    await server.passes(MINUTE)

    assert await here.ends() == "global_timeout"
    story = await here.story()
    inside = instant(story["entrant"]["ended_at"]) - instant(story["entrant"]["entered_at"])
    assert 91 * DAY <= inside < 91 * DAY + timedelta(seconds=5)
    assert here.mails() == ["Ada, we roasted one for Atlanta", "The Atlanta roast is still here"]
    assert here.pushes() == ["A roast for Atlanta"]
    await agrees(here)


def instant(text: Any) -> datetime:
    return datetime.fromisoformat(text)
