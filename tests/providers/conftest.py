"""What the tests of providers share: messages, servers that say what they are told to."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from journey.messages import RenderedEmail, RenderedPush

EMAIL = RenderedEmail(
    to="ann@people.example",
    sender='"Shop" <news@shop.example>',
    subject="Grüße",
    html="<p>Hello Ann</p>",
    text="Hello Ann",
    headers={"Message-ID": "<1@shop.example>", "List-Unsubscribe": "<https://sojourn.example/u/t>"},
)
PUSH = RenderedPush(tokens=("t-1", "t-2"), title="Hello", body="Ann", url="shop://news", data={"a": "b"}, opened_token="token")


@asynccontextmanager
async def saying(words: bytes) -> AsyncIterator[int]:
    """A server that says these words to whoever connects or speaks, whatever was said; its port."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(words)
            while await reader.read(65_536):
                writer.write(words)
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    """A port on which nobody listens."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield port


async def until(it_is_so: Callable[[], bool]) -> None:
    """Wait for something that is on its way, at most five seconds."""
    async with asyncio.timeout(5):
        while not it_is_so():
            await asyncio.sleep(0.01)


class Tls(NamedTuple):
    """Both ends of a connection that trusts a certificate made for this run."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    asked = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*asked.split(), "-addext", names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Tls(server, ssl.create_default_context(cafile=str(certificate)))
