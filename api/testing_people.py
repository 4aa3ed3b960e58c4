"""What is done in a test session over HTTP: test profiles are let in, events are fired, and what was sent is looked at."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from activities.reading import start_all
from api.auth import admin
from api.events import Entered, EventVerdict, tell
from api.messages import Previewed
from api.named import Id
from api.problems import answers
from api.records import TEXT
from api.runs import ProfileId, need_the_workflows
from api.services import Services, With
from api.testing import TestedModel, tested_of
from api.wire import Word
from journey import call_rendering, liquid_values, rendering, tracking
from journey.calls import RenderedCall
from journey.errors import BadInput, Unavailable
from journey.gate import MICROSECONDS
from journey.graph import NamespaceOrNone, Webhook
from journey.profiles import AttributeType
from journey.version import Version
from store import session_entering, session_events, session_log, sessions, versions
from store.session_entering import MOST
from store.session_events import Fired
from store.session_log import Content

router = APIRouter(prefix="/v1/journeys/{journey_id}/test", tags=["test mode"], dependencies=[Depends(admin)])

_STARTS_LATER = "Who was let in sets off as soon as the Temporal server can be reached again."
_CLICKED = re.compile(r'href="([^"]*/c/[^"]+)"')


class EntrantsRequest(BaseModel):
    """Who is to be let in: these test profiles, or up to so many of the segment at once. One of the two."""

    model_config = ConfigDict(extra="forbid")

    profiles: Annotated[list[ProfileId], Field(min_length=1, max_length=MOST)] | None = None
    up_to: Annotated[int, Field(ge=1, le=MOST)] | None = None


class RefusedModel(BaseModel):
    """Somebody who was not let in: the code of the discard, and a sentence."""

    model_config = ConfigDict(from_attributes=True)

    profile: str
    code: str
    sentence: str


class EnteredModel(BaseModel):
    """The ids of the entrants who were let in, and who was not."""

    entrants: list[str]
    refused: list[RefusedModel]
    note: str = ""


class FiredRequest(BaseModel):
    """An event to be fired. As a form: `event`, a definition that the journey waits for, its fields in `data`, and whose it is: `profile`,
    or `key` in the journey's namespace or another. Raw: `name` instead of `event`. `id` lets it be repeated without a second effect."""

    model_config = ConfigDict(extra="forbid")

    event: Annotated[str, Field(max_length=63)] = ""
    name: Word = ""
    profile: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    namespace: NamespaceOrNone = ""
    key: Word = ""
    data: dict[str, Any] = Field(default_factory=dict)
    id: Word = ""


class FieldModel(BaseModel):
    """One field of a form; `in_rule` says that the definition's rule looks at it."""

    name: str
    type: AttributeType | None
    in_rule: bool


class FormModel(BaseModel):
    """One event that the journey waits for, and what was last fired of it in this session. `match` is the name that it must have, `rule`
    the rule that its data must meet; `key` is the field that names its person and need not be filled in."""

    event: str
    name: str
    match: str
    rule: Any
    namespace: str
    key: str
    fields: list[FieldModel]
    last: dict[str, Any] | None


class Forms(BaseModel):
    """Every event that the journey waits for."""

    items: list[FormModel]


class ContentModel(Previewed):
    """What a delivery holds, made out once more for its person as they are now. `opened` is the address whose loading says that the e-mail
    was opened, `clicked` those of its links; for a push, post `opened_token` to /v1/push/opened. `webhook` is a call."""

    webhook: RenderedCall | None = None
    opened: str = ""
    clicked: list[str] = Field(default_factory=list)


@router.post("/entrants", status_code=201, responses=answers(404, 409))
async def enter_test(journey_id: Id, services: With, request: EntrantsRequest) -> EnteredModel:
    """Let test profiles in: those named, or up to 100 of the segment at once. Whoever is no test profile is refused, with a discard.

    409 `test_full` when more than 100 would be inside, 503 when the Temporal server cannot be reached: then nothing has happened.
    """
    if (request.profiles is None) == (request.up_to is None):
        raise BadInput("Give either `profiles`, a list of ids, or `up_to`, a number of test profiles of the segment.", where="profiles")
    await need_the_workflows(services)
    entered = await services.database.write(
        lambda work: (
            session_entering.enter(work, journey_id, request.profiles)
            if request.profiles is not None
            else session_entering.enter_up_to(work, journey_id, request.up_to or MOST)
        )
    )
    note = ""
    try:
        await start_all(services.workflows, entered.starts)
    except* Unavailable:
        note = _STARTS_LATER
    return EnteredModel(
        entrants=[start.entrant.entrant for start in entered.starts],
        refused=[RefusedModel.model_validate(one) for one in entered.refused],
        note=note,
    )


@router.get("/entrants/{entrant}", responses=answers(404))
async def get_tested(journey_id: Id, entrant: Annotated[str, Path(max_length=500, pattern=TEXT)], services: With) -> TestedModel:
    """One entrant of the test that is on."""
    return tested_of(journey_id, await services.database.read(lambda c: session_log.entrant(c, journey_id, entrant)))


@router.get("/forms", responses=answers(404))
async def get_forms(journey_id: Id, services: With) -> Forms:
    """The events that the journey waits for, as forms to be filled in."""

    def read(connection: Any) -> tuple[dict[str, Any], Version]:
        session = sessions.running(connection, journey_id)
        return session.forms, versions.frozen_version(connection, versions.row(connection, session.version).hash)

    last, frozen = await services.database.read(read)
    return Forms(items=[FormModel(**form) for form in session_events.forms(frozen, last)])


@router.post("/events", status_code=202, responses=answers(404))
async def fire(journey_id: Id, services: With, after: BackgroundTasks, request: FiredRequest) -> EventVerdict:
    """Fire an event. It reaches the test entrants of its person in this test alone: no live entrant, no other journey."""
    if bool(request.event) == bool(request.name):
        raise BadInput("Give either `event`, a definition that the journey waits for, or `name`, that of a raw event.", where="event")
    named = (request.event, request.name, request.profile, request.namespace, request.key)
    fired = Fired(request.id or f"generated-{uuid.uuid4()}", *named, request.data)
    source, verdict = await services.database.write(lambda work: session_events.fire(work, journey_id, fired))
    after.add_task(tell, services, [verdict])
    return EventVerdict(
        source=source, id=fired.id, duplicate=verdict.duplicate, generated_id=not request.id, code=verdict.code, detail=verdict.detail,
        entrants=[decided.entrant for decided in verdict.decided],
        entered=[Entered(journey=journey_id, entrant=start.entrant.entrant) for start in verdict.entered],
    )  # fmt: skip


@router.get("/deliveries/{delivery}", responses=answers(404))
async def get_content(journey_id: Id, delivery: Annotated[str, Path(max_length=600, pattern=TEXT)], services: With) -> ContentModel:
    """What was sent, or would have been."""
    content = await services.database.read(lambda c: session_log.content(c, journey_id, delivery))
    return await asyncio.to_thread(_made_out, content, delivery, services)


def _made_out(content: Content, delivery: str, services: Services) -> ContentModel:
    if isinstance(content.document, Webhook):
        values = liquid_values.of(
            content.profile, journey=content.journey, entrant=content.entrant, event=content.event, entry=content.entry,
            calls=content.calls, now=content.at,
        )  # fmt: skip
        return ContentModel(webhook=call_rendering.render(content.document, values | {"delivery": delivery}))
    context = rendering.Context(
        content.profile, delivery, content.journey, content.event, services.public_url, services.signer, services.mail_from,
        entry=content.entry, calls=content.calls, now=datetime.fromtimestamp(content.at / MICROSECONDS, UTC),
    )  # fmt: skip
    rendered = rendering.render(content.document, content.channel, context)
    if content.channel != "email":
        return ContentModel.model_validate({content.channel: rendered})
    opened = tracking.opened_url(services.public_url, services.signer.sign("o", delivery))
    html = str(getattr(rendered, "html", ""))
    return ContentModel.model_validate({"email": rendered, "opened": opened, "clicked": _CLICKED.findall(html)})
