"""The shapes in which an event may arrive: ours, and CloudEvents 1.0 in structured and in binary mode. It knows no store's rules.

Segment's shapes are in segment_wire.py.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field

from api import strict_json
from journey import documents, ids
from journey.errors import BadInput
from journey.events import Event, Instant
from journey.graph import NamespaceOrNone
from journey.profiles import is_identity
from store.acceptance import Arrived

NATIVE = "api"
"""The source of an event that came in our own shape."""
_WORD = r"^[^\x00-\x1f\x7f]*$"
Word = Annotated[str, Field(max_length=500, pattern=_WORD)]


class NativeEvent(BaseModel):
    """An event in our own shape. `id` lets it be repeated; `time` is RFC 3339; without a key a definition finds the person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Word = ""
    name: Annotated[str, Field(min_length=1, max_length=500, pattern=_WORD)]
    time: str = ""
    namespace: NamespaceOrNone = ""
    key: Word = ""
    data: dict[str, Any] = Field(default_factory=dict)


class CloudEvent(BaseModel):
    """A CloudEvent 1.0. The extensions `namespace` and `key` name its person; `subject` stands in for `key`.

    Other extensions mean nothing here.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: str = Field(json_schema_extra={"const": "1.0"})
    id: Annotated[str, Field(min_length=1, max_length=500, pattern=_WORD)]
    source: Annotated[str, Field(min_length=1, max_length=500, pattern=_WORD)]
    type: Annotated[str, Field(min_length=1, max_length=500, pattern=_WORD)]
    time: str = ""
    subject: Word = ""
    namespace: NamespaceOrNone = ""
    key: Word = ""
    data: dict[str, Any] | None = None
    data_base64: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it came in; `generated` when it brought no id and was given one, so that a repeat cannot be known."""

    arrived: Arrived
    generated: bool = False


def read_event(data: Any) -> Incoming:
    """One event in either shape: what has a `specversion` is a CloudEvent. Raises BadInput naming the path."""
    if not isinstance(data, dict):
        raise BadInput("An event is a JSON object.")
    return _cloud_event(data) if "specversion" in data else _native(data)


def read_binary(headers: Mapping[str, str], body: bytes) -> Incoming:
    """A CloudEvent in binary mode: its attributes are the headers `ce-...`, percent-encoded, and the body is its data."""
    attributes: dict[str, Any] = {
        name[3:].lower(): unquote(value.strip().strip('"')) for name, value in headers.items() if name.lower().startswith("ce-")
    }
    attributes.pop("data", None)
    if body:
        attributes["data"] = strict_json.read(body)
    return _cloud_event(attributes)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the headers say that a request is a CloudEvent in binary mode."""
    return "ce-specversion" in headers


def instant(text: str, where: str = "time") -> Instant | None:
    """RFC 3339 as microseconds since 1970, None for an empty text; without a zone it is UTC. Raises BadInput naming the field."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        since = moment - _BEGINNING
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{where}: write an instant as in 2026-03-01T12:30:00Z.", where=where) from error
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _native(data: dict[str, Any]) -> Incoming:
    event = documents.parse(NativeEvent, data)
    made = Event(NATIVE, event.id or f"generated-{uuid.uuid4()}", event.name, event.data, occurred_at=instant(event.time))
    return Incoming(_of_somebody(made, event.namespace, event.key), generated=not event.id)


def _cloud_event(data: dict[str, Any]) -> Incoming:
    event = documents.parse(CloudEvent, data)
    if event.specversion != "1.0":
        raise BadInput(f"specversion: CloudEvents are read in version 1.0, not {event.specversion!r}.", where="specversion")
    if event.source == ids.REACTIONS:
        raise BadInput(f"source: {ids.REACTIONS!r} is the source of reactions, which come from the messages themselves.", where="source")
    if event.source.startswith(ids.TESTED):
        raise BadInput(f"source: what begins with {ids.TESTED!r} is fired in a test session, by its own call.", where="source")
    made = Event(event.source, event.id, event.type, _data(event), occurred_at=instant(event.time))
    key = event.key or (event.subject if event.namespace else "")
    return Incoming(_of_somebody(made, event.namespace, key))


def _data(event: CloudEvent) -> dict[str, Any]:
    if event.data_base64 is None:
        return event.data or {}
    try:
        data = strict_json.read(base64.b64decode(event.data_base64, validate=True))
    except (ValueError, BadInput) as error:
        raise BadInput("data_base64: it is a JSON object in base64.", where="data_base64") from error
    if not isinstance(data, dict):
        raise BadInput("data_base64: it is a JSON object in base64.", where="data_base64")
    return data


def _of_somebody(event: Event, namespace: str, key: str) -> Arrived:
    if bool(namespace) != bool(key):
        given, wanted = ("namespace", "key") if namespace else ("key", "namespace")
        raise BadInput(f"{wanted}: a {given} alone names nobody; give both, or neither, and a definition finds the person.", where=wanted)
    if key and not is_identity(key):
        raise BadInput("key: it is a text of 1 to 500 characters, on one line, and not blank.", where="key")
    return Arrived(event, namespace, key)
