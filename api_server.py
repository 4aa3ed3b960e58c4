"""The composition root of the API: the app over what a process holds open, and the socket and the server that it stands in.

`sojourn api`, `sojourn dev` and the tests serve by it. It takes no signals and ends nothing but itself.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import Connection
from api.services import Services
from journey.errors import BadInput
from worker import GRACE, Process


def app_of(process: Process) -> FastAPI:
    """The API over what a process holds open."""
    settings = process.settings
    return create_app(
        Services(
            database=process.database, workflows=process.workflows, signer=process.sending.signer, admin_key=settings.admin_key,
            write_keys=settings.write_keys, public_url=settings.links_url, consent_explicit=settings.consent == "explicit",
            create_profiles=settings.create_profiles, too_old_seconds=settings.too_old, soft_bounces=settings.soft_bounces,
            temporal_ui=settings.temporal_ui,
            mail_from=settings.mail_from,
        )
    )  # fmt: skip


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address. It names its protocol: asyncio turns off the holding back of small answers only where it sees one."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise BadInput(f"Nobody can listen at {host}, port {port}: {error.strerror}. See SOJOURN_API_HOST and SOJOURN_API_PORT.") from error
    return made


@asynccontextmanager
async def serving(app: FastAPI, host: str, port: int, connection: type[Connection] = Connection) -> AsyncIterator[None]:
    """Serve an app until the block is left, then finish the calls that are under way. Signals stay with whoever runs us."""
    patience = int(GRACE.total_seconds())
    config = uvicorn.Config(
        app, http=connection, log_config=None, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=patience
    )  # no handlers of its own: its lines are written as ours are
    server = uvicorn.Server(config)
    with listening(host, port) as taken:
        running = asyncio.create_task(server._serve([taken]))  # serve() itself would take the signals
        try:
            while not server.started and not running.done():
                await asyncio.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            await running
