"""Test sessions over HTTP: a draft is put into test, looked at, and taken out of it. It decides nothing: store/sessions.py does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import admin
from api.entrants import BranchModel, EntrantModel, WaitingModel
from api.instants import Moment
from api.named import Id
from api.problems import FindingModel, answers
from api.records import DeliveryModel
from api.services import Services, With
from journey import durations
from journey.errors import BadInput, Unavailable
from journey.phases import Look, Phase
from journey.reports import NodeReport
from journey.version import Session
from store import reports, session_log, session_starting, sessions
from store.session_log import Log, Tested
from store.views import StepView

router = APIRouter(prefix="/v1/journeys", tags=["test mode"], dependencies=[Depends(admin)])

LONGEST = 86400
"""Seconds that a squeezed wait may last: a test is over in a day at most, gate by gate."""
Entrants = Annotated[int, Query(ge=0, le=100, description="How many entrants to show, the newest first.")]
_WAITS = "Its people end as soon as the Temporal server can be reached again; from now on nobody of them acts."


class SessionRequest(BaseModel):
    """How a draft is tested. `channels`: messages go to the development inbox, or are really sent. `webhooks`: calls are only recorded, or
    really made. `wait` is what every wait and timeout is squeezed to, `reaction_wait` in a gate with a reaction, four times as long when it
    is left out. `branches` maps a split to the share that everybody takes there."""

    model_config = ConfigDict(extra="forbid")

    channels: Literal["inbox", "real"] = "inbox"
    webhooks: Literal["recorded", "real"] = "recorded"
    wait: Annotated[str, Field(max_length=50)] = "PT10S"
    reaction_wait: Annotated[str, Field(max_length=50)] = ""
    branches: Annotated[dict[str, str], Field(max_length=100)] = Field(default_factory=dict)


class SessionModel(BaseModel):
    """A test session. `wait` and `reaction_wait` in seconds; it ends by itself at `expires_at` when nothing is done in it until then.
    `draft_changed` since it began: what is tested is the draft as it was."""

    journey: str
    version: str
    channels: Literal["inbox", "real"]
    webhooks: Literal["recorded", "real"]
    wait: int
    reaction_wait: int
    branches: dict[str, str]
    started_at: Moment
    used_at: Moment
    expires_at: Moment
    draft_changed: bool


class StartedModel(BaseModel):
    """A session that began, and what the validator warns of. `replaced` is the version of the session before, whose people end."""

    session: SessionModel
    replaced: str | None
    findings: list[FindingModel]
    note: str = ""


class EventSeen(BaseModel):
    """The event that decided a step, or by which somebody entered, with what was in it."""

    source: str
    id: str
    name: str
    data: dict[str, Any]
    accepted_at: Moment


class StepSeen(BaseModel):
    """One step of a path: the node it left and by which exit, and by which event; where it acted, how that came out, where it led."""

    n: int
    left: str
    exit: str
    event: EventSeen | None
    node: str
    outcome: str
    place: list[str]
    said: str
    opened_at: Moment | None
    closed_at: Moment | None
    why: list[BranchModel]


class DeliverySeen(DeliveryModel):
    """A delivery; `content` is the address of what was in it, empty when nothing was to be sent."""

    content: str


class Trouble(BaseModel):
    """Something that went wrong at a node: the reason of a delivery on a channel, or of the end."""

    model_config = ConfigDict(from_attributes=True)

    node: str
    channel: str
    reason: str


class TestedModel(BaseModel):
    """One entrant of a test. `nodes` says how each node looks that they came to, in the order of their coming; `waiting` is null when they
    are under way or ended."""

    entrant: EntrantModel
    phase: Phase
    path: list[StepSeen]
    waiting: WaitingModel | None
    nodes: dict[str, Look]
    deliveries: list[DeliverySeen]
    errors: list[Trouble]


class NodeSeen(BaseModel):
    """A node with its numbers in this session. `look` is how it looks for whoever entered last, empty when they did not come to it."""

    look: Look | Literal[""]
    numbers: NodeReport


class LogModel(BaseModel):
    """A session: how many are in each phase, each node of the journey, and the entrants, the newest first."""

    session: SessionModel
    phases: dict[Phase, int]
    nodes: list[NodeSeen]
    entrants: list[TestedModel]


class EndedModel(BaseModel):
    """The version of the session that ended; everybody in it ends with `test_ended`."""

    version: str
    note: str = ""


@router.post("/{journey_id}:test", status_code=201, responses=answers(404, 409))
async def start_test(journey_id: Id, services: With, request: SessionRequest | None = None) -> StartedModel:
    """Put the draft as it is now into test. A test that is on ends and is replaced.

    409 `journey_invalid` with every finding when the draft has an error. The live version and its people do not notice.
    """
    wanted = _session(request or SessionRequest())
    started = await services.database.write(lambda work: session_starting.start(work, journey_id, wanted, services.public_url))
    note = await wind_down(services, started.replaced)
    log = await services.database.read(lambda c: session_log.read(c, journey_id, 0))
    findings = [FindingModel(**asdict(finding)) for finding in started.findings]
    return StartedModel(session=session_of(log), replaced=started.replaced, findings=findings, note=note)


@router.get("/{journey_id}/test", responses=answers(404))
async def get_test(journey_id: Id, services: With, entrants: Entrants = 20) -> LogModel:
    """The test that is on: who is where and until when, which way they went, what they got, and what went wrong."""

    def read_log(connection: Any) -> tuple[Log, list[NodeReport]]:
        log = session_log.read(connection, journey_id, entrants)
        return log, list(reports.report(connection, log.session.version, log.frozen.journey, "test").nodes)

    log, nodes = await services.database.read(read_log)
    last = log.entrants[0].looks if log.entrants else {}
    return LogModel(
        session=session_of(log),
        phases=log.counts,
        nodes=[NodeSeen(look=last.get(node.node, ""), numbers=node) for node in nodes],
        entrants=[tested_of(journey_id, one) for one in log.entrants],
    )


@router.delete("/{journey_id}/test", responses=answers(404))
async def end_test(journey_id: Id, services: With) -> EndedModel:
    """End the test: everybody in it ends, its numbers are gone, and the journey is a draft as before."""

    def end(work: Any) -> str:
        sessions.running(work.connection, journey_id)
        return sessions.end(work, journey_id) or ""

    version = await services.database.write(end)
    return EndedModel(version=version, note=await wind_down(services, version))


async def wind_down(services: Services, version: str | None) -> str:
    """Have the people of a session that is over told; returns a note when that has to wait, else nothing."""
    if not version:
        return ""
    try:
        await services.workflows.wind_down(version, "test_ended")
    except Unavailable:
        return _WAITS
    return ""


def session_of(log: Log) -> SessionModel:
    """A session as it is shown."""
    held, frozen = log.session, log.frozen.session or Session()
    return SessionModel(
        journey=held.journey, version=held.version, started_at=held.started_at, used_at=held.used_at, expires_at=held.expires_at,
        draft_changed=log.draft_changed, **frozen.model_dump(),
    )  # fmt: skip


def tested_of(journey_id: str, tested: Tested) -> TestedModel:
    """One entrant as it is shown."""
    story = tested.story
    return TestedModel(
        entrant=EntrantModel.model_validate(story.entrant),
        phase=tested.phase,
        path=[_step(step, tested) for step in story.path],
        waiting=None if story.waiting is None else WaitingModel.model_validate(story.waiting),
        nodes=tested.looks,
        deliveries=[
            DeliverySeen(
                **DeliveryModel.model_validate(one).model_dump(),
                content="" if one.status == "excluded" else f"/v1/journeys/{journey_id}/test/deliveries/{one.id}",
            )
            for one in story.deliveries
        ],
        errors=[Trouble.model_validate(one) for one in tested.troubles],
    )


def _step(step: StepView, tested: Tested) -> StepSeen:
    heard = tested.heard.get(step.n)
    event = None if heard is None else EventSeen(**asdict(heard))
    return StepSeen(
        n=step.n, left=step.left, exit=step.exit, event=event, node=step.node, outcome=step.outcome, place=list(step.place),
        said=step.said, opened_at=step.opened_at, closed_at=step.closed_at, why=[BranchModel.model_validate(branch) for branch in step.why],
    )  # fmt: skip


def _session(request: SessionRequest) -> Session:
    wait = _seconds("wait", request.wait)
    reaction_wait = _seconds("reaction_wait", request.reaction_wait) if request.reaction_wait else min(4 * wait, LONGEST)
    return Session(
        channels=request.channels, webhooks=request.webhooks, wait=wait, reaction_wait=reaction_wait, branches=request.branches
    )  # fmt: skip


def _seconds(field: str, text: str) -> int:
    found = durations.seconds(text)
    if found > LONGEST:
        raise BadInput(f"{field}: in a test nothing waits for longer than a day, write PT10S for example.", where=field)
    return found
