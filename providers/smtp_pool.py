"""Open connections to one mail server, kept for the next message. It knows no messages."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from journey.errors import BadInput

Connection = aiosmtplib.SMTP
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how to speak to it. `start_tls` None upgrades when the server offers it."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    start_tls: bool | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(url: str) -> Server:
    """`smtp://USER:PASSWORD@HOST:PORT`, or `smtps://` for TLS from the first byte; user and password percent-encoded.

    `?starttls=` is required, auto or never; required by default where a password would travel beyond this machine. Raises BadInput.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    wanted = parse_qs(parts.query, keep_blank_values=True)
    mode = wanted.pop("starttls", [""])[0]
    modes = {"": None, "auto": None, "required": True, "never": False}
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or wanted or mode not in modes or parts.path not in ("", "/"):
        raise BadInput("The mail server's address is not understood: write smtp://USER:PASSWORD@HOST:PORT, smtps:// or ?starttls=required.")
    tls = parts.scheme == "smtps"
    if tls and mode:
        raise BadInput("smtps:// is TLS from the first byte: leave `starttls` out, or write smtp://.")
    start_tls = modes[mode] if mode else (True if parts.username and parts.hostname not in _LOOPBACK else None)
    return Server(
        parts.hostname,
        port or (465 if tls else 587 if parts.username else 25),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tls,
        False if tls else start_tls,
    )


class Pool:
    """At most `size` connections at a time; one that has been idle for `idle_seconds` is closed.

    `take` and `give` belong between `async with pool.slots`, which is what bounds the number.
    """

    def __init__(self, server: Server, *, size: int, idle_seconds: float, tls: ssl.SSLContext | None) -> None:
        self.slots = asyncio.Semaphore(size)
        self._server, self._idle_seconds, self._tls = server, idle_seconds, tls
        self._idle: dict[Connection, asyncio.TimerHandle] = {}
        self._closed = False

    def idle(self) -> Connection | None:
        """The connection used last that is still open, None when there is none."""
        while self._idle:
            connection, timer = self._idle.popitem()
            timer.cancel()
            if connection.is_connected:
                return connection
            connection.close()
        return None

    async def fresh(self) -> Connection:
        """A new connection, greeted, in TLS and logged in as the address says. Raises OSError or aiosmtplib.SMTPException."""
        server = self._server
        if self._tls is None and (server.tls or server.start_tls is not False):
            self._tls = await asyncio.to_thread(ssl.create_default_context)  # reads the certificates of the system once
        connection = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.tls,
            start_tls=server.start_tls,
            tls_context=self._tls,
            local_hostname=re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost",  # given: the default asks the name server
            timeout=None,  # the provider bounds the whole call
        )
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except BaseException:
            connection.close()
            raise
        return connection

    def give(self, connection: Connection) -> None:
        """Keep it for the next message."""
        if self._closed or not connection.is_connected:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._idle[connection] = loop.call_later(self._idle_seconds, self._expire, connection)

    def _expire(self, connection: Connection) -> None:
        if self._idle.pop(connection, None) is not None:
            connection.close()

    async def close(self) -> None:
        """Say goodbye on the idle connections; those in use are closed when they are given back."""
        self._closed = True
        while (connection := self.idle()) is not None:
            with suppress(OSError, aiosmtplib.SMTPException, TimeoutError):
                await connection.quit(timeout=1)
            connection.close()
