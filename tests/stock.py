"""The use case put into a store, and entrants written by hand: for tests of what is read from it. It lets nobody in by the real way."""

from __future__ import annotations

from typing import Any

from journey import ids
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from store import attributes, definitions, journeys, messages, schema, segments
from store.work import Work
from tests import builders

SEGMENT = {"id": "three-cities-after-1980", "name": "Three cities", "rule": 'city in ["Atlanta", "Seattle"] && birth_year > 1980'}
PUBLIC_URL = "https://sojourn.example"


def use_case_document(**changed: Any) -> dict[str, Any]:
    """The draft of the use case as somebody would put it."""
    return {
        "id": "thank-you", "name": "Thank customers in three cities", "namespace": "customer_id", "timezone": "America/New_York",
        "nodes": builders.use_case_nodes(),
    } | changed  # fmt: skip


def surround(work: Work) -> None:
    """Everything that the use case names, without the journey itself."""
    attributes.replace(
        work, {"city": Attribute(type="string"), "birth_year": Attribute(type="integer"), "first_name": Attribute(type="string")}
    )
    segments.put(work, SegmentDocument.model_validate(SEGMENT))
    definitions.put(work, builders.purchase_definition())
    for message in builders.use_case_messages().values():
        messages.put(work, message)


def put_use_case(work: Work, **changed: Any) -> str:
    """The use case with all around it; returns the etag of the draft."""
    surround(work)
    return journeys.put_draft(work, "thank-you", use_case_document(**changed))


def entrant(work: Work, key: str = "c-42", number: int = 1, **changed: Any) -> str:
    """Somebody in `thank-you@1`, waiting at the gate behind the first message unless told otherwise; returns the id."""
    entrant_id = ids.entrant("thank-you", key, number)
    now = work.now()
    row = {
        "id": entrant_id, "journey": "thank-you", "version": "thank-you@1", "mode": "live", "key": key, "number": number, "profile": key,
        "run": "thank-you.run.1", "entered_at": now, "state": "open", "n": 1, "closed": True, "place": "push-opened+email-opened",
        "waiting": True, "arrived_at": now, "until": now + builders.DAY, "due": now + builders.DAY,
    }  # fmt: skip
    work.connection.execute(schema.entrants.insert(), row | changed)
    return entrant_id


def end(work: Work, entrant_id: str, reason: str = "finished") -> None:
    """The entrant is over."""
    ended = {"state": "ended", "waiting": False, "end_reason": reason, "ended_at": work.now(), "place": "end"}
    work.connection.execute(schema.entrants.update().where(schema.entrants.c.id == entrant_id).values(ended))


def end_run(work: Work, run_id: str = "thank-you.run.1") -> None:
    """The run has read its last page."""
    work.connection.execute(schema.runs.update().where(schema.runs.c.id == run_id).values(state="done", ended_at=work.now()))
