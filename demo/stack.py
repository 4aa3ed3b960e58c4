"""The whole of Sojourn in one process on loopback: a Temporal dev server beside it, the worker, and the API (D13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api_server import app_of, serving
from demo import temporal_cli
from demo.temporal_server import free_port, temporal_server
from settings import Settings, prepare
from worker import Process, opened, working

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
    async with opened(settings) as process, serving(app_of(process), settings.api_host, settings.api_port), working(process):
        yield process
