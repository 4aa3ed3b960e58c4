"""Who stands at a node of a journey, and everything on record about one person, over HTTP. It moves nobody."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from api import paging
from api.auth import admin
from api.entrants import AwaitedModel
from api.instants import Moment
from api.journeys import Which
from api.named import Id
from api.paging import Cursor, Limit
from api.problems import answers
from api.profiles import ProfilePath
from api.services import With
from journey.errors import NotFound
from journey.graph import THING_ID
from store import journeys, timeline, versions, waiting_list
from store.waiting_list import Standing

router = APIRouter(dependencies=[Depends(admin)])


class StandingModel(BaseModel):
    """An open entrant at a node. `waiting` is false for one whose gate is decided, or who acts there; `until` is null while it listens for
    ever; `awaited` is everything that the gate waits for, this node among it."""

    model_config = ConfigDict(from_attributes=True)

    entrant: str
    profile: str
    since: Moment | None
    waiting: bool
    until: Moment | None
    global_timeout_at: Moment
    awaited: list[AwaitedModel]


class StandingPage(BaseModel):
    """Who stands at a node, in order of id."""

    version: str
    node: str
    items: list[StandingModel]
    next: str | None


class MomentModel(BaseModel):
    """One thing on record about a person. `name` is what it is called among its kind, `code` the outcome of a step, the status of a
    delivery, the name of an event, the reason of a discard or of an end; what has no meaning is empty."""

    model_config = ConfigDict(from_attributes=True)

    at: Moment
    kind: Literal["entered", "step", "delivery", "event", "discard", "ended"]
    name: str
    journey: str
    entrant: str
    node: str
    code: str
    sentence: str


class Timeline(BaseModel):
    """What is on record about a person, the newest first."""

    items: list[MomentModel]
    next: str | None


@router.get("/v1/journeys/{journey_id}/nodes/{node}/entrants", tags=["journeys"], responses=answers(404))
async def get_standing(
    journey_id: Id,
    node: Annotated[str, Path(pattern=THING_ID)],
    services: With,
    version: Which = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> StandingPage:
    """The waiting list of a node: who stands there, alone or in a gate, since when, until when and for what."""
    key = paging.read(cursor, [str])
    after = str(key[0]) if key else ""

    def read(connection: Connection) -> tuple[str, list[Standing]]:
        row = journeys.version(connection, journey_id, version)
        graph = versions.frozen_version(connection, row.hash).journey
        if node not in graph.by_id:
            raise NotFound(f"{row.id} has no node {node}.")
        return row.id, waiting_list.at_node(connection, row.id, graph, node, after=after, limit=limit)

    name, found = await services.database.read(read)
    following = paging.write([found[-1].entrant]) if len(found) == limit else None
    return StandingPage(version=name, node=node, items=[StandingModel.model_validate(one) for one in found], next=following)


@router.get("/v1/profiles/{profile_id}/timeline", tags=["profiles"])
async def get_timeline(profile_id: ProfilePath, services: With, limit: Limit = 100, cursor: Cursor = "") -> Timeline:
    """Everything on record about a person, the newest first: entries, steps, deliveries, events, discards and ends. It outlives the
    profile: of somebody who was deleted it shows what is still kept, and of somebody unknown nothing."""
    key = paging.read(cursor, [int, str, str])
    before = (int(key[0]), str(key[1]), str(key[2])) if key else None
    found = await services.database.read(lambda c: timeline.of_profile(c, profile_id, before=before, limit=limit))
    following = paging.write(list(found[-1].key)) if len(found) == limit else None
    return Timeline(items=[MomentModel.model_validate(one) for one in found], next=following)
