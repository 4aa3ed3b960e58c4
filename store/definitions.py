"""Event definitions: how an arriving event is recognised. It recognises none itself: journey/matching.py does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, or_, select
from sqlalchemy import delete as sql_delete

from journey.errors import BadInput, NotFound
from journey.events import EventDefinition
from journey.rule_text import as_tree
from store.schema import event_definitions
from store.statements import Statement
from store.upserts import upsert
from store.work import Work


def all_of(connection: Connection) -> dict[str, EventDefinition]:
    """Every definition by its id, in order of id, which is the order in which they are tried."""
    rows = connection.execute(select(event_definitions).order_by(event_definitions.c.id))
    return {row.id: EventDefinition.model_validate(row.document) for row in rows}


def parsed(document: dict[str, Any]) -> EventDefinition:
    """A document of the table as a definition with its rule as a tree. One that has not changed is parsed once: every event asks."""
    name = str(document["id"])
    known = _parsed.get(name)
    if known is not None and known[0] == document:
        return known[1]
    definition = EventDefinition.model_validate(document)
    if definition.rule is not None:
        definition = definition.model_copy(update={"rule": as_tree(definition.rule)})
    _parsed[name] = (document, definition)
    return definition


_parsed: dict[str, tuple[dict[str, Any], EventDefinition]] = {}


def of_event(connection: Connection, name: str) -> list[EventDefinition]:
    """The definitions that may describe an event of this name, in order of id: those of that name, and those that a rule decides."""
    return [parsed(row.document) for row in _OF_EVENT.all(connection, {"name": name})]


_OF_EVENT = Statement(
    select(event_definitions.c.document)
    .where(or_(event_definitions.c.event_name == "", event_definitions.c.event_name == bindparam("name")))
    .order_by(event_definitions.c.id)
)


def get(connection: Connection, definition_id: str) -> EventDefinition:
    """One definition. Raises NotFound."""
    document = connection.execute(select(event_definitions.c.document).where(event_definitions.c.id == definition_id)).scalar_one_or_none()
    if document is None:
        raise NotFound(f"There is no event definition {definition_id!r}; put it first.")
    return EventDefinition.model_validate(document)


def put(work: Work, definition: EventDefinition) -> None:
    """Keep a definition. Raises BadInput when it has not exactly one of `match` and `rule`, RuleError when its rule cannot be read."""
    if bool(definition.match) == (definition.rule is not None):
        raise BadInput("Give an event definition either `match`, the name of the event, or `rule`, a rule over its data.", where="match")
    if definition.rule is not None:
        as_tree(definition.rule)
    document = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    upsert(work.connection, event_definitions, {"id": definition.id, "document": document, "event_name": definition.match or ""})


def delete(work: Work, definition_id: str) -> None:
    """Take a definition away; versions that froze it keep it. Raises NotFound."""
    if not work.connection.execute(sql_delete(event_definitions).where(event_definitions.c.id == definition_id)).rowcount:
        raise NotFound(f"There is no event definition {definition_id!r}.")
