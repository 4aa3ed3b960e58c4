"""What a rule or a wait looks at when it is decided: who the person is, what they did, the event that led them there. It decides
nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from journey import calls, ids, keeping, local_time, matching, past, rules
from journey.contract import Proposal
from journey.events import Event, Instant
from journey.matching import About, Gather
from journey.profiles import Profile
from journey.rule_tree import Rule
from journey.version import Version
from store import profiles, responses, schema, segments
from store.entrants import Entrant
from store.statements import Statement
from store.work import Work


def scope(work: Work, entrant: Entrant, proposal: Proposal, asked: Sequence[Rule] = ()) -> rules.Scope:
    """What rules about a person stand for at this step of an entrant, with what these need of the past, of segments and of the clock."""
    entry = entry_of(work, entrant)
    found = _scope(work, entrant.profile, event_of(work, proposal, entry), entry, answered(work, entrant))
    return _gathered(work.connection, entrant.frozen, entrant.profile, found, asked, work.now())


def before(connection: Connection, version: Version, profile: str) -> Gather:
    """What rules over an event ask of what was before it: of the past, of segments and of the clock."""
    return lambda found, rule, event: _gathered(connection, version, profile, found, [rule], event.accepted_at, earlier=1)


def _gathered(
    connection: Connection, version: Version, profile: str, found: rules.Scope, asked: Sequence[Rule], at: Instant, *,
    earlier: Instant = 0,
) -> rules.Scope:  # fmt: skip
    """`earlier` is how long before `at` what counts is over."""
    wanted = past.needs(asked)
    if wanted.nothing:
        return found
    until = at - earlier
    return past.known(
        found, wanted, at, clock=lambda: local_time.reading(at, version.journey.timezone), definitions=version.events,
        events=done_by(connection, profile, wanted, at, until, version) if wanted.events else (),
        member=lambda name: segments.is_member(connection, name, profile, until),
    )  # fmt: skip


def done_by(
    connection: Connection, profile: str, wanted: past.Needs, at: Instant, until: Instant, version: Version | None = None
) -> list[Event]:  # fmt: skip
    """What somebody did that rules ask for, as far back from `at` as they ask, until an instant. What was fired in a test counts in a
    version that tests the same journey, and nowhere else."""
    since = 0 if wanted.within is None else at - wanted.within
    rows = _DONE.all(connection, {"profile": profile, "since": since, "until": until})
    tested = version.journey.id if version is not None and version.session is not None else ""
    counting = (row for row in rows if ids.is_past_of(row.source, tested))
    return [Event(row.source, row.id, row.name, row.data, profile, row.occurred_at, row.accepted_at) for row in counting]


def on_entry(work: Work, profile_id: str, entry: tuple[str, str]) -> rules.Scope:
    """The same of somebody who is just let in, by this event (source, id) if one did."""
    data = _data(work, *entry)
    return _scope(work, profile_id, data, data)


def answered(work: Work, entrant: Entrant) -> Mapping[str, Any]:
    """What webhooks have answered so far, as `calls` stands for it; of a journey without webhooks nothing is asked."""
    return calls.known(responses.of(work.connection, entrant.id)) if entrant.frozen.calls else {}


def about(work: Work, entrant: Entrant) -> About:
    """What the rules over events of its version ask beside an event, looked up only as far as they ask."""
    asked = matching.asks(entrant.frozen)
    if not asked:
        return matching.NOTHING
    profile = profiles.read(work.connection, entrant.profile) if "profile" in asked else None
    entry = entry_of(work, entrant) if "entry" in asked else {}
    gather = before(work.connection, entrant.frozen, entrant.profile) if "past" in asked else None
    return About(profile.attributes if profile is not None else {}, entry, gather)


def about_entry(work: Work, entry: tuple[str, str]) -> About:
    """What a rule may ask of the event (source, id) that lets somebody in."""
    return About(entry=_data(work, *entry))


def been(work: Work, entrant: Entrant) -> keeping.Passed:
    """Where an entrant has been, and when it came there, as far as its version asks."""
    if not keeping.looks_back(entrant.frozen):
        return {}
    found = {row.node: int(row.at) for row in _ARRIVED.all(work.connection, {"entrant": entrant.id})}
    return found | {keeping.ENTRY: entrant.entered_at}


def entry_of(work: Work, entrant: Entrant) -> Mapping[str, Any]:
    """The data of the event that let it in; empty when none did, or it is forgotten."""
    return _data(work, entrant.entry_source, entrant.entry_event)


def event_of(work: Work, proposal: Proposal, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was in the last event, not a reaction, that led to a step as it is proposed."""
    return last_event(work, proposal.entrant, proposal.n, proposal.source, proposal.event, entry)


def last_event(work: Work, entrant: str, n: int, source: str, event: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was in the last event, not a reaction, that brought an entrant to step n: its own, named here, else that of a step before, else
    of its `entry`."""
    if event and source != ids.REACTIONS:
        found = _EVENT.scalar(work.connection, {"source": source, "event": event})
    elif n > 1:
        found = _LAST_EVENT.scalar(work.connection, {"entrant": entrant, "upto": n})
    else:
        found = None  # only the entry has led to the first step
    return found if isinstance(found, dict) else entry


def _scope(
    work: Work, profile_id: str, event: Mapping[str, Any], entry: Mapping[str, Any], answers: Mapping[str, Any] | None = None
) -> rules.Scope:  # fmt: skip
    profile = profiles.read(work.connection, profile_id) or Profile(profile_id)
    return rules.Scope.of_profile(profile.attributes, event=event, entry=entry, calls=answers)


def _data(work: Work, source: str, event: str) -> Mapping[str, Any]:
    found = _EVENT.scalar(work.connection, {"source": source, "event": event}) if event else None
    return found if isinstance(found, dict) else {}


_EVENT = Statement(
    select(schema.events.c.data).where(schema.events.c.source == bindparam("source"), schema.events.c.id == bindparam("event"))
)
_DONE = Statement(
    select(schema.events)
    .where(
        schema.events.c.profile == bindparam("profile"), schema.events.c.accepted_at >= bindparam("since"),
        schema.events.c.accepted_at <= bindparam("until"),
    )
    .order_by(schema.events.c.accepted_at, schema.events.c.id)
)  # fmt: skip
_LAST_EVENT = Statement(
    select(schema.events.c.data)
    .join(schema.steps, (schema.steps.c.by_source == schema.events.c.source) & (schema.steps.c.by_event == schema.events.c.id))
    .where(schema.steps.c.entrant == bindparam("entrant"), schema.steps.c.n <= bindparam("upto"))
    .where(schema.steps.c.by_event != "", schema.steps.c.by_source != ids.REACTIONS)
    .order_by(schema.steps.c.n.desc())
    .limit(1)
)
_ARRIVED = Statement(
    select(schema.facts.c.node, func.min(schema.facts.c.at).label("at"))
    .where(schema.facts.c.entrant == bindparam("entrant"), schema.facts.c.kind == "arrived")
    .group_by(schema.facts.c.node)
)
