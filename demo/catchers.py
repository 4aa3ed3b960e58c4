"""A mail server and a push service that keep what arrives, for the demo and for tests. They know no journey.

They throw nothing away: what was sent twice is there twice, unlike at a real push service, which knows the Idempotency-Key.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from types import TracebackType
from typing import Any, AnyStr, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_LOOPBACK = "127.0.0.1"
_LONGEST_HEAD = 64_000


@dataclass(frozen=True)
class Mail:
    """One e-mail that arrived: its envelope and what came over the line. The rest is read when somebody asks, which takes a while."""

    to: str
    sender: str
    wire: bytes

    @cached_property
    def _read(self) -> EmailMessage:
        return message_from_bytes(self.wire, policy=policy.default)

    @cached_property
    def headers(self) -> dict[str, str]:
        return {name: str(value) for name, value in self._read.items()}

    @property
    def subject(self) -> str:
        return self.headers.get("Subject", "")

    @cached_property
    def html(self) -> str:
        return self._body("html")

    @cached_property
    def text(self) -> str:
        return self._body("plain")

    def _body(self, kind: Literal["html", "plain"]) -> str:
        part = self._read.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


@dataclass(frozen=True, slots=True)
class Push:
    """One push that arrived: its Idempotency-Key, its JSON, its headers by lower-case name."""

    delivery: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class MailBehaviour:
    """What the mail server does at `at`: MAIL, RCPT, DATA, BODY (in the middle of a message) or END (after its last line).

    It waits `delay` seconds, then says `answer` instead of yes, or drops the connection; so often, then it takes everything again. Only
    a yes at END keeps the message.
    """

    at: str = "END"
    delay: float = 0.0
    answer: str = ""
    drop: bool = False
    times: int = 1_000_000


@dataclass(frozen=True, slots=True)
class PushBehaviour:
    """What the push service does with a push once it has kept it: waits, then answers, or drops the connection without an answer."""

    delay: float = 0.0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"id": "caught"}'
    drop: bool = False


class _Catcher:
    """A server on a port of its own on loopback, open between `async with`."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await self._listen()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
            await self.drop_connections()
            await self._server.wait_closed()

    async def _listen(self) -> asyncio.Server:
        raise NotImplementedError

    async def drop_connections(self) -> None:
        raise NotImplementedError


class MailCatcher(_Catcher):
    """An SMTP server. `messages` in the order in which they came; `connections` counts all that were ever made.

    With `tls` it offers STARTTLS, with `implicit_tls` it speaks TLS from the first byte; with `user` nobody gets by without logging in.
    """

    def __init__(
        self, *, port: int = 0, tls: ssl.SSLContext | None = None, implicit_tls: bool = False, user: str = "", password: str = ""
    ) -> None:
        super().__init__()
        self.port = port
        self.messages: list[Mail] = []
        self.encrypted = 0  # connections that were upgraded by STARTTLS
        self._behaviour = MailBehaviour()
        self._tls, self._implicit = tls, implicit_tls
        self._login = (user.encode(), password.encode())
        self._open: set[_Session] = set()

    def behave(self, behaviour: MailBehaviour | None = None) -> None:
        """Do this from now on; without an argument, take everything."""
        self._behaviour = behaviour or MailBehaviour()

    async def drop_connections(self) -> None:
        """Close what is open, as a server does that has waited long enough."""
        sessions, self._open = self._open, set()
        for session in sessions:
            session.drop()
        await asyncio.gather(*(session.ended() for session in sessions))

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._session, _LOOPBACK, self.port, ssl=self._tls if self._implicit else None)

    def _session(self) -> _Session:
        self.connections += 1
        options: dict[str, Any] = {} if self._implicit else {"tls_context": self._tls}
        if self._login[0]:
            options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": self._tls is not None}
        session = _Session(self, **options)
        self._open.add(session)
        return session

    def _authenticate(self, server: Any, session: Session, envelope: Envelope, mechanism: str, said: Any) -> AuthResult:
        right = isinstance(said, LoginPassword) and (said.login, said.password) == self._login
        return AuthResult(success=right, handled=False)

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def forget(self, session: _Session) -> None:
        self._open.discard(session)

    async def answer(self, at: str, session: _Session) -> str:
        """What the behaviour has for this moment, empty for yes."""
        behaviour = self._behaviour
        if behaviour.at != at or behaviour.times < 1:
            return ""
        self._behaviour = replace(behaviour, times=behaviour.times - 1)
        await asyncio.sleep(behaviour.delay)
        if behaviour.drop:
            session.drop()
        return behaviour.answer

    def keep(self, envelope: Envelope) -> None:
        self.messages.append(Mail(", ".join(envelope.rcpt_tos), envelope.mail_from or "", bytes(envelope.original_content or b"")))


class _Session(SMTP):
    """One connection to the mail server: aiosmtpd's, asked what to do at each step."""

    def __init__(self, catcher: MailCatcher, **options: Any) -> None:
        super().__init__(self, hostname="catcher.example", ident="catcher", loop=asyncio.get_running_loop(), **options)
        self._catcher = catcher

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        said = await self._catcher.answer("MAIL", self)
        if not said:
            envelope.mail_from = address
        return said or "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        said = await self._catcher.answer("RCPT", self)
        if not said:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    def handle_STARTTLS(self, server: SMTP, session: Session, envelope: Envelope) -> bool:
        self._catcher.encrypted += 1
        return True

    async def smtp_DATA(self, arg: str) -> None:
        said = await self._catcher.answer("DATA", self)
        if said:
            await self.push(said)
        else:
            await super().smtp_DATA(arg)

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        if status[:4] in ("354 ", b"354 "):  # the client now sends the message
            await self._catcher.answer("BODY", self)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await self._catcher.answer("END", self)
        if not said and self.transport is not None and not self.transport.is_closing():
            self._catcher.keep(envelope)
        return said or "250 OK"

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._catcher.forget(self)

    def drop(self) -> None:
        if self.transport is not None:
            self.transport.close()

    async def ended(self) -> None:
        if self._handler_coroutine is not None:
            await asyncio.wait([self._handler_coroutine], timeout=1)


class PushCatcher(_Catcher):
    """A push service. `pushes` in the order in which they came; `connections` counts all that were ever made."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__()
        self.port = port
        self.pushes: list[Push] = []
        self._behaviour = PushBehaviour()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}/push"

    def behave(self, behaviour: PushBehaviour | None = None) -> None:
        """Do this from now on; without an argument, take everything."""
        self._behaviour = behaviour or PushBehaviour()

    async def drop_connections(self) -> None:
        for task, writer in list(self._open.items()):
            writer.close()
            task.cancel()
        if self._open:
            await asyncio.wait(list(self._open), timeout=1)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, _LOOPBACK, self.port, limit=_LONGEST_HEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # the other side hung up, or we are closing
        finally:
            del self._open[task]
            writer.close()

    def keep(self, asked: str, headers: dict[str, str], body: bytes) -> None:
        self.pushes.append(Push(headers.get("idempotency-key", ""), json.loads(body or b"{}"), headers))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call on a connection; False when it is to be closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.keep(head[0], headers, body)
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.delay)
        if behaviour.drop:
            return False
        lines = [f"HTTP/1.1 {behaviour.status} Said", f"Content-Length: {len(behaviour.body)}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in behaviour.headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + behaviour.body)
        await writer.drain()
        return True
