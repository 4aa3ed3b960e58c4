"""A system that webhooks call: a real HTTP server on loopback that keeps every call, as often as it comes, and answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from demo.catchers import PushCatcher


@dataclass(frozen=True, slots=True)
class Called:
    """One call as it came over the line: `headers` by lower-case name."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class HookCatcher(PushCatcher):
    """`calls` in the order in which they came. It behaves by PushBehaviour: a status, a body, headers, a delay."""

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(port=port)
        self.calls: list[Called] = []
        self._tls = tls

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def keep(self, asked: str, headers: dict[str, str], body: bytes) -> None:
        method, path, _ = asked.split(" ")
        self.calls.append(Called(method, path, headers, body))
