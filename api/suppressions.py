"""Addresses that nothing is sent to: `GET PUT DELETE /v1/suppressions`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api import paging
from api.auth import admin
from api.instants import Moment
from api.paging import Cursor, Limit
from api.problems import answers
from api.services import With
from journey.graph import Document
from store import suppressions

router = APIRouter(prefix="/v1/suppressions", tags=["suppressions"], dependencies=[Depends(admin)])

_CHANNEL = r"^[a-z][a-z0-9_-]{0,62}$"
_LINE = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"


class SuppressionBody(Document):
    """An address that nothing is sent to from now on, and why: a word such as bounced, complained or asked."""

    channel: str = Field(pattern=_CHANNEL)
    address: str = Field(max_length=4096, pattern=_LINE)
    reason: str = Field(default="", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


class SuppressionModel(BaseModel):
    """A suppressed address, and since when."""

    channel: str
    address: str
    reason: str
    at: Moment


class Suppressions(BaseModel):
    """A page, in order of channel and address; `next` is the cursor of the next one, null on the last."""

    items: list[SuppressionModel]
    next: str | None


@router.get("")
async def list_suppressions(services: With, cursor: Cursor = "", limit: Limit = 100) -> Suppressions:
    """A page of suppressed addresses."""
    channel, address = paging.read(cursor, (str, str)) or ("", "")
    found = await services.database.read(lambda connection: suppressions.page(connection, (str(channel), str(address)), limit + 1))
    items = [_shown(one) for one in found[:limit]]
    more = len(found) > limit
    return Suppressions(items=items, next=paging.write((items[-1].channel, items[-1].address)) if more else None)


@router.put("")
async def put_suppression(services: With, body: SuppressionBody) -> SuppressionModel:
    """Suppress an address. One that is suppressed already keeps its instant and takes the new reason."""
    return _shown(await services.database.write(lambda work: suppressions.put(work, body.channel, body.address, body.reason)))


@router.delete("", status_code=204, responses=answers(404))
async def delete_suppression(
    services: With,
    channel: Annotated[str, Query(pattern=_CHANNEL)],
    address: Annotated[str, Query(max_length=4096, pattern=_LINE)],
) -> None:
    """Let an address be written to again."""
    await services.database.write(lambda work: suppressions.delete(work, channel, address))


def _shown(one: suppressions.Suppression) -> SuppressionModel:
    return SuppressionModel(channel=one.channel, address=one.address, reason=one.reason, at=one.at)
