"""Messages and their revisions: every change of content is a new one, and an old one stays readable. It renders nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy import delete as sql_delete

from journey.calls import ToCall
from journey.errors import NotFound
from journey.messages import MessageDocument
from journey.policies import Policies
from store import in_use, policies
from store.schema import message_revisions, messages
from store.schema import policies as policies_table
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

_HEADS = select(messages.c.id, messages.c.revision, message_revisions.c.document).join(
    message_revisions, (message_revisions.c.message == messages.c.id) & (message_revisions.c.revision == messages.c.revision)
)
_LATEST = Statement(_HEADS.where(messages.c.id == bindparam("id")))
_AT = Statement(
    select(message_revisions.c.document).where(
        message_revisions.c.message == bindparam("id"), message_revisions.c.revision == bindparam("revision")
    )
)
_TO_SEND = Statement(
    select(message_revisions.c.revision, message_revisions.c.document, policies_table.c.hash)
    .select_from(messages)
    .join(message_revisions, (message_revisions.c.message == messages.c.id) & (message_revisions.c.revision == messages.c.revision))
    .outerjoin(policies_table, policies_table.c.id == policies.ONE)
    .where(messages.c.id == bindparam("id"))
)
_BEING_SENT = Statement(
    select(message_revisions.c.document, policies_table.c.hash)
    .select_from(message_revisions)
    .outerjoin(policies_table, policies_table.c.id == policies.ONE)
    .where(message_revisions.c.message == bindparam("id"), message_revisions.c.revision == bindparam("revision"))
)
_NEWEST = select(func.max(message_revisions.c.revision)).where(message_revisions.c.message == bindparam("id"))


def all_of(connection: Connection) -> dict[str, MessageDocument]:
    """Every message by its id, each at its latest revision."""
    return {row.id: MessageDocument.model_validate(row.document) for row in connection.execute(_HEADS.order_by(messages.c.id))}


def get(connection: Connection, message_id: str) -> MessageDocument:
    """A message at its latest revision. Raises NotFound."""
    return latest(connection, message_id)[1]


def latest(connection: Connection, message_id: str) -> tuple[int, MessageDocument]:
    """The number of the latest revision, counted from 1, and the message. Raises NotFound."""
    row = _LATEST.first(connection, {"id": message_id})
    if row is None:
        raise NotFound(f"There is no message {message_id!r}; put it first.")
    return row.revision, MessageDocument.model_validate(row.document)


def at(connection: Connection, message_id: str, revision: int) -> MessageDocument:
    """A message as it was at a revision, also when the message itself is gone since. Raises NotFound."""
    document = _AT.scalar(connection, {"id": message_id, "revision": revision})
    if document is None:
        raise NotFound(f"There is no revision {revision} of a message {message_id!r}.")
    return MessageDocument.model_validate(document)


@dataclass(frozen=True, slots=True)
class ToSend:
    """A message that is to be sent, the number of its revision, and the policies that sending is held to now; or a call, which has no
    revision."""

    revision: int | None
    document: MessageDocument | ToCall
    policies: Policies


def to_send(connection: Connection, message_id: str) -> ToSend:
    """A message at its latest revision, and the policies, in one statement. Raises NotFound."""
    row = _TO_SEND.first(connection, {"id": message_id})
    if row is None:
        raise NotFound(f"There is no message {message_id!r}; put it first.")
    return ToSend(row.revision, MessageDocument.model_validate(row.document), policies.of_hash(connection, row.hash))


def being_sent(connection: Connection, message_id: str, revision: int) -> ToSend:
    """The same of a step that is open already: the revision that it was opened with. Raises NotFound."""
    row = _BEING_SENT.first(connection, {"id": message_id, "revision": revision})
    if row is None:
        raise NotFound(f"There is no revision {revision} of a message {message_id!r}.")
    return ToSend(revision, MessageDocument.model_validate(row.document), policies.of_hash(connection, row.hash))


def put(work: Work, document: MessageDocument) -> int:
    """Keep a message and return its revision: a new one when the content differs from the latest, else the one there is."""
    content: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    row = _LATEST.first(work.connection, {"id": document.id})
    if row is not None and row.document == content:
        return int(row.revision)
    # Counted over the revisions, not the head: a message that was deleted and comes back goes on counting.
    revision = (work.connection.execute(_NEWEST, {"id": document.id}).scalar_one() or 0) + 1
    work.connection.execute(
        message_revisions.insert(), {"message": document.id, "revision": revision, "document": content, "at": work.now()}
    )
    upsert(work.connection, messages, {"id": document.id, "revision": revision})
    return int(revision)


def delete(work: Work, message_id: str) -> None:
    """Take a message away; its revisions stay for those who are being written to. Raises NotFound, and Conflict `in_use`."""
    in_use.check_message(work.connection, message_id)
    if not work.connection.execute(sql_delete(messages).where(messages.c.id == message_id)).rowcount:
        raise NotFound(f"There is no message {message_id!r}.")
