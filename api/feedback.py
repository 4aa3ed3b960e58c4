"""Providers say what became of a message later: that it arrived, came back, was complained of, or unsubscribed from.

One, or an array of up to 1,000, each with its verdict. It knows no provider's own shape, and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from api import batches, strict_json, unpacking
from api.auth import By, Caller, sender
from api.events import tell
from api.services import Services, With
from journey import documents
from journey.errors import BadInput
from journey.feedback import Kind
from store import feedback
from store.feedback import Feedback, Taken

router = APIRouter(tags=["reactions"], dependencies=[Depends(sender)])

_LINE = r"^[^\x00-\x1f\x7f]*$"

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
    "requestBody": {"required": True, "content": {"application/json": batches.shapes("Up to 1,000 of them.", FeedbackItem)}}
}


@router.post(
    "/v1/feedback",
    status_code=202,
    response_model=FeedbackVerdict,
    responses={207: {"model": list[FeedbackItemVerdict], "description": "An array was sent: a verdict for each item, in its order."}},
    openapi_extra=_BODY,
)
async def send_feedback(request: Request, services: With, by: By, after: BackgroundTasks) -> Any:
    """Take in what became of a message (202), or of up to 1,000 (207): it is a fact and a reaction of its delivery. A hard bounce and a
    complaint suppress the address at once, soft bounces when there are too many in a row; an unsubscription withdraws the consent to
    the channel. The same again has no second effect.

    Takes a key of the scope `ingest` too, which is not told whom it concerned: `delivery`, `detail` and `entrants` are empty."""
    data = strict_json.read_apart(await unpacking.read(request), once=False)
    if isinstance(data, list):
        batch = batches.read(data, _read)
        found = await _take_all(services, after, batch.items)
        return batch.answer([_shown(one, by) for one in found], FeedbackItemVerdict, after)
    (taken,) = await _take_all(services, after, [_read(data)])
    return FeedbackVerdict(**_shown(taken, by))


def _read(item: Any) -> Feedback:
    if not isinstance(item, dict):
        raise BadInput("Feedback is a JSON object, or an array of them.")
    found = documents.parse(FeedbackItem, item)
    if not (found.delivery or found.message_id or found.provider_id or found.address.strip()):
        raise BadInput("It is about nothing: give a delivery, a message_id, a provider_id or an address.", where="delivery")
    return Feedback(found.kind, found.delivery, found.message_id, found.provider_id, found.address.strip(), found.id)


async def _take_all(services: Services, after: BackgroundTasks, items: Sequence[Feedback]) -> list[Taken]:
    """Take items in, in their order; all are committed when this returns, and whoever is to hear of them is told after the answer."""
    units = [partial(feedback.take, said=one, soft_bounces=services.soft_bounces) for one in items]
    found = await batches.take(services.database, units)
    after.add_task(tell, services, [one.verdict for one in found])
    return found


def _shown(taken: Taken, by: Caller) -> dict[str, Any]:
    """What came of it in the fields of FeedbackVerdict."""
    told = {
        "delivery": taken.delivery, "duplicate": taken.duplicate, "suppressed": taken.suppressed, "code": taken.code,
        "detail": taken.detail, "entrants": [decided.entrant for decided in taken.verdict.decided],
    }  # fmt: skip
    return told if by.reads else told | {"delivery": "", "detail": "", "entrants": []}
