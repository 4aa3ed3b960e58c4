"""What would become of people inside at a publish, over HTTP: store/planning.py counts. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.auth import admin
from api.named import Id
from api.problems import FindingModel, answers
from api.services import With
from journey import walk
from journey.succession import Kind, Succession
from store import planning
from store.planning import PlannedPlace, PlannedVersion

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])


class SumsModel(BaseModel):
    """People: each is in one of the first four. `woken` are those of them who move or leave at once, not at their next stop."""

    people: int
    stays: int
    moves: int
    leaves: int
    cannot_move: int
    woken: int


class PlannedPlaceModel(BaseModel):
    """A place of an older version, the people there now, and what becomes of them.

    Who moves goes on at `place` of the version `to`; `nodes` says which nodes of the old place go on as which of the new. Who leaves ends
    for `reason`. Who cannot move stays, for the reason `code`, in words `why`, and is looked at again at each of their stops. `wakes`: they
    are told at once, the others go at their next stop.
    """

    was: list[str]
    people: int
    kind: Kind
    to: str
    place: list[str]
    nodes: dict[str, str]
    wakes: bool
    reason: str
    code: str
    why: str


class PlannedVersionModel(BaseModel):
    """An older version in which people are, place by place in the order of its drawing, empty ones too."""

    version: str
    places: list[PlannedPlaceModel]
    sums: SumsModel


class PlanModel(BaseModel):
    """What a publish would do with people inside. `version` is the one that it would make; `findings` are warnings about the draft."""

    journey: str
    version: str
    older: list[PlannedVersionModel]
    sums: SumsModel
    findings: list[FindingModel]


@router.post("/{journey_id}:plan", responses=answers(404, 409))
async def plan(journey_id: Id, services: With, succession: Succession | None = None) -> PlanModel:
    """Count what would become of everybody inside if the draft were published now with this body. Nothing is changed.

    409 as `:publish` answers it: with every finding of a draft or of a map that is not valid, `unchanged` when there is nothing to publish.
    """
    told = succession or Succession()
    now = services.database.clock.now()
    found = await services.database.read(lambda c: planning.plan(c, journey_id, told, services.public_url, now))
    return PlanModel(
        journey=journey_id,
        version=found.version,
        older=[_version(one) for one in found.older],
        sums=_sums(place for one in found.older for place in one.places),
        findings=[FindingModel(**asdict(finding)) for finding in found.findings],
    )


def _version(planned: PlannedVersion) -> PlannedVersionModel:
    return PlannedVersionModel(version=planned.version, places=[_place(one) for one in planned.places], sums=_sums(planned.places))


def _place(planned: PlannedPlace) -> PlannedPlaceModel:
    found = planned.destination
    return PlannedPlaceModel(
        was=list(walk.nodes_of(planned.place)), people=planned.people, kind=found.kind, to=planned.to,
        place=list(walk.nodes_of(found.place)), nodes=dict(found.nodes), wakes=found.wakes, reason=found.reason, code=found.code,
        why=found.why,
    )  # fmt: skip


def _sums(places: Iterable[PlannedPlace]) -> SumsModel:
    counts = dict.fromkeys(SumsModel.model_fields, 0)
    for one in places:
        counts["people"] += one.people
        counts[one.destination.kind] += one.people
        counts["woken"] += one.people if one.destination.wakes else 0
    return SumsModel(**counts)
