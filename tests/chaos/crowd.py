"""People and shops whose calls do not give up: they send the same thing with the same id until somebody has taken it.

So do the libraries of Segment, and so does a push app. What they were told was accepted is noted, to be looked for in the ledger.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx

from journey import ids
from tests.chaos.ledger import Accepted
from tests.chaos.place import Place
from tests.e2e.world import JOURNEY, PURCHASE, WRITE_KEY

_PIXEL = re.compile(r'src="[^"]+(/o/[^"]+\.gif)"')
PARTS = ("email", "push", "silent")
SOURCE = "segment"


class Crowd:
    """Everybody of the use case: who opens what, who buys when, who does it twice or too early, is drawn by lot from a seed."""

    def __init__(self, place: Place, keys: list[str], seed: int, *, longest: float) -> None:
        """`longest` seconds pass before somebody does something about what came; most are faster."""
        self.place, self.lots, self._longest = place, random.Random(seed), longest
        self.part = {key: self.lots.choice(PARTS) for key in keys}
        self.accepted, self.retries, self.refused = Accepted(), 0, list[str]()
        self.bought = Counter[str]()
        self._shops = asyncio.Semaphore(16)
        self._tasks = set[asyncio.Task[None]]()
        self._seen = [0, 0]
        self._done = set[tuple[str, str]]()

    async def live(self) -> None:
        """Look at what has come, and do what people do. Cancel it when all is over."""
        for key in self.part:
            if self.lots.random() < 0.1:
                self._do(self.buys(key, f"early-{key}"))
        while True:
            mails, pushes = self.place.mail.messages[self._seen[0] :], self.place.push.pushes[self._seen[1] :]
            self._seen = [self._seen[0] + len(mails), self._seen[1] + len(pushes)]
            for mail in mails:
                key = mail.to.partition("@")[0]
                if self.part[key] == "email" and (pixel := _PIXEL.search(mail.html)) and self._once(key, "opens"):
                    self._do(self._opens(key, self._delivery(key, mail.headers["Message-ID"]), "GET", pixel[1]))
                if "is still here" in mail.subject and self._once(key, "buys"):
                    self._do(self.buys(key, f"buy-{key}"))
            for push in pushes:
                key = push.body["tokens"][0].removeprefix("device-")
                if self.part[key] == "push" and not push.body["title"].startswith("Thank") and self._once(key, "opens"):
                    self._do(self._opens(key, push.delivery, "POST", "/v1/push/opened", {"token": push.body["opened_token"]}))
            for task in [one for one in self._tasks if one.done()]:
                self._tasks.discard(task)
                task.result()
            await asyncio.sleep(0.05)

    async def go_home(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def buys(self, key: str, event: str, *, at_once: bool = False) -> None:
        await asyncio.sleep(0 if at_once else self._longest * self.lots.random() ** 2 / 2)
        call = {"type": "track", "userId": key, "event": "Order Completed", "properties": PURCHASE, "messageId": event}
        if self.lots.random() < 0.3:
            await self._until_taken("POST", "/v1/batch", {"batch": [call]}, shop=True)
        else:
            await self._until_taken("POST", "/v1/track", call, shop=True)
        self.accepted.events.add((SOURCE, event))
        if not event.startswith("early"):
            self.bought[key] += 1

    def buys_unasked(self, key: str) -> None:
        """Somebody who has opened nothing, and whom the follow-up never reached, buys all the same."""
        if self._once(key, "buys"):
            self._do(self.buys(key, f"buy-{key}", at_once=True))

    def _delivery(self, key: str, message_id: str) -> str:
        """Which of their mails it is: the first that came need not be the first that was sent."""
        sent = [ids.delivery(ids.entrant(JOURNEY, key, 1), n, "email") for n in range(1, 5)]
        return next(one for one in sent if ids.message_id(one, "")[:-1] == message_id.partition("@")[0] + "@")

    async def _opens(self, key: str, delivery: str, method: str, path: str, content: object = None) -> None:
        await asyncio.sleep(self._longest * self.lots.random() ** 2)
        for _ in range(2 if self.lots.random() < 0.3 else 1):
            await self._until_taken(method, path, content)
        self.accepted.events.add((ids.REACTIONS, ids.reaction(delivery, "opened")))
        if self._once(key, "buys"):
            await self.buys(key, f"buy-{key}")

    async def _until_taken(self, method: str, path: str, content: object = None, *, shop: bool = False) -> None:
        pause = 0.1
        auth = httpx.BasicAuth(WRITE_KEY, "") if shop else None
        async with self._shops:
            while True:
                try:
                    answer = await self.place.api.request(method, path, json=content, auth=auth)
                except httpx.TransportError:
                    answer = httpx.Response(599)
                if answer.is_success:
                    return
                if answer.status_code < 500 and answer.status_code != 429:
                    self.refused.append(f"{method} {path}: {answer.status_code} {answer.text}")
                    return
                self.retries += 1
                await asyncio.sleep(pause * (0.5 + self.lots.random()))
                pause = min(pause * 2, 2.0)

    def _once(self, key: str, what: str) -> bool:
        if (key, what) in self._done:
            return False
        self._done.add((key, what))
        return True

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(what))
