"""E-mail over SMTP. It knows no journey: what it gets is an e-mail made out for one person.

At risk: a mail server does not recognise a message it had before. So the point where the last line goes out is the one that matters:
a break before it is harmless, a break after it leaves open whether the message was taken.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass

import aiosmtplib

from journey.messages import Rendered, RenderedEmail
from providers import mime
from providers.mime import Mail
from providers.port import Answer, Later, Refused, Took, Uncertain
from providers.smtp_pool import Connection, Pool, server_of

_PERIOD = re.compile(rb"^\.", re.MULTILINE)
_LONGEST_DETAIL = 300
_NONE_FREE = 5.0
"""Seconds after which a mail for which no connection was free is tried again."""


@dataclass(slots=True)
class _Progress:
    """How far a message got on one connection."""

    begun: bool = False  # the server has accepted its sender
    handed_over: bool = False  # its last line is on the way


class SmtpProvider:
    """Hands e-mails to one mail server over at most `connections` connections, which are kept open between messages.

    `url` as in smtp_pool.server_of, BadInput when it is not understood. `tls` is a context that trusts more than the system does.
    """

    channel = "email"
    name = "smtp"
    idempotent = False

    def __init__(
        self,
        url: str,
        *,
        longest_call: float = 30.0,
        connections: int = 4,
        idle_seconds: float = 20.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.longest_call = longest_call
        self._server = server_of(url)
        self._pool = Pool(self._server, size=connections, idle_seconds=idle_seconds, tls=tls)

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        """Took when the server took it. Refused codes: bad_address, bad_message, sender_refused, address_refused, message_refused."""
        if not isinstance(message, RenderedEmail):
            raise TypeError(f"{self.name} carries e-mails, not {type(message).__name__}")
        mail = mime.make(delivery, message)
        if isinstance(mail, Refused):
            return mail
        over = asyncio.get_running_loop().time() + self.longest_call
        patience = self.longest_call / 3  # the rest is the mail's, however long it waited
        try:
            async with asyncio.timeout(patience):
                await self._pool.slots.acquire()
        except TimeoutError:
            return Later(f"no connection to {self._server} was free within {patience:g} s", _NONE_FREE, asked=False)
        progress = _Progress()
        try:
            async with asyncio.timeout_at(over):
                return await self._send(mail, progress)
        except TimeoutError:
            return _broken(progress, f"{self._server} did not answer within {self.longest_call:g} s")
        finally:
            self._pool.slots.release()

    async def close(self) -> None:
        await self._pool.close()

    async def _send(self, mail: Mail, progress: _Progress) -> Answer:
        while (kept := self._pool.idle()) is not None:
            # A server may have closed it meanwhile: then nobody has seen the message, and the next connection is as good.
            answer = await self._send_on(kept, mail, progress)
            if not isinstance(answer, Later) or progress.begun or kept.is_connected:
                return answer
        try:
            fresh = await self._pool.fresh()
        except (OSError, aiosmtplib.SMTPException) as error:
            # Also a wrong password: it is no fault of this message, and somebody may put it right within the hour.
            return Later(f"no connection to {self._server}: {_short(error)}")
        return await self._send_on(fresh, mail, progress)

    async def _send_on(self, connection: Connection, mail: Mail, progress: _Progress) -> Answer:
        """One attempt. The connection is given back when it is in order, and closed otherwise."""
        usable = False
        try:
            answer = await _converse(connection, mail, progress)
            usable = isinstance(answer, Took) or await _is_reset(connection)
        except aiosmtplib.SMTPResponseException as error:  # what came back is no SMTP
            answer = _broken(progress, _short(error))
        except (OSError, aiosmtplib.SMTPException) as error:
            answer = _broken(progress, f"the connection to {self._server} broke: {_short(error)}")
        finally:
            if usable:
                self._pool.give(connection)
            else:
                connection.close()
        return answer


async def _converse(connection: Connection, mail: Mail, progress: _Progress) -> Answer:
    envelope = (
        ("sender_refused", (b"MAIL", f"FROM:<{mail.sender.spec}>".encode()), (250,)),
        ("address_refused", (b"RCPT", f"TO:<{mail.to.spec}>".encode()), (250, 251)),
        ("message_refused", (b"DATA",), (354,)),
    )
    for code, command, expected in envelope:
        said = await connection.execute_command(*command)
        if said.code not in expected:
            return _refusal(code, said, progress)
        progress.begun = True
    protocol = connection.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    protocol.write(_PERIOD.sub(b"..", mail.wire) + b".\r\n")
    progress.handed_over = True
    said = await protocol.read_response()
    if 200 <= said.code < 300:
        return Took(queue_id(said.message)[:_LONGEST_DETAIL])
    return _refusal("message_refused", said, progress)


def queue_id(said: str) -> str:
    """What a server calls the mail that it has taken, by which it names it later: the last word of
    `Ok: queued as 4Xq1` and of `Ok 0100018f`. Else all that it said."""
    *before, last = said.split() or [""]
    named = bool(before) and re.fullmatch(r"<?[\w.=+-]{6,}>?", last) is not None and any(sign.isdigit() for sign in last)
    return last.strip("<>") if named and before[-1].lower().strip(":") in ("as", "ok", "accepted") else said


async def _is_reset(connection: Connection) -> bool:
    """Whether the server is ready for another message after one it did not take. What it said of that one stands either way."""
    try:
        return connection.is_connected and (await connection.execute_command(b"RSET")).code == 250
    except (OSError, aiosmtplib.SMTPException):
        return False


def _refusal(code: str, said: aiosmtplib.SMTPResponse, progress: _Progress) -> Answer:
    detail = f"{said.code} {said.message}"[:_LONGEST_DETAIL]
    if 500 <= said.code < 600:
        return Refused(code, detail)
    if 400 <= said.code < 500:
        return Later(detail)
    return _broken(progress, f"an answer that is none here: {detail}")


def _broken(progress: _Progress, detail: str) -> Later:
    return Uncertain(detail) if progress.handed_over else Later(detail)


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_LONGEST_DETAIL]
