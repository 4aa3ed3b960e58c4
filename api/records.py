"""What is on record, over HTTP: every delivery, and everything that had no effect with its reason.

An uncertain delivery is sent once more when somebody asks for it here; nothing else is changed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from api import paging
from api.auth import admin
from api.instants import Moment
from api.paging import Cursor, Limit
from api.problems import answers
from api.services import With
from store import resending, views

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(admin)])

TEXT = r"^[^\x00]*$"
"""No database compares a text with NUL in it."""
Filter = Annotated[str, Query(max_length=500, pattern=TEXT)]
Mode = Literal["live", "test"]
Which = Annotated[Literal["live", "test", ""], Query(description="Live, of test sessions, or with an empty one both.")]
Status = Literal["claimed", "sent", "excluded", "failed", "uncertain"]


class DeliveryModel(BaseModel):
    """One message to one entrant on one channel. `id` is the key that the provider got; `reason` says why it was excluded or failed, or
    what it waits for, until `not_before`; `detail` says it in words: what a template lacks, or what a provider answered, without what is
    personal."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    entrant: str
    n: int
    channel: str
    version: str
    node: str
    message: str
    profile: str
    status: Status
    reason: str
    tries: int
    provider_id: str
    marked_at: Moment | None
    not_before: Moment | None
    detail: str


class DeliveryPage(BaseModel):
    """Deliveries in order of entrant, step and channel."""

    items: list[DeliveryModel]
    next: str | None


class DiscardModel(BaseModel):
    """Something without effect: `code` says why, the other fields what it was about."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    code: str
    detail: str
    source: str
    event: str
    profile: str
    entrant: str
    version: str
    run: str
    at: Moment


class DiscardPage(BaseModel):
    """Discards, the newest first."""

    items: list[DiscardModel]
    next: str | None


_FACT = "What a report counts under this, whatever became of it since: `sent`, `uncertain`, `excluded.no_consent`, `opened`, `bounced`."


@router.get("/deliveries")
async def list_deliveries(
    services: With,
    journey: Filter = "",
    version: Filter = "",
    entrant: Filter = "",
    profile: Filter = "",
    node: Filter = "",
    message: Filter = "",
    channel: Filter = "",
    status: Literal["", "claimed", "sent", "excluded", "failed", "uncertain"] = "",
    reason: Filter = "",
    fact: Annotated[str, Query(max_length=100, pattern=TEXT, description=_FACT)] = "",
    mode: Which = "live",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> DeliveryPage:
    """Deliveries of everybody, or those that the filters leave. Those of test sessions are left out unless `mode` asks for them."""
    wanted = {"version": version, "entrant": entrant, "profile": profile, "node": node, "message": message, "channel": channel,
              "status": status, "reason": reason, "mode": mode}  # fmt: skip
    key = paging.read(cursor, [str, int, str])
    after = (str(key[0]), int(key[1]), str(key[2])) if key else None
    found = await services.database.read(lambda c: views.deliveries(c, wanted, journey=journey, fact=fact, after=after, limit=limit))
    following = paging.write([found[-1].entrant, found[-1].n, found[-1].channel]) if len(found) == limit else None
    return DeliveryPage(items=[DeliveryModel.model_validate(one) for one in found], next=following)


@router.post("/deliveries/{delivery}:resend", status_code=202, responses=answers(404, 409))
async def resend(services: With, delivery: Annotated[str, Path(max_length=600, pattern=TEXT)]) -> DeliveryModel:
    """Send an uncertain delivery once more, to wherever its person is reached now. What is answered is how it stands before; it becomes
    *sent* with the reason `resent`, or stays *uncertain* and the reason says why. Asked twice at a time, it is sent once."""
    start, version = await services.database.read(lambda c: resending.wanted(c, delivery))
    await services.workflows.resend(start, version)
    return DeliveryModel.model_validate(await services.database.read(lambda c: views.delivery(c, delivery)))


@router.get("/discards")
async def list_discards(
    services: With,
    code: Filter = "",
    journey: Filter = "",
    version: Filter = "",
    run: Filter = "",
    profile: Filter = "",
    entrant: Filter = "",
    source: Filter = "",
    event: Filter = "",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> DiscardPage:
    """Everything that had no effect, or what the filters leave of it."""
    wanted = {"code": code, "version": version, "run": run, "profile": profile, "entrant": entrant, "source": source, "event": event}
    key = paging.read(cursor, [int])
    before = int(key[0]) if key else None
    found = await services.database.read(lambda c: views.discards(c, wanted, journey=journey, before=before, limit=limit))
    following = paging.write([found[-1].id]) if len(found) == limit else None
    return DiscardPage(items=[DiscardModel.model_validate(one) for one in found], next=following)
