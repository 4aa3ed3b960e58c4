"""The whole of Sojourn in one process on loopback: a Temporal dev server beside it, the worker, and the API (D13)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.services import Services
from demo import temporal_cli
from demo.temporal_server import free_port, temporal_server
from providers.port import Provider
from settings import Settings
from worker import Process, catch_up, make_worker, opened

UI_PORT = 8233


@dataclass(frozen=True)
class Stack:
    """Where everything listens."""

    process: Process
    api_url: str
    ui_url: str
    temporal_pid: int


@asynccontextmanager
async def stack(
    settings: Settings,
    *,
    providers: Mapping[str, Provider] | None = None,
    kept: bool = True,
    sandboxed: bool = False,
    ui_port: int = UI_PORT,
) -> AsyncIterator[Stack]:
    """Start it all, and stop it again in order. `kept` keeps the server's workflows in a file; ports that are taken move."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = settings.data_dir / "temporal.db" if kept else None
    port = free_port(settings.api_port)
    async with temporal_server(temporal_cli.ensure(), file=file, ui_port=ui_port) as server:
        moved = {"temporal_address": server.address, "temporal_ui": server.ui, "api_port": port}
        settings = settings.model_copy(update=moved)
        async with opened(settings, providers=providers) as process, serving(app_of(process), settings.api_host, port):
            async with make_worker(process, sandboxed=sandboxed):
                await catch_up(process)
                yield Stack(process, settings.api_url, server.ui, server.pid)


def app_of(process: Process) -> FastAPI:
    """The API over what a process holds open."""
    settings = process.settings
    return create_app(
        Services(
            database=process.database, workflows=process.workflows, signer=process.sending.signer, admin_key=settings.admin_key,
            write_keys=settings.write_keys, public_url=settings.links_url, consent_explicit=settings.consent == "explicit",
            create_profiles=settings.create_profiles, too_old_seconds=settings.too_old, temporal_ui=settings.temporal_ui, mail_from=settings.mail_from,
        )
    )  # fmt: skip


@asynccontextmanager
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[None]:
    """Serve an app until the block is left. Signals stay with whoever runs us."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        running = asyncio.create_task(server._serve([listening]))  # serve() itself would take the signals
        try:
            while not server.started and not running.done():
                await asyncio.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            await running
