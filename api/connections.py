"""What the API answers to whom it cannot read as HTTP, and how long it waits for a request that does not come on. It knows no call.

uvicorn answers with a line of plain text, and waits for ever: a few hundred callers who send nothing more would hold all there is.
"""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from typing import Any

import h11
from fastapi import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from api import problems

_LAST = {"Connection": "close"}
_LINGERS = 0.5
"""Seconds."""


class Connection(H11Protocol):
    """One caller's connection. `patience` are the seconds for which the head of a request, or the next piece of its body, is waited for."""

    patience: float = 60

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limit: asyncio.TimerHandle | None = None
        self._begun = False
        self._over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        awaited = self.conn.their_state
        self._begun = True
        super().data_received(data)
        if self._over:
            self._stop()
        elif awaited is not h11.IDLE or self.conn.their_state is not h11.IDLE:
            self._wait()  # a head is waited for as a whole, so that a byte a minute does not hold it open
        elif self._limit is None:
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._begun = False
        if self.conn.their_state is h11.IDLE:
            self._stop()  # what comes next has uvicorn's own limit, for connections that are kept

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Called where h11 has refused what came: its error says why, and which status tells it best."""
        error = sys.exception()
        reason, status = (str(error), error.error_status_hint) if isinstance(error, h11.RemoteProtocolError) else (msg, 400)
        said = f"What came is no request of HTTP/1.1: {reason}. Mend what sends it, or encode its address."
        if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            said = "The address and the headers together are larger than 64 KB: send less in them."
        self._refuse(problems.problem(status, "http_invalid", said, headers=_LAST))

    def _wait(self) -> None:
        self._stop()
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._limit = self.loop.call_later(self.patience, self._waited)

    def _stop(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _waited(self) -> None:
        self._limit = None
        if self.flow.read_paused:
            self._wait()  # it is we who read no further
        elif self._begun:
            said = f"The request did not come on for {self.patience:g} seconds: send it again."
            self._refuse(problems.problem(408, "request_timeout", said, headers=_LAST))
        else:
            self.transport.close()

    def _refuse(self, answer: Response) -> None:
        """Answer where nothing was answered yet, and close: what would come next cannot be told apart from the rest of this.

        What still comes is taken and thrown away for a moment: to close upon it would take back the answer too.
        """
        self._over = True
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            head = h11.Response(status_code=answer.status_code, headers=answer.raw_headers, reason=HTTPStatus(answer.status_code).phrase)
            for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            if self.transport.can_write_eof():
                self.transport.write_eof()
        self.loop.call_later(_LINGERS, self.transport.close)
