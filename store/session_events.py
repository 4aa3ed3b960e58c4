"""An event is fired in a test session: it reaches the test entrants of its person in this session, and nobody and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from journey import ids, matching
from journey.errors import BadInput
from journey.events import Event, EventDefinition
from journey.graph import EventNode
from journey.rule_text import as_tree
from journey.rule_tree import Group, Rule
from journey.rule_tree import Test as Compared
from journey.version import Version
from store import acceptance, entering, profiles, sessions, versions
from store.acceptance import Verdict
from store.work import Work


@dataclass(frozen=True, slots=True)
class Fired:
    """What is fired: of an event definition of the journey (`definition`), or by its `name`; about a profile, by its id or by an identity.

    `id` makes it repeatable within the session.
    """

    id: str
    definition: str = ""
    name: str = ""
    profile: str = ""
    namespace: str = ""
    key: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def fire(work: Work, journey_id: str, fired: Fired) -> tuple[str, Verdict]:
    """Accept it as any event, for this session alone; returns its source and what became of it.

    Raises NotFound when no test is on, BadInput when the definition is none of the journey, or nobody is named.
    """
    session = sessions.running(work.connection, journey_id)
    frozen = versions.frozen_version(work.connection, versions.row(work.connection, session.version).hash)
    definition = _definition(frozen, fired.definition) if fired.definition else None
    sessions.use(work, session, (definition.id, fired.data) if definition is not None else None)
    event = Event(ids.test_source(session.version), fired.id, fired.name, dict(fired.data))
    if definition is not None:
        event = replace(event, name=fired.name or definition.match or definition.id)
    profile = _person(work.connection, frozen, fired, event)
    if definition is not None:
        event = replace(event, data=_with_key(work.connection, definition, event.data, profile))
    row = versions.row(work.connection, session.version)
    person = profiles.read(work.connection, profile)
    if person is not None and not person.test:
        why = entering.not_a_test_profile(profile)
        entering.refuse(work, row, profile, why, entry=(event.source, event.id))
        return event.source, Verdict(False, why.code, why.detail)
    return event.source, acceptance.accept_fired(work, replace(event, profile=profile), row)


def used_in(frozen: Version) -> list[EventDefinition]:
    """The event definitions that let people into the journey or that nodes of it wait for, in the order of the nodes."""
    named = dict.fromkeys(node.event for node in frozen.journey.nodes if isinstance(node, EventNode))
    return [frozen.events[name] for name in named if name in frozen.events]


def forms(frozen: Version, last: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each of them as a form: its fields, those that its rule looks at first, and what was last fired of it."""
    return [_form(definition, last.get(definition.id)) for definition in used_in(frozen)]


def _form(definition: EventDefinition, last: Any) -> dict[str, Any]:
    rule = as_tree(definition.rule) if definition.rule is not None else None
    asked = [] if rule is None else list(dict.fromkeys(_asked(rule)))
    named = [*asked, *(name for name in definition.fields if name not in asked)]
    fields = [{"name": name, "type": definition.fields.get(name), "in_rule": name in asked} for name in named]
    shown = None if rule is None else rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"event": definition.id, "name": definition.name, "match": definition.match, "rule": shown, "namespace": definition.namespace,
            "key": definition.key, "fields": fields, "last": last}  # fmt: skip


def _asked(rule: Rule) -> Iterator[str]:
    """The fields of its data that a rule looks at."""
    if isinstance(rule, Group):
        for part in rule.rules:
            yield from _asked(part)
    elif isinstance(rule, Compared):
        yield rule.field.removeprefix("event.")


def _definition(frozen: Version, name: str) -> EventDefinition:
    known = [definition.id for definition in used_in(frozen)]
    if name not in known:
        has = f"it waits for {', '.join(known)}" if known else "it waits for none"
        raise BadInput(f"{frozen.journey.id} waits for no event {name!r}: {has}. Give a name instead to fire any event.", where="event")
    return frozen.events[name]


def _person(connection: Connection, frozen: Version, fired: Fired, event: Event) -> str:
    """The profile that is named; without one, whoever the journey's own definitions find in the data."""
    if fired.profile:
        if profiles.read(connection, fired.profile) is None:
            raise BadInput(f"There is no profile {fired.profile!r}: put it first.", where="profile")
        return fired.profile
    namespace, key = fired.namespace or frozen.journey.namespace, fired.key
    if not key:
        fitting = (one for one in used_in(frozen) if one.id == fired.definition or matching.definition_fits(one, event))
        found = next((person for one in fitting if (person := matching.person_of(one, event)) is not None), None)
        if found is None:
            raise BadInput("The event names nobody: give a profile, or a key.", where="profile")
        namespace, key = found
    profile = profiles.find(connection, namespace, key)
    if profile is None:
        raise BadInput(f"Nobody has the identity {namespace} = {key!r}.", where="key")
    return profile


def _with_key(connection: Connection, definition: EventDefinition, data: dict[str, Any], profile: str) -> dict[str, Any]:
    """A form need not repeat who it is about: the field that the definition finds its person in is filled in."""
    if not definition.key or not definition.namespace or "." in definition.key or definition.key in data:
        return data
    value = profiles.keys(connection, definition.namespace, [profile]).get(profile)
    return data if value is None else data | {definition.key: value}
