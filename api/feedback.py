"""Providers say what became of a message later: that it arrived, came back, was complained of, or unsubscribed from.

One, or an array of up to 1,000, each with its verdict. It knows no provider's own shape, and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api import strict_json, unpacking
from api.auth import admin
from api.events import MOST, tell
from api.services import Services, With
from journey import documents
from journey.errors import BadInput, SojournError
from journey.feedback import Kind
from store import feedback
from store.feedback import Feedback, Taken

router = APIRouter(tags=["reactions"], dependencies=[Depends(admin)])

_LINE = r"^[^\x00-\x1f\x7f]*$"
_AT_ONCE = 100
"""Items of one caller that wait for a commit at once."""

Name = Annotated[str, Field(max_length=1000, pattern=_LINE)]


class FeedbackItem(BaseModel):
    """What became of a message.

    It says of what by one of these, or several of which the first that names a delivery counts: `delivery`, its id; `message_id`, the
    header Message-ID of the mail; `provider_id`, by which the provider knows it. `address` is where the mail went: alone, or beside them,
    which is best: it is what gets suppressed. `id` is the item's own, at the provider: it makes a soft bounce of an address alone
    repeatable. All else is repeatable as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    delivery: Name = ""
    message_id: Name = ""
    provider_id: Name = ""
    address: Annotated[str, Field(max_length=320, pattern=_LINE)] = ""
    id: Name = ""


class FeedbackVerdict(BaseModel):
    """What came of it. `delivery` is the one that was meant, empty when it was about an address alone.

    `suppressed` says that this has suppressed the address. `code` is empty when it decided something, is kept for somebody under way, or
    was about an address; else it is the code of the discard on record, and `detail` the sentence: `late` still is a fact of its delivery,
    `unknown_delivery`, `not_sent` and `no_such_reaction` had no effect. `entrants` are those whose gate it decided, or whom it ended.
    """

    delivery: str = ""
    duplicate: bool = False
    suppressed: bool = False
    code: str = ""
    detail: str = ""
    entrants: list[str] = []


class FeedbackItemVerdict(FeedbackVerdict):
    """The same within an array: `status` 202, or 422 for an item that could not be read; then `code`, `detail` and `where` say why."""

    status: int
    where: str = ""


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        FeedbackItem.model_json_schema(),
                        {"type": "array", "maxItems": MOST, "items": {"type": "object"}, "description": "Up to 1,000 of them."},
                    ]
                }
            }
        },
    }
}


@router.post(
    "/v1/feedback",
    status_code=202,
    response_model=FeedbackVerdict,
    responses={207: {"model": list[FeedbackItemVerdict], "description": "An array was sent: a verdict for each item, in its order."}},
    openapi_extra=_BODY,
)
async def send_feedback(request: Request, services: With, after: BackgroundTasks) -> Any:
    """Take in what became of a message (202), or of up to 1,000 (207): it is a fact and a reaction of its delivery. A hard bounce and a
    complaint suppress the address at once, soft bounces when there are too many in a row; an unsubscription withdraws the consent to
    the channel. The same again has no second effect."""
    data = strict_json.read(await unpacking.read(request))
    if isinstance(data, list):
        return await _many(services, after, data)
    (taken,) = await _take_all(services, [_read(data)])
    after.add_task(tell, services, [taken.verdict])
    return FeedbackVerdict(**_shown(taken))


async def _many(services: Services, after: BackgroundTasks, items: list[Any]) -> Response:
    if len(items) > MOST:
        raise BadInput(f"There are {len(items)} items in one call: send at most {MOST} at once.", code="too_many")
    read = [_read_within(item, place) for place, item in enumerate(items)]
    taken = await _take_all(services, [one for one in read if isinstance(one, Feedback)])
    told = iter(taken)
    answer = [one if isinstance(one, FeedbackItemVerdict) else FeedbackItemVerdict(status=202, **_shown(next(told))) for one in read]
    after.add_task(tell, services, [one.verdict for one in taken])
    return JSONResponse([one.model_dump() for one in answer], 207, background=after)


def _read(item: Any) -> Feedback:
    if not isinstance(item, dict):
        raise BadInput("Feedback is a JSON object, or an array of them.")
    found = documents.parse(FeedbackItem, item)
    if not (found.delivery or found.message_id or found.provider_id or found.address.strip()):
        raise BadInput("It is about nothing: give a delivery, a message_id, a provider_id or an address.", where="delivery")
    return Feedback(found.kind, found.delivery, found.message_id, found.provider_id, found.address.strip(), found.id)


def _read_within(item: Any, place: int) -> Feedback | FeedbackItemVerdict:
    try:
        return _read(item)
    except SojournError as error:
        at = f"[{place}]" + (f".{error.where}" if isinstance(error, BadInput) and error.where else "")
        return FeedbackItemVerdict(status=422, code=error.code, detail=error.sentence, where=at)


async def _take_all(services: Services, items: Sequence[Feedback]) -> list[Taken]:
    """Take items in, in their order, each with a savepoint of its own in a grouped commit; all are committed when this returns."""
    found: list[Taken] = []
    for start in range(0, len(items), _AT_ONCE):
        units = [partial(feedback.take, said=one, soft_bounces=services.soft_bounces) for one in items[start : start + _AT_ONCE]]
        for one in await services.database.write_all(units):
            if isinstance(one, BaseException):
                raise one
            found.append(one)
    return found


def _shown(taken: Taken) -> dict[str, Any]:
    """What came of it in the fields of FeedbackVerdict."""
    return {
        "delivery": taken.delivery, "duplicate": taken.duplicate, "suppressed": taken.suppressed, "code": taken.code,
        "detail": taken.detail, "entrants": [decided.entrant for decided in taken.verdict.decided],
    }  # fmt: skip
