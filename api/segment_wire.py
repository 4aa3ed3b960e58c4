"""Segment's calls as its libraries send them, read into what we do about each. It knows no store.

What a call lacks is not guessed: it becomes a Refused, which is put on record as a discard.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api import profile_values, strict_json
from api.wire import instant
from journey.errors import BadInput
from journey.events import Event, Instant
from store.acceptance import Arrived

SOURCE = "segment"
ANONYMOUS = "anonymous_id"
"""The namespace of somebody known by an anonymousId alone."""
KINDS = ("track", "identify", "page", "screen", "group", "alias")
LARGEST_ITEM = 65_536
"""Bytes of one call. Segment takes 32 KB; a sender that Segment takes is taken here."""
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Tracked:
    """An event: track, page or screen."""

    arrived: Arrived


@dataclass(frozen=True, slots=True)
class Identified:
    """Attributes of somebody, made if nobody has this identity. `anonymous` is the anonymousId that the call named beside their userId."""

    message: str
    namespace: str
    key: str
    attributes: dict[str, Any] = field(default_factory=dict)
    anonymous: str = ""


@dataclass(frozen=True, slots=True)
class Aliased:
    """Whoever is known as `previous` is known by this identity too."""

    message: str
    previous: str
    namespace: str
    key: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that has no effect, and the discard that says why."""

    message: str
    code: str
    detail: str


Call = Tracked | Identified | Aliased | Refused


class _Unfit(Exception):
    def __init__(self, detail: str, code: str = "bad_item") -> None:
        self.code, self.detail = code, detail


def read_call(item: Any, namespace: str, *, kind: str = "", sent_at: Any = None, now: Instant = 0, judged: bool = True) -> Call:
    """One call. `kind` is what the path said, else its own `type`; `sent_at` is the batch's; `now` is when it was received. What was read
    leniently is not `judged` yet: it is now."""
    message = item.get("messageId") if isinstance(item, dict) else None
    message = message if isinstance(message, str) and 0 < len(message) <= _LONGEST and not _CONTROL.search(message) else ""
    try:
        if not isinstance(item, dict):
            raise _Unfit("It is no JSON object.")
        if not judged:
            _judge(item)
        if len(json.dumps(item, ensure_ascii=False).encode()) > LARGEST_ITEM:
            raise _Unfit(f"It is larger than {LARGEST_ITEM // 1024} KB.")
        return _read(item, message, namespace, kind or item.get("type"), sent_at, now)
    except _Unfit as unfit:
        return Refused(message, unfit.code, unfit.detail)


def _judge(item: Mapping[str, Any]) -> None:
    try:
        strict_json.judge(item, "It")
    except BadInput as error:
        raise _Unfit(error.sentence) from error


def _read(item: Mapping[str, Any], message: str, namespace: str, kind: Any, sent_at: Any, now: Instant) -> Call:
    if kind == "group":
        raise _Unfit("Groups are not kept: people are.", "not_supported")
    if kind not in KINDS:
        raise _Unfit(f"Its type is {kind!r}: it must be one of {', '.join(KINDS)}.")
    namespace, key = _person(item, namespace)
    if kind == "identify":
        return Identified(message, namespace, key, _traits(item), _anonymous(item) if namespace != ANONYMOUS else "")
    if kind == "alias":
        previous = _id(item, "previousId")
        if not previous:
            raise _Unfit("An alias needs previousId.")
        return Aliased(message, previous, namespace, key)
    name, data = _track(item) if kind == "track" else _seen(item, str(kind))
    occurred_at = _occurred_at(item, sent_at, now)
    event = Event(SOURCE, message or f"generated-{uuid.uuid4()}", name, data, occurred_at=occurred_at)
    return Tracked(Arrived(event, namespace, key))


def _track(item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    name = item.get("event")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST or _CONTROL.search(name):
        raise _Unfit("A track needs the name of its event.")
    return name, _object(item, "properties")


def _seen(item: Mapping[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
    """A page or screen: the event `page`, or `page Home` when it has a name; name and category are in its data too."""
    data = _object(item, "properties")
    for part in ("name", "category"):
        if isinstance(item.get(part), str):
            data.setdefault(part, item[part])
    name = item.get("name")
    named = isinstance(name, str) and bool(name.strip())
    return (f"{kind} {_CONTROL.sub(' ', str(name))[:_LONGEST]}" if named else kind), data


def _person(item: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    if user := _id(item, "userId"):
        return namespace, user
    if anonymous := _id(item, "anonymousId"):
        return ANONYMOUS, anonymous
    raise _Unfit("It names nobody: it has neither userId nor anonymousId.", "no_key")


def _id(item: Mapping[str, Any], name: str) -> str:
    """An id, empty when there is none. Libraries send numbers too where their caller gave one."""
    value = item.get(name)
    if value is None or value == "":
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > _LONGEST or _CONTROL.search(value):
        raise _Unfit(f"{name} must be a text of at most {_LONGEST} characters without line breaks.")
    return value.strip()


def _anonymous(item: Mapping[str, Any]) -> str:
    """Of somebody who has a userId: an anonymousId that can be none is no reason to lose what is said of them."""
    try:
        return _id(item, "anonymousId")
    except _Unfit:
        return ""


def _object(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = item.get(name)
    if value is not None and not isinstance(value, dict):
        raise _Unfit(f"{name} must be a JSON object.")
    return dict(value or {})


def _traits(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile put by hand could hold too. RudderStack's libraries have them in the context, Segment's in the call."""
    traits = _object(item, "traits")
    context = item.get("context")
    if not traits and isinstance(context, dict) and isinstance(context.get("traits"), dict):
        traits = dict(context["traits"])
    try:
        profile_values.check_entries(traits, {}, {}, 0)
    except BadInput as error:
        raise _Unfit(error.sentence) from error
    return traits


def _occurred_at(item: Mapping[str, Any], sent_at: Any, now: Instant) -> Instant | None:
    """When it happened. The sender's clock may be wrong: how long before sending it happened is what counts, as Segment reckons too."""
    happened = _lenient(item.get("originalTimestamp")) or _lenient(item.get("timestamp"))
    sent = _lenient(item.get("sentAt")) or _lenient(sent_at)
    if happened is None or sent is None:
        return happened
    return now - (sent - happened)


def _lenient(value: Any) -> Instant | None:
    """An instant, None for what is none: a library's odd clock is no reason to lose a purchase."""
    try:
        return instant(value) if isinstance(value, str) else None
    except BadInput:
        return None
