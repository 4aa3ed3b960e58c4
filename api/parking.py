"""People parked at an error try again, over HTTP: all of a journey, those at one node, or one."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from api.auth import admin
from api.named import Id
from api.problems import answers
from api.services import With
from store import journeys, parking

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])

AGAIN = ""
"""The reason of a signal that only says: look again."""


class UnparkRequest(BaseModel):
    """`node`: only those parked there; `entrant`: only this one. Neither: everybody parked in the journey."""

    model_config = ConfigDict(extra="forbid")

    node: str = ""
    entrant: str = ""


class UnparkedModel(BaseModel):
    """How many try their step again."""

    unparked: int


@router.post("/{journey_id}:unpark", responses=answers(404))
async def unpark(journey_id: Id, services: With, request: UnparkRequest | None = None) -> UnparkedModel:
    """What failed is mended: people parked at an error try the same step again, with the newest message and their newest attributes.

    It goes page by page, and may be repeated: whoever fails again is parked again. Nobody who is not parked is touched.
    """
    wanted = request or UnparkRequest()
    await services.database.read(lambda connection: journeys.known(connection, journey_id))
    after, count = "", 0
    while True:
        page = await services.database.write(
            partial(parking.unpark, journey_id=journey_id, node=wanted.node, only=wanted.entrant, after=after)
        )
        count += len(page.people)
        for one in page.people:
            await services.workflows.leave(one, AGAIN)
        if page.done:
            return UnparkedModel(unparked=count)
        after = page.people[-1]
