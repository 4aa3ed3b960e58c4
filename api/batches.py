"""Calls that take one item or a batch: an array of up to 1,000, each with its verdict. What cannot be read takes no other with it.

It knows no resource: what an item is, and what becomes of it, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import BackgroundTasks
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.strict_json import BadJson
from journey.errors import BadInput, SojournError
from store.database import Database
from store.work import Work

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 1000
"""Items of one call."""
AT_ONCE = 100
"""Items of one caller that wait for a commit at once, so that a large call does not hold up everybody's small ones."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that could not be read: the code, the sentence, and where in the array."""

    code: str
    detail: str
    where: str


@dataclass(frozen=True, slots=True)
class Batch(Generic[Item]):
    """The items of an array in their order, as they were read."""

    read: tuple[Item | Unread, ...]

    @property
    def items(self) -> list[Item]:
        """Those that could be read."""
        return [one for one in self.read if not isinstance(one, Unread)]

    def answer(self, taken: Sequence[dict[str, Any]], verdict: Callable[..., BaseModel], after: BackgroundTasks) -> JSONResponse:
        """207 with a verdict each: 202 with the fields of what was `taken`, of each that could be read, else 422 and why."""
        fields = iter(taken)
        verdicts = [
            verdict(status=422, code=one.code, detail=one.detail, where=one.where)
            if isinstance(one, Unread) else verdict(status=202, **next(fields))
            for one in self.read
        ]  # fmt: skip
        return JSONResponse([one.model_dump() for one in verdicts], 207, background=after)


def read(items: Sequence[Any], one: Callable[[Any], Item], called: str = "items") -> Batch[Item]:
    """Read the items of an array, each by itself. Raises BadInput when they are too many, with what they are `called`."""
    if len(items) > MOST:
        raise BadInput(f"There are {len(items)} {called} in one call: send at most {MOST} at once.", code="too_many")
    return Batch(tuple(_read(item, place, one) for place, item in enumerate(items)))


def _read(item: Any, place: int, one: Callable[[Any], Item]) -> Item | Unread:
    try:
        if isinstance(item, BadJson):
            raise item
        return one(item)
    except SojournError as error:
        within = f".{error.where}" if isinstance(error, BadInput) and error.where else ""
        return Unread(error.code, error.sentence, f"[{place}]{within}")


def shapes(described: str, *items: type[BaseModel]) -> dict[str, Any]:
    """What the body of such a call may be, for OpenAPI: one of these items, or an array, which is described."""
    array = {"type": "array", "maxItems": MOST, "items": {"type": "object"}, "description": described}
    return {"schema": {"oneOf": [*(item.model_json_schema() for item in items), array]}}


async def take(database: Database, units: Sequence[Callable[[Work], Result]]) -> list[Result]:
    """Do these units of work in their order, each with a savepoint of its own in a grouped commit; all are committed when this returns.
    Raises what one of them raises."""
    found: list[Result] = []
    for start in range(0, len(units), AT_ONCE):
        for one in await database.write_all(units[start : start + AT_ONCE]):
            if isinstance(one, BaseException):
                raise one
            found.append(one)
    return found
