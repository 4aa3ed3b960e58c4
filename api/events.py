"""Events come in: one, many, or a CloudEvent, each with its verdict. It knows the shapes through wire.py and decides nothing itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from pydantic import BaseModel

from api import batches, strict_json, unpacking, wire
from api.auth import By, Caller, sender
from api.services import Services, With
from journey import ids
from journey.contract import Happened
from journey.errors import Unavailable
from store import acceptance
from store.acceptance import Policy, Verdict
from store.admission import Start
from store.work import Decided

router = APIRouter(tags=["events"])

_log = logging.getLogger("sojourn.events")

_AT_ONCE = 100
"""Workflows that are told at the same time."""


class Entered(BaseModel):
    """A journey that its person has entered by this event, as this entrant."""

    journey: str
    entrant: str


class EventVerdict(BaseModel):
    """What became of one event.

    `code` is empty when it decided something, let its person in, ended them, or is kept for somebody under way; else it is the code of the
    discard on record, and `detail` the sentence. `entrants` are those whose gate it decided, or whom it ended, `entered` those that it let
    in. `generated_id` says that it came without an id and was given this one: sent again, it would be another event.
    """

    source: str
    id: str
    duplicate: bool = False
    generated_id: bool = False
    code: str = ""
    detail: str = ""
    entrants: list[str] = []
    entered: list[Entered] = []


class ItemVerdict(EventVerdict):
    """The same within an array: `status` 202, or 422 for an item that could not be read; then `code`, `detail` and `where` say why."""

    status: int
    where: str = ""


EVENT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [wire.NativeEvent.model_json_schema(), wire.CloudEvent.model_json_schema()]}},
        },
    }
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": batches.shapes("Up to 1,000 of either.", wire.NativeEvent, wire.CloudEvent),
            "application/cloudevents+json": {"schema": wire.CloudEvent.model_json_schema()},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": wire.CloudEvent.model_json_schema()}},
        },
    }
}


@router.post(
    "/v1/events",
    status_code=202,
    response_model=EventVerdict,
    responses={207: {"model": list[ItemVerdict], "description": "An array was sent: a verdict for each item, in its order."}},
    openapi_extra=_BODY,
    dependencies=[Depends(sender)],
)
async def send_events(request: Request, services: With, by: By, after: BackgroundTasks) -> Any:
    """Accept one event (202) or an array of up to 1,000 (207). A repeat of the same source and id is `duplicate`, and has no effect.

    Takes a key of the scope `ingest` too, which is not told whom it concerned: `detail`, `entrants` and `entered` are empty."""
    body = await unpacking.read(request)
    if wire.is_binary(request.headers):
        return await _one(services, by, after, wire.read_binary(request.headers, body))
    data = strict_json.read_apart(body)
    if isinstance(data, list):
        batch = batches.read(data, wire.read_event, "events")
        return batch.answer(await _accept_all(services, by, after, batch.items), partial(ItemVerdict, source="", id=""), after)
    return await _one(services, by, after, wire.read_event(data))


async def _one(services: Services, by: Caller, after: BackgroundTasks, incoming: wire.Incoming) -> EventVerdict:
    (verdict,) = await _accept_all(services, by, after, [incoming])
    return EventVerdict(**verdict)


async def _accept_all(services: Services, by: Caller, after: BackgroundTasks, incoming: Sequence[wire.Incoming]) -> list[dict[str, Any]]:
    """Accept events in their order; all are committed when this returns, and whoever is to hear of them is told after the answer."""
    policy = Policy(services.create_profiles, services.too_old_seconds)
    units = [partial(acceptance.accept, arrived=one.arrived, policy=policy) for one in incoming]
    verdicts = await batches.take(services.database, units)
    after.add_task(tell, services, verdicts)
    told = [shown(one, verdict) for one, verdict in zip(incoming, verdicts, strict=True)]
    return told if by.reads else [one | {"detail": "", "entrants": [], "entered": []} for one in told]


def shown(incoming: wire.Incoming, verdict: Verdict) -> dict[str, Any]:
    """An event's verdict in the fields of EventVerdict."""
    event = incoming.arrived.event
    return {
        "source": event.source, "id": event.id, "duplicate": verdict.duplicate, "generated_id": incoming.generated,
        "code": verdict.code, "detail": verdict.detail, "entrants": [decided.entrant for decided in verdict.decided],
        "entered": [_entered(start.entrant.entrant) for start in verdict.entered],
    }  # fmt: skip


def _entered(entrant: str) -> Entered:
    return Entered(journey=ids.journey_of_entrant(entrant), entrant=entrant)


class SetsOff(Protocol):
    """What an event, or a write of a profile, has set off."""

    @property
    def decided(self) -> tuple[Decided, ...]: ...

    @property
    def entered(self) -> tuple[Start, ...]: ...


async def tell(services: Services, set_off: Sequence[SetsOff]) -> None:
    """After the commit: start whoever was let in, and signal to each entrant what was decided for it. What cannot be done now is done by
    the sweep. One who is signalled before their workflow is there loses nothing: it begins with a question to the store."""
    steps: list[Coroutine[Any, Any, None]] = [begin(services, start) for one in set_off for start in one.entered]
    steps += [_signal(services, decided) for one in set_off for decided in one.decided]
    for at in range(0, len(steps), _AT_ONCE):
        await asyncio.gather(*steps[at : at + _AT_ONCE])


async def begin(services: Services, start: Start) -> None:
    """Start the workflow of somebody who was let in; when the Temporal server is away the sweep does."""
    try:
        await services.workflows.start_entrant(start.entrant, start.hash)
    except Unavailable as error:
        _log.warning("%s is let in and will be started later: %s", start.entrant.entrant, error.sentence)


def _signal(services: Services, decided: Decided) -> Coroutine[Any, Any, None]:
    if decided.ends:
        return services.workflows.leave(decided.entrant, decided.ends)
    return services.workflows.happened(decided.entrant, Happened(decided.n, decided.node, decided.source, decided.event))
