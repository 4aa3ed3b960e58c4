"""Entrants over HTTP: who is where, the whole path of one, and their removal. It moves nobody on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from api import paging
from api.auth import admin
from api.explaining import RuleModel
from api.instants import Moment
from api.paging import Cursor, Limit
from api.problems import answers
from api.records import TEXT, DeliveryModel, Filter, Mode, Which
from api.services import With
from store import removal, views

router = APIRouter(prefix="/v1/entrants", tags=["entrants"], dependencies=[Depends(admin)])


class EntrantModel(BaseModel):
    """An entrant. `place` are the nodes where it stands, at a gate several; `until` is null while it listens for ever; `held` is the
    node before which it is held while its journey is paused, `parked` the one whose error is to be mended, and `parked_why` its code.
    `end_detail` says which exit criterion was met, and by which event; `entry_source` and `entry_event` are the event that let it in,
    empty when a run did. Of one that is `forgotten`, since it ended long ago, no steps and deliveries are kept."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    journey: str
    version: str
    profile: str
    run: str
    state: Literal["open", "ended"]
    place: list[str]
    waiting: bool
    held: str
    until: Moment | None
    entered_at: Moment
    ended_at: Moment | None
    end_reason: str
    mode: Mode
    end_detail: str = ""
    entry_source: str = ""
    entry_event: str = ""
    parked: str
    parked_why: str
    forgotten: bool = False


class EntrantPage(BaseModel):
    """Entrants in order of id."""

    items: list[EntrantModel]
    next: str | None


class BranchModel(RuleModel):
    """A branch of a condition that was tried, and what came of its rule."""

    branch: str


class StepModel(BaseModel):
    """One step of a path: the node it left and by which exit, the event that decided it; the node where it then acted, how that came
    out, and the place it led to. `said` is the same as a sentence. `why` are the branches of a condition that were tried, the last of them
    taken unless it was left by `otherwise`. A step with the outcome `moved` led its person from `from_version` into `to_version`; the steps
    after it are those of that version."""

    model_config = ConfigDict(from_attributes=True)

    n: int
    left: str
    exit: str
    source: str
    event: str
    node: str
    revision: int | None
    outcome: str
    place: list[str]
    said: str
    opened_at: Moment | None
    closed_at: Moment | None
    why: list[BranchModel]
    from_version: str = ""
    to_version: str = ""


class AwaitedModel(BaseModel):
    """One node of the gate: `what` is the event, `CHANNEL.KIND of NODE`, `enter` or `leave` and the segment, or the length of a
    wait."""

    model_config = ConfigDict(from_attributes=True)

    node: str
    kind: str
    what: str


class WaitingModel(BaseModel):
    """What is waited for since when; at `until` time leads to the nodes `then`. `global_timeout_at` ends everything."""

    model_config = ConfigDict(from_attributes=True)

    awaited: list[AwaitedModel]
    since: Moment
    until: Moment | None
    then: list[str]
    global_timeout_at: Moment


class RemovedModel(BaseModel):
    """Somebody who is taken out. `state` is ended when their end is on record already, else it comes with their next commit."""

    id: str
    state: Literal["open", "ended"]
    end_reason: str


class ResponseModel(BaseModel):
    """What the webhook of a node answered. `left_out` says why a body that came is not here: too_large, not_json."""

    model_config = ConfigDict(from_attributes=True)

    n: int
    node: str
    status: int
    body: Any
    left_out: str
    at: Moment


class StoryModel(BaseModel):
    """One entrant. `waiting` is null when it is under way, held or ended; `calls` are what webhooks have answered."""

    model_config = ConfigDict(from_attributes=True)

    entrant: EntrantModel
    path: list[StepModel]
    waiting: WaitingModel | None
    deliveries: list[DeliveryModel]
    calls: list[ResponseModel]


_FACT = "The people behind a number: those of whom this was recorded, at `node` if one is named: `arrived`, `left.timeout`, `ended.error`."


@router.get("")
async def list_entrants(
    services: With,
    journey: Filter = "",
    version: Filter = "",
    node: Annotated[str, Query(max_length=63, pattern=TEXT, description="Those who stand there now, alone or in a gate.")] = "",
    state: Literal["", "open", "ended"] = "",
    profile: Filter = "",
    run: Filter = "",
    held: Annotated[str, Query(max_length=63, pattern=TEXT, description="Those whom a pause holds before this node.")] = "",
    parked: Annotated[str, Query(max_length=63, pattern=TEXT, description="Those parked at this node: its error is to be mended.")] = "",
    fact: Annotated[str, Query(max_length=100, pattern=TEXT, description=_FACT)] = "",
    mode: Which = "live",
    limit: Limit = 100,
    cursor: Cursor = "",
) -> EntrantPage:
    """Entrants of all journeys, or those that the filters leave. Those of test sessions are left out unless `mode` asks for them."""
    wanted = {"journey": journey, "version": version, "mode": mode, "state": state, "profile": profile, "run": run, "held": held}
    wanted["parked"] = parked
    key = paging.read(cursor, [str])
    after = str(key[0]) if key else ""
    found = await services.database.read(lambda c: views.entrants(c, wanted, node=node, fact=fact, after=after, limit=limit))
    following = paging.write([found[-1].id]) if len(found) == limit else None
    return EntrantPage(items=[EntrantModel.model_validate(one) for one in found], next=following)


@router.get("/{entrant}", responses=answers(404))
async def get_entrant(entrant: Annotated[str, Path(max_length=500, pattern=TEXT)], services: With) -> StoryModel:
    """One entrant: the path so far, what it waits for and until when, and its deliveries."""
    return StoryModel.model_validate(await services.database.read(lambda c: views.entrant(c, entrant)))


@router.post("/{entrant}:remove", responses=answers(404))
async def remove(entrant: Annotated[str, Path(max_length=500, pattern=TEXT)], services: With) -> RemovedModel:
    """Take somebody out: they hear nothing any more, and end with `removed` unless another reason stood before.

    A message that is on its way to them is waited for. Who has ended stays as they are, so it may be repeated.
    """
    state, reason = await services.database.write(lambda work: removal.remove(work, entrant))
    if state == "open":
        await services.workflows.leave(entrant, reason)
    return RemovedModel(id=entrant, state=state, end_reason=reason)
