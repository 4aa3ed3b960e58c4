"""Runs over HTTP: let in the members of the segment as of now, or a list of profiles. It reads no segment: the run's workflow does."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from activities.scheduling import tell_server
from api import paging
from api.auth import admin
from api.instants import Moment
from api.named import Id
from api.paging import Cursor, Limit
from api.problems import answers
from api.records import TEXT
from api.services import Services, With
from journey.errors import NotFound, Unavailable
from store import journeys, runs
from store.runs import Run, RunState

router = APIRouter(prefix="/v1/journeys/{journey_id}/runs", tags=["runs"], dependencies=[Depends(admin)])

ProfileId = Annotated[str, Field(min_length=1, max_length=200)]


class RunRequest(BaseModel):
    """Who is to be let in: these profiles, or without a list every member of the segment."""

    model_config = ConfigDict(extra="forbid")

    profiles: Annotated[list[ProfileId], Field(min_length=1, max_length=1000)] | None = None


class RunModel(BaseModel):
    """A run. `read` profiles were looked at, `admitted` entered, `discarded` did not; `stayed` were members at the run before and are not
    let in again by an incremental one, `reentered` were inside and ended first. `cutoff` is the instant up to which profiles belong to it;
    `segment` is empty and `profiles` filled when it reads a list. A run on schedule has the local name of its `occurrence` and the instant
    at which it was due; one that was `missed` says why in `reason`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    journey: str
    number: int
    version: str
    segment: str
    segment_hash: str
    profiles: list[str] | None
    state: RunState
    reason: str
    occurrence: str
    due_at: Moment | None
    cutoff: Moment
    read: int
    admitted: int
    discarded: int
    stayed: int
    reentered: int
    ended_at: Moment | None
    note: str = ""


class RunPage(BaseModel):
    """Runs, the newest first."""

    items: list[RunModel]
    next: str | None


@router.post("", status_code=201, responses=answers(404, 409))
async def start_run(journey_id: Id, services: With, response: Response, request: RunRequest | None = None) -> RunModel:
    """Let people in: the members of the segment as of now, or a list of profiles.

    409 `not_live` without a live version, 409 `run_reading` while a run still reads the segment, 503 when the Temporal server cannot be
    reached: then nothing has happened.
    """
    await need_the_workflows(services)
    listed = request.profiles if request is not None else None
    run_id = await services.database.write(lambda work: journeys.start_run(work, journey_id, listed))
    note = await set_off(services, run_id)
    response.headers["Location"] = f"/v1/journeys/{journey_id}/runs/{run_id}"
    return _shown(await services.database.read(lambda c: runs.get(c, run_id)), note)


@router.get("", responses=answers(404))
async def list_runs(journey_id: Id, services: With, limit: Limit = 100, cursor: Cursor = "") -> RunPage:
    """The runs of a journey, whatever their version; missed occurrences of its schedule too."""
    key = paging.read(cursor, [int])
    before = int(key[0]) if key else None

    def read(connection: Connection) -> list[Run]:
        journeys.known(connection, journey_id)
        return runs.page(connection, journey_id, before=before, limit=limit)

    found = await services.database.read(read)
    following = paging.write([found[-1].number]) if len(found) == limit else None
    return RunPage(items=[_shown(one) for one in found], next=following)


@router.get("/{run}", responses=answers(404))
async def get_run(journey_id: Id, run: Annotated[str, Path(max_length=500, pattern=TEXT)], services: With) -> RunModel:
    """One run by its id, and how far it is."""
    found = await services.database.read(lambda c: runs.get(c, run))
    if found.journey != journey_id:
        raise NotFound(f"{journey_id} has no run {run}.")
    return _shown(found)


async def need_the_workflows(services: Services) -> None:
    """Raises Unavailable when a run could not be started now: asked before anything is committed."""
    if not await services.workflows.reachable():
        raise Unavailable("The Temporal server cannot be reached, so nobody could be let in. Nothing was changed; try again.")


async def set_off(services: Services, run_id: str) -> str:
    """Start the workflow of a run that is committed; what cannot be started now is, when the service starts. Returns a note, or nothing."""
    try:
        await services.workflows.start_run(run_id)
    except Unavailable:
        return f"The run {run_id} is kept, and starts when the Temporal server can be reached again."
    return ""


async def keep_schedule(services: Services, journey_id: str) -> str:
    """Tell the server when the journey's runs are due next, or that none is. Returns a note when it cannot be told now: then every worker
    tells it at its start, and the sweep begins what is due."""
    try:
        await tell_server(services.database, services.workflows, journey_id)
    except Unavailable:
        return "The Temporal server is told of the schedule when it can be reached again."
    return ""


def _shown(run: Run, note: str = "") -> RunModel:
    return RunModel.model_validate(run).model_copy(update={"note": note})
