"""The development inbox: messages are kept in a folder or a list instead of being sent. It knows no network."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from journey.calls import RenderedCall
from journey.messages import Rendered, RenderedEmail
from providers import mime
from providers.port import Answer, Refused, Took

Kept = tuple[str, Rendered]
"""A delivery's id and its message."""


class InboxProvider:
    """Keeps messages of one channel: e-mails as `.eml`, pushes and calls as `.json` in a folder, or (delivery, message) in a list.

    Idempotent: the same delivery is kept once.
    """

    name = "inbox"
    idempotent = True
    longest_call = 5.0

    def __init__(self, channel: str, kept_in: Path | list[Kept]) -> None:
        self.channel = channel
        self._kept_in = kept_in

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        """Took, or what the real provider would refuse at sight: bad_address, bad_message, no_token."""
        made = _file(delivery, message)
        if isinstance(made, Refused):
            return made
        name, content = made
        if isinstance(self._kept_in, list):
            if all(kept != delivery for kept, _ in self._kept_in):
                self._kept_in.append((delivery, message))
        else:
            await asyncio.to_thread(_write, self._kept_in, name, content)
        return Took(name)

    async def close(self) -> None:
        """Nothing is open."""


def _file(delivery: str, message: Rendered) -> tuple[str, bytes] | Refused:
    name = quote(delivery, safe="~@")
    if isinstance(message, RenderedEmail):
        mail = mime.make(delivery, message)
        return mail if isinstance(mail, Refused) else (f"{name}.eml", mail.wire)
    if isinstance(message, RenderedCall):
        return f"{name}.json", json.dumps({"delivery": delivery, **asdict(message)}, indent=2).encode()
    if not message.tokens:
        return Refused("no_token", "there is no device to push to")
    return f"{name}.json", json.dumps({"delivery": delivery, **asdict(message)}, indent=2).encode()


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
