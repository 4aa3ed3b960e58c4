"""Messages held for review over HTTP: who would get what, and the word that lets it go, discards it, or has it made out anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from api.auth import admin
from api.instants import Moment, Written, microseconds
from api.named import Id
from api.paging import Cursor, Limit
from api.parking import AGAIN
from api.problems import answers
from api.records import TEXT, Filter
from api.services import Services, With
from journey.errors import BadInput
from journey.messages import FilledEmail, FilledPush
from store import journeys, reviews
from store.reviews import Key, Verdict, Wanted

router = APIRouter(dependencies=[Depends(admin)])

MOST = 1000
_AT_ONCE = 16
"""Signals under way at the Temporal server at the same time."""


class ReviewModel(BaseModel):
    """A delivery that waits for its review: `id` is that of the delivery, `since` when its person came to it, `until` when their time in
    the journey is over. `subject` is that of an e-mail or the title of a push; `error` says why it cannot be made out, as a value that is
    missing; `rendered_at` is null when it is yet to be."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    journey: str
    version: str
    entrant: str
    profile: str
    node: str
    message: str
    revision: int
    channel: str
    subject: str
    error: str
    since: Moment
    until: Moment
    rendered_at: Moment | None


class ReviewPage(BaseModel):
    """What waits, in order of entrant and step. `as_of` is the instant of the answer: given back, it keeps whoever comes later out."""

    items: list[ReviewModel]
    next: str | None
    as_of: Moment


class ReviewedModel(ReviewModel):
    """The same with what is in it: `email` or `push`, both null when there is nothing to be seen. Links are tracked, and the link to
    unsubscribe is put in, when it is sent. `to` is the address as it is now, empty for a push, which goes to so many `devices`."""

    email: FilledEmail | None = None
    push: FilledPush | None = None
    to: str = ""
    devices: int = 0


class ReviewRequest(BaseModel):
    """What is meant: all that waits at a `node`, the deliveries `ids`, or those of them at the node. `as_of`: only what was made out until
    then."""

    model_config = ConfigDict(extra="forbid")

    node: Annotated[str, Field(max_length=63, pattern=TEXT)] = ""
    ids: Annotated[list[Annotated[str, Field(max_length=600, pattern=TEXT)]], Field(min_length=1, max_length=MOST)] | None = None
    as_of: Written | None = None


class JudgedModel(BaseModel):
    """How many deliveries it holds for. `anew` of those that are approved could not be made out before: they are made out anew, and go
    if they can be. `left` are deliveries that were named and are not in review, or not so as was said."""

    count: int
    anew: int = 0
    left: list[str] = []


@router.get("/v1/reviews", tags=["records"])
async def list_reviews(
    services: With,
    journey: Filter = "",
    version: Filter = "",
    node: Filter = "",
    message: Filter = "",
    profile: Filter = "",
    entrant: Filter = "",
    channel: Filter = "",
    failing: Annotated[bool, Query(description="Only what cannot be made out.")] = False,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> ReviewPage:
    """Deliveries that wait for their review: who would get what, and what is missing."""
    wanted = {"journey": journey, "version": version, "node": node, "message": message, "profile": profile, "entrant": entrant}
    key = paging.read(cursor, [str, int, str])
    after = (str(key[0]), int(key[1]), str(key[2])) if key else None
    as_of = services.database.clock.now()
    found = await services.database.read(
        lambda c: reviews.page(c, wanted | {"channel": channel}, failing=failing, after=after, limit=limit)
    )
    following = paging.write([found[-1].entrant, found[-1].n, found[-1].channel]) if len(found) == limit else None
    return ReviewPage.model_validate({"items": [ReviewModel.model_validate(one) for one in found], "next": following, "as_of": as_of})


@router.get("/v1/reviews/{delivery}", tags=["records"], responses=answers(404))
async def get_review(delivery: Annotated[str, Path(max_length=600, pattern=TEXT)], services: With) -> ReviewedModel:
    """One delivery that waits for its review, with what is in it."""
    found = await services.database.read(lambda c: reviews.content(c, delivery))
    shown = ReviewModel.model_validate(found.view).model_dump()
    if found.view.channel == "email":
        return ReviewedModel(**shown, email=found.filled, to=found.profile.email)
    return ReviewedModel(**shown, push=found.filled, devices=len(found.profile.push_tokens))


@router.post("/v1/journeys/{journey_id}:approve", tags=["journeys"], responses=answers(404))
async def approve(journey_id: Id, services: With, request: ReviewRequest) -> JudgedModel:
    """Let messages that are held for review go, each as it was made out. Consent, addresses, quiet hours and caps are judged then.

    It may be repeated, also while it runs: nothing is sent twice. What cannot be made out is tried once more with the newest message and
    profile, and goes if that succeeds; else it waits on.
    """
    return await _judge(services, journey_id, "approve", request)


@router.post("/v1/journeys/{journey_id}:discard", tags=["journeys"], responses=answers(404))
async def discard(journey_id: Id, services: With, request: ReviewRequest) -> JudgedModel:
    """Discard messages that are held for review: they are excluded as `discarded_in_review`, and their people go on. It may be repeated."""
    return await _judge(services, journey_id, "discard", request)


@router.post("/v1/journeys/{journey_id}:render", tags=["journeys"], responses=answers(404))
async def render(journey_id: Id, services: With, request: ReviewRequest) -> JudgedModel:
    """Have messages that are held for review made out anew, of the newest message and profile, and go on waiting."""
    return await _judge(services, journey_id, "render", request)


async def _judge(services: Services, journey_id: str, verdict: Verdict, request: ReviewRequest) -> JudgedModel:
    """Page by page; whoever is meant is told after the commit of their page."""
    if not request.node and request.ids is None:
        raise BadInput("Say which are meant: name a `node`, or give the `ids` of deliveries.", where="node")
    await services.database.read(lambda connection: journeys.known(connection, journey_id))
    named = tuple(dict.fromkeys(request.ids or ()))
    as_of = microseconds(request.as_of) if request.as_of is not None else None
    keys = tuple(reviews.key_of(one) for one in named) if request.ids is not None else None
    wanted = Wanted(journey_id, request.node, keys, as_of)
    done: set[str] = set()
    anew = 0
    after: Key | None = None
    while True:
        page = await services.database.write(partial(reviews.judge, verdict=verdict, wanted=wanted, after=after))
        done.update(page.deliveries)
        anew += len(page.anew)
        await _tell(services, page.people)
        after = page.after
        if after is None:
            left = [one for one in named if one not in done]
            return JudgedModel(count=len(done), anew=anew if verdict == "approve" else 0, left=left)


async def _tell(services: Services, people: Sequence[str]) -> None:
    """Each looks again; whom this does not reach is told by the sweep."""
    waiting = iter(people)

    async def one_after_the_other() -> None:
        for entrant in waiting:
            await services.workflows.leave(entrant, AGAIN)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(one_after_the_other())
