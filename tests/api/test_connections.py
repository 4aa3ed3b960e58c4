"""What no call ever sees: bytes that are no HTTP, and callers who begin a request and do not go on with it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.app import create_app
from api.connections import Connection
from api.problems import MEDIA_TYPE
from api.services import Services
from api_server import serving
from demo.temporal_server import free_port

HEAD = b"PUT /v1/profiles/ann HTTP/1.1\r\nHost: sojourn.test\r\n"
BODY = HEAD + b"X-API-Key: an-admin-key-for-tests\r\nContent-Type: application/json\r\n"


class Hasty(Connection):
    """Waits half a second."""

    patience = 0.5


@pytest.fixture
async def port(services: Services) -> AsyncIterator[int]:
    taken = free_port()
    async with serving(create_app(services), "127.0.0.1", taken, Hasty):
        yield taken


async def answered(port: int, *pieces: bytes, pause: float = 0) -> bytes:
    """All that comes back until the other side closes, where pieces are sent with a pause between them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(reader.read())
    for piece in pieces:
        writer.write(piece)
        await asyncio.wait([reading], timeout=pause)
    try:
        return await asyncio.wait_for(reading, 10)
    finally:
        writer.close()


def problem_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-type: {MEDIA_TYPE}".encode() in head.lower(), answer
    assert b"connection: close" in head.lower()
    problem: dict[str, Any] = json.loads(body)
    assert int(head.split()[1]) == problem["status"]
    assert problem["detail"].endswith(".")
    return problem


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "illegal"),
        (b"GET /v1/profiles/a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, "encode its address"),
        ("GET /v1/profiles/é HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400, "encode its address"),
        (HEAD + b"Host: again\r\n\r\n", 400, "Host"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "Content-Length"),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501, "Transfer-Encoding"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n", 400, "chunk"),
        (HEAD + b"X-Long: " + b"a" * 200_000, 431, "64 KB"),
    ],
)
async def test_what_is_no_http_gets_a_problem_document_that_says_why(port: int, sent: bytes, status: int, says: str) -> None:
    problem = problem_of(await answered(port, sent))
    assert (problem["status"], problem["code"]) == (status, "http_invalid")
    assert says in problem["detail"]


@pytest.mark.parametrize("pieces", [[HEAD], [HEAD + b"X-"] + [b"a"] * 30, [BODY + b"Content-Length: 100\r\n\r\n{"]])
async def test_who_begins_a_request_and_does_not_go_on_is_not_waited_for(port: int, pieces: list[bytes]) -> None:
    problem = problem_of(await answered(port, *pieces, pause=0.1))
    assert (problem["status"], problem["code"]) == (408, "request_timeout")


async def test_who_says_nothing_at_all_is_let_go_without_a_word(port: int) -> None:
    assert await answered(port) == b""


async def test_a_body_that_comes_slowly_and_does_come_is_taken(port: int) -> None:
    body = b'{"attributes": {"city": "Atlanta"}}'
    head = BODY + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    pieces = [body[at : at + 5] for at in range(0, len(body), 5)]
    assert (await answered(port, head, *pieces, pause=0.2)).startswith(b"HTTP/1.1 200 ")


async def test_who_sends_far_too_much_and_hangs_up_then_can_read_why_it_was_refused(port: int) -> None:
    head = BODY + b"Connection: close\r\nContent-Length: 20000000\r\n\r\n"
    problem = problem_of(await answered(port, head + b" " * 20_000_000, pause=0.1))
    assert (problem["status"], problem["code"]) == (413, "too_large")


async def test_a_connection_is_kept_for_the_next_request_also_after_a_refusal(port: int) -> None:
    refused = BODY + b"Content-Length: 1\r\n\r\n{"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await answered(port, refused, refused, last, pause=0.8)
    assert re.findall(rb"HTTP/1.1 ([0-9]+)", answer) == [b"400", b"400", b"200"]
