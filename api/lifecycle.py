"""Moves of a journey over HTTP: publishing, pausing, resuming, closing, stopping, and a copy of it. It decides nothing: the store does.

What is committed here takes effect whether or not the Temporal server can be reached; workflows that could not be told are told later.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from sqlalchemy import Connection

from api import paging
from api.auth import admin
from api.instants import Moment
from api.named import Id
from api.paging import Cursor, Limit
from api.problems import FindingModel, answers
from api.runs import keep_schedule, need_the_workflows, set_off
from api.schedules import ScheduleModel, schedule_shown
from api.services import Services, With
from api.testing import wind_down
from journey import dates, lifecycle
from journey.errors import Unavailable
from journey.graph import ThingId
from journey.lifecycle import Act, Pause, State
from journey.succession import Succession
from store import duplicating, journeys, pausing, versions

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])

_WAITS = "It takes effect when the Temporal server can be reached again; from now on nobody acts."
_WOKEN_LATER = "Those who wait for something else now hear of it when the Temporal server can be reached again."
_GO_ON_LATER = "Those who are held go on when the Temporal server can be reached again."


class PublishedModel(BaseModel):
    """What a publish did. `run` reads the segment now, or from `begins_at` on, the start of the journey; `schedule` says when it will be
    read; `closed` lets in nobody more; the test session `tested` ended. Those inside the versions `succeeded` go on in this one.
    `note` says what is still to come, if anything."""

    version: str
    number: int
    run: str | None
    closed: str | None
    tested: str | None
    succeeded: list[str] = Field(default_factory=list)
    findings: list[FindingModel]
    schedule: ScheduleModel | None = None
    begins_at: Moment | None = None
    note: str = ""


class ClosedModel(BaseModel):
    """The version that was closed, and the state it is in: finished when nobody was inside."""

    version: str
    state: State


class StoppedModel(BaseModel):
    """The versions that were stopped; everybody inside ends."""

    versions: list[str]
    note: str = ""


class PauseRequest(BaseModel):
    """`what` is done with people at their next action: they are held there, or end. After `for` the pause ends by itself."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    what: Pause = "hold"
    length: Annotated[str, Field(alias="for", max_length=100, examples=["P3D"])] = lifecycle.LONGEST_PAUSE


class PausedModel(BaseModel):
    """The versions that are paused, and until when at the latest."""

    versions: list[str]
    until: Moment
    note: str = ""


class ResumeRequest(BaseModel):
    """How many of those held may go on in a second."""

    model_config = ConfigDict(extra="forbid")

    rate: Annotated[StrictInt, Field(ge=1, le=lifecycle.FASTEST_RELEASE)] = lifecycle.RELEASE_RATE


class ResumedModel(BaseModel):
    """The state that each version is in now; `held` people go on at this rate, `runs` read on."""

    versions: dict[str, State]
    runs: list[str]
    held: int
    rate: int
    note: str = ""


class DuplicateRequest(BaseModel):
    """The id of the copy; absent, that of the journey with `-copy` behind it, and a number where that is taken."""

    model_config = ConfigDict(extra="forbid")

    id: ThingId | None = None


class DuplicateModel(BaseModel):
    """The copy, a draft. `of` is what was copied: `draft`, or a version."""

    id: str
    of: str


class MoveItem(BaseModel):
    """A move of a version. `detail` is what a pause does, or why it happened by itself."""

    model_config = ConfigDict(from_attributes=True)

    version: str
    act: Act
    before: State
    after: State
    detail: str
    at: Moment


class MovePage(BaseModel):
    """Moves, the newest first."""

    items: list[MoveItem]
    next: str | None


@router.post("/{journey_id}:publish", responses=answers(404, 409))
async def publish(journey_id: Id, services: With, succession: Succession | None = None) -> PublishedModel:
    """Freeze the draft as the next version and let people in; the version before is closed. What becomes of those inside is said in the
    body: they finish on their version, flow in, or go where a map says; `:plan` counts them beforehand.

    409 with every finding when the draft is not valid, 409 `unchanged` when just this is live already, 503 when the Temporal server
    cannot be reached: then nothing has happened.
    """
    await need_the_workflows(services)
    told = succession or Succession()
    published = await services.database.write(lambda work: journeys.publish(work, journey_id, services.public_url, told))
    note = ""
    if published.begins_at is not None and published.run is not None:
        note = f"The run {published.run} begins at the start of the journey, {dates.told(published.begins_at)}."
    elif published.run is not None:
        note = await set_off(services, published.run)
    note = note or await keep_schedule(services, journey_id)
    note = await wind_down(services, published.tested) or note
    note = f"{note} {await _wake(services, published.succeeded)}".strip()
    warnings = [FindingModel(**asdict(finding)) for finding in published.findings]
    shown = await services.database.read(lambda c: schedule_shown(c, journey_id))
    return PublishedModel(
        version=published.version,
        number=published.number,
        run=published.run,
        closed=published.closed,
        tested=published.tested,
        succeeded=list(published.succeeded),
        schedule=shown,
        findings=warnings,
        note=note,
        begins_at=published.begins_at,
    )


@router.post("/{journey_id}:close", responses=answers(404, 409))
async def close(journey_id: Id, services: With) -> ClosedModel:
    """Let in nobody more, a run that still reads ends too; those inside walk on. A paused version stays paused, and is closed then."""
    closed = await services.database.write(lambda work: journeys.close(work, journey_id))
    await keep_schedule(services, journey_id)
    return ClosedModel(version=closed.version, state=closed.state)


@router.post("/{journey_id}:stop", responses=answers(404, 409))
async def stop(journey_id: Id, services: With) -> StoppedModel:
    """Stop every version in which people are, for good: from now on nobody acts, and everybody ends with `journey_stopped`."""
    stopped = await services.database.write(lambda work: journeys.stop(work, journey_id))
    await keep_schedule(services, journey_id)
    note = ""
    for version in stopped:
        try:
            await services.workflows.wind_down(version, "journey_stopped")
        except Unavailable:
            note = _WAITS
    return StoppedModel(versions=stopped, note=note)


@router.post("/{journey_id}:pause", responses=answers(404, 409))
async def pause(journey_id: Id, services: With, request: PauseRequest | None = None) -> PausedModel:
    """Pause every version in which people are: from now on nobody enters and nobody acts. What they wait for goes on.

    Whoever comes to an action is held there, or ends with `journey_paused`. It ends by itself after `for`, 14 days at the most.
    """
    wanted = request or PauseRequest()
    seconds = lifecycle.pause_length(wanted.length)
    paused = await services.database.write(lambda work: pausing.pause(work, journey_id, wanted.what, seconds))
    note = await _release(services, paused.wake)
    return PausedModel(versions=list(paused.versions), until=paused.until, note=note)


@router.post("/{journey_id}:resume", responses=answers(404, 409))
async def resume(journey_id: Id, services: With, request: ResumeRequest | None = None) -> ResumedModel:
    """End the pause: people enter again, runs read on from where they were, and those held go on at a rate."""
    rate = (request or ResumeRequest()).rate
    resumed = await services.database.write(lambda work: pausing.resume(work, journey_id, rate))
    notes = [await set_off(services, run) for run in resumed.runs]
    notes.append(await _wake(services, resumed.succeeded))
    if resumed.held:
        notes.append(await _release(services, tuple(resumed.versions)))
    note = " ".join(one for one in notes if one)
    return ResumedModel(versions=resumed.versions, runs=list(resumed.runs), held=resumed.held, rate=rate, note=note)


@router.post("/{journey_id}:duplicate", status_code=201, responses=answers(404, 409))
async def duplicate(journey_id: Id, services: With, response: Response, request: DuplicateRequest | None = None) -> DuplicateModel:
    """Copy the draft, or the newest version where there is none, as the draft of another journey."""
    wanted = request.id if request is not None else None
    copied = await services.database.write(lambda work: duplicating.duplicate(work, journey_id, wanted))
    response.headers["Location"] = f"/v1/journeys/{copied.id}"
    return DuplicateModel(id=copied.id, of=copied.of)


@router.get("/{journey_id}/moves", responses=answers(404))
async def list_moves(journey_id: Id, services: With, limit: Limit = 100, cursor: Cursor = "") -> MovePage:
    """What was done with the versions of a journey, by somebody or by itself, and when."""
    key = paging.read(cursor, [int])
    before = int(key[0]) if key else None

    def read(connection: Connection) -> list[versions.MoveRow]:
        journeys.known(connection, journey_id)
        return versions.moves(connection, journey_id, before=before, limit=limit)

    found = await services.database.read(read)
    following = paging.write([found[-1].id]) if len(found) == limit else None
    return MovePage(items=[MoveItem.model_validate(one) for one in found], next=following)


async def _wake(services: Services, succeeded: tuple[str, ...]) -> str:
    try:
        for version in succeeded:
            await services.workflows.wake(version)
    except Unavailable:
        return _WOKEN_LATER
    return ""


async def _release(services: Services, held_in: tuple[str, ...]) -> str:
    try:
        for version in held_in:
            await services.workflows.release(version)
    except Unavailable:
        return _GO_ON_LATER
    return ""
