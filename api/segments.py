"""Segments: `GET PUT DELETE /v1/segments/{id}`, and how many people a rule holds for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection, and_

from api.auth import admin
from api.named import Id, same_id
from api.problems import answers
from api.services import With
from journey.errors import BadInput
from journey.events import Instant
from journey.graph import Document, RuleOrText, ThingId
from journey.rule_text import as_tree
from journey.rule_tree import Rule
from journey.segments import SegmentDocument
from store import profiles, schema, segments

router = APIRouter(prefix="/v1/segments", tags=["segments"], dependencies=[Depends(admin)])
_SAMPLE = 5
_ALWAYS = 2**62  # a cutoff that nobody was created after


class SegmentBody(SegmentDocument):
    """A segment; its id may be left out, the address has it."""

    id: str = ""


class Segments(BaseModel):
    """Every segment, in order of id."""

    items: list[SegmentDocument]


class Question(Document):
    """A rule, as a text or a tree, or the id of a segment: one of the two."""

    rule: RuleOrText | None = None
    segment: ThingId | None = None


class Estimate(BaseModel):
    """How many people a rule holds for now, how many of them are test profiles, and the ids of a few."""

    count: int
    test_profiles: int
    sample: Annotated[list[str], Field(max_length=_SAMPLE)]


@router.get("")
async def list_segments(services: With) -> Segments:
    """Every segment."""
    return Segments(items=list((await services.database.read(segments.all_of)).values()))


@router.put("/{segment_id}")
async def put_segment(services: With, segment_id: Id, body: SegmentBody) -> SegmentDocument:
    """Keep a segment as given. Journeys that read it read the new rule from now on."""
    document = SegmentDocument(id=same_id(body.id, segment_id), name=body.name, rule=body.rule)
    await services.database.write(lambda work: segments.put(work, document))
    return document


@router.get("/{segment_id}", responses=answers(404))
async def get_segment(services: With, segment_id: Id) -> SegmentDocument:
    """A segment as it was put."""
    return await services.database.read(lambda connection: segments.get(connection, segment_id))


@router.delete("/{segment_id}", status_code=204, responses=answers(404, 409))
async def delete_segment(services: With, segment_id: Id) -> None:
    """Take a segment away that no running version reads."""
    await services.database.write(lambda work: segments.delete(work, segment_id))


@router.post(":estimate", responses=answers(404))
async def estimate(services: With, question: Question) -> Estimate:
    """Ask the people that are there now; nothing is kept."""
    if (question.rule is None) == (question.segment is None):
        raise BadInput("Give a rule, or the id of a segment, and not both.", where="rule")
    asked = as_tree(question.rule) if question.rule is not None else None
    now = services.database.clock.now()
    return await services.database.read(lambda connection: _estimate(connection, asked, question.segment or "", now))


def _estimate(connection: Connection, asked: Rule | None, segment_id: str, now: Instant) -> Estimate:
    tree = asked if asked is not None else segments.get(connection, segment_id).tree
    where = segments.where(connection, tree, now)
    return Estimate(
        count=profiles.count(connection, where),
        test_profiles=profiles.count(connection, and_(where, schema.profiles.c.test)),
        sample=[member.id for member in profiles.page(connection, where, "", _SAMPLE, _ALWAYS)],
    )
