"""Plays many stories on one Temporal dev server, each with a namespace, a store and a worker of its own, some at a time."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from api.services import Services
from demo import temporal_cli
from demo.catchers import MailCatcher, PushCatcher
from demo.story_pace import Pace, StoryClock
from demo.story_player import Player
from demo.story_stage import Play
from demo.story_stops import AnsweredCalls, PacedStops, ScriptedProvider, Told
from demo.temporal_server import temporal_server
from journey import ids
from journey.errors import SojournError
from journey.simulation.story import Story
from providers.port import Provider
from providers.push_http import HttpPushProvider
from providers.smtp import SmtpProvider
from settings import Settings
from store.upgrade import upgrade
from worker import make_worker, opened

AT_ONCE = 3
_SECRET = "a secret for stories that are only played"


@dataclass(frozen=True, slots=True)
class Played:
    """The story, or why there is none, and how long it took to play."""

    story: Story | SojournError
    seconds: float


async def play_all(plays: Sequence[Play], folder: Path) -> list[Played]:
    """The story of each, in their order. `folder` is empty, and may be thrown away afterwards. Raises Unavailable without a server."""
    cli = await asyncio.to_thread(temporal_cli.ensure)
    template = folder / "empty.db"
    await asyncio.to_thread(upgrade, f"sqlite:///{template}")
    namespaces = [f"story-{number}" for number in range(len(plays))]
    async with temporal_server(cli, namespace=namespaces[0], beside=namespaces[1:]) as server:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, play: Play) -> Played:
            async with places:
                began = time.perf_counter()
                data = folder / str(number)
                data.mkdir()
                await asyncio.to_thread(shutil.copyfile, template, data / "sojourn.db")
                settings = Settings(
                    data_dir=data, database_url=f"sqlite:///{data / 'sojourn.db'}", temporal_address=server.address,
                    temporal_namespace=namespaces[number], temporal_tls=False, temporal_api_key="", secret=_SECRET,
                    consent="explicit" if play.world.consent_explicit else "implicit",
                )  # fmt: skip
                try:
                    story: Story | SojournError = await _play(play, settings)
                except SojournError as error:
                    story = error
                return Played(story, time.perf_counter() - began)

        return list(await asyncio.gather(*(one(number, play) for number, play in enumerate(plays))))


async def _play(play: Play, settings: Settings) -> Story:
    pace, told = Pace(StoryClock(play.world.begins)), Told()
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        mail, push = await enter(MailCatcher()), await enter(PushCatcher())
        real: list[Provider] = [
            SmtpProvider(f"smtp://127.0.0.1:{mail.port}"), HttpPushProvider(push.url), AnsweredCalls(play.world.responses, told),
        ]  # fmt: skip
        providers = {one.channel: ScriptedProvider(one, play.script, pace, told) for one in real}
        process = await enter(opened(settings, providers=providers, clock=pace.clock))
        stops = PacedStops(process.database, process.sending, pace, told, version=play.version, script=play.script, world=play.world)
        open_things.push_async_callback(stops.drain)
        process = replace(process, stops=stops, transactional=stops)
        transactional = play.version.journey.purpose == "transactional"
        for queue in {ids.TASK_QUEUE} | ({ids.TRANSACTIONAL_QUEUE} if transactional else set()):
            await enter(make_worker(process, task_queue=queue))
        open_things.callback(pace.end)
        services = Services(database=process.database, workflows=process.workflows, signer=process.sending.signer, admin_key="")
        return await Player(play, services, pace, told).run()
