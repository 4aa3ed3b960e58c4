"""Two versions of a journey compared by what they mean, over HTTP: journey/diff.py compares, store/standing.py counts people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from sqlalchemy import Connection

from api.auth import admin
from api.named import Id
from api.problems import answers
from api.services import With
from journey import diff, documents
from journey.diff import Kind, Side
from journey.graph import EventNode, Journey
from store import definitions, journeys, standing, versions

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])

Which = Annotated[str, Path(pattern=r"^(draft|[1-9]\d{0,8})$", description="The number of a version, or `draft`.")]


class ChangeModel(BaseModel):
    """One thing that differs. `node` is its id on the newer side, on the older for one that is gone; empty for the journey itself.

    `was` is its id on the older side, `field` what of it differs, dotted. `people` stand there now, in the older version: they are whom
    the change would meet.
    """

    kind: Kind
    sentence: str
    node: str
    was: str
    field: str
    before: str
    after: str
    people: int


class DiffModel(BaseModel):
    """What differs between two versions: nothing when `changes` is empty. `older` and `newer` are numbers, or `draft`.

    `standing` are the people who stand at each node of the older version now, whether it changed or not.
    """

    journey: str
    older: str
    newer: str
    changes: list[ChangeModel]
    standing: dict[str, int]


@router.get("/{journey_id}/versions/{older}..{newer}", responses=answers(404))
async def get_diff(journey_id: Id, older: Which, newer: Which, services: With) -> DiffModel:
    """What changed from one version to another, or to the draft, by meaning; with how many people stand at each changed node.

    Names, notes and positions are `cosmetic`. A draft is compared with the event definitions as they are now.
    """

    def read(connection: Connection) -> DiffModel:
        before, people = _side(connection, journey_id, older)
        after, _ = _side(connection, journey_id, newer)
        found = diff.compare(before, after)
        changes = [ChangeModel(**{name: getattr(one, name) for name in one.__slots__}, people=people.get(one.was, 0)) for one in found]
        return DiffModel(journey=journey_id, older=older, newer=newer, changes=changes, standing=dict(sorted(people.items())))

    return await services.database.read(read)


def _side(connection: Connection, journey_id: str, which: str) -> tuple[Side, Mapping[str, int]]:
    """One side, and who stands where in it; nobody in a draft."""
    if which == "draft":
        draft = documents.parse(Journey, journeys.get_draft(connection, journey_id).document)
        named = {node.event for node in draft.nodes if isinstance(node, EventNode)} | {one.event for one in draft.exit_criteria}
        known = definitions.all_of(connection)
        return Side(draft, {name: known[name] for name in named if name in known}), {}
    row = journeys.version(connection, journey_id, int(which))
    frozen = versions.frozen_version(connection, row.hash)
    return Side(frozen.journey, frozen.events), standing.standing(connection, row.id)
