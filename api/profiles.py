"""People: `PUT GET PATCH DELETE /v1/profiles/{id}`, and the import of many."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response
from pydantic import Field, StrictBool

from api import profile_import, profile_values
from api.auth import By, admin, sender
from api.events import tell
from api.named import same_id
from api.problems import answers
from api.services import With
from journey.graph import Document
from journey.profiles import PROFILE_ID, ProfileDocument, PushToken
from store import changes, profiles
from store.changes import SetOff

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], dependencies=[Depends(admin)])
written = APIRouter(prefix="/v1/profiles", tags=["profiles"], dependencies=[Depends(sender)])
"""What writes profiles and reads nothing of them, which a key of the scope ingest opens."""

ProfilePath = Annotated[str, Path(min_length=1, max_length=200, pattern=PROFILE_ID, description="Up to 200 bytes without `/`.")]


class ProfileBody(ProfileDocument):
    """A profile; its id may be left out, the address has it."""

    id: str = ""


class ProfileChange(Document):
    """What changes of a profile: entries are merged, a null takes one out, `push_tokens` replaces the list, what is absent stays."""

    attributes: dict[str, Any] = Field(default_factory=dict)
    identities: dict[str, str | None] = Field(default_factory=dict)
    consents: dict[str, StrictBool | None] = Field(default_factory=dict)
    push_tokens: tuple[PushToken, ...] | None = None
    test: StrictBool | None = None


@written.put("/{profile_id}", responses=answers(409))
async def put_profile(services: With, profile_id: ProfilePath, body: ProfileBody, after: BackgroundTasks) -> ProfileDocument:
    """Keep a profile as given; what was there under its id is replaced. Takes a key of the scope `ingest` too."""
    document = body.model_copy(update={"id": same_id(body.id, profile_id)})
    profile_values.check(document)
    set_off = await services.database.write(lambda work: changes.put(work, document))
    after.add_task(tell, services, [set_off])
    return document


@router.get("/{profile_id}", responses=answers(404))
async def get_profile(services: With, profile_id: ProfilePath) -> ProfileDocument:
    """A profile as it is now."""
    return await services.database.read(lambda connection: profiles.get(connection, profile_id))


@written.patch(
    "/{profile_id}",
    response_model=ProfileDocument,
    responses=answers(404, 409) | {204: {"description": "It is done. A key of the scope `ingest` is not told what else is known."}},
)
async def patch_profile(
    services: With, by: By, profile_id: ProfilePath, change: ProfileChange, after: BackgroundTasks
) -> ProfileDocument | Response:
    """Change what is named and leave the rest. Takes a key of the scope `ingest` too, which gets no profile to read (204)."""
    profile_values.check_entries(change.attributes, change.identities, change.consents, len(change.push_tokens or ()))
    done = await services.database.write(
        lambda work: changes.patch(
            work,
            profile_id,
            attributes=change.attributes,
            identities=change.identities,
            consents=change.consents,
            push_tokens=change.push_tokens,
            test=change.test,
        )
    )
    after.add_task(tell, services, [done.set_off])
    return done.profile if by.reads else Response(status_code=204)


@router.delete("/{profile_id}", status_code=204, responses=answers(404))
async def delete_profile(services: With, profile_id: ProfilePath, after: BackgroundTasks) -> None:
    """Forget a profile and its identities."""
    set_off = await services.database.write(lambda work: changes.delete(work, profile_id))
    after.add_task(tell, services, [set_off])


_BODIES = {kind: {"schema": {"type": "string"}} for kind in profile_import.KINDS}


@written.post(":import", responses=answers(415), openapi_extra={"requestBody": {"required": True, "content": _BODIES}})
async def import_profiles(services: With, request: Request) -> profile_import.Imported:
    """Keep many profiles from CSV or NDJSON, as the body comes. A line that cannot be kept is reported and the others are kept.

    A line changes what it names in a profile that is there and leaves the rest: attributes and identities are merged, null takes one
    out of the attributes. A consent that was withdrawn stays so, whatever a line says; `PATCH` of the profile gives it back.
    Takes a key of the scope `ingest` too."""
    reader = profile_import.reader_of(request.headers)

    async def told(set_off: SetOff) -> None:
        await tell(services, [set_off])

    return await profile_import.run(services.database, reader, request.stream(), told)
