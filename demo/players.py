"""The people of the demonstration: they open what really arrived, and buy. They know the catchers and the public API, nothing else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import httpx

from demo.cast import PURCHASE, Player
from demo.catchers import MailCatcher, PushCatcher
from journey.errors import SojournError

_PIXEL = re.compile(r'src="([^"]+/o/[^"]+\.gif)"')
_LOOK_AGAIN = 0.1
_BATCH = 20


class Players:
    """Plays a cast against an API at an address."""

    def __init__(self, cast: Sequence[Player], api: httpx.AsyncClient, mail: MailCatcher, push: PushCatcher, write_key: str) -> None:
        self.cast = cast
        self._api, self._mail, self._push = api, mail, push
        self._auth = httpx.BasicAuth(write_key, "")
        self.opened = 0

    async def open_all(self) -> None:
        """Open messages as they arrive, until everybody who opens has opened. Cancel it when that takes too long."""
        by_token, by_address = await self._people()
        seen_mails = seen_pushes = 0
        todo = {player.profile for player in self.cast if player.part != "silent"}
        while todo:
            mails, pushes = self._mail.messages[seen_mails:], self._push.pushes[seen_pushes:]
            seen_mails, seen_pushes = seen_mails + len(mails), seen_pushes + len(pushes)
            for mail in mails:
                player = by_address.get(mail.to.lower())
                if player is not None and player.part == "email-opened" and player.profile in todo:
                    await self._fetch_pixel(mail.html)
                    todo.discard(player.profile)
            for push in pushes:
                player = by_token.get(push.body["tokens"][0])
                if player is not None and player.part == "push-opened" and player.profile in todo:
                    await self._post("/v1/push/opened", {"token": push.body["opened_token"]})
                    todo.discard(player.profile)
            self.opened = sum(player.part != "silent" for player in self.cast) - len(todo)
            await asyncio.sleep(_LOOK_AGAIN)

    async def buy_all(self) -> None:
        """Everybody buys: some calls of `track`, the rest in batches, as Segment's libraries send them."""
        events = [
            {"type": "track", "userId": player.key, "event": "Order Completed", "messageId": f"buy-{player.key}", "properties": PURCHASE}
            for player in self.cast
        ]
        for event in events[:_BATCH]:
            await self._post("/v1/track", event, auth=True)
        for start in range(_BATCH, len(events), _BATCH):
            await self._post("/v1/batch", {"batch": events[start : start + _BATCH]}, auth=True)

    async def _people(self) -> tuple[dict[str, Player], dict[str, Player]]:
        """Players by device and by address, as the API has them."""
        by_token: dict[str, Player] = {}
        by_address: dict[str, Player] = {}
        for player in self.cast:
            profile = (await self._api.get(f"/v1/profiles/{player.profile}")).json()
            by_token |= {token["token"]: player for token in profile["push_tokens"]}
            if profile["attributes"].get("email"):
                by_address[str(profile["attributes"]["email"]).lower()] = player
        return by_token, by_address

    async def _fetch_pixel(self, html: str) -> None:
        found = _PIXEL.search(html)
        if found is None:
            raise SojournError("A mail arrived without its pixel.", code="no_pixel")
        (await self._api.get(found[1])).raise_for_status()

    async def _post(self, path: str, data: object, *, auth: bool = False) -> None:
        (await self._api.post(path, json=data, auth=self._auth if auth else httpx.USE_CLIENT_DEFAULT)).raise_for_status()
