"""The composition root of the worker: what one process holds open, and the one place where real things are chosen.

`sojourn dev` and `sojourn demo` call it, and so do the tests, with providers of their own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from ipaddress import ip_network

from temporalio.client import Client, GrpcCompression, TLSConfig
from temporalio.converter import DataConverter
from temporalio.service import ServiceClient
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities import telemetry
from activities.metrics import Measuring
from activities.reading import Readings
from activities.repairing import Repairs
from activities.resending import Resendings
from activities.scheduling import Occurrences
from activities.sending import Sending
from activities.stops import Stops
from activities.taking_up import TakingUp
from activities.telling import Tellings
from journey import calls, ids
from journey.errors import Unavailable
from journey.tracking import Signer
from journey.version import Version
from providers.fcm import FcmProvider
from providers.fcm_account import account_in
from providers.inbox import InboxProvider
from providers.port import Provider
from providers.push_http import HttpPushProvider
from providers.signing import derived
from providers.smtp import SmtpProvider
from providers.webhook import WebhookProvider
from settings import Settings
from store import versions
from store.clock import Clock
from store.database import Database
from store.send_rates import SendRates
from store.upgrade import upgrade
from workflows.client import TemporalWorkflows
from workflows.converter import data_converter
from workflows.entrant import Entrant
from workflows.occurrence import Occurrence
from workflows.read_segment import ReadSegment
from workflows.reconcile import Reconcile
from workflows.release import Release
from workflows.resend import Resend
from workflows.standing import Standings
from workflows.sweep import Sweep
from workflows.wake import Wake
from workflows.wind_down import WindDown

WORKFLOWS = [Entrant, ReadSegment, WindDown, Release, Wake, Sweep, Reconcile, Resend, Occurrence]
GRACE = timedelta(seconds=30)
_CONNECT = timedelta(seconds=5)
TRANSACTIONAL_TASKS_AT_ONCE = 16
"""Of those in transactional journeys, beside the others and not out of their number."""
TASKS_AT_ONCE = 48
"""Places of a worker for workflow tasks: the next one waits at the server, where another worker can take it (D2). A question for one holds
a place too, so that with all of these asking (POLLS_AT_ONCE) 32 are left for work, and for people who are started here."""
BUILD = f"sojourn {metadata.version('sojourn')}"
ACTIVITIES_AT_ONCE = 200
"""Ordinary activities at once. They wait for slow providers, each of which has only some of them (activities/stops.py)."""
POLLS_AT_ONCE = 16
"""Questions for workflow tasks that wait at the server. With the SDK's five, a burst waits at a queue of four partitions while the worker
idles: on PostgreSQL the people of a run came to their first gate a third later."""
POLLS_FOR_STRANGERS = 0.5
"""The share of them that asks for workflows this worker does not have in memory. With the SDK's fifth, three asked at four partitions: one
of these had nobody, and the last tenth of a run's people stood there for two seconds while the machine idled."""
CACHED = 4000
"""Workflows kept in memory: sized for a wake-up of many at once, not for the steady load."""


@dataclass(frozen=True)
class Process:
    """What a running process holds open."""

    settings: Settings
    database: Database
    client: Client
    workflows: TemporalWorkflows
    sending: Sending
    stops: Stops
    transactional: Stops  # with providers' places of its own: those in transactional journeys wait for nobody else's
    resendings: Resendings


def providers_of(settings: Settings) -> dict[str, Provider]:
    """Who carries each channel: the development inbox where nobody is named. Raises BadInput when a key file is wrong."""
    inbox = inboxes_of(settings)
    email: Provider = SmtpProvider(settings.smtp_url) if settings.smtp_url else inbox["email"]
    push: Provider = inbox["push"]
    if settings.push_url:
        push = HttpPushProvider(settings.push_url)
    if settings.fcm_credentials:
        push = FcmProvider(account_in(settings.fcm_credentials))
    return {"email": email, "push": push, "webhook": webhook_of(settings)}


def webhook_of(settings: Settings) -> WebhookProvider:
    """Who calls webhooks, signing with what is set, else with what is made of the secret of the links, and of the one before."""
    links = [settings.secret, *settings.secrets_before.split(",")] if settings.secrets_before else [settings.secret]
    secrets = settings.webhook_secrets.split(",") if settings.webhook_secrets else [derived(one) for one in links[:2]]
    return WebhookProvider(
        [secret.strip() for secret in secrets],
        private=[ip_network(part.strip()) for part in settings.webhook_private.split(",") if part],
        longest_call=settings.webhook_timeout,
        at_once=settings.webhook_at_once,
    )


def inboxes_of(settings: Settings) -> dict[str, Provider]:
    """The development inbox, channel by channel: where messages of test sessions go, and of those channels that nobody carries."""
    return {channel: InboxProvider(channel, settings.data_dir / "inbox") for channel in ("email", "push", calls.CHANNEL)}


async def connect(settings: Settings, database: Database, *, lazy: bool = False) -> Client:
    """A client of our namespace; a lazy one connects at its first call, and tries again at each until the server is there.

    Raises Unavailable with a sentence when the server does not answer, unless it is lazy.
    """

    async def load(content_hash: str) -> Version:
        return await database.read(lambda connection: versions.frozen_version(connection, content_hash))

    try:
        return await _connected(settings, data_converter(load), lazy=lazy)
    except RuntimeError as error:
        raise Unavailable(
            f"No Temporal server answers at {settings.temporal_address}: start one, or set SOJOURN_TEMPORAL_ADDRESS."
        ) from error


async def asking(settings: Settings) -> ServiceClient:
    """For questions about a server that may be away: a call that cannot connect raises RuntimeError, and the next one tries again."""
    return (await _connected(settings, DataConverter.default, lazy=True)).service_client


async def _connected(settings: Settings, converter: DataConverter, *, lazy: bool) -> Client:
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=converter,
        tls=_tls(settings),
        api_key=settings.temporal_api_key or None,
        identity=f"sojourn@{socket.gethostname()}:{os.getpid()}"[:40],
        runtime=telemetry.runtime(),
        grpc_compression=GrpcCompression.NONE,  # our messages are of 4 KB at most: packing them costs more than it saves
        connect_timeout=_CONNECT,
        lazy=lazy,
    )


def make_worker(
    process: Process, *, sandboxed: bool = False, task_queue: str = ids.TASK_QUEUE, tasks_at_once: int = TASKS_AT_ONCE, cached: int = CACHED
) -> Worker:
    """The worker of a process. The sandbox costs 4 ms a journey and guards what contracts and lint rules guard too: tests use it."""
    readings = Readings(process.database, process.workflows)
    tellings = Tellings(process.database, process.workflows)
    occurrences = Occurrences(process.database, process.workflows)
    repairs = Repairs(process.database, process.workflows, Standings(process.client), retention_days=process.settings.retention_days)
    stops = process.transactional if task_queue == ids.TRANSACTIONAL_QUEUE else process.stops
    return Worker(
        process.client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            stops.stop,
            stops.remove,
            readings.read_pages,
            tellings.wind_down_page,
            tellings.release_page,
            tellings.wake_page,
            process.resendings.resend,
            occurrences.serve_occurrence,
            repairs.sweep,
            repairs.reconcile_page,
        ],
        workflow_runner=SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner(),
        max_cached_workflows=cached,
        max_concurrent_workflow_tasks=tasks_at_once,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
        max_concurrent_workflow_task_polls=POLLS_AT_ONCE,
        nonsticky_to_sticky_poll_ratio=POLLS_FOR_STRANGERS,
        graceful_shutdown_timeout=GRACE,
        interceptors=[Measuring()],
        build_id=BUILD,  # else the SDK reads all modules of the process at every start to make one
    )


@asynccontextmanager
async def opened(
    settings: Settings, *, providers: Mapping[str, Provider] | None = None, clock: Clock | None = None, lazy: bool = False
) -> AsyncIterator[Process]:
    """Open database, client and providers; close them again, after what is on its way has been marked. With `lazy` the Temporal server
    need not be there yet."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)
    database = Database(settings.database, clock)
    try:
        client = await connect(settings, database, lazy=lazy)
        carriers = providers_of(settings) if providers is None else providers
        signer = Signer(settings.secret, settings.secrets_before.split(",") if settings.secrets_before else ())
        rates, inbox = SendRates(settings.send_rates), inboxes_of(settings)
        sending = Sending(carriers, signer, settings.links_url, settings.mail_from, rates, inbox)
        workflows = TemporalWorkflows(client)
        explicit = settings.consent == "explicit"
        stops, transactional = (Stops(database, sending, consent_explicit=explicit, telling=workflows) for _ in range(2))
        resendings = Resendings(database, sending, consent_explicit=explicit)
        try:
            yield Process(settings, database, client, workflows, sending, stops, transactional, resendings)
        finally:
            for sends in (stops, transactional, resendings):
                await sends.drain()
            for provider in carriers.values():
                await provider.close()
    finally:
        await database.close()


@asynccontextmanager
async def serving_queues(process: Process, *, sandboxed: bool = False) -> AsyncIterator[None]:
    """A worker for each task queue that this process is to serve: both, unless the setting says otherwise."""
    serves = process.settings.task_queues
    async with AsyncExitStack() as workers:
        if serves != "transactional":
            await workers.enter_async_context(make_worker(process, sandboxed=sandboxed))
        if serves != "ordinary":
            at_once = TRANSACTIONAL_TASKS_AT_ONCE
            made = make_worker(process, sandboxed=sandboxed, task_queue=ids.TRANSACTIONAL_QUEUE, tasks_at_once=at_once)
            await workers.enter_async_context(made)
        yield


@asynccontextmanager
async def working(process: Process) -> AsyncIterator[None]:
    """While the block runs, take up what is to be done, and what an earlier process has left. Leaving it takes at most GRACE."""
    with telemetry.served(process.settings.api_host, process.settings.metrics_port):
        async with serving_queues(process), taking_up(process).seen_to():
            yield


def taking_up(process: Process) -> TakingUp:
    """What the server is asked for at a start."""
    return TakingUp(process.database, process.client, process.workflows)


def _tls(settings: Settings) -> TLSConfig | bool:
    if not settings.temporal_tls:
        return False

    def content(path: os.PathLike[str] | None) -> bytes | None:
        if path is None:
            return None
        with open(path, "rb") as file:
            return file.read()

    return TLSConfig(
        server_root_ca_cert=content(settings.temporal_tls_ca),
        client_cert=content(settings.temporal_tls_cert),
        client_private_key=content(settings.temporal_tls_key),
    )
