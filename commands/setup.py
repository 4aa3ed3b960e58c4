"""`sojourn setup`: brings the database up to date, and makes of a Temporal server what Sojourn needs. It knows no journey.

A namespace of our own and three search attributes, by which an engineer finds people in the Temporal UI. Safe to repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

import worker
from journey.contract import SweepStart
from journey.errors import BadInput, Unavailable
from settings import Settings, prepare
from store.database import Database
from store.engines import shown
from store.upgrade import upgrade
from workflows.attributes import SEARCH_ATTRIBUTES
from workflows.standing import EVERY, Standings

RETENTION = timedelta(days=7)
"""How long the server keeps closed workflows. Our own records are kept in the store."""
_TRIES = 60
_RPC = timedelta(seconds=10)


async def run(settings: Settings, tell: Callable[[str], None]) -> None:
    """Set up what the settings name, and tell a sentence for each thing done. Raises BadInput and Unavailable."""
    prepare(settings)
    upgrade(settings.database)
    tell(f"The database {shown(settings.database)} is up to date.")
    database = Database(settings.database, alone=False)  # it only looks, also at a file that another process works on
    try:
        client = await worker.connect(settings, database)
        async for sentence in setup(client.service_client, settings.temporal_namespace):
            tell(sentence)
        tell(await _sweep(client))
    finally:
        await database.close()


async def require(settings: Settings) -> None:
    """See that the Temporal server has what `setup` makes. Raises BadInput with what is missing, Unavailable when it cannot be asked."""
    server, namespace, address = await worker.asking(settings), settings.temporal_namespace, settings.temporal_address
    try:
        if not await _is_there(server, namespace):
            raise BadInput(f"The Temporal server at {address} has no namespace {namespace}: run `sojourn setup` first.")
        request = ListSearchAttributesRequest(namespace=namespace)
        there = (await server.operator_service.list_search_attributes(request, timeout=_RPC)).custom_attributes
    except RPCError as error:
        raise Unavailable(f"The Temporal server at {address} does not answer as it should: {error.message}.") from error
    except RuntimeError as error:  # what a lazy client raises that cannot connect
        raise Unavailable(f"No Temporal server answers at {address}: start one, or set SOJOURN_TEMPORAL_ADDRESS.") from error
    if missing := [key.name for key in SEARCH_ATTRIBUTES if key.name not in there]:
        lacking = f"no search attribute {', '.join(missing)} in its namespace {namespace}"
        raise BadInput(f"The Temporal server at {address} has {lacking}: run `sojourn setup` first.")


async def _sweep(client: Client) -> str:
    """Right after a namespace is made its server may not know it everywhere."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(Unavailable):
            await Standings(client).sweep_regularly(SweepStart())
            break
        await asyncio.sleep(0.5)
    else:
        await Standings(client).sweep_regularly(SweepStart())
    return f"People who should have gone on are looked after every {EVERY.seconds} s."


async def setup(server: ServiceClient, namespace: str) -> AsyncIterator[str]:
    """A sentence for each thing done or found done. Raises BadInput when an attribute is there with another type, Unavailable."""
    try:
        yield await _namespace(server, namespace)
        yield await _attributes(server, namespace)
    except RPCError as error:
        raise Unavailable(f"The Temporal server refused: {error.message}.") from error


async def _namespace(server: ServiceClient, namespace: str) -> str:
    if await _is_there(server, namespace):
        return f"The namespace {namespace} is there already."
    keep = Duration()
    keep.FromTimedelta(RETENTION)
    request = RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=keep, description="Customer journeys")
    try:
        await server.workflow_service.register_namespace(request, timeout=_RPC)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise
    return f"The namespace {namespace} is made; closed workflows are kept for {RETENTION.days} days."


async def _is_there(server: ServiceClient, namespace: str) -> bool:
    try:
        await server.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace), timeout=_RPC)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _attributes(server: ServiceClient, namespace: str) -> str:
    wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
    there = await _registered(server, namespace)
    for name, kind in wanted.items():
        if name in there and there[name] != kind:
            found = IndexedValueType.Name(there[name]).removeprefix("INDEXED_VALUE_TYPE_").capitalize()
            raise BadInput(f"The search attribute {name} of {namespace} is of type {found}: remove it there, or use another namespace.")
    missing = {name: kind for name, kind in wanted.items() if name not in there}
    if not missing:
        return f"The search attributes {', '.join(wanted)} are there already."
    request = AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
    await server.operator_service.add_search_attributes(request, timeout=_RPC)
    for _ in range(_TRIES):  # the server's own caches hear of it with a delay
        if missing.keys() <= (await _registered(server, namespace)).keys():
            return f"The search attributes {', '.join(missing)} are registered."
        await asyncio.sleep(0.5)
    raise Unavailable(f"The Temporal server took {', '.join(missing)} and does not show them yet: run this again in a minute.")


async def _registered(server: ServiceClient, namespace: str) -> dict[str, IndexedValueType.ValueType]:
    """Right after a namespace is made its server may not know it everywhere."""
    for _ in range(_TRIES):
        try:
            answer = await server.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace), timeout=_RPC)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(0.5)
        else:
            return dict(answer.custom_attributes)
    raise Unavailable(f"The Temporal server does not know the namespace {namespace} yet: run this again in a minute.")
