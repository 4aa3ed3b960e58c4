"""What Segment's calls look like, for the OpenAPI document alone: they are read, more leniently, by segment_wire.py."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

KEY = {"type": "http", "scheme": "basic", "description": "A write key (SOJOURN_WRITE_KEYS) as the user name, no password."}
KEY_NAME = "WriteKey"

_TEXT: Schema = {"type": "string"}
_DATA: Schema = {"type": "object"}
_COMMON: Schema = {
    "userId": {"type": "string", "description": "Who it is, in the namespace of the write key. It or `anonymousId` is needed."},
    "anonymousId": {"type": "string", "description": "Who it is as long as nobody knows better."},
    "messageId": {"type": "string", "description": "Sent again with the same one, it has no second effect."},
    "timestamp": {"type": "string", "description": "When it happened, RFC 3339."},
    "context": _DATA,
}
_OWN: dict[str, tuple[Schema, Schema]] = {
    "track": (
        {"event": {"type": "string", "description": "The name of the event."}, "properties": _DATA},
        {"event": "Order Completed", "properties": {"product": "City roast", "purchaseMessage": "thank you"}},
    ),
    "identify": ({"traits": _DATA}, {"traits": {"first_name": "Ada", "city": "Atlanta"}}),
    "page": ({"name": _TEXT, "category": _TEXT, "properties": _DATA}, {"name": "Home"}),
    "screen": ({"name": _TEXT, "category": _TEXT, "properties": _DATA}, {"name": "Start"}),
    "group": ({"groupId": _TEXT, "traits": _DATA}, {"groupId": "g-1"}),
    "alias": ({"previousId": {"type": "string", "description": "The anonymousId until now."}}, {"previousId": "a-7f3c"}),
}
"""Of each call its own fields, and an example of them."""
_NEEDED = {"track": ["event"], "alias": ["previousId"]}


def of(kind: str) -> dict[str, Any]:
    """What the description of a call has in OpenAPI beside its answers; `kind` is `batch` or one of Segment's six."""
    schema, example = _batch() if kind == "batch" else _call(kind)
    content = {"schema": schema, "example": example}
    return {"security": [{KEY_NAME: []}], "requestBody": {"required": True, "content": {"application/json": content}}}


def _call(kind: str) -> tuple[Schema, Schema]:
    fields, example = _OWN[kind]
    schema = {"type": "object", "properties": _COMMON | fields, "required": _NEEDED.get(kind, [])}
    return schema, {"userId": "c-42", "messageId": f"{kind}-1"} | example


def _batch() -> tuple[Schema, Schema]:
    _, track = _call("track")
    one = {"type": "object", "properties": {"type": {"enum": list(_OWN)}} | _COMMON, "required": ["type"]}
    schema = {"type": "object", "properties": {"batch": {"type": "array", "items": one}, "sentAt": _TEXT}, "required": ["batch"]}
    return schema, {"batch": [{"type": "track"} | track]}
