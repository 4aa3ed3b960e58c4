"""The whole of Sojourn in one process on loopback: a Temporal dev server beside it, the worker, and the API (D13)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.services import Services
from demo import temporal_cli
from demo.temporal_server import free_port, temporal_server
from journey.errors import BadInput
from settings import Settings, prepare
from worker import Process, catch_up, make_worker, opened, telling_again

UI_PORT = 8233


@dataclass(frozen=True)
class Stack:
    """Where everything listens."""

    process: Process
    api_url: str
    ui_url: str


@asynccontextmanager
async def stack(settings: Settings, *, own_server: bool = False) -> AsyncIterator[Stack]:
    """Start it all, and stop it again in order. Ports that are taken move.

    A Temporal server that the settings name is used as it is, unless it must be one of our own.
    """
    prepare(settings)
    settings = settings.model_copy(update={"api_port": free_port(settings.api_port)})
    if "temporal_address" in settings.model_fields_set and not own_server:
        async with _beside(settings) as process:
            yield Stack(process, settings.own_url, settings.temporal_ui)
        return
    cli, file, namespace = temporal_cli.ensure(), settings.data_dir / "temporal.db", settings.temporal_namespace
    async with temporal_server(cli, file=file, ui_port=UI_PORT, namespace=namespace) as server:
        moved = {"temporal_address": server.address, "temporal_ui": server.ui, "temporal_tls": False, "temporal_api_key": ""}
        async with _beside(settings.model_copy(update=moved)) as process:
            yield Stack(process, settings.own_url, server.ui)


@asynccontextmanager
async def _beside(settings: Settings) -> AsyncIterator[Process]:
    """The API and the worker beside a server that runs."""
    async with opened(settings) as process, serving(app_of(process), settings.api_host, settings.api_port), make_worker(process):
        await catch_up(process)
        async with telling_again(process):
            yield process


def app_of(process: Process) -> FastAPI:
    """The API over what a process holds open."""
    settings = process.settings
    return create_app(
        Services(
            database=process.database, workflows=process.workflows, signer=process.sending.signer, admin_key=settings.admin_key,
            write_keys=settings.write_keys, public_url=settings.links_url, consent_explicit=settings.consent == "explicit",
            create_profiles=settings.create_profiles, too_old_seconds=settings.too_old, temporal_ui=settings.temporal_ui,
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
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[None]:
    """Serve an app until the block is left. Signals stay with whoever runs us."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    with listening(host, port) as taken:
        running = asyncio.create_task(server._serve([taken]))  # serve() itself would take the signals
        try:
            while not server.started and not running.done():
                await asyncio.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            await running
