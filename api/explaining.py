"""Why somebody is where they are, and what an event would do, over HTTP: every condition with the values it met. It changes nothing."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict

from api import strict_json, unpacking, wire
from api.auth import admin
from api.events import EVENT_BODY, EventVerdict, shown
from api.instants import Moment
from api.problems import answers
from api.records import TEXT
from api.services import With
from journey.errors import BadInput
from store import explaining
from store.acceptance import Policy
from store.rehearsal import rehearse

router = APIRouter(tags=["explain"], dependencies=[Depends(admin)])


class RuleModel(BaseModel):
    """A rule asked of one event or person. A group has `combinator`, `negated` and `parts`; a test has `field`, `operator`, the value
    `found` and the one `wanted`. `why` says so when the two could not be compared."""

    model_config = ConfigDict(from_attributes=True)

    verdict: bool
    combinator: str = ""
    negated: bool = False
    parts: list[RuleModel] = []
    field: str = ""
    operator: str = ""
    found: Any = None
    wanted: Any = None
    why: str = ""


class SaidModel(BaseModel):
    """Whether something fits, why as a sentence, and the rule that was asked, null where there is none."""

    model_config = ConfigDict(from_attributes=True)

    fits: bool
    sentence: str
    rule: RuleModel | None = None


class NodeSaidModel(BaseModel):
    """What a node of a gate has to say to an event."""

    model_config = ConfigDict(from_attributes=True)

    node: str
    kind: str
    said: SaidModel


class HeardModel(BaseModel):
    """One event and what it meant to the entrant: it let them in, decided `node`, is kept for the next gate, or did nothing, for the reason
    `code` (where a discard is on record) and `sentence`. `place` is where the entrant stood then, `waiting` or under way."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    id: str
    name: str
    accepted_at: Moment
    effect: Literal["entered", "decided", "ended", "kept", "none"]
    node: str
    code: str
    sentence: str
    place: list[str]
    waiting: bool
    nodes: list[NodeSaidModel]


class HeardList(BaseModel):
    """The events since an entrant came in, oldest first; the last 200."""

    items: list[HeardModel]


class DefinitionSaidModel(SaidModel):
    """What an event definition has to say to an event."""

    definition: str


class EntrySaidModel(SaidModel):
    """What a version that begins with an event has to say to it."""

    version: str


class ListenerModel(BaseModel):
    """An open entrant of the person: where it stands, and what each node there says to the event."""

    model_config = ConfigDict(from_attributes=True)

    entrant: str
    journey: str
    version: str
    place: list[str]
    waiting: bool
    until: Moment | None
    nodes: list[NodeSaidModel]


class ForetoldModel(BaseModel):
    """What would become of an event if it were sent now: `verdict` is what sending it would answer, `word` the same in one word."""

    word: Literal["duplicate", "discarded", "decided", "entered", "kept"]
    verdict: EventVerdict
    definitions: list[DefinitionSaidModel]
    entrants: list[ListenerModel]
    entries: list[EntrySaidModel]


@router.get("/v1/entrants/{entrant}/heard", responses=answers(404))
async def heard(entrant: Annotated[str, Path(max_length=500, pattern=TEXT)], services: With) -> HeardList:
    """Every event since an entrant came in, with each condition's values: why it counted, or did not."""
    found = await services.database.read(lambda connection: explaining.heard(connection, entrant))
    return HeardList(items=[HeardModel.model_validate(one) for one in found])


@router.post("/v1/events:explain", openapi_extra=EVENT_BODY, responses=answers(400))
async def explain(request: Request, services: With) -> ForetoldModel:
    """What would become of one event, before it is sent: whose it would be, which definitions describe it, and what everybody there would
    say to it. Nothing is kept, and nobody is told."""
    data = strict_json.read(await unpacking.read(request))
    if isinstance(data, list):
        raise BadInput("Explain one event at a time: send an object, not an array.")
    incoming = wire.read_event(data)
    policy = Policy(services.create_profiles, services.too_old_seconds)
    told = await rehearse(services.database, partial(explaining.foretell, arrived=incoming.arrived, policy=policy))
    return ForetoldModel(
        word=told.verdict.word,
        verdict=EventVerdict(**shown(incoming, told.verdict)),
        definitions=[
            DefinitionSaidModel(definition=name, **SaidModel.model_validate(said).model_dump()) for name, said in told.definitions
        ],
        entrants=[ListenerModel.model_validate(one) for one in told.listeners],
        entries=[EntrySaidModel(version=name, **SaidModel.model_validate(said).model_dump()) for name, said in told.entries],
    )
