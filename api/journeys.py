"""Journeys over HTTP: draft and versions. It moves none (lifecycle.py) and decides nothing: the store does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from api import paging
from api.auth import admin
from api.instants import Moment
from api.named import Id, same_id
from api.paging import Cursor, Limit
from api.problems import FindingModel, answers
from api.services import With
from journey import documents
from journey.errors import BadInput
from journey.findings import blocking
from journey.graph import Journey
from journey.lifecycle import State
from store import journeys, versions

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])

IfMatch = Annotated[str, Header(alias="If-Match", max_length=200, description="The ETag that was read; absent overwrites.")]
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", max_length=200, description="`*`: only where there is no draft.")]
Which = Annotated[int | None, Query(ge=1, le=2**31, description="The number of a version; absent, the live one, or the newest.")]
_ENTRY = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "hello"}
_EXAMPLE = {"nodes": [_ENTRY, {"id": "hello", "kind": "message", "message": "hello", "next": "end"}, {"id": "end", "kind": "end"}]}


class JourneyItem(BaseModel):
    """A journey in a list. `live` and `newest` are numbers of versions; `state` is that of the newest, draft or test when there is none.
    `testing`: a test of its draft is on."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    draft: bool
    live: int | None
    newest: int | None
    state: State
    testing: bool
    updated_at: Moment


class JourneyPage(BaseModel):
    """Journeys in order of id."""

    items: list[JourneyItem]
    next: str | None


class Validated(BaseModel):
    """What the validator says: `valid` when nothing forbids a publish."""

    valid: bool
    findings: list[FindingModel]


class VersionItem(BaseModel):
    """A published version. `hash` is that of all it froze. `starts_at` and `ends_at` are null where the journey says nothing; `pause` is
    what a pause does, hold or discard, and empty where there is none. It ends by itself at `pause_until`. `successor` is the version in
    which those inside go on, empty where they finish in this one."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    number: int
    state: State
    hash: str
    published_at: Moment
    starts_at: Moment | None
    ends_at: Moment | None
    pause: Literal["", "hold", "discard"]
    paused_at: Moment | None
    pause_until: Moment | None
    successor: str = ""


class VersionList(BaseModel):
    """Every version of a journey, the oldest first."""

    items: list[VersionItem]


class VersionModel(VersionItem):
    """A version with all it froze: the journey, and the event definitions by id. Rules are trees."""

    journey: dict[str, Any]
    events: dict[str, Any]


@router.get("")
async def list_journeys(services: With, limit: Limit = 100, cursor: Cursor = "") -> JourneyPage:
    """Every journey, drafts and published ones."""
    key = paging.read(cursor, [str])
    found = await services.database.read(lambda c: journeys.page(c, str(key[0]) if key else "", limit))
    following = paging.write([found[-1].id]) if len(found) == limit else None
    return JourneyPage(items=[JourneyItem.model_validate(one) for one in found], next=following)


@router.get("/{journey_id}", responses=answers(404))
async def get_draft(journey_id: Id, services: With, response: Response) -> dict[str, Any]:
    """The draft, as it was put; its ETag is a header."""
    draft = await services.database.read(lambda c: journeys.get_draft(c, journey_id))
    response.headers["ETag"] = f'"{draft.etag}"'
    return draft.document


@router.put("/{journey_id}", responses=answers(412))
async def put_draft(
    journey_id: Id,
    services: With,
    response: Response,
    document: Annotated[dict[str, Any], Body(examples=[_EXAMPLE])],
    if_match: IfMatch = "",
    if_none_match: IfNoneMatch = "",
) -> dict[str, Any]:
    """Keep a draft. Only its shape is judged; `:validate` says what is still missing. Answers with the draft and its ETag."""
    if isinstance(document.get("id", ""), str):
        same_id(document.get("id", ""), journey_id)
    kept = document if document.get("id") else {"id": journey_id} | {name: value for name, value in document.items() if name != "id"}
    documents.parse(Journey, kept)
    if if_none_match.strip() not in ("", "*"):
        raise BadInput("Send * in If-None-Match, which puts the draft where there is none, or leave it out.", where="If-None-Match")
    wanted, only_new = _etag(if_match), bool(if_none_match.strip())
    etag = await services.database.write(lambda work: journeys.put_draft(work, journey_id, kept, wanted, only_new=only_new))
    response.headers["ETag"] = f'"{etag}"'
    return kept


@router.delete("/{journey_id}", status_code=204, responses=answers(404, 409, 412))
async def delete_draft(journey_id: Id, services: With, if_match: IfMatch = "") -> None:
    """Throw the draft away; what was published stays."""
    wanted = _etag(if_match)
    await services.database.write(lambda work: journeys.delete_draft(work, journey_id, wanted))


@router.post("/{journey_id}:validate", responses=answers(404))
async def validate(journey_id: Id, services: With) -> Validated:
    """What forbids or should delay a publish of the draft. Changes nothing."""
    found = await services.database.read(lambda c: journeys.findings(c, journey_id, services.public_url, services.database.clock.now()))
    return Validated(valid=not blocking(found), findings=[FindingModel(**asdict(finding)) for finding in found])


@router.get("/{journey_id}/versions", responses=answers(404))
async def list_versions(journey_id: Id, services: With) -> VersionList:
    """Every version and the state it is in."""
    found = await services.database.read(lambda c: journeys.all_versions(c, journey_id))
    return VersionList(items=[VersionItem.model_validate(one) for one in found])


@router.get("/{journey_id}/versions/{number}", responses=answers(404))
async def get_version(journey_id: Id, number: int, services: With) -> VersionModel:
    """A version with all it froze."""

    def read(connection: Connection) -> VersionModel:
        row = journeys.version(connection, journey_id, number)
        frozen = versions.frozen_version(connection, row.hash).model_dump(mode="json", by_alias=True, exclude_defaults=True)
        events = frozen.get("events", {})
        return VersionModel(**VersionItem.model_validate(row).model_dump(), journey=frozen["journey"], events=events)

    return await services.database.read(read)


def _etag(if_match: str) -> str | None:
    """The etag of a header If-Match without its quotes; None when there is none. A weakened one is taken too: some proxies make them."""
    given = if_match.strip()
    if not given:
        return None
    if "," in given:
        raise BadInput("Send one etag in If-Match, the one that you read.", where="If-Match")
    return given.removeprefix("W/").strip('"')
