"""Event definitions: `GET PUT DELETE /v1/event-definitions/{id}`."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.auth import admin
from api.named import Id, same_id
from api.problems import answers
from api.services import With
from journey.events import EventDefinition
from store import definitions

router = APIRouter(prefix="/v1/event-definitions", tags=["event definitions"], dependencies=[Depends(admin)])


class DefinitionBody(EventDefinition):
    """An event definition; its id may be left out, the address has it."""

    id: str = ""


class Definitions(BaseModel):
    """Every definition, in the order in which they are tried: by id."""

    items: list[EventDefinition]


@router.get("", response_model_exclude_none=True)
async def list_definitions(services: With) -> Definitions:
    """Every event definition."""
    return Definitions(items=list((await services.database.read(definitions.all_of)).values()))


@router.put("/{definition_id}", response_model_exclude_none=True)
async def put_definition(services: With, definition_id: Id, body: DefinitionBody) -> EventDefinition:
    """Keep a definition as given. Versions that are published already keep the one they froze."""
    document = body.model_copy(update={"id": same_id(body.id, definition_id)})
    await services.database.write(lambda work: definitions.put(work, document))
    return document


@router.get("/{definition_id}", response_model_exclude_none=True, responses=answers(404))
async def get_definition(services: With, definition_id: Id) -> EventDefinition:
    """A definition as it was put."""
    return await services.database.read(lambda connection: definitions.get(connection, definition_id))


@router.delete("/{definition_id}", status_code=204, responses=answers(404))
async def delete_definition(services: With, definition_id: Id) -> None:
    """Take a definition away; versions that froze it keep it."""
    await services.database.write(lambda work: definitions.delete(work, definition_id))
