"""Where chaos happens: catchers, a Temporal server and a database that outlive the process of Sojourn, and the API of whichever is up."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from demo.catchers import MailCatcher, PushCatcher, _Session
from settings import Settings
from tests.chaos.processes import Postgres, Sojourn, Temporal
from tests.e2e.world import ADMIN_KEY, World, eventually, settings_for
from tests.hooks import HookCatcher


class CountingMailCatcher(MailCatcher):
    """Counts how often a conversation has come to each point, so that a kill can fall in the middle of one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def answer(self, at: str, session: _Session) -> str:
        self.asked[at] += 1
        return await super().answer(at, session)


class Place(World):
    """A world whose API and worker are in other processes. `mail`, `push` and `hooks` keep all they get, twice what comes twice."""

    mail: CountingMailCatcher

    def __init__(
        self, folder: Path, settings: Settings, api: httpx.AsyncClient, mail: CountingMailCatcher, push: PushCatcher,
        hooks: HookCatcher, temporal: Temporal, postgres: Postgres | None,
    ) -> None:  # fmt: skip
        self.folder, self.settings, self.api, self.mail, self.push, self.hooks = folder, settings, api, mail, push, hooks
        self.temporal, self.postgres = temporal, postgres
        self.sojourn = Sojourn(settings, folder / "sojourn.log")

    def lies_on(self, url: str) -> None:
        """Sojourn comes on another database than its own folder's."""
        self.settings = self.settings.model_copy(update={"database_url": url})
        self.sojourn = Sojourn(self.settings, self.folder / "sojourn.log")

    async def sojourn_is_killed(self) -> None:
        await self.sojourn.is_killed()

    async def everything(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = await self.api.get(path, params=params | {"limit": 1000, "cursor": cursor})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            cursor = page["next"] or ""
            if not cursor:
                return items

    async def run(self, journey: str, profiles: list[str]) -> None:
        """Let these people in."""
        answer = await self.api.post(f"/v1/journeys/{journey}/runs", json={"profiles": profiles})
        assert answer.status_code == 201, answer.text

    async def wait_at(self, node: str, number: int, patience: float = 90) -> None:
        """Wait until so many people wait at a node."""

        async def inside() -> int:
            return sum(one["inside"] for one in (await self.report())["nodes"] if one["node"] == node)

        await eventually(inside, lambda seen: seen == number, f"{number} people at {node}", patience)

    async def have_ended(self, number: int, patience: float = 120) -> None:
        """Wait until so many people have ended, in whichever journey."""

        async def ended() -> int:
            return len(await self.everything("/v1/entrants", state="ended"))

        await eventually(ended, lambda seen: seen == number, f"the end of {number} people", patience)

    def mails_by_id(self) -> Counter[str]:
        """How often the mail server has each Message-ID, which is named up to its domain."""
        return Counter(mail.headers["Message-ID"].partition("@")[0] + "@" for mail in self.mail.messages)

    def pushes_by_key(self) -> Counter[str]:
        """How often the push service was called with each Idempotency-Key."""
        return Counter(push.delivery for push in self.push.pushes)

    def calls_by_id(self) -> Counter[str]:
        """How often the system behind the webhooks was called with each webhook-id."""
        return Counter(call.id for call in self.hooks.calls)


async def opened_place(there: AsyncExitStack, folder: Path, database: str) -> Place:
    """Open a place on one of the two databases; Sojourn itself has not come yet."""
    enter = there.enter_async_context
    mail, push, hooks = await enter(CountingMailCatcher()), await enter(PushCatcher()), await enter(HookCatcher())
    temporal = Temporal(folder)
    there.push_async_callback(temporal.is_killed)
    postgres = Postgres() if database == "postgresql" else None
    if postgres is not None:
        there.push_async_callback(postgres.goes)
        await asyncio.gather(temporal.comes(), postgres.comes())
    else:
        await temporal.comes()
    url = postgres.url if postgres is not None else ""
    settings = settings_for(folder, mail, push, temporal.server).model_copy(update={"database_url": url})
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    api = await enter(httpx.AsyncClient(base_url=settings.api_url, headers=headers, timeout=20, trust_env=False))
    place = Place(folder, settings, api, mail, push, hooks, temporal, postgres)
    there.push_async_callback(place.sojourn_is_killed)
    return place
