"""API keys: `POST GET DELETE /v1/keys`. A secret is shown once, in the answer that makes it, and can be read nowhere afterwards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from api import paging
from api.auth import admin
from api.instants import Moment
from api.paging import Cursor, Limit
from api.problems import answers
from api.services import With
from journey.errors import BadInput
from journey.graph import Document, NamespaceOrNone
from store import keys
from store.keys import ADMIN, INGEST, ApiKey, Scope

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(admin)])

KeyPath = Annotated[str, Path(pattern=r"^key-[0-9a-f]{16}$", description="The id of a key, not its secret.")]


class KeyBody(Document):
    """A key to be made: what it is for, and what it opens. `ingest` opens what sends data in and has the `namespace` of the users' ids in
    Segment's calls; `admin` opens everything and has none."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    scope: Scope
    namespace: NamespaceOrNone = ""


class KeyModel(BaseModel):
    """A key without its secret. `last_used_at` is the beginning of the hour in which it was used last, null when it never was."""

    id: str
    name: str
    scope: Scope
    namespace: str
    created_at: Moment
    last_used_at: Moment | None


class MadeKey(KeyModel):
    """A key that has just been made. `key` is its secret: keep it now, nobody can read it again."""

    key: str


class KeyList(BaseModel):
    """A page, the oldest first; `next` is the cursor of the next one, null on the last."""

    items: list[KeyModel]
    next: str | None


@router.post("", status_code=201)
async def make_key(services: With, body: KeyBody, response: Response) -> MadeKey:
    """Make an API key. Its secret, `key`, is in this answer and nowhere else: only a hash of it is kept."""
    if body.scope == INGEST and not body.namespace:
        raise BadInput("namespace: say what the users' ids in Segment's calls are with this key, as customer_id.", where="namespace")
    if body.scope == ADMIN and body.namespace:
        raise BadInput("namespace: only a key of the scope ingest has one.", where="namespace")
    made, secret = await services.database.write(lambda work: keys.make(work, body.name, body.scope, body.namespace))
    response.headers["Cache-Control"] = "no-store"
    return MadeKey(**_fields(made), key=secret)


@router.get("")
async def list_keys(services: With, cursor: Cursor = "", limit: Limit = 100) -> KeyList:
    """A page of keys, without their secrets."""
    after = paging.read(cursor, (int, str))
    found = await services.database.read(lambda connection: keys.page(connection, after, limit + 1))
    items = found[:limit]
    more = len(found) > limit
    return KeyList(
        items=[KeyModel(**_fields(one)) for one in items],
        next=paging.write((items[-1].created_at, items[-1].id)) if more else None,
    )


@router.delete("/{key_id}", status_code=204, responses=answers(404))
async def revoke_key(services: With, key_id: KeyPath) -> None:
    """Revoke a key. This process takes it no more; another one may for two seconds."""
    try:
        await services.database.write(lambda work: keys.revoke(work, key_id))
    finally:  # also where nobody knows whether it is committed
        services.keys.forget()


def _fields(key: ApiKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in KeyModel.model_fields}
