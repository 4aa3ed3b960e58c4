"""Messages: `GET PUT DELETE /v1/messages/{id}`, and a preview for one person."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import profile_values
from api.auth import admin
from api.named import Id, same_id
from api.problems import answers
from api.profiles import ProfileBody
from api.services import Services, With
from journey import ids, rendering
from journey.errors import BadInput, NotFound
from journey.graph import Document
from journey.messages import MessageDocument, RenderedEmail, RenderedPush
from journey.profiles import Profile
from journey.validation.content import of_message
from store import messages, profiles

router = APIRouter(prefix="/v1/messages", tags=["messages"], dependencies=[Depends(admin)])

_REVISION = {"headers": {"ETag": {"description": "The revision, in quotes.", "schema": {"type": "string"}}}}
_WITH_REVISION: dict[int | str, dict[str, Any]] = {200: _REVISION}
_NOBODY = "preview"


class MessageBody(MessageDocument):
    """A message; its id may be left out, the address has it."""

    id: str = ""


class Messages(BaseModel):
    """Every message at its latest revision, in order of id."""

    items: list[MessageDocument]


class Preview(Document):
    """For whom a preview is: the id of a profile, or a profile as it could be. `event` is the data of the event that led to the message."""

    profile: str | ProfileBody = Field(default_factory=ProfileBody)
    event: dict[str, Any] = Field(default_factory=dict)


class Previewed(BaseModel):
    """What would be sent on each channel that the message has; its links and tokens belong to no delivery."""

    email: RenderedEmail | None = None
    push: RenderedPush | None = None


@router.get("", response_model_exclude_none=True)
async def list_messages(services: With) -> Messages:
    """Every message."""
    return Messages(items=list((await services.database.read(messages.all_of)).values()))


@router.put("/{message_id}", response_model_exclude_none=True, responses=_WITH_REVISION)
async def put_message(services: With, message_id: Id, body: MessageBody, response: Response) -> MessageDocument:
    """Keep a message; content that differs is a new revision, which people who come later get. Liquid that cannot be read is refused."""
    document = body.model_copy(update={"id": same_id(body.id, message_id)})
    for finding in of_message(document):
        if finding.code == "template_invalid":
            raise BadInput(finding.sentence, code=finding.code, where=finding.field)
    revision = await services.database.write(lambda work: messages.put(work, document))
    response.headers["ETag"] = f'"{revision}"'
    return document


@router.get("/{message_id}", response_model_exclude_none=True, responses=_WITH_REVISION | answers(404))
async def get_message(services: With, message_id: Id, response: Response) -> MessageDocument:
    """A message at its latest revision."""
    revision, document = await services.database.read(lambda connection: messages.latest(connection, message_id))
    response.headers["ETag"] = f'"{revision}"'
    return document


@router.delete("/{message_id}", status_code=204, responses=answers(404, 409))
async def delete_message(services: With, message_id: Id) -> None:
    """Take a message away that no running version sends."""
    await services.database.write(lambda work: messages.delete(work, message_id))


@router.post("/{message_id}:preview", responses=answers(404))
async def preview(services: With, message_id: Id, wanted: Preview) -> Previewed:
    """Make the message out for one person and send nothing. Consent, addresses and tokens are not looked at."""
    document = await services.database.read(lambda connection: messages.get(connection, message_id))
    person = await services.database.read(lambda connection: _person(connection, wanted.profile))
    return await asyncio.to_thread(_made_out, document, person, wanted.event, services)


def _person(connection: Connection, wanted: str | ProfileBody) -> Profile:
    if isinstance(wanted, str):
        found = profiles.read(connection, wanted)
        if found is None:
            raise NotFound(f"There is no profile {wanted!r}; put it first, or send a profile instead of its id.")
        return found
    document = wanted.model_copy(update={"id": wanted.id or _NOBODY})
    profile_values.check(document)
    tokens = tuple(token.token for token in document.push_tokens)
    return Profile(document.id, document.attributes, document.consents, tokens, document.test)


def _made_out(document: MessageDocument, person: Profile, event: dict[str, Any], services: Services) -> Previewed:
    def context(channel: str) -> rendering.Context:
        # No journey has an empty id: the tokens of a preview name no delivery that could ever be.
        delivery = ids.delivery(ids.entrant("", person.id, 1), 1, channel)
        return rendering.Context(person, delivery, _NOBODY, event, services.public_url, services.signer, services.mail_from)

    return Previewed.model_validate({channel: rendering.render(document, channel, context(channel)) for channel in document.channels})
