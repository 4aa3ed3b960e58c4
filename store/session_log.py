"""What is seen of a test session: who is where, which way they went, what they got and what went wrong. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from journey import calls, ids, phases
from journey.errors import NotFound
from journey.events import Instant
from journey.graph import Webhook
from journey.messages import MessageDocument
from journey.phases import Look, Phase, Walked
from journey.profiles import Profile
from journey.version import Version
from store import messages, profiles, responses, schema, sessions, versions, views
from store.sessions import Running
from store.views import EntrantStory

_entrants, _steps, _events, _deliveries = schema.entrants.c, schema.steps.c, schema.events.c, schema.deliveries.c
_NEWEST = (
    select(_entrants.id)
    .where(_entrants.version == bindparam("version"))
    .order_by(_entrants.entered_at.desc(), _entrants.id.desc())
    .limit(bindparam("most"))
)
_ENDS = select(_entrants.end_reason, func.count()).where(_entrants.version == bindparam("version")).group_by(_entrants.end_reason)
_EVENT = (_events.source, _events.id, _events.name, _events.data, _events.accepted_at)
_LED = (
    select(_steps.n, *_EVENT)
    .join(schema.events, (_events.source == _steps.by_source) & (_events.id == _steps.by_event))
    .where(_steps.entrant == bindparam("entrant"), _steps.by_event != "")
    .order_by(_steps.n)
)
_LET_IN = (
    select(*_EVENT)
    .join(schema.entrants, (_events.source == _entrants.entry_source) & (_events.id == _entrants.entry_event))
    .where(_entrants.id == bindparam("entrant"), _entrants.entry_event != "")
)
_BROKEN = ("failed", "uncertain")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong at a node: the reason of its delivery, or of the end."""

    node: str
    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The event that decided a step, or by which somebody entered, with what was in it."""

    source: str
    id: str
    name: str
    data: dict[str, Any]
    accepted_at: Instant


@dataclass(frozen=True, slots=True)
class Tested:
    """One entrant of a session. `heard` maps the number of a step to the event that led to it; `looks` a node to how it looks for them."""

    story: EntrantStory
    phase: Phase
    looks: dict[str, Look]
    heard: dict[int, Heard]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A session with the newest of its entrants, and how many there are in each phase. `draft_changed` since it began."""

    session: Running
    frozen: Version
    draft_changed: bool
    counts: dict[Phase, int]
    entrants: tuple[Tested, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a delivery is made out of once more: its message as it was then, or its webhook; its person as they are now, the last event and
    the one by which they entered, and what webhooks have answered. `at` is when it was sent."""

    document: MessageDocument | Webhook
    profile: Profile
    event: dict[str, Any]
    entry: dict[str, Any]
    calls: dict[str, Any]
    journey: str
    entrant: str
    channel: str
    at: Instant


def read(connection: Connection, journey_id: str, most: int) -> Log:
    """The session of a journey with its newest entrants. Raises NotFound when no test is on."""
    session = sessions.running(connection, journey_id)
    frozen = versions.frozen_version(connection, versions.row(connection, session.version).hash)
    counts: dict[Phase, int] = {"running": 0, "finished": 0, "error": 0, "timed_out": 0}
    for reason, times in connection.execute(_ENDS, {"version": session.version}):
        counts[phases.phase(reason)] += int(times)
    newest = connection.execute(_NEWEST, {"version": session.version, "most": most}).scalars().all()
    etag = connection.execute(select(schema.journeys.c.etag).where(schema.journeys.c.id == journey_id)).scalar()
    return Log(session, frozen, etag != session.etag, counts, tuple(_tested(connection, one) for one in newest))


def entrant(connection: Connection, journey_id: str, entrant_id: str) -> Tested:
    """One entrant of the session that is on. Raises NotFound."""
    session = sessions.running(connection, journey_id)
    found = _tested(connection, entrant_id)
    if found.story.entrant.version != session.version:
        raise NotFound(f"{entrant_id} is not in the test of {journey_id} that is on.")
    return found


def content(connection: Connection, journey_id: str, delivery_id: str) -> Content:
    """What a delivery of the session that is on was made of. Raises NotFound, also for one that had nothing to be sent."""
    session = sessions.running(connection, journey_id)
    found = views.delivery(connection, delivery_id)
    step = connection.execute(select(schema.steps).where(_steps.entrant == found.entrant, _steps.n == found.n)).first()
    if found.version != session.version or step is None:
        raise NotFound(f"There is no delivery {delivery_id} in the test of {journey_id} that is on.")
    profile = profiles.read(connection, found.profile) or Profile(found.profile)
    heard = _heard(connection, found.entrant)
    events = [heard[n].data for n in sorted(heard) if n <= found.n and heard[n].source != ids.REACTIONS]
    entry = heard[0].data if 0 in heard else {}
    frozen = versions.frozen_version(connection, versions.row(connection, session.version).hash)
    node = frozen.journey.node(found.node)
    document = node if isinstance(node, Webhook) else messages.at(connection, found.message, step.revision)
    answers = calls.known(responses.of(connection, found.entrant))
    event = events[-1] if events else {}
    return Content(document, profile, event, entry, answers, journey_id, found.entrant, found.channel, step.opened_at)


def _tested(connection: Connection, entrant_id: str) -> Tested:
    story = views.entrant(connection, entrant_id)
    whose, path = story.entrant, story.path
    walked = [Walked(step.left, step.exit, step.node, step.outcome, step.place) for step in path]
    return Tested(
        story,
        phases.phase(whose.end_reason),
        phases.looks(walked, whose.place, is_open=whose.state == "open"),
        _heard(connection, entrant_id),
        _troubles(story, walked),
    )


def _heard(connection: Connection, entrant_id: str) -> dict[int, Heard]:
    """The events that decided steps, by their number; under 0 the one by which the entrant entered."""
    found = {row.n: Heard(*row[1:]) for row in connection.execute(_LED, {"entrant": entrant_id})}
    let_in = connection.execute(_LET_IN, {"entrant": entrant_id}).first()
    return found if let_in is None else found | {0: Heard(*let_in)}


def _troubles(story: EntrantStory, walked: Sequence[Walked]) -> tuple[Trouble, ...]:
    found = [Trouble(one.node, one.channel, one.reason or one.status) for one in story.deliveries if one.status in _BROKEN]
    if phases.phase(story.entrant.end_reason) in ("error", "timed_out"):
        last = next((step.node or step.left for step in reversed(walked) if step.node or step.left), "")
        found.append(Trouble(last, "", story.entrant.end_reason))
    return tuple(found)
