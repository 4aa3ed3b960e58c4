"""The declared fields of profiles. It does not judge what people's data holds: that arrives as it is."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy import delete as sql_delete

from journey.errors import NotFound
from journey.profiles import Attribute
from store.schema import attributes
from store.work import Work


def all_of(connection: Connection) -> dict[str, Attribute]:
    """Every declared attribute by its name, in order of name."""
    rows = connection.execute(select(attributes).order_by(attributes.c.name))
    return {row.name: Attribute(type=row.type, label=row.label) for row in rows}


def get(connection: Connection, name: str) -> Attribute:
    """One declared attribute. Raises NotFound."""
    row = connection.execute(select(attributes).where(attributes.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"The attribute {name!r} is not declared; put it among the attributes.")
    return Attribute(type=row.type, label=row.label)


def replace(work: Work, declared: Mapping[str, Attribute]) -> None:
    """Declare exactly these attributes; the values that profiles hold stay as they are."""
    work.connection.execute(sql_delete(attributes))
    if declared:
        rows = [{"name": name, "type": attribute.type, "label": attribute.label} for name, attribute in declared.items()]
        work.connection.execute(attributes.insert(), rows)
